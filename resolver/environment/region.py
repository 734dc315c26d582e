"""A region: a set of environments that one solve answers for, and how it is divided when one answer cannot do.

Universal resolution solves for a region at a time. Where requirements on one project hold in different parts of a
region, or a release admits only the newer Pythons of it, the region is divided and each part is solved for itself.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from packaging.version import Version

from ..specifier import SpecifierError
from .marker_text import to_marker
from .separation import between
from .space import (
    ALL,
    NOTHING,
    DiagramLimitError,
    EnvironmentSet,
    admits_final_python,
    from_marker,
    from_requires_python,
    from_requires_python_floor,
    python_bounds,
    python_span,
    pythons_of,
)
from .wheel_space import fits_in, pythons_from, served_by

MAX_PARTS = 200  # each independent marker doubles them; real requirements that stand side by side make some five


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """A set of environments, in the place of a :class:`~resolver.environment.target.Target`."""

    space: EnvironmentSet
    whole: EnvironmentSet
    """All environments of the lock, of which the region is a part. A wheel is a candidate where it fits in some of them
    and the region is not too old for it: a part that begins with a Python that has no wheels yet is no reason to give
    up."""
    divides_by_python: bool = True
    """Whether a release that needs a newer Python than the region's oldest divides it (``fork_strategy``)."""
    newest_first: bool = True
    """Whether, of the parts that siblings divide it into, the one with the newest Python is solved first."""

    @property
    def key(self) -> tuple[EnvironmentSet, EnvironmentSet, bool]:
        """Equal keys mean equal answers."""
        return self.space, self.whole, self.divides_by_python

    @property
    def fit_key(self) -> Hashable:
        """Equal keys mean that the same files fit: of the region only its Pythons matter, and mostly their end."""
        return self.whole, _ends(self.space) if self.divides_by_python else pythons_of(self.space)

    @property
    def entire(self) -> Region:
        """All environments of the lock, as one region."""
        return Region(self.whole, self.whole)

    @property
    def name(self) -> str:
        """How the region is called in texts: its Pythons as specifiers, the rest of it as a marker."""
        low, high = python_bounds(self.space)
        bounds = ",".join(f"{operator}{bound}" for operator, bound in ((">=", low), ("<", high)) if bound is not None)
        pythons = from_requires_python(bounds)
        inside = self.space & pythons
        marker = to_marker(inside, assuming=pythons) if is_somewhere(pythons - inside) else None
        parts = [f"Python {bounds}" if bounds else "", marker or ""]
        return " and ".join(filter(None, parts)) or "every environment"

    def admits_python(self, specifier: str) -> bool:
        """Whether a Requires-Python admits the region (or a part that the region may be divided into)."""
        if self.divides_by_python:
            return is_somewhere(_admitted(self.space, specifier))
        return not is_somewhere(self.space - floor_of(specifier))

    def admits_tags(self, tags: str) -> bool:
        """Whether a wheel is a candidate."""
        return _has_platform(self.whole, tags) and _meets(self.space, pythons_from(tags))

    def part_admitted(self, specifiers: Iterable[str | None]) -> EnvironmentSet:
        """The part of the region that any of several Requires-Python admits."""
        admitted = NOTHING
        for specifier in specifiers:
            if admitted is not self.space:
                admitted |= self.space if specifier is None else _admitted(self.space, specifier)
        return admitted


@lru_cache(maxsize=65_536)
def _has_platform(whole: EnvironmentSet, tags: str) -> bool:
    return fits_in(whole, tags)


@lru_cache(maxsize=8_192)  # wheels of thousands of tag sets are for some hundred sets of Pythons
def _meets(space: EnvironmentSet, pythons: EnvironmentSet) -> bool:
    return is_somewhere(space & pythons)


@lru_cache(maxsize=65_536)
def _ends(space: EnvironmentSet) -> Hashable:
    """What tells of each Python whether ``space`` has it or a later one, of any major or of the same.

    Of Pythons without a gap that is where they end, and the major with which they begin.
    """
    span = python_span(space)
    return pythons_of(space) if span is None else (span[0][0], span[1])


@lru_cache(maxsize=65_536)
def _admitted(space: EnvironmentSet, specifier: str) -> EnvironmentSet:
    return space & floor_of(specifier)


def floor_of(specifier: str) -> EnvironmentSet:
    """The environments whose Python a Requires-Python admits, as :meth:`Region.admits_python` understands it."""
    try:
        return from_requires_python_floor(specifier)
    except SpecifierError:
        return ALL  # unreadable text of old metadata demands nothing


