"""Time and chance as inputs, so that a test can hold both."""

from __future__ import annotations

import asyncio
import random
import time


class Clock:
    """The system's clocks; a test passes a subclass whose :meth:`sleep` returns at once."""

    def wall(self) -> float:
        """Seconds since the epoch: for ``Date`` headers and for what is kept across restarts."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds on a clock that never jumps: for ages within the process, pauses and budgets."""
        return time.monotonic()

    def random(self) -> float:
        """A number in [0, 1) for jitter."""
        return random.random()  # noqa: S311 (jitter needs no secrecy)

    async def sleep(self, seconds: float) -> None:
        """Wait ``seconds``."""
        await asyncio.sleep(seconds)


SYSTEM = Clock()
