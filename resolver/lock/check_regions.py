"""The independent walk through a universal lock: in a sample of its environments, in all of them at once.

What is selected, required and reached are sets of cells (``cells``), so one walk serves them all. ``packaging``
evaluates every marker; of the resolver's own algebra only this is used, which cell lies in which region.

A file that can be installed is not looked for in each cell: a version whose wheels fit only some of the lock's
environments is a candidate (``environment.region``).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from functools import cached_property, reduce
from operator import or_
from typing import NamedTuple

from resolver.environment.markers import belongs_to
from resolver.model import Lock, LockedPackage, Pin, Query, Resolution, Stated, Universal
from resolver.requirement import Requirement

from .cells import Cells, cells_of
from .specifiers import contains, old_enough
from .uses import uses


def check_regions(lock: Lock, resolution: Resolution, universal: Universal) -> tuple[str, ...]:
    """Return what is wrong with a universal lock, as sentences that begin with an environment; () when it is sound.

    In each cell: one region has it, and the lock admits it; no name is selected twice, and only what was chosen for
    its region is; walking from the caller's requirements meets every package, and every version satisfies each
    specifier and constraint on the way. Every file has a hash that the caller approved.
    """
    markers = [package.marker for package in lock.packages if package.marker is not None]
    spaces = [region.space for region in resolution.regions]
    walk = _Walk(lock, resolution, cells_of(universal, tuple(spaces), tuple(sorted(set(markers)))))
    query = resolution.query
    key = (
        *(universal, resolution.regions, lock.requires_python, lock.environments, query.excludes),
        *(tuple([(one.requirement, one.origin) for one in told]) for told in (query.requirements, query.overrides)),
    )
    limits = tuple(walk.limits())
    if _sound.get(key) is lock.packages:  # the same objects were walked for an earlier query
        return limits
    selection, reach = tuple(walk.selection()), tuple(walk.reach())
    if not (selection or reach):
        while len(_sound) >= MAX_SOUND:
            del _sound[next(iter(_sound))]
        _sound[key] = lock.packages
    return (*selection, *limits, *reach)


MAX_SOUND = 16  # walks remembered, with the locks that they went through
_sound: dict[Hashable, tuple[LockedPackage, ...]] = {}


class _Demand(NamedTuple):
    name: str
    extras: tuple[str, ...]
    specifier: str
    by: str
    cells: int


def with_hashes(query: Query) -> Iterator[Stated]:
    """Yield the statements that admit files by their hashes only; those that an override replaces do not count."""
    replaced = {stated.requirement.name for stated in query.overrides}
    for stated in query.requirements:
        if stated.hashes and stated.requirement.name not in replaced:
            yield stated
    yield from (stated for stated in (*query.constraints, *query.overrides) if stated.hashes)


def lacking_hashes(stated: Stated, package: LockedPackage) -> Iterator[str]:
    """Yield a fault for each file of ``package`` that has none of the hashes of ``stated``."""
    for file in package.files:
        if set(stated.hashes).isdisjoint(file.hashes):
            yield f"{file.filename} has none of the hashes that the input demands"


class _Walk:
    def __init__(self, lock: Lock, resolution: Resolution, cells: Cells) -> None:
        self._lock = lock
        self._query: Query = resolution.query
        self._cells = cells
        self._resolutions = resolution.regions
        self._regions: Sequence[int] = [cells.inside(region.space) for region in resolution.regions]
        self._packages: dict[str, list[tuple[LockedPackage, int]]] = {}
        for package in lock.packages:
            self._packages.setdefault(package.name, []).append((package, cells.where(package.marker)[0]))
        self._overrides: dict[str, list[Requirement]] = {}
        for stated in self._query.overrides:
            self._overrides.setdefault(stated.requirement.name, []).append(stated.requirement)

    @cached_property
    def _chosen(self) -> Mapping[str, Sequence[tuple[Pin, int]]]:
        """By name, what was chosen, and in which cells."""
        chosen: dict[str, list[tuple[Pin, int]]] = {}
        for use in uses([region.pins for region in self._resolutions]):
            where = 0
            for position in use.positions:
                where |= self._regions[position]
            chosen.setdefault(use.pin.name, []).append((use.pin, where))
        return chosen

    def limits(self) -> Iterator[str]:
        """What is wrong by constraints and hashes."""
        yield from self._hashes()
        yield from self._constraints()

    def selection(self) -> Iterator[str]:
        """What is wrong with what the lock says of itself, and with what it selects."""
        yield from self._admission()
        yield from self._selection()

    def _admission(self) -> Iterator[str]:
        rest, cells = self._cells.every, self._cells
        for mask in self._regions:
            if mask & ~rest:
                yield f"{cells.name(mask & ~rest)}: two regions answer for it"
            rest &= ~mask
        if rest:
            yield f"{cells.name(rest)}: no region answers for it"
        for python, mask in cells.pythons(cells.every):
            if self._lock.requires_python and not contains(self._lock.requires_python, python):
                yield f"{cells.name(mask)}: the lock requires {self._lock.requires_python}"
        admitted = 0 if self._lock.environments else cells.every
        for marker in self._lock.environments:
            admitted |= cells.where(marker)[1]
        if cells.every & ~admitted:
            yield f"{cells.name(cells.every & ~admitted)}: none of the lock's environments admits it"

    def _selection(self) -> Iterator[str]:
        cells, unanswered = self._cells, ~reduce(or_, self._regions, 0)
        for entries in self._packages.values():
            taken = 0
            for package, mask in entries:
                if mask & taken:
                    yield f"{cells.name(mask & taken)}: {_title(package)} and another version are selected"
                taken |= mask
                chosen = unanswered
                for pin, where in self._chosen.get(package.name, ()):
                    if (pin.version, pin.reference) == (package.version, package.reference):
                        chosen |= where
                if mask & ~chosen:
                    yield f"{cells.name(mask & ~chosen)}: {_title(package)} is selected and was not chosen"
                for python, some in cells.pythons(mask) if package.requires_python else ():
                    if not old_enough(package.requires_python or "", python):
                        yield f"{cells.name(some)}: {_title(package)} requires Python {package.requires_python}"

    def _hashes(self) -> Iterator[str]:
        for stated in with_hashes(self._query):
            where = self._cells.where(_text(stated.requirement))[0]
            for package, mask in self._packages.get(stated.requirement.name, ()):
                if mask & where:
                    yield from lacking_hashes(stated, package)

    def _constraints(self) -> Iterator[str]:
        for stated in self._query.constraints:
            where = self._cells.where(_text(stated.requirement))[0]
            for package, mask in self._packages.get(stated.requirement.name, ()):
                if mask & where and not contains(stated.requirement.specifier, package.version):
                    yield (
                        f"{self._cells.name(mask & where)}: {_title(package)} violates the constraint "
                        f"{stated.requirement.specifier} of {stated.origin}"
                    )

    def reach(self) -> Iterator[str]:
        """What is wrong by what the caller requires, and what that requires."""
        reached: dict[tuple[str, str], int] = {}
        yield from self._follow(reached, is_lenient=False)
        if not any(self._idle(reached)):
            return
        reached = {}
        for _ in self._follow(reached, is_lenient=True):
            pass  # what may be required may be missing; it only must not be idle
        for package, mask in self._idle(reached):
            yield f"{self._cells.name(mask)}: nothing requires {_title(package)}"

    def _idle(self, reached: Mapping[tuple[str, str], int]) -> Iterator[tuple[LockedPackage, int]]:
        for name, entries in self._packages.items():
            for package, mask in entries:
                if idle := mask & ~reached.get((name, ""), 0):
                    yield package, idle

    def _follow(self, reached: dict[tuple[str, str], int], *, is_lenient: bool) -> Iterator[str]:
        """Walk from the caller's requirements; lenient: also where a requirement but may apply."""
        todo = list(self._roots(is_lenient=is_lenient))
        while todo:
            demand = todo.pop()
            present = 0
            for package, mask in self._packages.get(demand.name, ()):
                present |= mask
                if mask & demand.cells and not contains(demand.specifier, package.version):
                    yield (
                        f"{self._cells.name(mask & demand.cells)}: {demand.by} requires "
                        f"{demand.name}{demand.specifier}, and {_title(package)} is selected"
                    )
            if demand.cells & ~present:
                yield (
                    f"{self._cells.name(demand.cells & ~present)}: {demand.by} requires {demand.name}, "
                    "which is not selected"
                )
            for extra in ("", *demand.extras):
                new = demand.cells & present & ~reached.get((demand.name, extra), 0)
                if new:
                    reached[demand.name, extra] = reached.get((demand.name, extra), 0) | new
                    todo.extend(self._edges(demand.name, extra, new, is_lenient=is_lenient))

    def _roots(self, *, is_lenient: bool) -> Iterator[_Demand]:
        for stated in self._query.requirements:
            requirement = stated.requirement
            if requirement.name in self._query.excludes:
                continue
            replacement = self._overrides.get(requirement.name)
            if replacement is not None and not belongs_to(requirement.marker_text, None):
                continue
            # An override takes the place of the marker, too.
            for one in [requirement] if replacement is None else replacement:
                cells = self._cells.where(_text(one))[is_lenient]
                if cells:
                    yield _Demand(one.name, one.extras, one.specifier, stated.origin, cells)

    def _edges(self, name: str, extra: str, cells: int, *, is_lenient: bool) -> Iterator[_Demand]:
        for pin, where in self._chosen.get(name, ()):
            here = where & cells
            for edge in pin.requires if here else ():
                applies = here & self._cells.where(edge.marker)[is_lenient] if (edge.extra or "") == extra else 0
                if applies:
                    yield _Demand(edge.name, edge.extras, edge.specifier, f"{name} {pin.version}", applies)


def _text(requirement: Requirement) -> str | None:
    return requirement.marker_text


def _title(package: LockedPackage) -> str:
    return f"{package.name} {package.version}"
