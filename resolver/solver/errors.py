"""How a solve ends without an answer.

SolverError
├── DecisionsExhausted  the budget is spent; the query may or may not have a solution
└── UnknownVersion      the driver spoke of a version that the table does not have
"""

from __future__ import annotations

from .facts import Package


class SolverError(Exception):
    """Base of the solver's errors."""


class DecisionsExhausted(SolverError):
    """Too many decisions, or too much work between them."""

    def __init__(self, detail: str, packages: tuple[Package, ...], decisions: int, conflicts: int, steps: int) -> None:
        super().__init__(detail)
        self.detail = detail
        self.packages = packages
        """Those with the most conflicts, worst first."""
        self.decisions = decisions
        self.conflicts = conflicts
        self.steps = steps


class UnknownVersion(SolverError):
    """A version number outside of the package's table, or of a package without one."""
