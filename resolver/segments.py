"""The parts of a solve between two waits: each computes during a turn, and none holds the event loop for long."""

from __future__ import annotations

import asyncio
from time import perf_counter

from transport.turns import Turns

from .model import Stats

# A solve holds the event loop for no longer than this before others get their turn (DESIGN: some 5 ms).
MAX_HOLD = 0.004  # seconds
DECISIONS = 64  # at most between two looks at the clock: some 10 µs each where all is at hand, more in regions
SHORT, LONG = 0.0005, 0.0015  # seconds between two looks; beyond these there are more decisions the next time, or fewer
PAUSE_STEPS = 10_000  # of a solver, some milliseconds


class Segments:
    """Cuts a solve into segments: computes during its turns, and splits the wall time into waiting and solving."""

    def __init__(self, stats: Stats, turns: Turns) -> None:
        self._stats = stats
        self._turns = turns
        self._since = perf_counter()
        self._is_computing = False
        self._looked = self._since
        self._until = 0.0
        self.decisions = DECISIONS
        """How many to make before the next look at the clock."""

    async def begin(self) -> None:
        """Wait for a turn to compute."""
        await self._turns.take()
        self._is_computing = True
        now = perf_counter()
        self._stats.fetch += now - self._since
        self._since = self._looked = now
        self._until = now + MAX_HOLD

    @property
    def is_over(self) -> bool:
        """Whether this segment has taken long enough."""
        return perf_counter() > self._until

    def end(self) -> None:
        """Give the turn back before waiting for something."""
        if self._is_computing:
            self._is_computing = False
            self._turns.give()
            now = perf_counter()
            self._stats.solve += now - self._since
            self._since = now

    async def breathe(self) -> None:
        """Let others run if this segment has taken long enough."""
        now = perf_counter()
        took, self._looked = now - self._looked, now
        if took > LONG:
            self.decisions = max(1, self.decisions // 2)
        elif took < SHORT:
            self.decisions = min(DECISIONS, self.decisions * 2)
        if now > self._until:
            self.end()
            await asyncio.sleep(0)
            await self.begin()


class Breath:
    """Lets others run whenever a computation that has nothing to wait for has taken long enough."""

    def __init__(self) -> None:
        self._since = perf_counter()

    @property
    def is_due(self) -> bool:
        """Whether it is time for a pause: to ask costs less than to take none."""
        return perf_counter() - self._since > MAX_HOLD

    async def take(self) -> None:
        """Pause, if it is time."""
        if self.is_due:
            await asyncio.sleep(0)
            self._since = perf_counter()


class Pace:
    """Spreads what is begun at once over several passes of the event loop."""

    def __init__(self, most: int) -> None:
        """``most`` are begun in one pass."""
        self._most = most
        self._begun = 0

    async def keep(self) -> None:
        """Wait until this pass has room."""
        if not self._begun:
            asyncio.get_running_loop().call_soon(self._forget)
        ahead, self._begun = self._begun // self._most, self._begun + 1
        for _ in range(ahead):
            await asyncio.sleep(0)

    def _forget(self) -> None:
        self._begun = 0
