"""What a way down through versions that are given up leaves behind; see :mod:`.retreat`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from .conflict import Analysis
from .conflict_tracker import ConflictTracker
from .enforcement import Enforcement
from .facts import Package
from .led import PERMANENT, Led
from .needs import Need, Needing, Needs
from .package_state import PackageState
from .partial_solution import PartialSolution
from .priority import Agenda
from .propagation import Propagation
from .reason import Fact, Reason


class Search(NamedTuple):
    """The parts of a solver that a way down does without, and keeps as they would be."""

    states: Mapping[Package, PackageState]
    agenda: Agenda
    solution: PartialSolution
    tracker: ConflictTracker
    propagation: Propagation
    enforcement: Enforcement
    analysis: Analysis


class Trail:
    """Facts that came into force, and what was learned: nobody looks at them before the end."""

    __slots__ = ("_level", "_news", "_search", "_state")

    def __init__(self, search: Search, state: PackageState) -> None:
        """``state`` is the package whose versions are given up."""
        self._search = search
        self._state = state
        self._level = search.solution.level
        self._news: dict[Reason | Needs, None] = {}
        """The newest last."""

    def enforce(self, state: PackageState, bit: int, needs: Iterable[Need]) -> bool:
        """Put what a version needs into force. Return whether a fact is new."""
        state.enforced |= bit
        news = self._news
        has_new = False
        for need in needs:
            fact = need.fact
            if fact is None:
                key = (need.other, need.admitted)
                fact = need.fact = state.facts.get(key)
                if fact is None:
                    fact = need.fact = state.facts[key] = Fact(state, bit, need.dependency, need.other, need.admitted)
                    news[fact] = None
                    has_new = True
                    continue
            fact.widen(bit, need.dependency)
            news.pop(fact, None)
            news[fact] = None
        return has_new

    def enforce_of_led(self, led: Led, bit: int, needs: Needs, needing: Needing) -> None:
        """Put what a rejected version needs into force, at once where it is in vain.

        ``needing`` has what leads to it: what is harmless there may be no more.
        """
        news, vain = self._news, led.vain
        if needs not in news:
            if self.enforce(led.state, bit, needs.all):
                for need in needs.all:
                    if need.fact is not None and need.fact.versions == bit:
                        led.add(need.fact)
                needing.doubt()
        else:
            led.state.enforced |= bit
            needs.pending |= bit
            for need in needs.vain:
                if need.fact is not None:
                    need.fact.versions |= bit
        news.pop(needs, None)
        news[needs] = None
        for need in needs.vain:
            if need.fact is not None:
                vain.pop(need.fact, None)
                vain[need.fact] = None

    def derive(self, mask: int, reason: Reason) -> None:
        """Conclude what is left of the package that is given up."""
        state, order = self._state, self._search.solution.order
        state.assumptions.append((mask, len(order), self._level, reason))
        order.append(state)
        state.mask = mask

    def learn(self, mask: int, lesson: Reason) -> None:
        """Conclude it from what was learned."""
        self._news[lesson] = None
        self.derive(mask, lesson)

    def end(self, decisions: int) -> None:
        """Leave the search as if it had gone the way."""
        search, state = self._search, self._state
        for reason in self._in_order():
            if isinstance(reason, Fact):
                self._watch_fact(reason)
            elif self._level > PERMANENT:
                search.enforcement.watch(reason)
        search.solution.went_down(decisions)
        if self._news:
            search.agenda.outdated.append(state)
            self._news.clear()

    def _in_order(self) -> dict[Reason, None]:
        """What is new, each where it came up last."""
        news: dict[Reason, None] = {}
        for one in self._news:
            if isinstance(one, Needs):
                for need in one.all:
                    if need.fact is not None:
                        news.pop(need.fact, None)
                        news[need.fact] = None
            else:
                news.pop(one, None)
                news[one] = None
        return news

    def _watch_fact(self, fact: Fact) -> None:
        state, other = fact.state, fact.other
        assert other is not None
        state.unwatch(fact)
        other.unwatch(fact)
        if state is self._state and self._level == PERMANENT and not fact.versions & state.mask:
            return
        forbidden = other.universe ^ fact.admitted
        state.watch(fact, (fact.versions, other, forbidden, (), fact))
        other.watch(fact, (forbidden, state, fact.versions, (), fact))
