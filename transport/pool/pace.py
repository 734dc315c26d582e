"""Reading a body for as long as there is progress: silence, drips and endless answers end here."""

from __future__ import annotations

import asyncio

import aiohttp

from transport.errors import Timeout
from transport.hop import Hop
from transport.message import Kind
from transport.settings import TransportSettings


class Pace:
    """Reads chunks for as long as there is progress."""

    def __init__(self, hop: Hop, settings: TransportSettings, started: float, patience: float) -> None:
        self._hop = hop
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._begun = self._window_start = self._loop.time()
        self._window_bytes = self._total = 0
        self._patience_end: float | None = started + patience
        self._end = float("inf") if hop.request.kind is Kind.FILE else started + settings.page

    async def read(self, stream: aiohttp.StreamReader) -> bytes:
        """Return the next chunk, empty at the end.

        Raises:
            Timeout: silence, a drip below ``min_rate``, or the end of all patience.
        """
        chunk = stream.read_nowait()  # most bodies come with their head
        if not chunk and not stream.at_eof():
            chunk = await self._next(stream)
        self._window_bytes += len(chunk)
        self._total += len(chunk)
        return chunk

    async def _next(self, stream: aiohttp.StreamReader) -> bytes:
        silent_since = self._loop.time()
        while True:
            now = self._loop.time()
            self._check(now, silent_since)
            window_end = self._window_start + self._settings.rate_window
            until = min(silent_since + self._settings.idle, window_end, self._patience_end or self._end, self._end)
            try:
                async with asyncio.timeout_at(until):
                    return await stream.readany()
            except aiohttp.ServerTimeoutError:
                raise
            except TimeoutError:
                continue

    def _check(self, now: float, silent_since: float) -> None:
        settings = self._settings
        if now >= self._end:
            raise self._hop.failure(Timeout, f"not complete within {settings.page:.0f} s", "total-timeout")
        if now >= silent_since + settings.idle:
            raise self._hop.failure(Timeout, f"silent for {settings.idle:.0f} s", "idle-timeout")
        slow = False
        if now >= self._window_start + settings.rate_window:
            slow = self._window_bytes < settings.min_rate * settings.rate_window
            self._window_start, self._window_bytes = now, 0
        if self._patience_end is not None and now >= self._patience_end:
            # The retries are spent: only an answer that does come along may still take its time.
            slow = slow or self._total < settings.min_rate * (now - self._begun)
            self._patience_end = None
        if slow:
            raise self._hop.failure(
                Timeout, f"slower than {settings.min_rate} bytes per second: {self._total} bytes so far", "too-slow"
            )
