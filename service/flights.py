"""Identical work that is under way is shared, and ends when nobody waits for it any more.

The work runs in a task of its own, so that no waiter's cancellation reaches another waiter. Its outcome, error or
not, is shared by those who waited and forgotten.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from .problems import Problem

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class _Flight(Generic[T]):
    task: asyncio.Task[T]
    waiters: int = 0


class Flights(Generic[T]):
    """Work by key."""

    def __init__(self) -> None:
        self._flights: dict[Hashable, _Flight[T]] = {}

    def __len__(self) -> int:
        """Return how many pieces of work are under way."""
        return len(self._flights)

    async def join(self, key: Hashable, start: Callable[[], Awaitable[T]]) -> tuple[T, bool]:
        """Return the outcome for ``key``, and whether the work was already under way.

        Raises:
            Problem: ``draining``, where the work was cancelled because the service stops.
        """
        flight = self._flights.get(key)
        joined = flight is not None
        if flight is None:
            flight = _Flight(asyncio.ensure_future(_run(start)))
            self._flights[key] = flight
            flight.task.add_done_callback(lambda task: self._land(key, task))
        flight.waiters += 1
        try:
            await asyncio.wait([flight.task])  # unlike awaiting it, this does not pass our cancellation on
        finally:
            flight.waiters -= 1
            if flight.waiters == 0 and not flight.task.done():
                # Forgotten at once: who comes now must not join work that is being cancelled.
                self._forget(key, flight.task)
                flight.task.cancel()
        try:
            if flight.task.cancelled():
                raise Problem("draining", "The server stopped before the resolution was finished; ask again")
            return flight.task.result(), joined
        finally:
            del flight  # an error would refer to this frame, and this frame to the error

    def _forget(self, key: Hashable, task: asyncio.Task[T]) -> None:
        flight = self._flights.get(key)
        if flight is not None and flight.task is task:
            del self._flights[key]

    def _land(self, key: Hashable, task: asyncio.Task[T]) -> None:
        self._forget(key, task)
        if not task.cancelled():
            task.exception()  # all waiters may have gone; then nobody else would look

    async def close(self) -> None:
        """Cancel what is under way and wait until it has ended."""
        tasks = [flight.task for flight in self._flights.values()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


async def _run(start: Callable[[], Awaitable[T]]) -> T:
    return await start()
