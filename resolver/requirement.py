"""A dependency specifier (PEP 508), parsed once per text and shared.

What lives here: the domain's ``Requirement`` and the only call of ``packaging.requirements`` in the project.
Parsing happens under one lock: ``packaging`` 26 on Python 3.11 can fail when several threads parse markers.
Metadata repeats itself, so a line is read in two halves that are remembered by themselves, the plain ones without
``packaging``: what precedes the semicolon, and the marker (``tests/properties/test_requirement_halves.py``).
Sizes are checked before ``packaging`` sees the text, because nesting and long specifier lists cost it
quadratic time or a ``RecursionError`` (docs/architecture.md, Limits).
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from packaging.markers import InvalidMarker, Marker
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
MAX_HALVES = 50_000  # heads and markers remembered, each

_LOCK = threading.Lock()
_CACHE: dict[str, Requirement] = {}
_HEADS: dict[str, Requirement] = {}
_MARKERS: dict[str, str] = {}
_PARSED: dict[str, Marker] = {}
_LONG_WORD = re.compile(r"[^\s,;()\[\]'\"<>=!~@]{" + str(MAX_VERSION + 1) + ",}")
_QUOTED_VERSION = re.compile(r"""([<>=~]\s*)(["'])([^"'\s,]+)\2""")
_MISSING_COMMA = re.compile(r"([<>=~]\s*[\w.*+-]+)\s*(?=[<>~]|[!=]=)")
_LEGACY_PARENTHESES = re.compile(r"^(\s*[A-Za-z0-9._-]+\s*(?:\[[^\]]*\])?\s*)\(([^)]*)\)")

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_RELEASE = r"[0-9]{1,9}(?:\.[0-9]{1,9})"
_BOUNDS = rf"(?:>=|<=|!=|==|>|<)\s*{_RELEASE}*(?:\s*,\s*(?:>=|<=|!=|==|>|<)\s*{_RELEASE}*)*"
_PLAIN_HEAD = re.compile(
    rf"\s*({_NAME})\s*(?:\[\s*({_NAME}(?:\s*,\s*{_NAME})*)\s*\]\s*)?"
    rf"(?:({_BOUNDS})|\(\s*({_BOUNDS})\s*\))?\s*",
    re.ASCII,
)
_PLAIN_EXTRA = re.compile(r"""\s*extra\s*==\s*(["'])([a-z0-9]+(?:-[a-z0-9]+)*)\1\s*""", re.ASCII)


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
    """Parsed when it is first asked for: a marker's text answers most questions."""
    text: str
    """The requirement as ``packaging`` prints it: the canonical spelling."""
    marker_text: str | None
    """The marker as ``packaging`` prints it."""

    @classmethod
    def known(
        cls, name: str, extras: tuple[str, ...], specifier: str, url: str | None, marker_text: str | None, text: str
    ) -> Self:
        """Make one of fields that an earlier one had."""
        made = cls.__new__(cls)
        put = object.__setattr__
        put(made, "name", name)
        put(made, "extras", extras)
        put(made, "specifier", specifier)
        put(made, "url", url)
        put(made, "text", text)
        put(made, "marker_text", marker_text)
        return made

    if not TYPE_CHECKING:  # to the type checker the field is always there

        def __getattr__(self, name: str) -> object:
            """Parse the marker: an empty slot is the only way to get here."""
            if name != "marker":
                raise AttributeError(name)
            marker = None if self.marker_text is None else _marker_of(self.marker_text)
            object.__setattr__(self, "marker", marker)
            return marker

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
    return _remember(text, (None if "@" in text else _by_halves(text)) or _whole(text))


def remembered(
    name: str, extras: tuple[str, ...], specifier: str, url: str | None, marker_text: str | None, text: str
) -> Requirement:
    """Return the requirement that :func:`parse` made of these fields in an earlier process."""
    found = _CACHE.get(text)
    return found or _remember(text, Requirement.known(name, extras, specifier, url, marker_text, text))


def _remember(written: str, made: Requirement) -> Requirement:
    if len(_CACHE) >= MAX_CACHED:
        _CACHE.clear()
    shared = _CACHE[written] = _CACHE.setdefault(made.text, made)
    return shared


def _marker_of(marker: str) -> Marker:
    """Parse a marker that ``packaging`` has printed, once."""
    found = _PARSED.get(marker)
    if found is None:
        if len(_PARSED) >= MAX_HALVES:
            _PARSED.clear()
        with _LOCK:
            found = _PARSED[marker] = Marker(marker)
    return found


def _whole(text: str) -> Requirement:
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
    return Requirement(
        name=str(canonicalize_name(parsed.name)),
        extras=tuple(sorted({str(canonicalize_name(extra)) for extra in parsed.extras})),
        specifier=",".join(sorted(map(str, parsed.specifier), key=_reading_order)),
        url=parsed.url,
        marker=parsed.marker,
        text=str(parsed),
        marker_text=None if parsed.marker is None else str(parsed.marker),
    )


def _by_halves(text: str) -> Requirement | None:
    """Read what precedes the semicolon, and the marker; None where either is not plain, or no good."""
    before, semicolon, after = text.partition(";")
    head = _HEADS.get(before) or _head(before)
    if head is None or not semicolon:
        return head
    marker = _MARKERS.get(after) or _marker(after)
    if marker is None:
        return None
    return Requirement.known(head.name, head.extras, head.specifier, None, marker, f"{head.text}; {marker}")


def _head(text: str) -> Requirement | None:
    plain = _PLAIN_HEAD.fullmatch(text)
    if plain is None:
        try:
            head = _whole(text)
        except RequirementError:
            return None
    else:
        written, listed, bounds, enclosed = plain.groups()
        bounds = bounds or enclosed
        specifiers = ["".join(one.split()) for one in bounds.split(",")] if bounds else []
        if len(specifiers) > 1 and len({one.rstrip("0123456789.") for one in specifiers}) < len(specifiers):
            return None  # equal bounds in two spellings are one: for packaging to find out
        extras = sorted({one.strip() for one in listed.split(",")}) if listed else []
        shown = f"[{','.join(extras)}]" if extras else ""
        head = Requirement(
            name=str(canonicalize_name(written)),
            extras=tuple(sorted({str(canonicalize_name(one)) for one in extras})),
            specifier=",".join(sorted(specifiers, key=_reading_order)),
            url=None,
            marker=None,
            text=f"{written}{shown}{','.join(sorted(specifiers))}",
            marker_text=None,
        )
        if len(extras) > MAX_EXTRAS:
            return None
    if len(_HEADS) >= MAX_HALVES:
        _HEADS.clear()
    _HEADS[text] = head
    return head


def _marker(text: str) -> str | None:
    plain = _PLAIN_EXTRA.fullmatch(text)
    if plain is not None:
        marker = f'extra == "{plain[2]}"'
    else:
        try:
            with _LOCK:
                parsed = Marker(text)
        except (InvalidMarker, ValueError, RecursionError):
            return None
        marker = str(parsed)
        if len(_PARSED) < MAX_HALVES:
            _PARSED[marker] = parsed
    if len(_MARKERS) >= MAX_HALVES:
        _MARKERS.clear()
    _MARKERS[text] = marker
    return marker


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
