"""PEP 440 specifiers as intervals of sort keys.

Every specifier except ``===`` denotes one or two contiguous runs of the total order of versions, so a set of n sorted
versions is cut by bisecting, and nothing is compared version by version. What lives here: the sort key, the cuts, and
the two questions that policies ask of a specifier. What does not: the rule that prefers stable versions over
pre-releases; it is a policy. Here a pre-release matches whenever the order says so.

Sources: the version specifiers specification (PEP 440); uv for what it leaves open. Both agree with ``packaging``
(``prereleases=True``), which the property tests hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import inf
from typing import TypeAlias

from packaging.specifiers import InvalidSpecifier, Specifier
from packaging.version import Version

MAX_SPECIFIERS = 100  # per requirement; real metadata has at most a dozen
MAX_TEXT = 4096  # characters, before any regular expression sees the text
MAX_CACHED = 65_536  # parsed specifiers remembered, about 600 bytes each: 40 MB at most

SortKey: TypeAlias = tuple[object, ...]
"""Compares as the version does (PEP 440, Summary of permitted suffixes and relative ordering).

(epoch, release without trailing zeros, pre kind, pre number, post, dev, local segments); a prefix of it, or one with
an infinite post, is a cut between versions.
"""
Interval: TypeAlias = tuple[SortKey | None, SortKey | None]
"""From this cut (inclusive) to that one (exclusive); None is open."""

_PRE = {"a": 0, "b": 1, "rc": 2}
_BEFORE_PRE = -1  # 1.0.dev1 sorts before 1.0a1.dev1
_FINAL = 3
_NO_POST = -1
_AFTER_LOCALS = ((2,),)  # above every local segment: those start with 0 (letters) or 1 (numbers)
_JUST_AFTER = ((-1,),)  # appended to a local: above it, below the same with one more segment


_CANONICAL = re.compile(
    r"((?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))*)(?:(a|b|rc)(0|[1-9][0-9]*))?"
    r"(?:\.post(0|[1-9][0-9]*))?(?:\.dev(0|[1-9][0-9]*))?",
    re.ASCII,
)


class SpecifierError(ValueError):
    """The text holds something that is no version specifier, or too many of them."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """One parsed specifier."""

    operator: str
    version: Version | None
    """None for ``===`` with a text that is no version."""
    intervals: tuple[Interval, ...]
    """Ascending and disjoint; empty for ``===``."""
    is_wildcard: bool
    """``==1.*`` and ``!=1.*``."""
    literal: str | None
    """Of ``===``: the lower-case text that a version's canonical text must equal."""


def _local_key(local: str | None) -> tuple[tuple[object, ...], ...]:
    if local is None:
        return ()
    return tuple((1, int(part)) if part.isdigit() else (0, part) for part in local.split("."))


def _release_key(release: tuple[int, ...]) -> tuple[int, ...]:
    end = len(release)
    while end > 1 and release[end - 1] == 0:
        end -= 1
    return release[:end]


def sort_key(version: Version) -> SortKey:
    """The key of ``version`` in PEP 440's order."""
    pre, post, dev = version.pre, version.post, version.dev
    if pre is not None:
        kind, number = _PRE[pre[0]], pre[1]
    else:
        kind, number = (_BEFORE_PRE if post is None and dev is not None else _FINAL), 0
    return (
        version.epoch,
        _release_key(version.release),
        kind,
        number,
        _NO_POST if post is None else post,
        inf if dev is None else dev,
        _local_key(version.local) if version.local else (),
    )


def sort_key_of(text: str) -> SortKey:
    """The key of the version that a canonical text spells."""
    return canonical_key(text) or sort_key(Version(text))


def canonical_key(text: str) -> SortKey | None:
    """The key of the version that ``text`` spells in the canonical way, without epoch and local part; else None."""
    match = _CANONICAL.fullmatch(text)
    if match is None:
        return None
    plain, pre, number, post, dev = match.groups()
    release = _release_key(tuple(map(int, plain.split("."))))
    if match.lastindex == 1:  # nearly always
        return 0, release, _FINAL, 0, _NO_POST, inf, ()
    kind = _PRE[pre] if pre else _BEFORE_PRE if post is None and dev else _FINAL
    return 0, release, kind, int(number or 0), int(post or _NO_POST), int(dev) if dev else inf, ()


def _first_of(epoch: int, release: tuple[int, ...]) -> SortKey:
    """The cut before the first development release of ``release``."""
    return (epoch, _release_key(release), _BEFORE_PRE, 0, _NO_POST, 0)


