"""Where the cache keeps what it has: memory over an optional disk.

The memory is asked without waiting. Small entries are read from disk right here while the disk is quick: some 90 µs,
where the way through a thread takes 350; large ones, and all once a read took long, are read in threads. Writes trail
behind the answer in a thread; :meth:`Shelf.close` waits for them. What was dropped is gone at once, though the disk
may still have to delete it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from .clock import Clock
from .freshness import FOREVER
from .memory import Memory, Record
from .storage import Key, Storage, Stored

log = logging.getLogger("transport.cache")

MAX_TRAILING = 64 * 1024 * 1024  # bytes that wait for the disk; beyond it a slow disk loses entries, not memory
CLOCK_SLACK = 60.0  # seconds by which an entry may lie in the future before its age counts as unknown
READERS = 4
WARN_EVERY = 60.0
SMALL = 256 * 1024  # bytes: hashing them takes a quarter of a millisecond
SLOW_READ = 0.01  # seconds; a page cache takes a hundredth of it, a network disk more
THREADS_FOR = 30.0  # seconds for which a slow read keeps the disk away from the event loop


class Shelf:
    """Keys to the variants stored under them."""

    def __init__(self, memory: Memory, storage: Storage | None, clock: Clock) -> None:
        self._memory = memory
        self._storage = storage
        self._clock = clock
        self._readers = ThreadPoolExecutor(READERS, "transport-cache-read")
        self._writer = ThreadPoolExecutor(1, "transport-cache-write")  # one: writes of a key keep their order
        self._trailing = 0
        self._writes: set[asyncio.Future[None]] = set()
        self._reading: set[Key] = set()
        self._leaving: Counter[Key] = Counter()  # how many deletions of a key the disk has still to do
        self._warned = float("-inf")
        self._slow_until = float("-inf")

    async def close(self) -> None:
        """Let the disk have what waits for it."""
        await asyncio.gather(*self._writes, return_exceptions=True)
        self._readers.shutdown(wait=False, cancel_futures=True)
        self._writer.shutdown(wait=False)

    async def load(self, key: Key) -> list[Record]:
        """Return the variants of ``key`` from memory, else from disk."""
        records = self._memory.get(key)
        if records is not None or self._storage is None or self._leaving[key]:
            return records or []
        self._reading.add(key)
        found = self._read_here(self._storage, key)
        if found is None:
            found = await asyncio.get_running_loop().run_in_executor(self._readers, self._storage.read, key)
        records = self._memory.get(key)  # another flight may have been quicker, and know more
        if key not in self._reading:
            return records or []  # dropped meanwhile: what was read must not come back
        self._reading.discard(key)
        if records is None:
            now, wall = self._clock.monotonic(), self._clock.wall()
            records = [Record(stored, body, now, _resident(wall - stored.response_time)) for stored, body in found]
            self._memory.put(key, records)
        return records

    def keep(self, key: Key, records: list[Record], *, is_new: bool) -> None:
        """Hold ``records`` under ``key``; ``is_new`` says whether the disk has yet to get the body of the first."""
        self._memory.put(key, records)
        storage, size = self._storage, len(records[0].body)
        if storage is None or self._trailing + size > MAX_TRAILING:
            return
        if not is_new:
            size = 0
        bodies = {record.stored.digest: record.body for record in records}
        self._trailing += size
        future: asyncio.Future[None] = asyncio.get_running_loop().run_in_executor(
            self._writer, storage.write, key, [record.stored for record in records], bodies
        )
        self._writes.add(future)
        future.add_done_callback(lambda done: self._written(done, size))

    def drop(self, key: Key) -> None:
        """Forget ``key``."""
        self._memory.drop(key)
        self._reading.discard(key)
        if self._storage is None:
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().run_in_executor(
            self._writer, self._storage.delete, key
        )
        self._writes.add(future)
        self._leaving[key] += 1
        future.add_done_callback(lambda done: self._deleted(done, key))

    def _written(self, future: asyncio.Future[None], size: int) -> None:
        self._writes.discard(future)
        self._trailing -= size
        error = None if future.cancelled() else future.exception()
        if error is None:
            return
        now = self._clock.monotonic()
        if now - self._warned > WARN_EVERY:  # a full disk fails every write; one line a minute says it
            self._warned = now
            log.warning("the cache cannot write, going on without: %s", type(error).__name__)

    def _deleted(self, future: asyncio.Future[None], key: Key) -> None:
        self._leaving[key] -= 1
        if not self._leaving[key]:
            del self._leaving[key]
        self._written(future, 0)

    def _read_here(self, storage: Storage, key: Key) -> list[tuple[Stored, bytes]] | None:
        """Read a small entry at once, as long as the disk answers like memory; None: use a thread."""
        started = time.monotonic()  # of the disk, whatever clock the ages are on
        if started < self._slow_until:
            return None
        found = storage.read_small(key, SMALL)
        ended = time.monotonic()
        if ended - started > SLOW_READ:
            self._slow_until = ended + THREADS_FOR
        return found


def _resident(seconds: float) -> float:
    """Return how long an entry lay on disk by the wall clock; an entry from the future is of unknown age."""
    return FOREVER if seconds < -CLOCK_SLACK else max(0.0, seconds)
