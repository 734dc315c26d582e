"""How far writes are behind what they follow: until it is quiet, for a resolve that is under way needs the processor.

What is written beside a first resolve costs it a third of its time; what is written after it costs nobody.
"""

from __future__ import annotations

import asyncio
import contextlib
import time

QUIET = 0.5  # seconds without something new to write
LONGEST = 10.0  # seconds that something waits in any case


class Trail:
    """When to write."""

    def __init__(self) -> None:
        self._last = float("-inf")
        self._hurry = asyncio.Event()
        self._is_closing = False

    def add(self) -> None:
        """There is something new to write."""
        self._last = time.monotonic()

    def hurry(self) -> None:
        """Much waits: write soon."""
        self._hurry.set()

    def close(self) -> None:
        """Wait no more from now on."""
        self._is_closing = True
        self._hurry.set()

    async def quiet(self) -> None:
        """Return when it is time to write what there is."""
        end = time.monotonic() + LONGEST
        while not self._hurry.is_set():
            seconds = min(end, self._last + QUIET) - time.monotonic()
            if seconds <= 0.0:
                break
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._hurry.wait()
        if not self._is_closing:
            self._hurry.clear()
