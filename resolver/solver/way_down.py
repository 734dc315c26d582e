"""One way down through versions that are given up one after the other; see :mod:`.retreat`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from .conflict import Lesson
from .incompatibility import Incompatibility
from .led import Led, strangers
from .needs import Ask, Need, Needing, Needs, nothing
from .package_state import PackageState
from .priority import CONFLICT_THRESHOLD, rank_of
from .reason import Fact
from .trail import Search, Trail

_LESSON_STEPS = 40  # as analysis counts a lesson of two terms


class _Rejected(NamedTuple):
    """A version that cannot be chosen."""

    bit: int
    needs: Needs
    first: PackageState
    """What the first of its dependencies that are in vain is about."""
    left: int
    """What is left of the package without it."""


class WayDown:
    """The versions of one package, from the next one on."""

    def __init__(self, search: Search, state: PackageState) -> None:
        self.decisions = self.conflicts = self.work = 0
        self.learned: tuple[Lesson, Incompatibility] | None = None
        """What the last step taught, and of which conflict, where the way does not go on from there."""
        self._search = search
        self._state = state
        self._stamp: tuple[int, ...] = ()
        """By which it is seen whether anything was done since."""
        self._level = search.solution.level
        self._pending = {one: one.rank for one in search.agenda.pending() if one is not state}
        self._trail = Trail(search, state)
        self._needing = Needing(search.states, state, state)
        self._led_needing = self._needing
        self._led: Led | None = None
        self._leads: dict[tuple[PackageState, ...], bool] = {}
        """By what a version narrows: whether it leads to that package."""
        self._named = 0
        """The versions that others than their own facts speak of."""
        for mine, _, _, _, _ in strangers(state, (state,)):
            self._named |= mine
        # Versions that were tried and are possible nevertheless make what follows from their facts hard to foresee;
        # where an urgency changed since, to narrow a package and to take that back changes its place.
        is_settled = all(rank_of(one) == rank for one, rank in self._pending.items())
        self.is_open = is_settled and not state.mask & state.enforced

    def begin(self, ask: Ask) -> None:
        """Go on with facts from ``ask``, where nothing else was done in between."""
        self.decisions = self.conflicts = self.work = 0
        self._needing.ask = self._led_needing.ask = ask

    @property
    def lacks_facts(self) -> bool:
        """Whether it ends where something is not at hand."""
        return self._needing.lacks_facts or self._led_needing.lacks_facts

    def end(self) -> None:
        """Leave the search as if it had gone the way."""
        self._led_needing.settle()
        self._trail.end(self.decisions)
        self._needing.ask = self._led_needing.ask = nothing
        self._stamp = self._search.solution.stamp

    def goes_on(self, state: PackageState) -> bool:
        """Whether nothing was done since the end, so that it may begin again."""
        return state is self._state and self._stamp == self._search.solution.stamp and self.learned is None

    def step(self) -> bool:
        """Give up the next version; False, with nothing done, where the search has to take that step."""
        state = self._state
        mask = state.mask
        assert state.table is not None
        version = state.table.choose(mask)
        bit = 1 << version
        rest = mask & ~bit
        if bit & self._named or rest == mask or not rest & ~self._named:
            return False
        declared = self._needing.declared(version)
        needs = None if declared is None else self._needing.of(declared)
        if needs is None:
            return False
        narrowed: dict[PackageState, int] = {}
        first: PackageState | None = None
        last: Need | None = None
        for need in needs:
            if need.narrows:
                if need.left:
                    narrowed[need.other] = need.left
                else:
                    first, last = first or need.other, need
        if first is None or last is None:
            return bool(narrowed) and self._step_further(bit, rest, needs, narrowed)
        if min(state.affected, first.culprit) < CONFLICT_THRESHOLD:
            return False
        state.affected += 1
        first.culprit += 1
        self._trail.enforce(state, bit, needs)
        assert last.fact is not None
        self._trail.derive(rest, last.fact)
        self.work += len(needs)
        return True

    # ---- versions that lead to others

    def _step_further(self, bit: int, rest: int, needs: list[Need], narrowed: dict[PackageState, int]) -> bool:
        """Give up a version that would be chosen, and leads to nothing."""
        led = self._leads_to(narrowed)
        if led is None:
            return False
        target = narrowed[led.state]
        if not led.is_without_consequence(bit, target, needs, narrowed, self._led_needing):
            return False
        chain: list[tuple[Fact, int]] = []
        left = target
        for fact in reversed(led.vain):
            if left & fact.versions:
                left &= ~fact.versions
                chain.append((fact, left))
                if not left:
                    break
        rejected: list[_Rejected] = []
        if left:
            if left & led.state.enforced or led.state.affected < CONFLICT_THRESHOLD:
                return False
            self._reject(led.state, bit, left, narrowed, rejected)
            if not rejected or rejected[-1].left:
                return False
        self._give_up(led, bit, rest, needs, target, chain, rejected)
        return True

    def _leads_to(self, narrowed: Mapping[PackageState, int]) -> Led | None:
        """What is decided after a version that narrows these packages, if it is the same as ever."""
        key = tuple(narrowed)
        leads = self._leads.get(key)
        if leads is None:
            rank, _, state = min((rank_of(one), one.tiebreak, one) for one in narrowed)
            leads = state.base is None and not any(
                place < rank and one not in narrowed for one, place in self._pending.items()
            )
            if leads and self._led is None:
                self._led = Led(state, self._state, self._level)
                self._led_needing = Needing(self._search.states, state, self._state)
                self._led_needing.ask = self._needing.ask
            leads = self._leads[key] = leads and self._led is not None and self._led.state is state
        return self._led if leads else None

    def _reject(
        self,
        state: PackageState,
        bit: int,
        left: int,
        narrowed: Mapping[PackageState, int],
        rejected: list[_Rejected],
    ) -> None:
        """Try the versions that are left, until one may do."""
        tried, table, needing = self._state, state.table, self._led_needing
        assert table is not None
        # What is asked for may be judged by what is decided and possible by then.
        before = [(one, one.mask) for one in narrowed]
        mask = tried.mask
        tried.mask, tried.decided = bit, bit.bit_length() - 1
        for one, mask_of_one in narrowed.items():
            one.mask = mask_of_one
        while left:
            state.mask = left
            version = table.choose(left)
            declared = needing.declared(version) if left >> version & 1 else None
            needs = None if declared is None else needing.of_list(declared)
            if needs is None:
                break
            if not needs.vain or needs.vain[0].other.culprit < CONFLICT_THRESHOLD:
                break
            if any(need.other in narrowed and not need.admitted & narrowed[need.other] for need in needs.all):
                break
            left &= ~(1 << version)
            rejected.append(_Rejected(1 << version, needs, needs.vain[0].other, left))
        tried.mask, tried.decided = mask, 0
        for one, mask_of_one in before:
            one.mask = mask_of_one

    def _give_up(
        self,
        led: Led,
        bit: int,
        rest: int,
        needs: Sequence[Need],
        target: int,
        chain: list[tuple[Fact, int]],
        rejected: Sequence[_Rejected],
    ) -> None:
        """Draw the conclusion from a conflict. ``chain`` is what took away versions of the package that was led to."""
        search, state, other = self._search, self._state, led.state
        self._trail.enforce(state, bit, needs)
        for one in rejected:
            self._trail.enforce_of_led(led, one.bit, one.needs, self._needing)
            other.affected += 1
            one.first.culprit += 1
            last = one.needs.vain[-1].fact  # the search looks at the newest first
            assert last is not None
            chain.append((last, one.left))
        search.tracker.tried = other if rejected else state
        self.decisions += 1
        self.conflicts += 1
        required = next(need.fact for need in needs if need.other is other)
        assert required is not None
        lapse = led.lapse(required, target, chain)
        if lapse is not None:
            self.work += _LESSON_STEPS * lapse.length + len(needs)
            for _ in range(1, lapse.length):
                search.tracker.note_between(other, (lapse.other,))
            if lapse.is_unary:
                search.tracker.note_between(other, (state,))
                state.unary.append(lapse)
                state.known &= ~lapse.versions
                state.mask = rest
            else:
                self._note(other, lapse.other)
                self._trail.learn(rest, lapse)
        else:
            self._analyse(other, bit, target, required, chain)

    def _note(self, led: PackageState, about: PackageState) -> None:
        """Count for the priorities what a lesson of two terms counts for on its way."""
        tracker, state = self._search.tracker, self._state
        if min(tracker.tried.affected, about.culprit, state.culprit) < CONFLICT_THRESHOLD:
            tracker.note_between(led, (about, state))
            tracker.note_between(state, (about, state))
        else:
            tracker.tried.affected += 2
            about.culprit += 2
            state.culprit += 1

    def _analyse(
        self, other: PackageState, bit: int, target: int, required: Fact, chain: Sequence[tuple[Fact, int]]
    ) -> None:
        """Have the conflict analysed as if the way to it had been gone."""
        state, level = self._state, self._level + 1
        position = len(self._search.solution.order)
        at = len(other.assumptions)
        state.assumptions.append((bit, position, level, None))
        other.assumptions.append((target, position + 1, level, required))
        for i, (fact, left) in enumerate(chain[:-1]):
            other.assumptions.append((left, position + 2 + i, level, fact))
        conflict = chain[-1][0].incompatibility()
        try:
            lesson = self._search.analysis.learn(conflict)
        finally:
            state.assumptions.pop()
            del other.assumptions[at:]
        assert isinstance(lesson, Lesson), "a decision was made"
        incompatibility = lesson.incompatibility
        terms = incompatibility.terms
        if lesson.state is not state or lesson.level != self._level or incompatibility is conflict:
            self.learned = lesson, conflict
        elif len(terms) == 1:
            state.unary.append(incompatibility)
            state.known &= ~terms[state.package]
            state.mask &= state.known
        else:
            self._trail.learn(state.mask & ~terms[state.package], incompatibility)
