"""Whose turn it is to compute: at most one heavy step per pass of the event loop.

Each step of a solve is short, but fifty solves that are ready at once would still hold the loop for fifty steps,
and a health check would wait for all of them. So whoever computes for more than a moment takes a turn first, and
turns are handed on first come, first served, one per pass of the loop. It lives here because the lowest layer that
computes (it inflates pages) is in the transport.

A first resolve takes thousands of steps of some 50 µs; to each of them a pass of its own would cost as much as the step.
So short steps share a pass as long as it has room for them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from time import perf_counter
from types import TracebackType

ROOM = 0.001  # seconds of a pass that short steps may fill


class Turns:
    """The turns of one event loop. Use as ``async with turns:``; not re-entrant."""

    __slots__ = ("_is_taken", "_since", "_waiting")

    def __init__(self) -> None:
        """Nobody computes yet."""
        self._is_taken = False
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._since = 0.0
        """When the first short step of this pass began; 0: there was none."""

    async def take(self) -> None:
        """Wait for a turn. Cancelled while waiting, the turn goes to the next."""
        if not self._is_taken:
            self._is_taken = True
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it was handed to us just now
                self.give()
            raise

    def give(self) -> None:
        """End the turn; the next one begins in the next pass of the loop, even if nobody waits yet."""
        asyncio.get_running_loop().call_soon(self._hand_on)

    def _hand_on(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._is_taken = False

    async def begin_anew(self) -> None:
        """Go on in a pass of one's own: for a step that waits for nothing."""
        await self.take()
        self.give()

    async def moment(self) -> None:
        """Wait for a pass of the loop with room for a short step, which begins now and waits for nothing."""
        while True:
            now = perf_counter()
            if not self._since:
                self._since = now
                asyncio.get_running_loop().call_soon(self._forget)
                return
            if now - self._since < ROOM:
                return
            await asyncio.sleep(0)

    def _forget(self) -> None:
        self._since = 0.0

    async def __aenter__(self) -> None:
        await self.take()

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.give()
