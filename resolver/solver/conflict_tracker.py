"""Who was rejected, and because of whom: what moves packages in the order of decisions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from .facts import Package
from .incompatibility import ROOT, Incompatibility, Unavailable
from .package_state import PackageState
from .partial_solution import PartialSolution
from .priority import CONFLICT_THRESHOLD, Agenda, Urgency

_WORST: Final = 10  # packages named when the budget is spent: more would not help a reader


class ConflictTracker:
    """Counts conflicts per package, over the whole solve."""

    __slots__ = ("_states", "culprits", "rejected", "tried")

    def __init__(self, states: Mapping[Package, PackageState], tried: PackageState) -> None:
        self.tried = tried
        """The package whose version was tried last."""
        self._states = states
        self.rejected: list[PackageState] = []
        """Those that reached the threshold since :meth:`promote`, and below those that others were rejected for."""
        self.culprits: list[PackageState] = []

    def note(self, affected: PackageState, incompatibility: Incompatibility) -> None:
        """Count for the priorities: against whom the package just tried was rejected."""
        self.note_between(affected, map(self._states.__getitem__, incompatibility.terms))

    def note_between(self, affected: PackageState, culprits: Iterable[PackageState]) -> None:
        """The same by the packages that the incompatibility is about."""
        is_real = False
        project = affected.base or affected
        for culprit in culprits:
            if (culprit.base or culprit) is project:
                continue  # an extra repeats the conflicts of its base
            is_real = True
            culprit.culprit += 1
            if culprit.culprit == CONFLICT_THRESHOLD:
                self.culprits.append(culprit)
        if is_real:
            self.tried.affected += 1
            if self.tried.affected == CONFLICT_THRESHOLD:
                self.rejected.append(self.tried)

    def promote(self, agenda: Agenda, solution: PartialSolution) -> None:
        """Decide packages that were often rejected earlier, and those last whose decision others were rejected for.

        Such a decision is taken back, so that the others choose first and narrow the package: it gets what they leave.
        In its old place it would be decided before them again. Moving it forward, as uv does, decides it before what
        would narrow it; on real sets that cost older versions of the rest and three times the requests.
        """
        for state in self.rejected:
            if state.package is not ROOT and agenda.move(state, Urgency.CONFLICT_EARLY):
                _take_back(state, solution)
        for state in self.culprits:
            if not state.decided or state.package is ROOT:
                continue
            project = state.base or state
            if project.urgency is Urgency.SINGLETON and self._is_hasty(state):
                project.urgency = Urgency.UNSPECIFIED
            if project.urgency is Urgency.UNSPECIFIED:
                agenda.move(state, Urgency.CONFLICT_LATE)
                _take_back(state, solution)
        self.rejected.clear()
        self.culprits.clear()

    def _is_hasty(self, state: PackageState) -> bool:
        """Whether a package that others pin was decided before they had a say.

        What the root states may be decided before anything narrows it; versions that were rejected for it and pin it
        exactly have made it urgent nevertheless. Packages that only others bring in are decided after those.
        """
        if not state.decided:
            return False
        before = state.assumptions[-2][0] & state.known if len(state.assumptions) > 1 else state.known
        stated = self._states[ROOT].declared.values()
        is_stated = any(
            one.package == state.package for each in stated if not isinstance(each, Unavailable) for one in each
        )
        return is_stated and before.bit_count() > 1

    def worst(self) -> tuple[Package, ...]:
        """The packages with the most conflicts, worst first."""
        troubled = [
            state for state in self._states.values() if state.affected + state.culprit and state.package is not ROOT
        ]
        troubled.sort(key=lambda state: (-state.affected - state.culprit, state.rank))
        return tuple(state.package for state in troubled[:_WORST])


def _take_back(state: PackageState, solution: PartialSolution) -> None:
    if state.decided:
        solution.backtrack(state.assumptions[-1][2] - 1)
