"""The order in which a query's requirements are looked at: one for all files that say the same.

Which package is decided first may choose between answers that are equally good, and the order of lines in a file is
no wish. What leaves the fewest versions comes first: requirements with an upper bound or a pin, then those with a
lower bound, then names alone; among equals the name decides. On real sets this gave what the order of their files
gives. By name alone, a library that many need was often decided before those that need it. Of requirements on one
project, and so of the environments that they divide, that comes first which people state first: what is so before what
is not so, Linux before macOS before Windows, CPython and x86-64 before others.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from .model import Query, Stated

_UPPER = ("<", "==", "~=")
_AS_STATED = (
    *(("!=", "~"), ("not in", "~"), ("linux", "0"), ("Linux", "0"), ("darwin", "1"), ("Darwin", "1")),
    *(("cpython", "0"), ("CPython", "0"), ("x86_64", "0"), ("'nt'", "'0'"), ('"nt"', '"0"')),
)
"""What to replace in a marker, so that texts sort as people state them."""


def in_order(query: Query) -> Query:
    """The same query, whatever order its statements had."""
    return replace(
        query,
        requirements=_sorted(query.requirements),
        constraints=_sorted(query.constraints),
        overrides=_sorted(query.overrides),
    )


def in_order_of_places(statements: Iterable[Stated]) -> list[Stated]:
    """As the caller has them: by file and line, or by their numbers in the request."""
    return sorted(statements, key=position)


def position(stated: Stated) -> tuple[str, int, str]:
    """Where a statement comes among those of the caller."""
    place = stated.place
    if place.pointer is None:
        return place.file or "", place.line or 0, stated.origin
    head, _, number = place.pointer.rpartition("/")
    return head, int(number) if number.isdecimal() else 0, stated.origin


def is_bounded(specifier: str) -> bool:
    """Whether a specifier has an upper bound."""
    return any(one.startswith(_UPPER) for one in specifier.split(","))


def _sorted(statements: Iterable[Stated]) -> tuple[Stated, ...]:
    stated = tuple(statements)
    freedom: dict[str, int] = {}
    for one in stated:
        name = one.requirement.name
        freedom[name] = min(_freedom(one), freedom.get(name, 2))
    return tuple(sorted(stated, key=lambda one: (freedom[one.requirement.name], *_key(one))))


def _freedom(stated: Stated) -> int:
    requirement = stated.requirement
    if requirement.url is not None or is_bounded(requirement.specifier):
        return 0
    return 1 if requirement.specifier else 2


def _key(stated: Stated) -> tuple[str, str, str, str]:
    requirement = stated.requirement
    return requirement.name, _marker_key(requirement.marker_text), requirement.text, stated.origin


def _marker_key(marker: str | None) -> str:
    text = marker or ""
    for word, place in _AS_STATED:
        text = text.replace(word, place)
    return text
