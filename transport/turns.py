"""Whose turn it is to compute: at most one heavy step per pass of the event loop.

Each step of a solve is short, but fifty solves that are ready at once would still hold the loop for fifty steps,
and a health check would wait for all of them. So whoever computes for more than a moment takes a turn first, and
turns are handed on first come, first served, one per pass of the loop. It lives here because the lowest layer that
computes (it inflates pages) is in the transport.

A first resolve takes thousands of steps of some 50 µs, and a pass of its own would cost each as much again. So short
steps share a pass as long as it has room for them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from time import perf_counter
from types import TracebackType

# Short steps of one pass: as many as keep it between these two lengths, in seconds, and never more than so many.
SHORT, LONG = 0.001, 0.002
MAX_STEPS = 64


class Turns:
    """The turns of one event loop. Use as ``async with turns:``; not re-entrant."""

    __slots__ = ("_brief", "_is_taken", "_left", "_since", "_steps", "_waiting")

    def __init__(self) -> None:
        """Nobody computes yet."""
        self._is_taken = False
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._brief: deque[asyncio.Future[None]] = deque()
        self._since = 0.0
        """When the pass began in which there are short steps; 0: there are none."""
        self._steps = MAX_STEPS // 4
        self._left = 0
        """Short steps that a pass has room for, and that this one still has."""

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
        if not self._since:
            self._begin_pass()
        elif not self._left:
            step = asyncio.get_running_loop().create_future()
            self._brief.append(step)
            await step  # cancelled, it leaves the others a little more room
            return
        self._left -= 1

    def _begin_pass(self) -> None:
        self._left = self._steps
        self._since = perf_counter()
        asyncio.get_running_loop().call_soon(self._end_pass)

    def _end_pass(self) -> None:
        """Let as many go on as the last pass could have had."""
        took, self._since = perf_counter() - self._since, 0.0
        if took > LONG:
            self._steps = max(1, self._steps // 2)
        elif took < SHORT:
            self._steps = min(MAX_STEPS, self._steps * 2)
        if not self._brief:
            return
        left, self._left = self._steps, 0
        while self._brief and left:
            step = self._brief.popleft()
            if not step.done():
                step.set_result(None)
                left -= 1
        self._begin_pass()  # after those: they run in it
        self._left = left

    async def __aenter__(self) -> None:
        await self.take()

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.give()
