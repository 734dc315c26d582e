"""The thread in which large pages are read, small ones of them first.

Dozens of pages come at once, some a hundred times as large as others. Read in the order in which they came, most would
wait for the few largest, and so would all that is asked for next.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from heapq import heappop, heappush
from itertools import count
from typing import TypeVar

T = TypeVar("T")

AT_ONCE = 2  # given to the thread: what it does, and what it does next, so that it need not wait for the event loop
PATIENCE = 8 * 1024 * 1024  # bytes a second: others pass a page of this size for one second, and no longer


class ReadingQueue:
    """One thread and what waits for it, of one event loop."""

    def __init__(self) -> None:
        """Nothing waits yet."""
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="parse")
        self._given = 0
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = count()

    async def run(self, work: Callable[[], T], size: int) -> T:
        """Return what ``work`` does, which takes the longer the more bytes it is about; raises what it raises."""
        loop = asyncio.get_running_loop()
        if self._given < AT_ONCE:
            self._given += 1
        else:
            turn = loop.create_future()
            heappush(self._waiting, (loop.time() + size / PATIENCE, next(self._numbers), turn))
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():  # it was handed to us just now
                    self._hand_on()
                raise
        try:
            return await loop.run_in_executor(self._thread, work)
        finally:
            self._hand_on()

    def _hand_on(self) -> None:
        while self._waiting:
            turn = heappop(self._waiting)[2]
            if not turn.done():
                turn.set_result(None)
                return
        self._given -= 1
