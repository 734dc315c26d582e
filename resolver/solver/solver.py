"""PubGrub without I/O: the solver asks for facts by returning events, and goes on when it has them.

    solver = Solver([Dependency("a", ">=1")], max_decisions=1000)
    while not isinstance(event := solver.next_event(), Solved | Unsolvable):
        match event:
            case NeedVersions(packages): ...        solver.add_versions(package, table)
            case NeedDependencies(package, version): ...   solver.add_dependencies(package, version, dependencies)

What lives here: the main loop and the facts' way into force. What must never: a clock, I/O, logging, or a look at a
fact that the search did not ask for yet. The last one is the invariant that makes answers independent of the network:
facts that arrive early lie in ``PackageState.declared`` and ``table`` until the version that needs them is tried
(``tests/properties/test_solver.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from .asking import Asking
from .conflict import Analysis, Lesson
from .conflict_tracker import ConflictTracker
from .descent import Descent
from .enforcement import Enforcement
from .errors import DecisionsExhausted, UnknownVersion
from .events import Decided, Event, NeedDependencies, NeedVersions, Solved, Underway, Unsolvable
from .facts import ABSENT, Dependency, Package, VersionTable
from .foresight import Foresight, Prospect
from .incompatibility import ROOT, Incompatibility, Unavailable
from .package_state import PackageState
from .partial_solution import PartialSolution
from .priority import Agenda
from .propagation import Overspent, Propagation
from .reason import Fact
from .retreat import Retreat
from .source import Source
from .trail import Search

MAX_STEPS: Final = 20_000_000
"""Incompatibilities looked at; some 0.1 µs each, so a few seconds."""

LONG_SEARCH = 5_000
"""Decisions after which those that a conflict does not touch are kept. The real sets of the benchmark take 1,500."""
FAR = 100
"""Levels; to make fewer decisions again costs less than the conclusions that are drawn again."""

_ROOT_VERSION: Final = 1
_UNDERWAY: Final = Underway()


def _alone(_: Package) -> None:
    """Tie no package to another."""


class Solver:
    """One solve. Not reusable; may be dropped at any time, best after :meth:`close`."""

    def __init__(
        self,
        root: Sequence[Dependency],
        *,
        max_decisions: int,
        max_steps: int = MAX_STEPS,
        pause_steps: int = MAX_STEPS,
        tie: Callable[[Package], Package | None] = _alone,
        foresight: Foresight | None = None,
        is_watched: bool = True,
    ) -> None:
        """Prepare to solve for the requirements ``root``.

        Args:
            root: what the caller requires, in the caller's order.
            max_decisions: how many versions may be chosen, backtracking included.
            max_steps: how much work may be done, in incompatibilities looked at.
            pause_steps: how much of it may be done between two events; beyond it the next one is :class:`Underway`.
            tie: the base package of an extra, None for any other package. The two share a place in the order, and
                the extra tries the versions that its base may still have; their equality itself is the business of
                the extra's dependencies.
            foresight: what is known before it is asked for: where the rest of the search is foregone, the search ends.
            is_watched: whether each decision is to be seen; else many that are taken back at once count as one event.
        """
        self.decisions = 0
        self.conflicts = 0
        self._max_decisions = max_decisions
        self._max_steps = max_steps
        self._pause_steps = pause_steps
        self._is_paused = False
        self._is_watched = is_watched
        self._tie = tie
        self._states: dict[Package, PackageState] = {}
        start = self._states[ROOT] = PackageState(ROOT)
        start.universe = start.known = start.mask = ABSENT | 1 << _ROOT_VERSION
        start.declared[_ROOT_VERSION] = tuple(root)
        self._agenda = Agenda()
        self._solution = PartialSolution(self._agenda)
        self._descent: Descent | None = Descent(self._agenda, self._solution)
        self._propagation = Propagation(self._solution, max_steps)
        self._tracker = ConflictTracker(self._states, start)
        self._enforcement = Enforcement(self._states, self._agenda, self._solution, self._tracker)
        self._analysis = Analysis(self._states, self._tracker.note, self._propagation.spend)
        self._asking = Asking(self._states)
        parts = self._states, self._agenda, self._solution, self._tracker, self._propagation
        self._retreat = Retreat(Search(*parts, self._enforcement, self._analysis), self._asking)
        self._prospect = Prospect(self._states, foresight, tie)
        self._trial: tuple[PackageState, int] | None = None
        self._answer: Solved | Unsolvable | None = None
        self._failure: DecisionsExhausted | None = None

    # ---- facts

    def add_versions(self, package: Package, table: VersionTable) -> None:
        """Tell the versions of a package. At any time, also unasked; the first table counts."""
        state = self._state(package)
        if state.table is None:
            state.attach(table)

    def add_dependencies(self, package: Package, version: int, dependencies: Sequence[Dependency]) -> None:
        """Tell what a version depends on. At any time, also unasked; the first word counts."""
        self._state(package).declared.setdefault(version, dependencies)

    def add_unavailable(self, package: Package, version: int, kind: str, detail: str) -> None:
        """Tell that a version cannot be used after all, e.g. for its metadata."""
        self._state(package).declared.setdefault(version, Unavailable(kind, detail))

    def close(self) -> None:
        """Take the solve apart, so that its memory is free at once; only the counters may be read afterwards.

        No state refers to itself any more, so that what is left needs no garbage collection.
        """
        for state in self._states.values():
            state.forget(is_armed=self._descent is None)
        self._states.clear()
        self._retreat.close()
        self._failure = None  # its traceback leads here

    @property
    def steps(self) -> int:
        """The work that was done, in incompatibilities looked at."""
        return self._propagation.looked_at

    # ---- state, for fetch-ahead

    def positive(self, package: Package) -> int:
        """Return the versions that are possible as of now; 0 before the table is known."""
        state = self._states.get(package)
        return state.mask & ~ABSENT if state is not None else 0

    def chosen(self, *, with_tried: bool) -> dict[Package, int]:
        """Return the versions that are decided as of now, and the one that is being tried."""
        chosen = self._solution.decisions()
        trial = self._retreat.trial or self._trial
        if with_tried and trial is not None and trial[0].package is not ROOT:
            chosen[trial[0].package] = trial[1]
        return chosen

    def contested(self) -> Sequence[Package]:
        """Return the packages that were in most conflicts, the worst first."""
        return self._tracker.worst()

    def undecided(self) -> Iterable[Package]:
        """Return the packages that are required and have no decision, in the order they would be tried."""
        return [state.package for state in self._agenda.pending()]

    # ---- the search

    def next_event(self, source: Source | None = None, *, decisions: int = 1) -> Event:
        """Advance to the next decision, question or answer.

        Asked again without the facts it needs, it returns the same question.

        Args:
            source: is asked first for what must be known; the event is a question only about what it does not have.
            decisions: return :class:`Decided` after so many versions were chosen, for the last of them. A few
                microseconds each, and the source's time.

        Raises:
            DecisionsExhausted: the budget is spent; so does every further call.
            UnknownVersion: a table chose a version that it does not have.
        """
        if self._failure is not None:
            raise self._failure
        try:
            return self._search(source, decisions)
        except Overspent:
            raise self._exhausted(f"no answer within {self._max_steps} steps") from None

    def _search(self, source: Source | None, decisions: int) -> Event:
        while self._answer is None:
            if self._trial is None:
                self._trial = self._advance()
                if self._is_paused:
                    return _UNDERWAY
                if self._trial is None:
                    break
            state, version = self._trial
            made = self._retreat.decisions if self._give_up(state, source) else self._try(state, version, source)
            if not isinstance(made, int):
                return made
            decisions -= made
            if decisions <= 0:
                return Decided(state.package, version)
        assert self._answer is not None
        return self._answer

    def _try(self, state: PackageState, version: int, source: Source | None) -> NeedDependencies | NeedVersions | int:
        """Try a version. Return what must be known first, or how many decisions that made: one or none."""
        if not state.enforced >> version & 1:
            others = self._asking.others(state, version, source, self._new_state)
            if not isinstance(others, list):
                return others
            if not self._enforce(state, version, others):
                return 0
        else:
            self._begin(state)
        self._trial = None
        self._solution.decide(state, version)
        if state.package is ROOT:
            return 0
        self.decisions += 1
        self._prospect.decided(state.package)
        if self.decisions > self._max_decisions:
            raise self._exhausted(f"no solution within {self._max_decisions} decisions")
        return 1

    def _advance(self) -> tuple[PackageState, int] | None:
        """Draw conclusions and choose what to try next; None if the search is over."""
        self._is_paused = False
        conclusion = self._propagate()
        if self._is_paused:
            return None
        if conclusion is not None:
            self._answer = Unsolvable(conclusion)
            return None
        tracker = self._tracker
        if tracker.rejected or tracker.culprits:
            tracker.promote(self._agenda, self._solution)
        answer = self._prospect.answer(self._max_decisions - self.decisions)
        if self._prospect.is_interrupted:
            self._is_paused = True
            return None
        if answer is not None:  # it counts as decided
            self.decisions += len(answer) - len(self._solution.decisions())
            self._answer = Solved(answer)
            return None
        trial = self._choose()
        if trial is None:
            self._answer = Solved(self._solution.decisions())
        return trial

    def _enforce(self, state: PackageState, version: int, others: Sequence[PackageState]) -> bool:
        """Put what is declared of the version into force; False if it must not be chosen."""
        declared = state.declared[version]
        if self._descent is not None:
            if self._descent.enforce(state, version, declared, others):
                self._tracker.tried = state
                return True
            self._end_descent()
        self._begin(state)
        if self._enforcement.enforce(state, version, declared, others):
            return True
        self._trial = None
        return False

    def _give_up(self, state: PackageState, source: Source | None) -> bool:
        """Give up versions of a package one after the other, if they are of the kind that needs no search."""
        retreat, most = self._retreat, self._max_decisions - self.decisions
        is_due = not self._is_watched and self._descent is None and retreat.is_due(state)
        if not is_due or not self._prospect.is_blind(state.package) or not retreat.go(state, source, most):
            return False
        self._trial = None
        self.decisions += retreat.decisions
        self.conflicts += retreat.conflicts
        if retreat.decisions:
            self._prospect.decided(state.package)
        if retreat.learned is not None:
            self._take_back(*retreat.learned, self._solution.level + 1)
        return True

    def _take_back(self, lesson: Lesson, conflict: Incompatibility, since: int) -> None:
        """Go back from the level ``since``, where the conflict was, and draw the conclusion."""
        level = self._destination(lesson, since)
        self._prospect.taken_back(since - level)
        self._solution.backtrack(level)
        self._propagation.forget()
        self._apply(lesson, is_new=lesson.incompatibility is not conflict)

    def _end_descent(self) -> None:
        """Something went wrong: from now on facts are watched."""
        assert self._descent is not None
        for state in self._states.values():
            state.arm()
        self._enforcement.take_over(self._descent.facts)
        self._descent = None

    def _begin(self, state: PackageState) -> None:
        self._tracker.tried = state
        self._propagation.touch(state)

    def _choose(self) -> tuple[PackageState, int] | None:
        if not self._solution.level:
            return self._states[ROOT], _ROOT_VERSION
        state = self._agenda.first()
        if state is None:
            return None
        allowed = state.mask
        base = state.base
        if base is not None and not base.mask & ABSENT and allowed & base.mask:
            allowed &= base.mask
        assert state.table is not None
        version = state.table.choose(allowed)
        if version < 1 or not allowed >> version & 1:
            raise UnknownVersion(f"version {version} of {state.package!r} is not one of those allowed")
        return state, version

    # ---- conflicts

    def _propagate(self) -> Incompatibility | None:
        """Draw conclusions and learn from conflicts until nothing follows, or it is time for a pause.

        Return the proof that nothing is possible.
        """
        pause_at = self._propagation.looked_at + self._pause_steps
        conflict: Incompatibility | None = None
        vanished: Fact | None = None
        descent = self._descent
        if descent is not None:
            self._propagation.spend(len(descent.news))
            fact = descent.propagate()
            if fact is None:
                return None
            self._end_descent()
            conflict = fact.incompatibility()
        elif self._enforcement.vanished is not None:
            vanished, self._enforcement.vanished = self._enforcement.vanished, None
            conflict = vanished.incompatibility()
        while conflict is not None or (conflict := self._propagation.run(pause_at)) is not None:
            self.conflicts += 1
            lesson = self._analysis.learn(conflict)
            if isinstance(lesson, Incompatibility):
                return lesson
            self._take_back(lesson, conflict, self._solution.level)
            conflict = None
            if vanished is not None:
                if vanished.state.mask & ~vanished.versions:
                    self._narrow(vanished.state, vanished.versions)
                    vanished = None
                else:  # what was learned leaves nothing but these versions
                    conflict = vanished.incompatibility()
            if conflict is None and self._propagation.looked_at > pause_at:
                break
        self._is_paused = not self._propagation.is_over
        return None

    def _destination(self, lesson: Lesson, since: int) -> int:
        """The level to go back to: where the lesson could have been drawn first, so that the order may change below.

        A search that is long already has many conflicts that do not concern each other. There the way back to the
        root, for each of them, is what takes the time: it goes back only to before the decision that was wrong
        ("chronological backtracking", Nadel and Ryvchin, SAT 2018).
        """
        if self.decisions > LONG_SEARCH and since - lesson.level > FAR:
            return lesson.latest
        return lesson.level

    def _narrow(self, state: PackageState, forbidden: int) -> None:
        state.known &= ~forbidden
        state.mask &= state.known
        self._propagation.touch(state)

    def _apply(self, lesson: Lesson, *, is_new: bool) -> None:
        """Remember what was learned, and draw the first conclusion from it."""
        incompatibility, state = lesson.incompatibility, lesson.state
        terms = incompatibility.terms
        if len(terms) == 1:
            if is_new:
                state.unary.append(incompatibility)
            self._narrow(state, terms[state.package])
            return
        if is_new and self._solution.level > 1:  # what was concluded at level 1 stays, and with it all that was learned
            self._enforcement.watch(incompatibility)
        self._solution.derive(state, state.mask & ~terms[state.package], incompatibility)
        self._propagation.touch(state)

    def _state(self, package: Package) -> PackageState:
        return self._states.get(package) or self._new_state(package)

    def _new_state(self, package: Package) -> PackageState:
        state = self._states[package] = PackageState(package)
        if self._descent is None:
            state.arm()
        base = self._tie(package)
        if base is not None:
            state.base = self._state(base)
        return state

    def _exhausted(self, detail: str) -> DecisionsExhausted:
        self._failure = DecisionsExhausted(
            detail, self._tracker.worst(), self.decisions, self.conflicts, self._propagation.looked_at
        )
        return self._failure
