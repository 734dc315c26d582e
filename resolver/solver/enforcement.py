"""How what the driver declared comes into force: as incompatibilities, when the version it is about is tried.

Not earlier: a fact that arrived before it was needed must not change the course of the solve.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence

from .conflict_tracker import ConflictTracker
from .facts import Dependency, Package
from .incompatibility import ROOT, Incompatibility, Unavailable
from .package_state import PackageState, Watch
from .partial_solution import PartialSolution
from .priority import Agenda
from .reason import Fact, Lapse


class Enforcement:
    """Makes facts, and puts incompatibilities where propagation looks for them."""

    __slots__ = ("_agenda", "_solution", "_states", "_tracker", "vanished")

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

    def take_over(self, facts: Iterable[Fact]) -> None:
        """Let propagation look at what came into force during the descent, in this order."""
        for fact in facts:
            other = fact.other
            assert other is not None
            state, versions, forbidden = fact.state, fact.versions, other.universe ^ fact.admitted
            state.facts[other, fact.admitted] = fact
            state.watches[fact] = (versions, other, forbidden, (), fact)
            other.watches[fact] = (forbidden, state, versions, (), fact)

    def enforce(
        self,
        state: PackageState,
        version: int,
        declared: Sequence[Dependency] | Unavailable,
        others: Sequence[PackageState],
    ) -> bool:
        """Return whether the version may still be chosen: not where all else that one of its facts names holds.

        ``others`` are the packages of the dependencies, in their order.
        """
        bit = 1 << version
        state.enforced |= bit
        if isinstance(declared, Unavailable):
            rejection: Fact | None = self._forbid(state, bit, declared, declared, None, 0)
        else:
            rejection = self._depend(state, bit, declared, others)
        if rejection is None or state.package is ROOT:
            return True
        self._tracker.note(state, rejection.incompatibility())
        return False

    def _depend(
        self, state: PackageState, bit: int, declared: Sequence[Dependency], others: Sequence[PackageState]
    ) -> Fact | None:
        """Put dependencies into force. Return the first fact that rejects the version."""
        rejection: Fact | None = None
        # Before anything went wrong the look ahead is left out, as in pubgrub-rs: propagation finds it, too.
        looks_ahead = self._solution.has_backtracked
        facts = state.facts
        for dependency, other in zip(declared, others, strict=True):
            if other.tiebreak < 0 or dependency.is_exact:
                self._agenda.mention(other, is_exact=dependency.is_exact)
            assert other.table is not None
            admitted = other.table.mask(dependency.key)
            if other is state:
                if not admitted & bit:
                    fact = self._forbid(state, bit, (state, admitted or dependency), dependency, state, admitted)
                    rejection = rejection or fact
                continue
            if not admitted:
                fact = self._forbid(state, bit, (other, dependency), dependency, other, 0)
                rejection = rejection or fact
                continue
            key = (other, admitted)
            known = facts.get(key)
            if known is None:
                fact = facts[key] = Fact(state, bit, dependency, other, admitted)
            else:  # it is news again: to the end, where the newest are
                fact = known
                fact.widen(bit, dependency)
                state.unwatch(fact)
                other.unwatch(fact)
            forbidden, versions = other.universe ^ admitted, fact.versions
            state.watch(fact, (versions, other, forbidden, (), fact))
            other.watch(fact, (forbidden, state, versions, (), fact))
            if looks_ahead and rejection is None and not other.mask & admitted:
                rejection = fact
        return rejection

    def _forbid(
        self,
        state: PackageState,
        bit: int,
        key: Hashable,
        cause: Dependency | Unavailable,
        other: PackageState | None,
        admitted: int,
    ) -> Fact:
        """Take a version from its package for good; a conflict if it was the last."""
        fact = state.facts.get(key)
        if fact is None:
            fact = state.facts[key] = Fact(state, bit, cause, other, admitted)
            state.unary.append(fact)
        else:
            fact.widen(bit, cause)
        if state.package is not ROOT and state.mask & ~bit:
            state.known &= ~bit
            state.mask &= state.known
        elif self.vanished is None:
            self.vanished = fact
        return fact

    def watch(self, incompatibility: Incompatibility | Lapse) -> None:
        """Let propagation look at an incompatibility that was learned."""
        if isinstance(incompatibility, Lapse):
            one, other = incompatibility.state, incompatibility.other
            versions, forbidden = incompatibility.versions, incompatibility.forbidden
            other.watch(incompatibility, (forbidden, one, versions, (), incompatibility))
            one.watch(incompatibility, (versions, other, forbidden, (), incompatibility))
            return
        # The root is never taken back: its term always holds.
        terms = [
            (self._states[package], mask) for package, mask in incompatibility.terms.items() if package is not ROOT
        ]
        if len(terms) == 1:
            return  # what follows was derived at level 1 and stays
        for state, mask in terms:
            others = tuple(term for term in terms if term[0] is not state)
            if len(others) == 1:
                watch: Watch = (mask, *others[0], (), incompatibility)
            else:
                watch = (mask, None, 0, others, incompatibility)
            state.watch(incompatibility, watch)
