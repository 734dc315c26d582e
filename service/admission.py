"""How many resolutions run at a time, and how many may wait for their turn. The rest is told to come back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from .problems import Problem


class Admission:
    """A bounded number of slots with a bounded queue before them; first come, first served."""

    def __init__(
        self, slots: int, *, max_waiting: int, max_wait: float, watch: Callable[[int, int], None] | None = None
    ) -> None:
        """``max_wait`` is in seconds; ``watch`` is told how many run and wait whenever that changes."""
        self._watch = watch or (lambda _running, _waiting: None)
        self._slots = asyncio.Semaphore(slots)
        self._max_waiting = max_waiting
        self._max_wait = max_wait
        self.running = 0
        self.waiting = 0

    def _count(self, *, running: int = 0, waiting: int = 0) -> None:
        self.running += running
        self.waiting += waiting
        self._watch(self.running, self.waiting)

    def _overloaded(self) -> Problem:
        seconds = max(1, round(self._max_wait / 2))
        return Problem(
            "overloaded",
            f"{self.running} resolutions run and {self.waiting} wait; this server takes no more at the moment",
            headers={"Retry-After": str(seconds)},
        )

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Hold a slot.

        Raises:
            Problem: ``overloaded``, at once when the queue is full, or after ``max_wait`` in it.
        """
        if self._slots.locked():
            if self.waiting >= self._max_waiting:
                raise self._overloaded()
            self._count(waiting=1)
            try:
                async with asyncio.timeout(self._max_wait):
                    await self._slots.acquire()
            except TimeoutError:
                raise self._overloaded() from None
            finally:
                self._count(waiting=-1)
        else:
            await self._slots.acquire()
        self._count(running=1)
        try:
            yield
        finally:
            self._count(running=-1)
            self._slots.release()
