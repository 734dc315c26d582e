"""The assumptions made so far, in order, and the way back.

Level 0 is what facts about single packages say (``PackageState.known``), level 1 the root and what follows from it
alone; each further decision opens a level. Invariants, verified by :meth:`PartialSolution.check`: per package the
masks of its assumptions strictly shrink, never to nothing; levels never fall along the order of assumptions.
"""

from __future__ import annotations

from .facts import Package
from .incompatibility import ROOT
from .package_state import PackageState
from .priority import Agenda
from .reason import Reason


class PartialSolution:
    """All assumptions in the order they were made."""

    __slots__ = ("_agenda", "_count", "_starts", "has_backtracked", "level", "opened", "order", "returns")

    def __init__(self, agenda: Agenda) -> None:
        self._agenda = agenda
        self.order: list[PackageState] = []
        """Whose last assumption it is; parallel to the positions in the assumptions."""
        self.level = 0
        self.has_backtracked = False
        self.returns = 0
        """How often assumptions were forgotten."""
        self._starts: list[int] = [0]
        """The position of the first assumption of each level."""
        self._count = 0
        self.opened: list[int] = [0]
        """Which decision opened each level, counted from the start: another one of the same level, another number."""

    def decisions(self) -> dict[Package, int]:
        """The versions that are decided as of now."""
        return {
            state.package: state.decided
            for state in dict.fromkeys(self.order)
            if state.decided and state.package is not ROOT
        }

    def decide(self, state: PackageState, version: int) -> None:
        """Open a level with the choice of ``version``."""
        self.level += 1
        self._count += 1
        self.opened.append(self._count)
        order = self.order
        position = len(order)
        self._starts.append(position)
        mask = 1 << version
        state.assumptions.append((mask, position, self.level, None))
        order.append(state)
        state.mask = mask
        state.decided = version

    def derive(self, state: PackageState, mask: int, reason: Reason) -> None:
        """Narrow ``state`` to ``mask``, a true part of what it was, because of ``reason``."""
        order = self.order
        state.assumptions.append((mask, len(order), self.level, reason))
        order.append(state)
        state.mask = mask
        if not mask & 1:
            self._agenda.outdated.append(state)

    def backtrack(self, level: int) -> None:
        """Forget every assumption above ``level``."""
        self.has_backtracked = True
        if level >= self.level:
            return
        self.returns += 1
        start = self._starts[level + 1]
        order = self.order
        while len(order) > start:
            state = order.pop()
            assumptions = state.assumptions
            _, _, _, reason = assumptions.pop()
            if reason is None:
                state.decided = 0
            state.mask = assumptions[-1][0] & state.known if assumptions else state.known
            if not state.mask & 1:
                self._agenda.outdated.append(state)
        del self._starts[level + 1 :], self.opened[level + 1 :]
        self.level = level

    @property
    def stamp(self) -> tuple[int, ...]:
        """Another one as soon as any assumption is made or forgotten."""
        return self.level, self.returns, self._count, len(self.order)

    def went_down(self, decisions: int) -> None:
        """So many decisions were made on this level, and each was taken back."""
        self._count += decisions
        self.returns += decisions

    def check(self) -> None:
        """Verify the invariants (tests call it; it costs as much as the solve)."""
        positions: list[tuple[int, int]] = []
        for state in set(self.order):
            left = state.universe
            for mask, position, level, _ in state.assumptions:
                assert self.order[position] is state
                assert mask, f"nothing is left of {state.package}"
                assert not mask & ~left, f"{state.package} grew"
                left = mask
                positions.append((position, level))
            assert state.mask == left & state.known
            assert state.mask, f"nothing is left of {state.package}"
            assert not state.decided or state.mask == 1 << state.decided
        positions.sort()
        assert [position for position, _ in positions] == list(range(len(self.order)))
        levels = [level for _, level in positions]
        assert levels == sorted(levels)
