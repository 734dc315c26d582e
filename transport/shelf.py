"""Where the cache keeps what it has: memory over an optional disk.

The memory is asked without waiting. What is small is read from disk right here while the disk is quick: some 40 µs,
where the way through a thread takes 350; what is large, and all once a read took long, is read in threads. A body that
the disk has is read when somebody wants it: who knows what follows from a response by its digest does not. Writes trail
behind the answer in a thread, and together; :meth:`Shelf.close` waits for them. What was dropped is gone at once,
though the disk may still have to delete it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar

from .clock import Clock
from .freshness import FOREVER
from .memory import Memory, Record
from .storage import Key, Storage, Stored
from .trail import Trail

log = logging.getLogger("transport.cache")

MAX_TRAILING = 96 * 1024 * 1024  # bytes that wait for the disk; beyond it a slow disk loses entries, not memory
MAX_ABSENT = 10_000  # keys
CLOCK_SLACK = 60.0  # seconds by which an entry may lie in the future before its age counts as unknown
READERS = 4
WARN_EVERY = 60.0
SMALL = 256 * 1024  # bytes: hashing them takes a quarter of a millisecond
SLOW_READ = 0.01  # seconds; a page cache takes a hundredth of it, a network disk more
AT_ONCE = 128  # writes that are told of in one pass of the event loop, some 5 µs each
THREADS_FOR = 30.0  # seconds for which a slow read keeps the disk away from the event loop


K = TypeVar("K")
V = TypeVar("V")


class Shelf:
    """Keys to the variants stored under them."""

    def __init__(self, memory: Memory, storage: Storage | None, clock: Clock) -> None:
        self._memory = memory
        self._storage = storage
        self._clock = clock
        self._readers = ThreadPoolExecutor(READERS, "transport-cache-read")
        self._writer = ThreadPoolExecutor(1, "transport-cache-write")  # one: writes of a key keep their order
        self._trailing = 0
        self._waiting: list[tuple[Callable[[], None], Callable[[bool], None]]] = []
        self._writing: asyncio.Future[None] | None = None
        self._trail = Trail()
        self._reading: dict[Key, set[object]] = {}
        self._leaving: Counter[Key] = Counter()  # how many deletions of a key the disk has still to do
        self._warned = float("-inf")
        self._slow_until = float("-inf")
        self._was_slow = False
        self._absent: set[Key] = set()
        """Keys that the disk was asked for in vain, by who asked at once: who then waits need not ask again."""

    async def close(self) -> None:
        """Let the disk have what waits for it."""
        self._trail.close()
        while self._writing is not None:
            await self._writing
        self._readers.shutdown(wait=False, cancel_futures=True)
        self._writer.shutdown(wait=False)

    def at_hand(self, key: Key) -> list[Record] | None:
        """Return the variants of ``key`` from memory or a quick disk; None: :meth:`load` has to wait for it."""
        records = self._memory.get(key)
        if records is not None or self._storage is None or self._leaving[key]:
            return records or []
        found = self._quickly(self._storage.find, key)
        if found is None:
            return None
        if not found:
            if len(self._absent) >= MAX_ABSENT:
                self._absent.clear()
            self._absent.add(key)
        return self._loaded(key, found)

    async def load(self, key: Key) -> list[Record]:
        """Return the variants of ``key``, those from disk without their bodies."""
        is_absent = key in self._absent
        self._absent.discard(key)
        records = self._memory.get(key) or [] if is_absent else self.at_hand(key)
        if records is not None:
            return records
        assert self._storage is not None
        found, is_dropped = await self._slowly(key, self._storage.find, key)
        records = self._memory.get(key)  # another flight may have been quicker, and know more
        if is_dropped or records is not None:
            return records or []
        return self._loaded(key, found)

    def _loaded(self, key: Key, found: list[Stored]) -> list[Record]:
        now, wall = self._clock.monotonic(), self._clock.wall()
        records = [Record(stored, None, now, _resident(wall - stored.response_time)) for stored in found]
        self._memory.put(key, records)
        return records

    def with_body_at_hand(self, key: Key, record: Record) -> Record | None:
        """Return ``record`` with its body, where that is small and the disk quick; None: :meth:`with_body` knows."""
        if record.body is not None:
            return record
        if self._storage is None or record.stored.size > SMALL:
            return None
        body = self._quickly(self._storage.body, record.stored)
        return None if body is None else self._embodied(key, record, body)

    async def with_body(self, key: Key, record: Record) -> Record | None:
        """Return ``record`` with its body; None, and nothing is kept of it, where that is gone or damaged."""
        whole = self.with_body_at_hand(key, record)
        if whole is not None or self._storage is None:
            return whole
        body, is_dropped = await self._slowly(key, self._storage.body, record.stored)
        if is_dropped:
            return None
        if body is not None:
            return self._embodied(key, record, body)
        if any(one is record for one in self._memory.get(key) or ()):
            self.drop(key)
        return None

    def _embodied(self, key: Key, record: Record, body: bytes) -> Record:
        """Put the body into a new record, and that into the memory in place of the old one, if it is still there."""
        whole = replace(record, body=body)
        records = self._memory.get(key) or []
        if any(one is record for one in records):
            self._memory.put(key, [whole if one is record else one for one in records])
        return whole

    def keep(self, key: Key, records: list[Record], *, is_new: bool) -> None:
        """Hold ``records`` under ``key``; ``is_new`` says whether the disk has yet to get the body of the first."""
        self._memory.put(key, records)
        storage, size = self._storage, len(records[0].body or b"")
        if storage is None or self._trailing + size > MAX_TRAILING:
            return
        if not is_new:
            size = 0
        bodies = {record.stored.digest: record.body for record in records if record.body is not None}
        variants = [record.stored for record in records]
        self._trailing += size
        self._later(
            lambda: storage.write(key, variants, bodies),
            lambda is_done: self._kept(size, key, records, is_done=is_done),
        )
        if self._trailing > MAX_TRAILING * 3 // 4:
            self._trail.hurry()

    def drop(self, key: Key) -> None:
        """Forget ``key``."""
        self._memory.drop(key)
        self._reading.pop(key, None)
        storage = self._storage
        if storage is not None:
            self._leaving[key] += 1
            self._later(lambda: storage.delete(key), lambda _: self._deleted(key))

    def _later(self, work: Callable[[], None], after: Callable[[bool], None]) -> None:
        """Let a thread do ``work``, behind the answers; then tell ``after`` whether it could."""
        self._waiting.append((work, after))
        self._trail.add()
        if self._writing is None:
            self._writing = asyncio.ensure_future(self._drain())

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                await self._trail.quiet()
                batch, self._waiting = self._waiting, []
                failures = await loop.run_in_executor(self._writer, _do, [work for work, _ in batch])
                for number, ((_, after), failure) in enumerate(zip(batch, failures, strict=True), 1):
                    if failure is not None:
                        self._warn(failure)
                    after(failure is None)
                    if number % AT_ONCE == 0:
                        await asyncio.sleep(0)
        finally:
            self._writing = None

    def _kept(self, size: int, key: Key, records: list[Record], is_done: bool) -> None:  # noqa: FBT001 - a callback's
        """Let the memory have the room of bodies that the disk has now: whoever parsed them needs them no more."""
        self._trailing -= size
        if is_done and self._memory.get(key) is records:
            self._memory.put(key, [replace(record, body=None) for record in records])

    def _deleted(self, key: Key) -> None:
        self._leaving[key] -= 1
        if not self._leaving[key]:
            del self._leaving[key]

    def _warn(self, failure: Exception) -> None:
        now = self._clock.monotonic()
        if now - self._warned > WARN_EVERY:  # a full disk fails every write; one line a minute says it
            self._warned = now
            log.warning("the cache cannot write, going on without: %s", type(failure).__name__)

    def _quickly(self, read: Callable[[K], V], what: K) -> V | None:
        """Read right here as long as the disk answers like memory; None: use a thread."""
        started = time.monotonic()  # of the disk, whatever clock the ages are on
        if started < self._slow_until:
            return None
        found = read(what)
        ended = time.monotonic()
        was_slow, self._was_slow = self._was_slow, ended - started > SLOW_READ
        if was_slow and self._was_slow:  # once may be a processor that was busy with others
            self._slow_until = ended + THREADS_FOR
        return found

    async def _slowly(self, key: Key, read: Callable[[K], V], what: K) -> tuple[V, bool]:
        """Read in a thread; also say whether ``key`` was dropped meanwhile: what was read must not come back."""
        reader = object()
        self._reading.setdefault(key, set()).add(reader)
        found = await asyncio.get_running_loop().run_in_executor(self._readers, read, what)
        readers = self._reading.get(key, set())
        is_dropped = reader not in readers
        readers.discard(reader)
        if not readers:
            self._reading.pop(key, None)
        return found, is_dropped


def _do(works: list[Callable[[], None]]) -> list[Exception | None]:
    """Do one after another; return what came in the way of each."""
    failures: list[Exception | None] = []
    for work in works:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - told and gone on without, whatever it is
            failures.append(error)
        else:
            failures.append(None)
    return failures


def _resident(seconds: float) -> float:
    """Return how long an entry lay on disk by the wall clock; an entry from the future is of unknown age."""
    return FOREVER if seconds < -CLOCK_SLACK else max(0.0, seconds)
