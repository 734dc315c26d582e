"""Which package is decided next.

The order is close to uv's, because answers are compared: first packages that a dependency pins to one version, then
those that were often rejected, then the rest, and last those that others were often rejected for; among equals whoever
was mentioned first by the dependencies of a version that was tried. It depends on the course of the solve alone, never
on the order in which facts arrived.
"""

from __future__ import annotations

from enum import IntEnum
from heapq import heappop, heappush
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .package_state import PackageState

CONFLICT_THRESHOLD = 5
"""So many conflicts move a package forward (uv's number)."""

_CLASS_BITS = 48
_ORDER_BITS = 24
_TIEBREAK = (1 << _ORDER_BITS) - 1


class Urgency(IntEnum):
    """Classes of packages, the most urgent first."""

    SINGLETON = 0
    CONFLICT_EARLY = 1 << _CLASS_BITS
    """Often rejected itself."""
    UNSPECIFIED = 2 << _CLASS_BITS
    CONFLICT_LATE = 3 << _CLASS_BITS
    """Others were often rejected because it was decided before them."""


class Agenda:
    """The packages that await a decision, by rank.

    A rank is an integer: the urgency and the order of the base package (an extra has no place of its own), and in the
    lowest bits the tiebreak, which is the package's own number. It is settled when the package's mask changed, not
    whenever its base moves: that is uv's order, too, and the reason for ``outdated``. The heap may hold packages that
    were decided or are no longer required: they are skipped when they surface. ``PackageState.queued`` is the rank
    under which a package is in the heap, so that it is there once.
    """

    __slots__ = ("_by_tiebreak", "_heap", "_projects", "outdated")

    def __init__(self) -> None:
        self.outdated: list[PackageState] = []
        """Required packages whose mask changed since the last look at the heap."""
        self._heap: list[int] = []
        self._by_tiebreak: list[PackageState] = []
        self._projects = 0

    def mention(self, state: PackageState, *, is_exact: bool) -> None:
        """A version that is tried depends on ``state``."""
        project = state.base or state
        if project.order < 0:
            project.order = self._projects << _ORDER_BITS
            self._projects += 1
        if is_exact:
            project.urgency = Urgency.SINGLETON
        if state.tiebreak < 0:
            state.tiebreak = len(self._by_tiebreak)
            self._by_tiebreak.append(state)

    @staticmethod
    def move(state: PackageState, urgency: Urgency) -> bool:
        """Move a package and its extras to a class because of conflicts; False if that was done already."""
        project = state.base or state
        if project.urgency is urgency or project.urgency is Urgency.CONFLICT_EARLY:
            return False
        project.urgency = urgency
        return True

    def first(self) -> PackageState | None:
        """The package to decide next; None: nothing is left."""
        heap = self._heap
        if self.outdated:
            for state in self.outdated:
                if not state.decided and not state.mask & 1:
                    project = state.base or state
                    state.rank = rank = project.urgency | project.order | state.tiebreak
                    if state.queued != rank:
                        state.queued = rank
                        heappush(heap, rank)
            self.outdated.clear()
        while heap:
            rank = heap[0]
            state = self._by_tiebreak[rank & _TIEBREAK]
            if rank == state.rank and not state.decided and not state.mask & 1:
                return state
            heappop(heap)
            if state.queued == rank:
                state.queued = -1
        return None

    def pending(self) -> list[PackageState]:
        """All packages that await a decision, in the order of their turns as of now."""
        ranks = {state: state.rank for rank in self._heap if (state := self._by_tiebreak[rank & _TIEBREAK])}
        ranks.update((state, rank_of(state)) for state in self.outdated)
        waiting = [state for state in ranks if not state.decided and not state.mask & 1]
        waiting.sort(key=ranks.__getitem__)
        return waiting


def rank_of(state: PackageState) -> int:
    """The place of a package in the order, as of now."""
    project = state.base or state
    return project.urgency | project.order | state.tiebreak
