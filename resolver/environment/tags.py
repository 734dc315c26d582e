"""Which wheels and which Python requirements a target admits."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import product

from packaging.version import Version

from resolver.specifier import MAX_TEXT, Bounds, SpecifierError, parse

from .target import Target

MAX_EXPANSION = 4096  # tags of one file name; the largest real compressed set has some 60
MAX_TARGETS = 256  # with a table of ranks each
MAX_RANKS = 20_000  # distinct tag sets per target; a whole large index has some thousands
MAX_SPECIFIERS = 16_384  # Requires-Python texts remembered; a whole large index has some thousands

_ranks: dict[str, dict[str, int | None]] = {}


def rank(tags: str, target: Target) -> int | None:
    """The best (lowest) rank of a compressed tag set (``py2.py3-none-any``), None where the target supports none.

    A text that is no tag set has no rank: its file cannot be installed.
    """
    table = _ranks.get(target.key)
    if table is None:
        if len(_ranks) >= MAX_TARGETS:
            _ranks.clear()
        table = _ranks[target.key] = {}
    try:
        return table[tags]
    except KeyError:
        if len(table) >= MAX_RANKS:
            table.clear()
        found = table[tags] = _best(tags, target)
        return found


def _best(tags: str, target: Target) -> int | None:
    parts = [part.split(".") for part in tags.lower().split("-")]
    if len(parts) != 3:
        return None
    interpreters, abis, platforms = parts
    if len(interpreters) * len(abis) * len(platforms) > MAX_EXPANSION:
        return None
    supported = target.tags
    found = (supported.get("-".join(tag)) for tag in product(interpreters, abis, platforms))
    return min((one for one in found if one is not None), default=None)


# What writers of Requires-Python got wrong, in the order of repair.
_REPAIRS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"['\"]"), ""),  # >='3.6'
    (re.compile(r"(?<=[\d*])\s+(?=[<>=!~])"), ","),  # >=3.6 <4
    (re.compile(r"=>"), ">="),
    (re.compile(r"=<"), "<="),
    (re.compile(r"(>=|<=|~=|>|<)(\s*\d+(?:\.\d+)*)\.[*x]"), r"\1\2"),  # >=3.6.*
    (re.compile(r"(==|!=)(\s*\d+(?:\.\d+)*)\*"), r"\1\2.*"),  # !=3.0*
    (re.compile(r"(==|!=)(\s*\d+(?:\.\d+)*)\.x"), r"\1\2.*"),  # !=3.0.x
    (re.compile(r"!=\s*~"), "!="),  # !=~3.0
    (re.compile(r"~=(\s*\d+)(?=\s*(?:,|$))"), r"~=\1.0"),  # ~=3
    (re.compile(r"(\d)\.(?=\s*(?:,|$))"), r"\1"),  # >=3.6.
)


_Cut = tuple[tuple[int, ...], int]
"""A release without trailing zeros, and 0 before it or 1 after it: cuts compare as tuples."""


def _release(version: Version) -> tuple[int, ...]:
    release = version.release
    while len(release) > 1 and release[-1] == 0:
        release = release[:-1]
    return release


def _read(spec: str) -> tuple[Bounds, ...]:
    """The specifiers of a Requires-Python, repaired where they must be; none where they cannot be."""
    try:
        return parse(spec)
    except SpecifierError:
        pass
    if len(spec) > MAX_TEXT:
        return ()
    text = spec
    for pattern, replacement in _REPAIRS:
        text = pattern.sub(replacement, text)
    try:
        return parse(text)
    except SpecifierError:
        return ()


@lru_cache(maxsize=MAX_SPECIFIERS)
def _lower_bound(spec: str) -> _Cut | None:
    lowest: _Cut | None = None
    holes: list[tuple[_Cut, _Cut]] = []
    for bounds in _read(spec):
        if bounds.version is None or bounds.operator in {"<", "<="}:
            continue
        release = _release(bounds.version)
        cut = (release, 1 if bounds.operator == ">" else 0)
        if bounds.operator == "!=":
            written = bounds.version.release
            following = (*written[:-1], written[-1] + 1)
            holes.append((cut, (following, 0) if bounds.is_wildcard else (release, 1)))
        elif lowest is None or cut > lowest:
            lowest = cut
    # An exclusion that begins at the bound moves it: >=3.8,!=3.8.* begins at 3.9.
    for start, end in sorted(holes):
        if lowest is not None and start <= lowest < end:
            lowest = end
    return lowest


@lru_cache(maxsize=MAX_SPECIFIERS)
def _admits(spec: str, python: str) -> bool:
    lowest = _lower_bound(spec)
    return lowest is None or (_release(Version(python)), 0) >= lowest


def requires_python_admits(spec: str, target: Target) -> bool:
    """Whether a package's Requires-Python admits the target's Python, read as uv reads it: as a lower bound.

    Upper bounds are ignored, since a package cannot know which later Pythons it works on and an old release without
    one would be chosen instead; so are exclusions above the lower bound. Pre-release parts are ignored on both sides:
    3.14.0rc1 is a 3.14. Common misspellings are repaired, and text that stays unreadable counts as absent.
    """
    return _admits(spec, target.python)
