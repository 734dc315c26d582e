"""Facts that a driver has at hand, for a solve that need not come back for each of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from .facts import Dependency, Package, VersionTable
from .incompatibility import Unavailable


class Source(Protocol):
    """Answers the solver's questions at once, or not at all.

    None means "ask by an event": what is still on its way, what has to be awaited, and also what could be said but
    would hold the caller for too long. The answer to a question counts for the whole solve, whichever way it came.
    What a source raises ends the solve, and comes out of :meth:`Solver.next_event`.
    """

    def versions(self, package: Package, /) -> VersionTable | None:
        """The table of a package."""
        ...

    def dependencies(self, package: Package, version: int, /) -> Sequence[Dependency] | Unavailable | None:
        """What a version depends on, or why it cannot be used after all. The solver keeps the sequence."""
        ...
