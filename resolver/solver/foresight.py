"""Answers that are foregone: what the rest of a search chooses, whatever its course.

A table's choice is consistent: of any part that has what it chooses of the whole, it chooses the same. So take for each
required package what its table chooses of all that is left of it, and do likewise for what these versions depend on. If
every dependency on the way admits what was taken, the whole is a solution of all facts, those that were learned
included, for they follow from the others. Then no conclusion takes any of it away, as long as what is decided is part
of it; and so whichever package is decided next, what is taken is what its table chooses. There is no conflict any more,
and the order does not matter.

A package that nothing requires as of now is not decided before something does: a dependency of what was taken, for what
is not taken stays absent, or a thing that was learned. So it need not be the choice of all that is left: it is enough
that it is the choice of what any one of these leaves, whichever comes first.

A walk over what is known costs a fraction of deciding each package. It tells nothing where anything on the way is not
known yet: then the search goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from .facts import ABSENT, Dependency, Package, VersionTable
from .incompatibility import ROOT, Unavailable
from .package_state import PackageState
from .reason import Fact

MAX_OBSTACLES = 4  # that one walk collects
FEW = 2  # obstacles; more of them still stand after decisions were taken back
MAX_WALKS = 4  # in vain, between two conflicts
FAR = 32  # decisions taken back at a time: fewer are made again sooner than a walk is over


class Interrupted(Exception):
    """Raised by a foresight that has to make something first when others shall have their turn."""


class ForeseenTable(VersionTable, Protocol):
    """A table that is asked what it would choose."""

    @property
    def first(self) -> int:
        """What ``choose`` makes of all that ``exclusions`` leaves; 0 where that is nothing."""
        ...

    @property
    def usable(self) -> int:
        """All that ``exclusions`` leaves."""
        ...


class Foresight(Protocol):
    """What a driver knows without looking for it. Nothing follows from having been asked."""

    def table(self, package: Package, /) -> ForeseenTable | None:
        """The table of a package, None where it is not at hand. Its choice has to be consistent.

        Raises:
            Interrupted: not now; it will be asked again.
        """
        ...

    def declared(self, package: Package, version: int, /) -> Sequence[Dependency] | None:
        """What a version depends on; None where that is not at hand, or the version cannot be used."""
        ...


class _Walk(NamedTuple):
    """How far a walk has come."""

    tables: dict[Package, VersionTable]
    taken: dict[Package, int]
    narrowed: dict[Package, int]
    """What is left of packages whose choice is not that of all of it."""
    todo: list[Package]
    """What is taken, and was not looked at yet."""


class Prospect:
    """Looks ahead for one solve, as often as it seems worth it."""

    __slots__ = ("_awaited", "_foresight", "_has_learned", "_left", "_obstacles", "_states", "_tie", "_underway")

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
        self._obstacles = 0
        """How much did, before any of it was decided."""
        self._left = 0 if foresight is None else MAX_WALKS
        self._has_learned = False
        self._underway: _Walk | None = None
        """The walk that was interrupted."""

    def decided(self, package: Package) -> None:
        """A package was decided."""
        if self._awaited:
            self._awaited.discard(package)

    def taken_back(self, decisions: int) -> None:
        """So many decisions were taken back by a conflict."""
        self._has_learned = True
        if decisions >= FAR and self._foresight is not None:
            if self._obstacles <= FEW:
                self._awaited.clear()
            self._left = MAX_WALKS

    def is_blind(self, package: Package) -> bool:
        """Whether no walk is made before another package than this one is decided, or much is taken back."""
        return not self._left or any(one != package for one in self._awaited)

    @property
    def is_interrupted(self) -> bool:
        """Whether a walk is to be gone on with."""
        return self._underway is not None

    def answer(self, decisions: int) -> dict[Package, int] | None:
        """Return what all required packages will be, if that is foregone and takes no more than so many decisions.

        Where :attr:`is_interrupted` after it, ask again with nothing done in between.
        """
        walk, self._underway = self._underway, None
        if walk is None:
            if self._awaited or not self._left:
                return None
            walk = _Walk({}, {}, {}, [])
        try:
            found = self._walk(walk)
        except Interrupted:
            self._underway = walk
            return None
        self._obstacles = len(self._awaited)
        if found is None or sum(not self._is_decided(package) for package in found) > decisions:
            self._left -= 1
            return None
        return found

    def _is_decided(self, package: Package) -> bool:
        state = self._states.get(package)
        return state is not None and state.decided > 0

    def _walk(self, walk: _Walk) -> dict[Package, int] | None:
        tables, taken, narrowed, todo = walk
        awaited = self._awaited
        if not taken:
            taken |= self._required(tables)
            todo += taken
        while todo:
            if len(awaited) > MAX_OBSTACLES:
                return None
            package = todo.pop()
            declared = self._declared(package, taken[package])
            if declared is None:  # nothing is known of it before it is tried
                awaited.add(package)
                continue
            try:
                self._follow(walk, package, declared)
            except Interrupted:
                todo.append(package)  # to be gone on with
                raise
        if self._has_learned and not awaited:
            awaited.update(
                one for one, left in narrowed.items() if self._is_required_otherwise(one, tables[one], taken[one], left)
            )
        return None if awaited else taken

    def _follow(self, walk: _Walk, package: Package, declared: Sequence[Dependency]) -> None:
        """Take what a version depends on, or see that it is what was taken; to do it twice changes nothing."""
        tables, taken, narrowed, todo = walk
        awaited = self._awaited
        for dependency in declared:
            other = dependency.package
            choice = taken.get(other)
            if choice is None:
                choice = self._take(other, tables)
                if choice and not tables[other].mask(dependency.key) >> choice & 1:
                    choice = self._narrow(other, tables[other], dependency, narrowed)
                if not choice:
                    awaited.add(other)
                    continue
                taken[other] = choice
                todo.append(other)
            elif other in narrowed:
                if self._narrow(other, tables[other], dependency, narrowed) != choice:
                    awaited.add(other)
            elif not tables[other].mask(dependency.key) >> choice & 1:
                awaited.add(package if self._is_decided(other) else other)

    def _narrow(
        self, package: Package, table: VersionTable, dependency: Dependency, narrowed: dict[Package, int]
    ) -> int:
        """What is chosen of a package that nothing requires as of now, where ``dependency`` alone does; 0: nothing."""
        left = narrowed.get(package)
        if left is None:
            left = narrowed[package] = self._left_of(package)
        left &= table.mask(dependency.key)
        return table.choose(left) if left else 0

    def _is_required_otherwise(self, package: Package, table: VersionTable, choice: int, left: int) -> bool:
        """Whether something that was learned may require a package such that another version is chosen."""
        state = self._states.get(package)
        if state is None:
            return False
        return any(
            mine & ABSENT and not mine >> choice & 1 and table.choose(left & ~mine) != choice
            for mine, _, _, _, reason in state.watches.values()
            if not isinstance(reason, Fact)
        )

    def _required(self, tables: dict[Package, VersionTable]) -> dict[Package, int]:
        """What is taken of the packages that are required as of now, at first of those that the root does."""
        taken: dict[Package, int] = {}
        for package, state in self._states.items():
            if package is ROOT:
                if not state.decided:
                    return self._stated(state, tables)
            elif not state.mask & ABSENT:
                version = self._take(package, tables)
                if version:
                    taken[package] = version
                else:
                    self._awaited.add(package)
        return taken

    def _stated(self, root: PackageState, tables: dict[Package, VersionTable]) -> dict[Package, int]:
        """What is taken of the packages that the root requires: all its dependencies come into force at once."""
        left: dict[Package, int] = {}
        for declared in root.declared.values():
            assert not isinstance(declared, Unavailable)
            for dependency in declared:
                package = dependency.package
                mask = left.get(package)
                if mask is None:
                    mask = self._open(package, tables)
                left[package] = mask and mask & tables[package].mask(dependency.key)
        self._awaited.update(package for package, mask in left.items() if not mask)
        return {package: tables[package].choose(mask) for package, mask in left.items() if mask}

    def _declared(self, package: Package, version: int) -> Sequence[Dependency] | None:
        """What is known to be declared of a version; None where nothing is, or it cannot be used."""
        if self._foresight is not None:
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
            allowed = self._left_of(package)
            return table.choose(allowed) if allowed else 0
        known = None if self._foresight is None else self._foresight.table(package)
        if known is None:
            return 0
        tables[package] = known
        base = self._base(package)
        return known.first if base is None else known.choose(base.mask)

    def _open(self, package: Package, tables: dict[Package, VersionTable]) -> int:
        """What is left of a package, and its table to ``tables``; 0 where that is not known."""
        state = self._states.get(package)
        if state is not None and state.table is not None:
            tables[package] = state.table
            return self._left_of(package)
        known = None if self._foresight is None else self._foresight.table(package)
        if known is None:
            return 0
        tables[package] = known
        base = self._base(package)
        return known.usable if base is None else base.mask

    def _left_of(self, package: Package) -> int:
        """The versions of a package that may still be chosen; 0 where that is not known."""
        state, base = self._states.get(package), self._base(package)
        if state is not None and state.table is not None:
            allowed = state.mask & ~ABSENT
            return allowed if base is None else allowed & base.mask or allowed
        if base is not None:
            return base.mask
        known = None if self._foresight is None else self._foresight.table(package)
        return 0 if known is None else known.usable

    def _base(self, package: Package) -> PackageState | None:
        """What an extra is an extra of, if that is required as of now."""
        state = self._states.get(package)
        tied = None if state is not None else self._tie(package)
        base = state.base if state is not None else None if tied is None else self._states.get(tied)
        return None if base is None or base.mask & ABSENT else base
