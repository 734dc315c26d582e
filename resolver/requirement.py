"""A dependency specifier (PEP 508), parsed once per text and shared.

What lives here: the domain's ``Requirement`` and the only call of ``packaging.requirements`` in the project.
Parsing happens under one lock: ``packaging`` 26 on Python 3.11 can fail when several threads parse markers.
Sizes are checked before ``packaging`` sees the text, because nesting and long specifier lists cost it
quadratic time or a ``RecursionError`` (docs/architecture.md, Limits).
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass

from packaging.markers import Marker
from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as _Parsed
from packaging.utils import canonicalize_name

# Limits per requirement: real metadata stays far below each of them.
MAX_TEXT = 4096
MAX_SPECIFIERS = 100
MAX_EXTRAS = 64
MAX_MARKER_NESTING = 32
MAX_VERSION = 128
MAX_CACHED = 200_000  # texts remembered; some 300 bytes each, so 60 MB at most

_LOCK = threading.Lock()
_CACHE: dict[str, Requirement] = {}
_LONG_WORD = re.compile(r"[^\s,;()\[\]'\"<>=!~@]{" + str(MAX_VERSION + 1) + ",}")
_QUOTED_VERSION = re.compile(r"""([<>=~]\s*)(["'])([^"'\s,]+)\2""")
_MISSING_COMMA = re.compile(r"([<>=~]\s*[\w.*+-]+)\s*(?=[<>~]|[!=]=)")
_LEGACY_PARENTHESES = re.compile(r"^(\s*[A-Za-z0-9._-]+\s*(?:\[[^\]]*\])?\s*)\(([^)]*)\)")


class RequirementError(ValueError):
    """The text is no requirement, or exceeds a limit.

    The message never quotes the text, which may hold a URL with userinfo; ``offset`` is the index of the character
    where reading failed, None where there is no such place.
    """

    def __init__(self, detail: str, *, offset: int | None = None) -> None:
        super().__init__(detail)
        self.offset = offset


@dataclass(frozen=True, slots=True, eq=False)
class Requirement:
    """One requirement. Instances are interned by text: identity is equality, and hashing costs nothing."""

    name: str
    """Normalised (PEP 503)."""
    extras: tuple[str, ...]
    """Normalised and sorted."""
    specifier: str
    """PEP 440 specifiers in canonical order (lower bounds first), ``""`` for any version."""
    url: str | None
    """Direct reference, with whatever userinfo the text had: show only after redaction."""
    marker: Marker | None
    text: str
    """The requirement as ``packaging`` prints it: the canonical spelling."""

    def __str__(self) -> str:
        return self.text


def _reading_order(specifier: str) -> tuple[int, str]:
    """Lower bounds, pins, upper bounds, exceptions: as a person writes them."""
    return (">=~<!".find(specifier[0]), specifier)


def _check_limits(text: str) -> None:
    if len(text) > MAX_TEXT:
        raise RequirementError(f"a requirement of {len(text)} characters; at most {MAX_TEXT} are allowed")
    if text.count(",") > MAX_SPECIFIERS + MAX_EXTRAS:
        raise RequirementError(f"more than {MAX_SPECIFIERS} version specifiers in one requirement")
    depth = deepest = 0
    for char in text:
        if char == "(":
            depth += 1
            deepest = max(deepest, depth)
        elif char == ")":
            depth -= 1
    if deepest > MAX_MARKER_NESTING:
        raise RequirementError(f"parentheses nested more than {MAX_MARKER_NESTING} deep")
    if "@" not in text and _LONG_WORD.search(text):
        raise RequirementError(f"a name or version longer than {MAX_VERSION} characters")


def parse(text: str) -> Requirement:
    """Parse ``text``.

    Raises:
        RequirementError: not PEP 508, or beyond a limit.
    """
    found = _CACHE.get(text)
    if found is not None:
        return found
    _check_limits(text)
    try:
        with _LOCK:
            parsed = _Parsed(text)
    except InvalidRequirement as error:
        # The first line says what was expected; the others quote the text above a caret.
        span = getattr(error.__cause__, "span", None)
        detail = str(error).partition("\n")[0][:300]
        raise RequirementError(detail, offset=span[1] if isinstance(span, tuple) else None) from None
    except (ValueError, RecursionError) as error:  # integers beyond 4300 digits, nesting
        raise RequirementError(f"cannot be read: {type(error).__name__}") from None
    if len(parsed.specifier) > MAX_SPECIFIERS:
        raise RequirementError(f"more than {MAX_SPECIFIERS} version specifiers in one requirement")
    if len(parsed.extras) > MAX_EXTRAS:
        raise RequirementError(f"more than {MAX_EXTRAS} extras in one requirement")
    canonical = str(parsed)
    requirement = _CACHE.get(canonical)
    if requirement is None:
        requirement = Requirement(
            name=str(canonicalize_name(parsed.name)),
            extras=tuple(sorted({str(canonicalize_name(extra)) for extra in parsed.extras})),
            specifier=",".join(sorted(map(str, parsed.specifier), key=_reading_order)),
            url=parsed.url,
            marker=parsed.marker,
            text=canonical,
        )
    if len(_CACHE) >= MAX_CACHED:
        _CACHE.clear()
    _CACHE[text] = _CACHE[canonical] = requirement
    return requirement


def parse_legacy(text: str) -> Requirement:
    """Parse a ``Requires-Dist`` of old metadata, repairing what its writers got wrong.

    ``name (>=1)``, ``>=1.*``, ``>="1.0"``, ``>=1 <2`` and ``>=1<2``, ``>=1.``; as uv does.
    """
    try:
        return parse(text)
    except RequirementError:
        head, semicolon, marker = text.partition(";")
        head = _LEGACY_PARENTHESES.sub(r"\1\2", head)
        head = re.sub(r"(>=|<=|>|<)(\s*\d+(?:\.\d+)*)\.\*", r"\1\2", head)
        head = _QUOTED_VERSION.sub(r"\1\3", head)
        head = _MISSING_COMMA.sub(r"\1,", head.strip().rstrip(","))
        head = re.sub(r"(\d)\.(?=\s*(,|$))", r"\1", head)
        repaired = f"{head} {semicolon}{marker}"
        if repaired == text:
            raise
        return parse(repaired)
