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

from .conflict import Analysis, Lesson
from .conflict_tracker import ConflictTracker
from .enforcement import Enforcement
from .errors import DecisionsExhausted, UnknownVersion
from .events import Decided, Event, NeedDependencies, NeedVersions, Solved, Unsolvable
from .facts import ABSENT, Dependency, Package, VersionTable
from .incompatibility import ROOT, Incompatibility, Unavailable
from .package_state import PackageState
from .partial_solution import PartialSolution
from .priority import Agenda, Project
from .propagation import Propagation

MAX_STEPS: Final = 20_000_000
"""Incompatibilities looked at; some 0.1 µs each, so a few seconds."""

_TERM_STEPS: Final = 20
"""A term of a derived incompatibility counts as so many steps: it stays in memory, with some 200 bytes of its share
of the node. The default budget is thus spent before proofs take 200 MB."""

_ROOT_VERSION: Final = 1


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
        tie: Callable[[Package], Package | None] = _alone,
    ) -> None:
        """Prepare to solve for the requirements ``root``.

        Args:
            root: what the caller requires, in the caller's order.
            max_decisions: how many versions may be chosen, backtracking included.
            max_steps: how much work may be done, in incompatibilities looked at.
            tie: the base package of an extra, None for any other package. The two share a place in the order, and
                the extra tries the versions that its base may still have; their equality itself is the business of
                the extra's dependencies.
        """
        self.decisions = 0
        self.conflicts = 0
        self._max_decisions = max_decisions
        self._max_steps = max_steps
        self._tie = tie
        self._states: dict[Package, PackageState] = {}
        self._projects: dict[Package, Project] = {}
        start = self._states[ROOT] = PackageState(ROOT, Project(ROOT))
        start.universe = start.known = start.mask = ABSENT | 1 << _ROOT_VERSION
        start.declared[_ROOT_VERSION] = tuple(root)
        self._agenda = Agenda()
        self._solution = PartialSolution(self._agenda)
        self._propagation = Propagation(self._solution, max_steps, self._overspent)
        self._tracker = ConflictTracker(self._states, start)
        self._enforcement = Enforcement(self._states, self._agenda, self._solution, self._tracker)
        self._analysis = Analysis(self._states, self._tracker.note, self._spend)
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
        """Take the solve apart, so that its memory is free at once; only the counters may be read afterwards."""
        for state in self._states.values():
            state.forget()

    @property
    def steps(self) -> int:
        """The work that was done, in incompatibilities looked at."""
        return self._propagation.looked_at

    # ---- state, for fetch-ahead

    def positive(self, package: Package) -> int:
        """Return the versions that are possible as of now; 0 before the table is known."""
        state = self._states.get(package)
        return state.mask & ~ABSENT if state is not None else 0

    def undecided(self) -> Iterable[Package]:
        """Return the packages that are required and have no decision, in the order they would be tried."""
        return [state.package for state in self._agenda.pending()]

    # ---- the search

    def next_event(self) -> Event:
        """Advance to the next decision, question or answer.

        Asked again without the facts it needs, it returns the same question.

        Raises:
            DecisionsExhausted: the budget is spent; so does every further call.
            UnknownVersion: a table chose a version that it does not have.
        """
        if self._failure is not None:
            raise self._failure
        while self._answer is None:
            if self._trial is None:
                conclusion = self._propagate()
                if conclusion is not None:
                    self._answer = Unsolvable(conclusion)
                    break
                self._tracker.promote(self._agenda, self._solution)
                self._trial = self._choose()
                if self._trial is None:
                    self._answer = Solved(self._decisions())
                    break
            state, version = self._trial
            question = self._missing(state, version)
            if question is not None:
                return question
            self._trial = None
            if self._try(state, version):
                if state.package is ROOT:
                    continue
                return Decided(state.package, version)
        return self._answer

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

    def _missing(self, state: PackageState, version: int) -> NeedDependencies | NeedVersions | None:
        """What must be known before this version can be tried."""
        if state.enforced >> version & 1:
            return None
        declared = state.declared.get(version)
        if declared is None:
            return NeedDependencies(state.package, version)
        if isinstance(declared, Unavailable):
            return None
        unknown: dict[Package, None] = {}
        for dependency in declared:
            if self._state(dependency.package).table is None:
                unknown[dependency.package] = None
        return NeedVersions(tuple(unknown)) if unknown else None

    def _try(self, state: PackageState, version: int) -> bool:
        """Put what is declared of the version into force and choose it, unless that would be a conflict at once."""
        self._tracker.tried = state
        self._propagation.changed.append(state)
        if not state.enforced >> version & 1:
            state.enforced |= 1 << version
            if not self._enforcement.enforce(state, version):
                return False
        self._solution.decide(state, version)
        if state.package is not ROOT:
            self.decisions += 1
            if self.decisions > self._max_decisions:
                raise self._exhausted(f"no solution within {self._max_decisions} decisions")
        return True

    # ---- conflicts

    def _propagate(self) -> Incompatibility | None:
        """Draw conclusions and learn from conflicts until nothing follows. Return the proof that nothing can."""
        vanished, self._enforcement.vanished = self._enforcement.vanished, None
        conflict = vanished.incompatibility() if vanished is not None else None
        while conflict is not None or (conflict := self._propagation.run()) is not None:
            self.conflicts += 1
            lesson = self._analysis.learn(conflict)
            if isinstance(lesson, Incompatibility):
                return lesson
            self._solution.backtrack(lesson.level)
            self._propagation.changed.clear()
            self._apply(lesson, is_new=lesson.incompatibility is not conflict)
            conflict = None
            if vanished is not None:
                if vanished.state.mask & ~vanished.versions:
                    self._narrow(vanished.state, vanished.versions)
                    vanished = None
                else:  # what was learned leaves nothing but these versions
                    conflict = vanished.incompatibility()
        return None

    def _narrow(self, state: PackageState, forbidden: int) -> None:
        state.known &= ~forbidden
        state.mask &= state.known
        self._propagation.changed.append(state)

    def _apply(self, lesson: Lesson, *, is_new: bool) -> None:
        """Remember what was learned, and draw the first conclusion from it."""
        incompatibility, state = lesson.incompatibility, lesson.state
        terms = incompatibility.terms
        if len(terms) == 1:
            if is_new:
                state.unary.append(incompatibility)
            self._narrow(state, terms[state.package])
            return
        if is_new:
            self._enforcement.watch(incompatibility)
        self._solution.derive(state, state.mask & ~terms[state.package], incompatibility)
        self._propagation.changed.append(state)

    # ---- the rest

    def _state(self, package: Package) -> PackageState:
        state = self._states.get(package)
        if state is None:
            base = self._tie(package)
            name = package if base is None else base
            project = self._projects.get(name)
            if project is None:
                project = self._projects[name] = Project(name)
            state = self._states[package] = PackageState(package, project)
            if base is not None:
                state.base = self._state(base)
        return state

    def _decisions(self) -> dict[Package, int]:
        return {
            state.package: state.decided
            for state in dict.fromkeys(self._solution.order)
            if state.decided and state.package is not ROOT
        }

    def _spend(self, terms: int) -> None:
        self._propagation.spend(terms * _TERM_STEPS)

    def _overspent(self) -> DecisionsExhausted:
        return self._exhausted(f"no answer within {self._max_steps} steps")

    def _exhausted(self, detail: str) -> DecisionsExhausted:
        self._failure = DecisionsExhausted(
            detail, self._tracker.worst(), self.decisions, self.conflicts, self._propagation.looked_at
        )
        return self._failure
