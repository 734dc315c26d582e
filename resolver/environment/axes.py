"""The axes along which environments differ: Python versions, strings such as ``sys_platform``, and flags.

What lives here: which axes exist, their order in a diagram, and where a concrete environment lies on each. A flag is a
yes or no: an extra, or a comparison whose set of values cannot be listed (``"linux" in sys_platform``).

Versions of interpreters are points (major, minor, micro, kind, number) with kind 0, 1, 2 for a, b, rc and 3 for
final: releases have at most three parts, no post-releases, and development and local builds count as the release. So
the cuts of specifiers fall on points, and equal sets have equal cuts: ``> 3.12.7`` and ``>= 3.12.8.dev0`` are one.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import inf
from typing import Literal, TypeAlias
from weakref import WeakValueDictionary

from packaging.version import InvalidVersion, Version

from resolver.specifier import SortKey, sort_key

from .expression import UNDEFINED, parse_marker

MAX_CACHED = 65_536  # axes and answers remembered, some 300 bytes each

Point: TypeAlias = tuple[int, int, int, int, int]
Cut: TypeAlias = Point
"""The first point that lies above the cut."""

FINAL = 3
_START: Point = (0, 0, 0, 0, 0)
BEYOND: Point = (10**6, 0, 0, 0, 0)
"""Where epochs and absurd majors begin: no interpreter is there."""

# Extras come first, so that they cost one node above everything; the correlated platform axes come last, so that
# what is known of them (theory.py) is shared by every diagram below the others.
_ORDER = (
    "extra",
    "python_full_version",
    "implementation_version",
    "platform_machine",
    "platform_release",
    "platform_version",
    "dependency_groups",
    "sys_platform",
    "os_name",
    "platform_system",
    "implementation_name",
    "platform_python_implementation",
)
_RANKS = {variable: rank for rank, variable in enumerate(_ORDER)}
VERSION_AXES = ("python_full_version", "implementation_version")


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Axis:
    """One axis; interned, so that identity is equality."""

    rank: tuple[int, int, str]
    """Order in diagrams, from the root down."""
    kind: Literal["version", "string", "flag", "end"]
    variable: str
    text: str
    """Of a flag: the extra's name, or the comparison as PEP 508 text."""


END = Axis((len(_ORDER), 0, ""), "end", "", "")
"""Below every axis."""


_PLAIN = {
    variable: Axis((rank, 0, ""), "version" if variable in VERSION_AXES else "string", variable, "")
    for variable, rank in _RANKS.items()
}
_PLAIN["python_version"] = _PLAIN["python_full_version"]
_LOCK = threading.Lock()
_flags: WeakValueDictionary[tuple[str, str], Axis] = WeakValueDictionary()


def axis_of(variable: str) -> Axis:
    """The axis of an environment variable; ``python_version`` lies on that of ``python_full_version``."""
    return _PLAIN[variable]


def flag_of(variable: str, text: str) -> Axis:
    """The flag of a comparison of ``variable``; or of an extra, where ``text`` is its name.

    A comparison of ``extra`` that is more than a name starts with ``?``, which no name does.
    """
    with _LOCK:
        found = _flags.get((variable, text))
        if found is None:
            rank = (_PLAIN[variable].rank[0], 1, f"{variable} {text}")
            found = _flags[variable, text] = Axis(rank, "flag", variable, text)
        return found


def compares_strings(flag: Axis) -> bool:
    """Whether the flag is a comparison of a variable that has a string axis, whose named values decide it."""
    return flag.variable != "extra" and _PLAIN[flag.variable].kind == "string"


def is_extra(axis: Axis) -> bool:
    """Whether the axis says whether an extra is taken, rather than where we are."""
    return axis.variable == "extra"


def first_point(cut: SortKey | None) -> Cut | None:
    """The first interpreter version at or above a specifier's cut; None at the very bottom.

    A cut is a sort key, or a prefix of one, of PEP 440's order.
    """
    if cut is None:
        return None
    epoch, release = cut[0], cut[1]
    assert isinstance(epoch, int)
    assert isinstance(release, tuple)
    if epoch:
        return BEYOND
    major, minor, micro = (*release, 0, 0)[:3]
    point = _first_of_release(cut, major, minor, micro)
    if len(release) > 3:  # 3.12.7.1 lies between 3.12.7 and what comes before 3.12.8
        point = (major, minor, micro + 1, 0, 0)
    return None if point <= _START else min(point, BEYOND)


def _first_of_release(cut: SortKey, major: int, minor: int, micro: int) -> Point:
    kind, number, post = cut[2], cut[3], cut[4]
    assert isinstance(kind, int)
    assert isinstance(number, int)
    assert isinstance(post, int | float)
    if kind < 0:
        return (major, minor, micro, 0, 0)
    is_past = post >= 0 or (cut[5] == inf and bool(cut[6]))  # of the version's posts or locals
    if not is_past:
        return (major, minor, micro, kind, number)
    return (major, minor, micro + 1, 0, 0) if kind == FINAL else (major, minor, micro, kind, number + 1)


def first_minor(cut: SortKey | None) -> Cut | None:
    """As :func:`first_point` for ``python_version``, whose values are minors such as 3.12."""
    if cut is None:
        return None
    epoch, release = cut[0], cut[1]
    assert isinstance(release, tuple)
    if epoch:
        return BEYOND
    major, minor = (*release, 0)[:2]
    if sort_key(Version(f"{major}.{minor}")) < cut:
        minor += 1
    return None if (major, minor) == (0, 0) else min((major, minor, 0, 0, 0), BEYOND)


@lru_cache(maxsize=MAX_CACHED)
def point_of(text: str) -> Point | None:
    """Where an interpreter of that version lies; None where it has no version."""
    try:
        version = Version(text.rstrip("+"))
    except InvalidVersion:
        return None
    major, minor, micro = (*version.release, 0, 0)[:3]
    if version.pre is not None:
        return (major, minor, micro, {"a": 0, "b": 1, "rc": 2}[version.pre[0]], version.pre[1])
    return (major, minor, micro, 0, 0) if version.dev is not None else (major, minor, micro, FINAL, 0)


@lru_cache(maxsize=MAX_CACHED)
def flag_holds(flag: Axis, value: str) -> bool:
    """Whether the comparison of a flag is true of a value, as ``packaging`` evaluates it."""
    try:
        return parse_marker(flag.text).evaluate({flag.variable: value, "dependency_groups": frozenset[str]()})
    except UNDEFINED:
        return False


def flag_is_set(flag: Axis, markers: Mapping[str, str], extras: Collection[str]) -> bool:
    """Whether a flag is set in an environment with these extras (normalised)."""
    if not is_extra(flag):
        return flag_holds(flag, markers.get(flag.variable, ""))
    if not flag.text.startswith("?"):
        return flag.text in extras
    comparison = Axis(flag.rank, "flag", "extra", flag.text[1:])
    return any(flag_holds(comparison, extra) for extra in ("", *extras))
