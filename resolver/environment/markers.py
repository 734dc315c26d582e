"""Markers in one environment (dependency specifiers specification, PEP 508; extras by PEP 685).

Evaluation is ``packaging``'s, remembered per marker text, target and extra. Its one departure is for comparisons that
have no meaning, such as ``os_name ~= "x"`` or ``"x" == "x"``: ``packaging`` raises for the whole marker; here such a
comparison is read as if it were not written, as uv does. That keeps a requirement rather than losing it silently, and
``extra == "dev" and os_name ~= "x"`` still belongs to its extra alone. :func:`is_defined` tells such markers apart.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from collections.abc import Set as AbstractSet
from functools import lru_cache

from packaging.markers import Marker
from packaging.utils import canonicalize_name

from .expression import (
    UNDEFINED,
    Expression,
    evaluate_defined,
    names_extra,
    parse_expression,
    parse_marker,
    render,
    substitute,
)
from .target import Target

__all__ = ["belongs_to", "evaluate", "is_defined", "lone_extra", "mentions_extra", "parse_marker", "without_extra"]

MAX_CACHED = 200_000  # answers remembered, some 100 bytes each; a large resolve asks for a few thousand
MAX_MARKERS = 100_000  # marker objects whose text is remembered, some 200 bytes each

_PLAIN_EXTRA = re.compile(r'extra == "([a-z0-9]+(?:-[a-z0-9]+)*)"', re.ASCII)  # most markers of metadata; normalised

_texts: dict[int, tuple[Marker, str]] = {}
_answers: dict[tuple[str, str, str], bool] = {}


def _text(marker: Marker) -> str:
    """``str(marker)``, which prints the whole tree anew on each call, remembered by identity.

    The marker is kept with its text, so that its id cannot come to mean another one.
    """
    found = _texts.get(id(marker))
    if found is None:
        if len(_texts) >= MAX_MARKERS:
            _texts.clear()
        found = _texts[id(marker)] = (marker, str(marker))
    return found[1]


def evaluate(marker: Marker | str, target: Target, extras: Collection[str] = ()) -> bool:
    """Whether the marker (or its canonical text) holds in ``target`` without an extra, or with any one of ``extras``.

    Extras may be spelled in any way.
    """
    text = marker if isinstance(marker, str) else _text(marker)
    if _holds(marker, text, target, ""):
        return True
    if not extras or not _mentions_extra(text):
        return False
    return any(_holds(marker, text, target, str(canonicalize_name(extra))) for extra in extras)


@lru_cache(maxsize=MAX_MARKERS)
def lone_extra(text: str) -> str | None:
    """The normalised extra that a marker asks for, if that is all that it asks."""
    plain = _PLAIN_EXTRA.fullmatch(text)
    return None if plain is None else plain[1]


def _holds(marker: Marker | str, text: str, target: Target, extra: str) -> bool:
    alone = lone_extra(text)
    if alone is not None:
        return alone == extra
    key = (text, target.key, extra)
    answer = _answers.get(key)
    if answer is None:
        if isinstance(marker, str):
            marker = parse_marker(marker)
        answer = _evaluate(marker, text, _environment(target, extra))
        if len(_answers) >= MAX_CACHED:
            _answers.clear()
        _answers[key] = answer
    return answer


def _environment(target: Target, extra: str) -> dict[str, str | AbstractSet[str]]:
    # The set-valued variables belong to lock files; metadata that names them anyway means the same extras.
    extras: frozenset[str] = frozenset({extra} if extra else ())
    return {**target.markers, "extra": extra, "extras": extras, "dependency_groups": frozenset[str]()}


def _evaluate(marker: Marker, text: str, environment: dict[str, str | AbstractSet[str]]) -> bool:
    try:
        return marker.evaluate(environment)
    except UNDEFINED:
        answer = evaluate_defined(parse_expression(text), lambda comparison: _compare(comparison, environment))
        return answer is not False


def _compare(comparison: str, environment: dict[str, str | AbstractSet[str]]) -> bool | None:
    try:
        return parse_marker(comparison).evaluate(environment)
    except UNDEFINED:
        return None


def is_defined(marker: Marker, target: Target) -> bool:
    """Whether every comparison of the marker has a meaning; where not, a warning is due."""
    try:
        marker.evaluate(_environment(target, ""))
    except UNDEFINED:
        return False
    return True


@lru_cache(maxsize=MAX_MARKERS)
def _mentions_extra(text: str) -> bool:
    return names_extra(text)


def mentions_extra(marker: Marker | str) -> bool:
    """Whether the marker (or its canonical text) depends on the variable ``extra``."""
    return _mentions_extra(marker if isinstance(marker, str) else _text(marker))


@lru_cache(maxsize=MAX_MARKERS)
def without_extra(marker: str, extra: str) -> str | None:
    """What is left to ask of the environment once ``extra`` (``""``: none) is known to be taken; None: nothing.

    ``extra == "dev" and python_version < "3.9"`` taken with ``dev`` is ``python_version < "3.9"``. Comparisons with
    other extras are false. A marker that cannot hold with that extra is returned as it is: there is no such edge.

    Raises:
        RequirementError: ``marker`` is not one.
    """
    canonical = str(parse_marker(marker))
    rest = _left(canonical, extra)
    if rest is True:
        return None
    return canonical if rest is False else render(rest)


@lru_cache(maxsize=MAX_MARKERS)
def belongs_to(marker: str | None, extra: str | None) -> bool:
    """Whether a requirement with ``marker`` is one of ``extra`` (None: of no extra) in some environment or other.

    Raises:
        RequirementError: ``marker`` is not one.
    """
    if marker is None:
        return extra is None
    canonical = str(parse_marker(marker))
    if extra is not None and not names_extra(canonical):
        return False
    return _left(canonical, extra or "") is not False


def _left(canonical: str, extra: str) -> Expression | bool:
    name = str(canonicalize_name(extra)) if extra else ""

    def decide(comparison: str) -> bool | None:
        if not names_extra(comparison):
            return None
        try:
            return parse_marker(comparison).evaluate({"extra": name})
        except UNDEFINED:
            return True

    return substitute(parse_expression(canonical), decide)
