"""Who was rejected, and because of whom: what moves packages forward in the order of decisions (uv's rules)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .facts import Package
from .incompatibility import ROOT, Incompatibility
from .package_state import PackageState
from .partial_solution import PartialSolution
from .priority import CONFLICT_THRESHOLD, Agenda, Urgency

_WORST: Final = 10  # packages named when the budget is spent: more would not help a reader


class ConflictTracker:
    """Counts conflicts per package, over the whole solve."""

    def __init__(self, states: Mapping[Package, PackageState], tried: PackageState) -> None:
        self.tried = tried
        """The package whose version was tried last."""
        self._states = states
        self._rejected: list[PackageState] = []
        self._culprits: list[PackageState] = []

    def note(self, affected: PackageState, incompatibility: Incompatibility) -> None:
        """Count for the priorities: against whom the package just tried was rejected."""
        is_real = False
        for package in incompatibility.terms:
            culprit = self._states[package]
            if culprit.project is affected.project:
                continue  # an extra repeats the conflicts of its base
            is_real = True
            culprit.culprit += 1
            if culprit.culprit == CONFLICT_THRESHOLD:
                self._culprits.append(culprit)
        if is_real:
            self.tried.affected += 1
            if self.tried.affected == CONFLICT_THRESHOLD:
                self._rejected.append(self.tried)

    def promote(self, agenda: Agenda, solution: PartialSolution) -> None:
        """Move packages forward that had many conflicts, and take their decisions back to try them earlier."""
        for states, urgency in ((self._rejected, Urgency.CONFLICT_EARLY), (self._culprits, Urgency.CONFLICT_LATE)):
            for state in states:
                if state.package is ROOT or not agenda.advance(state.project, urgency):
                    continue
                if state.decided:
                    solution.backtrack(state.assumptions[-1][2] - 1)
            states.clear()

    def worst(self) -> tuple[Package, ...]:
        """The packages with the most conflicts, worst first."""
        troubled = [
            state for state in self._states.values() if state.affected + state.culprit and state.package is not ROOT
        ]
        troubled.sort(key=lambda state: (-state.affected - state.culprit, state.rank))
        return tuple(state.package for state in troubled[:_WORST])
