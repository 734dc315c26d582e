"""How what the driver declared comes into force: as incompatibilities, when the version it is about is tried.

Not earlier: a fact that arrived before it was needed must not change the course of the solve.
"""

from __future__ import annotations

from collections.abc import Mapping

from .conflict_tracker import ConflictTracker
from .facts import Dependency, Package
from .incompatibility import ROOT, Incompatibility, Unavailable
from .package_state import Fact, PackageState
from .partial_solution import PartialSolution
from .priority import Agenda


class Enforcement:
    """Makes facts, and puts incompatibilities where propagation looks for them."""

    def __init__(
        self,
        states: Mapping[Package, PackageState],
        agenda: Agenda,
        solution: PartialSolution,
        tracker: ConflictTracker,
    ) -> None:
        self.vanished: Fact | None = None
        """The fact that took a package's last version, until that conflict is resolved."""
        self._states = states
        self._agenda = agenda
        self._solution = solution
        self._tracker = tracker

    def enforce(self, state: PackageState, version: int) -> bool:
        """Return whether the version may still be chosen: not where all else that one of its facts names holds."""
        declared = state.declared[version]
        if isinstance(declared, Unavailable):
            self._forbid(self._fact(state, version, declared, None, 0), version)
            return False
        states = self._states
        for dependency in declared:
            self._agenda.mention(states[dependency.package], is_exact=dependency.is_exact)
        rejection: Fact | None = None
        for dependency in declared:
            other = states[dependency.package]
            assert other.table is not None
            admitted = other.table.mask(dependency.key)
            if other is state and admitted >> version & 1:
                continue
            fact = self._fact(state, version, dependency, other, admitted)
            if fact.is_unary:
                self._forbid(fact, version)
                rejection = rejection or fact
            elif self._solution.has_backtracked and not other.mask & admitted:
                # Before anything went wrong this look ahead is left out, as in pubgrub-rs: propagation finds it, too.
                rejection = rejection or fact
        if rejection is None or state.package is ROOT:
            return True
        self._tracker.note(state, rejection.incompatibility())
        return False

    def _fact(
        self,
        state: PackageState,
        version: int,
        cause: Dependency | Unavailable,
        other: PackageState | None,
        admitted: int,
    ) -> Fact:
        """Make a fact, or widen the one that says the same of other versions, and put it where it is looked for."""
        key = cause if other is None else (other, admitted, admitted or cause)
        fact = state.facts.get(key)
        if fact is None:
            fact = state.facts[key] = Fact(state, 1 << version, cause, other, admitted)
            if fact.is_unary:
                state.unary.append(fact)
        else:
            fact.widen(version, cause)
            if other is not None and not fact.is_unary:
                # It is news again: to the end of the lists, where the newest are.
                state.watches = [watch for watch in state.watches if watch[4] is not fact]
                other.watches = [watch for watch in other.watches if watch[4] is not fact]
        if other is not None and not fact.is_unary:
            self._watch_fact(fact, other)
        return fact

    @staticmethod
    def _watch_fact(fact: Fact, other: PackageState) -> None:
        forbidden = other.universe & ~fact.admitted
        fact.state.watches.append((fact.versions, other, forbidden, (), fact))
        other.watches.append((forbidden, fact.state, fact.versions, (), fact))

    def _forbid(self, fact: Fact, version: int) -> None:
        """Take a version from its package for good; a conflict if it was the last."""
        state = fact.state
        if state.package is not ROOT and state.mask & ~(1 << version):
            state.known &= ~(1 << version)
            state.mask &= state.known
        elif self.vanished is None:
            self.vanished = fact

    def watch(self, incompatibility: Incompatibility) -> None:
        """Let propagation look at an incompatibility that was learned."""
        # The root is never taken back: its term always holds.
        terms = [
            (self._states[package], mask) for package, mask in incompatibility.terms.items() if package is not ROOT
        ]
        if len(terms) == 1:
            return  # what follows was derived at level 1 and stays
        for state, mask in terms:
            others = tuple(term for term in terms if term[0] is not state)
            if len(others) == 1:
                state.watches.append((mask, *others[0], (), incompatibility))
            else:
                state.watches.append((mask, None, 0, others, incompatibility))