class Divided(Exception):
    """One solve cannot answer for a region; each of ``parts`` is to be solved for itself, in this order."""

    def __init__(
        self, parts: Sequence[EnvironmentSet], *, keeps_tried: bool = False, names: Iterable[str] = ()
    ) -> None:
        super().__init__(f"{len(parts)} parts")
        self.parts = tuple(parts)
        self.names = frozenset(names)
        """The projects whose requirements hold in a part of the region: the bounds of these order the parts."""
        self.keeps_tried = keeps_tried
        """Whether the version that was being tried is for all parts: its requirements divide them, not itself."""
        self.begun: Mapping[str, tuple[str, bool]] = {}
        """What the solve had chosen when it found out, name → version and whether it was stated in the region: its
        parts go on from there."""
        self.by: tuple[str, ...] = ()
        """The project whose version demands it, or those that the caller requires in different places."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Where a requirement holds."""

    name: str
    """The project that is required."""
    space: EnvironmentSet
    is_bounded: bool
    """Whether it has an upper bound."""


def divide(region: Region, conditions: Sequence[Condition]) -> None:
    """Divide a region by requirements that stand side by side, as uv does.

    Requirements on one project with different markers divide by each of them. A lone requirement divides only where
    its marker has a higher lower bound on Python than the region: what it brings in may need that Python.

    Raises:
        Divided: there is more than one part.
        DiagramLimitError: there are more than ``MAX_PARTS``.
    """
    parts = [region.space]
    by_name: dict[str, dict[EnvironmentSet, None]] = {}
    for condition in conditions:
        by_name.setdefault(condition.name, {})[condition.space] = None
    for markers in by_name.values():
        if len(markers) == 1 and not _raises_python(region.space, next(iter(markers))):
            continue
        for marker in markers:
            if is_somewhere(region.space - marker):
                parts = [piece for part in parts for piece in (part & marker, part - marker) if is_somewhere(piece)]
                if len(parts) > MAX_PARTS:
                    raise DiagramLimitError
    if len(parts) > 1:
        bounded = [one.space for one in conditions if one.is_bounded]
        raise Divided(
            sorted(
                parts,
                key=lambda part: (
                    by_python(part, newest_first=region.newest_first),
                    # What must be old elsewhere may well be as old here, but not the other way round.
                    -sum(not part.is_disjoint(space) for space in bounded),
                ),
            ),
            keeps_tried=True,
            names=[one.name for one in conditions if is_somewhere(region.space - one.space)],
        )


def divide_by(region: Region, admitted: EnvironmentSet) -> None:
    """Divide a region into what is admitted and the rest.

    Raises:
        Divided: neither is empty.
    """
    if admitted is region.space:
        return  # most are for all of it
    parts = [part for part in (region.space & admitted, region.space - admitted) if is_somewhere(part)]
    if len(parts) > 1:
        raise Divided(sorted(parts, key=lambda part: by_python(part, newest_first=region.divides_by_python)))


def divide_by_required(region: Region, required: Iterable[str], files: Sequence[str | None]) -> str | None:
    """Divide a region by a required environment that the wheels of a release do not serve in it, as uv does.

    It is enough that they serve some of what the region has of it. The part that they serve comes first: it gets the
    newest version that it can have.

    ``files`` are the tags of its usable files, None that of an sdist: it serves every environment.

    Returns:
        The marker of such an environment where the release serves none of the region: it is no candidate there.

    Raises:
        Divided: it serves a part of the region.
    """
    if not files or None in files:
        return None
    served = NOTHING
    for tags in files:
        served |= served_by(tags or "")
    served &= region.space
    for marker in required:
        space = region.space & from_marker(marker)
        if is_somewhere(space) and not is_somewhere(space & served):
            unserved = between(space, served)
            parts = [part for part in (region.space - unserved, region.space & unserved) if is_somewhere(part)]
            if len(parts) > 1:
                # Where it serves it is the newest there is, whatever parts with other machines had to take.
                raise Divided(parts, keeps_tried=True)
            return marker
    return None


@lru_cache(maxsize=65_536)
def is_somewhere(space: EnvironmentSet) -> bool:
    """Whether a set has an environment that anybody locks for: one whose Python is no pre-release.

    ``python_version >= "3.13"`` holds in 3.13.0rc1 and ``Requires-Python: >=3.13`` does not. Between the two nothing
    fits together, and nobody misses it.
    """
    return not space.is_empty() and admits_final_python(space)


@lru_cache(maxsize=65_536)
def _raises_python(space: EnvironmentSet, marker: EnvironmentSet) -> bool:
    part = space & marker
    return is_somewhere(part) and _lowest(part) > _lowest(space) and _lowest(marker) > Version("0")


def _lowest(space: EnvironmentSet) -> Version:
    low, _ = python_bounds(space)
    return Version(low or "0")


def by_python(space: EnvironmentSet, *, newest_first: bool) -> tuple[int, ...]:
    """Newer Pythons first, so that each part gets the newest versions it can have; or older first, for fewer parts."""
    release = (*_lowest(space).release, 0, 0)[:3]
    return tuple(-part for part in release) if newest_first else release
