"""What runs beside a resolve, and is over when it is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from .segments import Breath

T = TypeVar("T")


class Tasks:
    """The tasks of one resolve."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()
        self._releases: list[Callable[[], None]] = []

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run ``work`` beside the resolve; it is cancelled at the end."""
        task = asyncio.ensure_future(work)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # speculation may fail unheard; who needs the fact awaits the task and hears

    def at_end(self, release: Callable[[], None]) -> None:
        """Call ``release`` when nothing runs any more."""
        self._releases.append(release)

    async def end(self) -> None:
        """Cancel and await whatever still runs, and take apart what would be left in cycles."""
        running = list(self._running)
        for task in running:
            task.cancel()
        if running:
            await asyncio.gather(*running, return_exceptions=True)
        breath = Breath()
        while self._releases:
            self._releases.pop()()
            await breath.take()
