"""Answers that are foregone: what the rest of a search chooses, whatever its course.

A table's choice is consistent: of any part that has what it chooses of the whole, it chooses the same. So take for each
required package what its table chooses of all that is left of it, and do likewise for what these versions depend on. If
every dependency on the way admits what was taken, the whole is a solution of all facts, those that were learned
included, for they follow from the others. Then no conclusion takes any of it away, as long as what is decided is part
of it; and so whichever package is decided next, what is taken is what its table chooses. There is no conflict any more,
and the order does not matter.

A walk over what is known costs a fraction of deciding each package. It tells nothing where anything on the way is not
known yet: then the search goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from .facts import ABSENT, Dependency, Package, VersionTable
from .incompatibility import ROOT, Unavailable
from .package_state import PackageState

MAX_OBSTACLES = 8  # that one walk collects
MAX_WALKS = 4  # in vain, between two conflicts
FAR = 32  # decisions taken back at a time: fewer are made again sooner than a walk is over


class ForeseenTable(VersionTable, Protocol):
    """A table that is asked what it would choose."""

    @property
    def first(self) -> int:
        """What ``choose`` makes of all that ``exclusions`` leaves; 0 where that is nothing."""
        ...


class Foresight(Protocol):
    """What a driver knows without looking for it. Nothing follows from having been asked."""

    def table(self, package: Package, /) -> ForeseenTable | None:
        """The table of a package, None where it is not at hand. Its choice has to be consistent."""
        ...

    def declared(self, package: Package, version: int, /) -> Sequence[Dependency] | None:
        """What a version depends on; None where that is not at hand, or the version cannot be used."""
        ...


class Prospect:
    """Looks ahead for one solve, as often as it seems worth it."""

    __slots__ = ("_awaited", "_foresight", "_left", "_states", "_tie")

    def __init__(
        self,
        states: Mapping[Package, PackageState],
        foresight: Foresight | None,
        tie: Callable[[Package], Package | None],
    ) -> None:
        self._states = states
        self._foresight = foresight
        self._tie = tie
        self._awaited: set[Package] = set()
        """What stood in the way when the last walk was made, and is not decided yet."""
        self._left = 0 if foresight is None else MAX_WALKS

    def decided(self, package: Package) -> None:
        """A package was decided."""
        if self._awaited:
            self._awaited.discard(package)

    def taken_back(self, decisions: int) -> None:
        """So many decisions were taken back by a conflict."""
        if decisions >= FAR and self._foresight is not None:
            self._awaited.clear()
            self._left = MAX_WALKS

    def answer(self, decisions: int) -> dict[Package, int] | None:
        """Return what all required packages will be, if that is foregone and takes no more than so many decisions."""
        if self._awaited or not self._left:
            return None
        found = self._walk()
        if found is None or sum(not self._is_decided(package) for package in found) > decisions:
            self._left -= 1
            return None
        return found

    def _is_decided(self, package: Package) -> bool:
        state = self._states.get(package)
        return state is not None and state.decided > 0

    def _walk(self) -> dict[Package, int] | None:
        tables: dict[Package, VersionTable] = {}
        taken = self._required(tables)
        awaited, todo = self._awaited, list(taken)
        while todo:
            if len(awaited) > MAX_OBSTACLES:
                return None
            package = todo.pop()
            declared = self._declared(package, taken[package])
            if declared is None:
                self._left = 1  # nothing is known of it before it is tried
                return None
            for dependency in declared:
                other = dependency.package
                choice = taken.get(other)
                if choice is None:
                    choice = self._take(other, tables)
                    if not choice:
                        awaited.add(other)
                        continue
                    taken[other] = choice
                    todo.append(other)
                if not tables[other].mask(dependency.key) >> choice & 1:
                    awaited.add(other)
        taken.pop(ROOT, None)
        return None if awaited else taken

    def _required(self, tables: dict[Package, VersionTable]) -> dict[Package, int]:
        """What is taken of the packages that are required as of now; of the root until it is decided."""
        taken: dict[Package, int] = {}
        for package, state in self._states.items():
            if package is ROOT:
                if not state.decided:
                    taken[package] = next(iter(state.declared))
            elif not state.mask & ABSENT:
                version = self._take(package, tables)
                if version:
                    taken[package] = version
                else:
                    self._awaited.add(package)
        return taken

    def _declared(self, package: Package, version: int) -> Sequence[Dependency] | None:
        """What is known to be declared of a version; None where nothing is, or it cannot be used."""
        if package is not ROOT and self._foresight is not None:
            declared = self._foresight.declared(package, version)
            if declared is not None:
                return declared
        state = self._states.get(package)
        told = None if state is None else state.declared.get(version)
        return None if isinstance(told, Unavailable) else told

    def _take(self, package: Package, tables: dict[Package, VersionTable]) -> int:
        """What is chosen of all that is left of a package; 0 where that is not known."""
        state = self._states.get(package)
        if state is not None and state.table is not None:
            tables[package] = table = state.table
            if state.decided:
                return state.decided
            allowed = state.mask & ~ABSENT
            base = state.base
            if base is not None and not base.mask & ABSENT:
                allowed = allowed & base.mask or allowed
            return table.choose(allowed) if allowed else 0
        known = None if self._foresight is None else self._foresight.table(package)
        if known is None:
            return 0
        tables[package] = known
        tied = self._tie(package)
        if tied is not None:
            base = self._states.get(tied)
            if base is not None and not base.mask & ABSENT:
                return known.choose(base.mask)
        return known.first
