"""Single flight: identical hops at the same time are one, and nobody inherits another's cancellation.

The work runs in a task of its own. Each caller waits for it behind a shield; who leaves takes only itself away,
and the last one to leave cancels the work.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from dataclasses import replace

from .errors import TransportError
from .hop import Hop, Sender
from .message import CacheStatus, Response


class _Flight:
    __slots__ = ("task", "waiters")

    def __init__(self, task: asyncio.Task[Response]) -> None:
        self.task = task
        self.waiters = 0


class Coalesce:
    """Joins hops that are truly identical: same partition, URL, headers and credential."""

    def __init__(self, inner: Sender, ready: Callable[[Hop], Response | None]) -> None:
        """``ready`` answers at once, without waiting, or not at all: a warm hit makes no task."""
        self._inner = inner
        self._ready = ready
        self._flights: dict[Hashable, _Flight] = {}

    async def fetch(self, hop: Hop) -> Response:
        """Answer ``hop``, perhaps with the answer that another caller is already waiting for."""
        response = self._ready(hop)
        if response is not None:
            return response
        request = hop.request
        key = (
            *(hop.partition, hop.url, hop.headers, hop.secrets, hop.reach),
            *(request.method, request.kind, request.refresh, request.max_bytes, request.sha256, request.index.name),
        )
        flight = self._flights.get(key)
        joined = flight is not None
        if flight is None:
            flight = _Flight(asyncio.create_task(self._inner.fetch(hop)))
            self._flights[key] = flight
            flight.task.add_done_callback(lambda _task: self._land(key, flight))
        flight.waiters += 1
        try:
            response = await asyncio.shield(flight.task)
        except TransportError as error:
            # One exception is raised in many callers: without this each adds its frames to all the others'.
            raise error.with_traceback(None) from None
        finally:
            flight.waiters -= 1
            if flight.waiters == 0 and not flight.task.done():
                self._land(key, flight)  # who comes now must not join a flight that is being cancelled
                flight.task.cancel()
        if joined and response.requests:
            return replace(response, cache=CacheStatus.JOINED, requests=0)
        return response

    def _land(self, key: Hashable, flight: _Flight) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]

    async def close(self) -> None:
        """Cancel what is under way and wait until it has ended."""
        tasks = [flight.task for flight in self._flights.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
