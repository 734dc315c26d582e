"""Solving with nothing but some premises: do they forbid a solution by themselves, and by which proof?

Versions that no premise tells apart are one version here, so that a trial costs the same for a project of three
versions and of three thousand. Proofs are told in the real versions again: masks of classes become the masks of their
members, and every step stays the resolution that it was.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from .classes import Classes
from .errors import DecisionsExhausted
from .events import Decided, NeedDependencies, NeedVersions, Solved, Underway
from .facts import Dependency, Exclusion, Package, VersionTable
from .incompatibility import (
    ROOT,
    FromDependency,
    FromExclusion,
    Incompatibility,
    Unavailable,
    reasons,
)
from .solver import Solver
from .unifying import unified

_MAX_DECISIONS: Final = 2_000
_FACT_WORK: Final = 20  # what it costs to tell a fact, in incompatibilities looked at


@dataclass(frozen=True, slots=True)
class Admitted:
    """The key of a requirement that is not stated anywhere: what several statements have in common."""

    mask: int


@dataclass(frozen=True, slots=True)
class Premise:
    """An external fact, and the versions of a package that it is about."""

    package: Package
    versions: int
    cause: FromDependency | FromExclusion | Unavailable


def premises(conclusion: Incompatibility) -> list[Premise]:
    """The facts of a proof, without those that the tables of versions say by themselves."""
    found: list[Premise] = []
    at: dict[Hashable, int] = {}
    for node in reasons(conclusion):
        cause = node.cause
        if isinstance(cause, FromDependency):
            # What the search found out bit by bit is one fact.
            key = (cause.package, cause.dependency, cause.admitted, cause.key, cause.source)
            if key in at:
                cause = replace(cause, versions=cause.versions | found[at[key]].versions)
                found[at[key]] = Premise(cause.package, cause.versions, cause)
            else:
                at[key] = len(found)
                found.append(Premise(cause.package, cause.versions, cause))
        elif isinstance(cause, FromExclusion | Unavailable):
            ((package, versions),) = node.terms.items()
            if versions:
                found.append(Premise(package, versions, cause))
    return found


class Trials:
    """Solves with premises, while there is work left to spend."""

    def __init__(self, given: Iterable[Premise], tables: Mapping[Package, VersionTable], work: int) -> None:
        """``given`` are premises that all others are made of; ``work`` counts facts told and incompatibilities seen."""
        self._left = work
        self._tables = tables
        self._counts: dict[Package, int] = {ROOT: 1}
        for package, mask in _sets(given):
            self._count(package, mask)

    def _count(self, package: Package, mask: int) -> None:
        table = self._tables.get(package)
        known = table.count if table is not None else mask.bit_length() - 1
        self._counts[package] = max(self._counts.get(package, 0), known)

    def solve(self, given: Sequence[Premise]) -> Incompatibility | None:
        """A proof that the premises admit no solution; None where they do, or where nobody knows."""
        if self._left <= 0:
            return None
        classes = Classes(_sets(given), self._counts)
        trial = _Trial(given, classes, self._tables)
        self._left -= trial.told * _FACT_WORK
        solver = Solver(trial.root(), max_decisions=_MAX_DECISIONS, max_steps=max(self._left, 1))
        try:
            conclusion = trial.run(solver)
        except DecisionsExhausted:
            return None
        finally:
            self._left -= solver.steps
            solver.close()
        return None if conclusion is None else unified(classes.expanded(conclusion), self._counts)


def _sets(given: Iterable[Premise]) -> Iterator[tuple[Package, int]]:
    for one in given:
        yield one.package, one.versions
        if isinstance(one.cause, FromDependency):
            yield one.cause.dependency, one.cause.admitted


class _Table:
    """The classes of versions of one package."""

    def __init__(self, count: int, admitted: Mapping[Hashable, int], excluded: Sequence[Exclusion]) -> None:
        self.count = count
        self._admitted = admitted
        self._excluded = excluded

    def mask(self, key: Hashable, /) -> int:
        return self._admitted[key]

    def choose(self, allowed: int, /) -> int:
        return allowed.bit_length() - 1

    def exclusions(self) -> Sequence[Exclusion]:
        return self._excluded

    def describe(self, mask: int, /) -> str:
        return bin(mask)  # the words come from the real tables


class _Trial:
    """The premises as a solver asks for them."""

    def __init__(self, given: Sequence[Premise], classes: Classes, tables: Mapping[Package, VersionTable]) -> None:
        self._classes = classes
        self._tables = tables
        self._told: dict[tuple[Package, int], list[Dependency]] = {}
        self._unavailable: dict[tuple[Package, int], Unavailable] = {}
        self._excluded: dict[Package, list[Exclusion]] = {}
        self._admitted: dict[Package, dict[Hashable, int]] = {}
        for one in given:
            self._tell(one)
        self.told = len(given) + sum(map(len, self._told.values()))

    def _tell(self, premise: Premise) -> None:
        package, cause = premise.package, premise.cause
        mask = self._classes.mask(package, premise.versions)
        if isinstance(cause, FromExclusion):
            self._excluded.setdefault(package, []).append(Exclusion(mask, cause.kind, cause.detail))
            return
        numbers = [number for number in range(1, mask.bit_length()) if mask >> number & 1]
        if isinstance(cause, Unavailable):
            self._unavailable.update({(package, number): cause for number in numbers})
            return
        key = Admitted(cause.admitted) if cause.key is None else cause.key
        admitted = self._classes.mask(cause.dependency, cause.admitted) if cause.admitted else 0
        self._admitted.setdefault(cause.dependency, {})[key] = admitted
        for number in numbers:
            self._told.setdefault((package, number), []).append(Dependency(cause.dependency, key, cause.source))

    def root(self) -> Sequence[Dependency]:
        """What the caller requires."""
        return self._told.get((ROOT, 1), ())

    def run(self, solver: Solver) -> Incompatibility | None:
        """The proof that there is no solution, or None where there is one."""
        while True:
            match solver.next_event():
                case NeedVersions(packages):
                    for package in packages:
                        solver.add_versions(package, self._table(package))
                case NeedDependencies(package, version):
                    why = self._unavailable.get((package, version))
                    if why is None:
                        solver.add_dependencies(package, version, self._told.get((package, version), ()))
                    else:
                        solver.add_unavailable(package, version, why.kind, why.detail)
                case Decided() | Underway():
                    pass
                case Solved():
                    return None
                case unsolvable:
                    return unsolvable.incompatibility

    def _table(self, package: Package) -> _Table:
        count = self._classes.count(package)
        excluded: Sequence[Exclusion] = self._excluded.get(package, ())
        table = self._tables.get(package)
        if not count and table is not None:
            excluded = table.exclusions()  # why there is none
        return _Table(count, self._admitted.get(package, {}), excluded)