def _first_after_prefix(epoch: int, release: tuple[int, ...]) -> SortKey:
    return _first_of(epoch, (*release[:-1], release[-1] + 1))


def _past_locals(key: SortKey) -> SortKey:
    return (*key[:6], _AFTER_LOCALS)


def _past(version: Version, key: SortKey) -> SortKey:
    """The end of ``==version``: with its local versions, unless it is one."""
    return (*key[:6], (*_local_key(version.local), *_JUST_AFTER)) if version.local else _past_locals(key)


def _past_exclusively(version: Version, key: SortKey) -> SortKey:
    """Where ``>version`` begins."""
    if version.dev is not None:
        return (*key[:5], version.dev + 1)
    if version.post is not None:
        return (*key[:4], version.post + 1)
    # "MUST NOT allow a post-release of the given version unless V itself is a post release", nor a local version.
    return (*key[:4], inf)


def before_exclusively(version: Version) -> SortKey:
    """Where ``<version`` ends."""
    key = sort_key(version)
    if version.is_prerelease:
        return key
    # "MUST NOT allow a pre-release of the specified version unless the specified version is itself a pre-release."
    if version.post is not None:
        return (*key[:5], 0)
    return _first_of(version.epoch, version.release)


def _wildcard(operator: str, version: Version) -> tuple[Interval, ...]:
    low, high = _first_of(version.epoch, version.release), _first_after_prefix(version.epoch, version.release)
    return ((low, high),) if operator == "==" else ((None, low), (high, None))


_INTERVALS: dict[str, Callable[[Version, SortKey], tuple[Interval, ...]]] = {
    "==": lambda version, key: ((key, _past(version, key)),),
    "!=": lambda version, key: ((None, key), (_past(version, key), None)),
    ">=": lambda _version, key: ((key, None),),
    "<=": lambda _version, key: ((None, _past_locals(key)),),
    ">": lambda version, key: ((_past_exclusively(version, key), None),),
    "<": lambda version, _key: ((None, before_exclusively(version)),),
    "~=": lambda version, key: ((key, _first_after_prefix(version.epoch, version.release[:-1])),),
}


@lru_cache(maxsize=MAX_CACHED)
def _parse_one(text: str) -> Bounds:
    try:
        parsed = Specifier(text)
        operator, written = parsed.operator, parsed.version
        if operator == "===":
            return Bounds(operator, _version_or_none(written), (), is_wildcard=False, literal=written.lower())
        version = Version(written.removesuffix(".*"))
    except InvalidSpecifier:
        raise SpecifierError(f"{text.strip()[:100]!r} is not a version specifier like >=1.0 or ==2.*") from None
    except ValueError as error:  # integers beyond 4300 digits
        raise SpecifierError(f"{text.strip()[:100]!r} is not a version specifier: {type(error).__name__}") from None
    is_wildcard = written.endswith(".*")
    intervals = _wildcard(operator, version) if is_wildcard else _INTERVALS[operator](version, sort_key(version))
    return Bounds(operator, version, intervals, is_wildcard=is_wildcard, literal=None)


def _version_or_none(text: str) -> Version | None:
    try:
        return Version(text)
    except ValueError:
        return None


def parse(specifier: str) -> tuple[Bounds, ...]:
    """Parse comma-joined specifiers; ``""`` (any version) is the empty tuple.

    Raises:
        SpecifierError: no PEP 440 specifier, or more than 100.
    """
    if len(specifier) > MAX_TEXT:
        raise SpecifierError(f"a specifier of {len(specifier)} characters; at most {MAX_TEXT} are allowed")
    if specifier.count(",") >= MAX_SPECIFIERS:
        raise SpecifierError(f"more than {MAX_SPECIFIERS} version specifiers in one requirement")
    # Empty parts are skipped as packaging does: real metadata has trailing commas.
    return tuple(_parse_one(part) for part in specifier.split(",") if part.strip())


def exact_pin(specifier: str) -> Version | None:
    """The version of a lone ``==`` without wildcard, or of a lone ``===``; else None."""
    if "," in specifier or not specifier.startswith("=="):
        return None
    (bounds,) = parse(specifier)
    return None if bounds.is_wildcard else bounds.version


@lru_cache(maxsize=MAX_CACHED)
def mentions_prerelease(specifier: str) -> bool:
    """Whether a specifier names a pre-release (or development release), and thereby asks for them, as uv reads it.

    ``!=2.0rc1`` does not: who excludes one pre-release has not asked for the others.
    """
    if not any(char.isalpha() for char in specifier):
        return False
    return any(
        bounds.operator != "!=" and bounds.version is not None and bounds.version.is_prerelease
        for bounds in parse(specifier)
    )
