"""Answers from before: looks up, asks whether it still holds, stores. What is allowed, `freshness` decides.

Keys begin with the partition, so that nobody is given an answer that another's credential opened. The memory is
asked without waiting (:meth:`Cache.ready`). Small entries are read from disk right here while the disk is quick: some
90 µs, where the way through a thread takes 350; large ones, and all once a read took long, are read in threads.
Writes trail behind the answer in a thread; :meth:`Cache.close` waits for them.
"""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from . import freshness
from .clock import Clock
from .errors import BadResponse, TransportError
from .freshness import Terms, Verdict
from .hop import Hop, Sender, Tally
from .memory import Memory, Record
from .message import CacheStatus, Index, Kind, Response
from .storage import Key, Storage, Stored

log = logging.getLogger("transport.cache")

MAX_VARIANTS = 8  # an index that varies on more is varying on something private
MAX_STORED = 64 * 1024 * 1024  # whole artifacts belong in the artifact store
MAX_TRAILING = 64 * 1024 * 1024  # bytes that wait for the disk; beyond it a slow disk loses entries, not memory
CLOCK_SLACK = 60.0  # seconds by which an entry may lie in the future before its age counts as unknown
READERS = 4
WARN_EVERY = 60.0
SMALL = 256 * 1024  # bytes: hashing them takes a quarter of a millisecond
SLOW_READ = 0.01  # seconds; a page cache takes a hundredth of it, a network disk more
THREADS_FOR = 30.0  # seconds for which a slow read keeps the disk away from the event loop
GONE = frozenset({401, 403, 404, 407, 410})


class Cache:
    """A private HTTP cache per partition: memory over an optional disk."""

    def __init__(self, inner: Sender, memory: Memory, storage: Storage | None, clock: Clock) -> None:
        self._inner = inner
        self._memory = memory
        self._storage = storage
        self._clock = clock
        self._readers = ThreadPoolExecutor(READERS, "transport-cache-read")
        self._writer = ThreadPoolExecutor(1, "transport-cache-write")  # one: writes of a key keep their order
        self._trailing = 0
        self._writes: set[asyncio.Future[None]] = set()
        self._behind: dict[Key, asyncio.Task[None]] = {}
        self._warned = float("-inf")
        self._slow_until = float("-inf")

    def ready(self, hop: Hop) -> Response | None:
        """Return a fresh answer from memory, or None."""
        if hop.request.refresh:
            return None
        records = self._memory.get(_key(hop))
        return self._usable(hop, _select(records, hop)) if records else None

    async def fetch(self, hop: Hop) -> Response:
        """Answer ``hop`` from what is stored as far as that is allowed, else from below."""
        if hop.request.method != "GET" or "no-store" in freshness.directives(hop.header("cache-control")):
            return await self._inner.fetch(hop)
        record = _select(await self._load(_key(hop)), hop)
        return self._usable(hop, record) or await self._ask(hop, record)

    def _usable(self, hop: Hop, record: Record | None) -> Response | None:
        """Return the answer that ``record`` gives without asking anybody, if it may."""
        if record is None:
            return None
        terms = _terms(record, hop)
        age = record.age(terms, self._clock.monotonic())
        verdict = terms.verdict(age, refresh=hop.request.refresh)
        if verdict is Verdict.FRESH:
            return _answer(record, hop, age, CacheStatus.HIT)
        if verdict is Verdict.REFRESH_BEHIND:
            self._refresh_behind(hop, record)
            return _answer(record, hop, age, CacheStatus.STALE)
        return None

    async def close(self) -> None:
        """End background work, let the disk have what waits for it."""
        tasks = list(self._behind.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*self._writes, return_exceptions=True)
        self._readers.shutdown(wait=False, cancel_futures=True)
        self._writer.shutdown(wait=False)

    async def _ask(self, hop: Hop, record: Record | None) -> Response:
        asked, spare = hop, False
        if hop.request.refresh:
            # RFC 9111 §5.2.1.4: caches on the way shall ask, too.
            asked = replace(asked, headers=(*asked.headers, ("cache-control", "no-cache")))
        if record is not None:
            terms = _terms(record, hop)
            spare = not hop.request.refresh and terms.may_serve_stale(record.age(terms, self._clock.monotonic()))
            asked = replace(
                asked,
                headers=(*asked.headers, *freshness.conditions(record.stored.headers)),
                insist=asked.insist and not spare,
            )
        conditional = record is not None and len(asked.headers) > len(hop.headers) + hop.request.refresh
        sent_at = self._clock.wall()
        try:
            response = await self._inner.fetch(asked)
        except TransportError as error:
            if record is None or not spare or not error.retryable:
                raise
            return _answer(record, hop, self._age(record, hop), CacheStatus.STALE)
        if response.status == 304:
            if record is not None and conditional and freshness.confirms(record.stored.headers, response.headers):
                return self._confirmed(hop, record, response, sent_at)
            if not conditional:
                raise hop.failure(BadResponse, "a 304 to a request that asked for no comparison", "unexpected-304")
            return await self._ask(hop, None)  # it speaks of something that we do not have: ask for the whole
        if response.status == 206 and hop.header("range") is None:
            raise hop.failure(BadResponse, "a part (206) where the whole was asked for", "unexpected-206")
        self._store(hop, response, sent_at)
        return response

    def _confirmed(self, hop: Hop, record: Record, response: Response, sent_at: float) -> Response:
        """Take a 304: the stored body with fresh headers (RFC 9111 §4.3.4)."""
        headers = freshness.merged(record.stored.headers, response.headers)
        stored = replace(
            record.stored,
            headers=headers,
            variant=freshness.variant(headers, dict(hop.headers)),
            request_time=sent_at,
            response_time=self._clock.wall(),
        )
        renewed = Record(stored, record.body, self._clock.monotonic(), 0.0)
        if _terms(renewed, hop).storable:
            self._keep(hop, renewed, instead_of=record, body_on_disk=True)
        else:
            self._forget(_key(hop))
        return _answer(renewed, hop, self._age(renewed, hop), CacheStatus.REVALIDATED)

    def _store(self, hop: Hop, response: Response, sent_at: float) -> None:
        if response.status in GONE:
            # Who may no longer see it, or what is no longer there, leaves nothing behind to be served as stale.
            self._forget(_key(hop))
            return
        stored = Stored(
            url=response.url,
            status=response.status,
            headers=dict(response.headers),
            variant=freshness.variant(response.headers, dict(hop.headers)),
            digest=response.digest,
            size=len(response.body),
            request_time=sent_at,
            response_time=self._clock.wall(),
        )
        record = Record(stored, response.body, self._clock.monotonic(), 0.0)
        if hop.request.sha256 not in {None, response.digest}:
            return
        if _terms(record, hop).storable and len(response.body) <= MAX_STORED:
            self._keep(hop, record, instead_of=None, body_on_disk=False)
        elif response.status in freshness.STORED_STATUSES:
            self._forget(_key(hop))  # the newest answer is not to be kept, and the older one no longer holds

    def _keep(self, hop: Hop, record: Record, *, instead_of: Record | None, body_on_disk: bool) -> None:
        key = _key(hop)
        others = [
            other
            for other in self._memory.get(key) or []
            if other is not instead_of and other.stored.variant != record.stored.variant
        ]
        records = [record, *others][:MAX_VARIANTS]
        self._memory.put(key, records)
        storage = self._storage
        if storage is None or self._trailing + len(record.body) > MAX_TRAILING:
            return
        bodies = {other.stored.digest: other.body for other in records}
        size = 0 if body_on_disk else len(record.body)
        self._trailing += size
        future: asyncio.Future[None] = asyncio.get_running_loop().run_in_executor(
            self._writer, storage.write, key, [other.stored for other in records], bodies
        )
        self._writes.add(future)
        future.add_done_callback(lambda done: self._written(done, size))

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

    def _forget(self, key: Key) -> None:
        self._memory.drop(key)
        if self._storage is not None:
            future: asyncio.Future[None] = asyncio.get_running_loop().run_in_executor(
                self._writer, self._storage.delete, key
            )
            self._writes.add(future)
            future.add_done_callback(lambda done: self._written(done, 0))

    async def _load(self, key: Key) -> list[Record]:
        """Return the variants of ``key`` from memory, else from disk."""
        records = self._memory.get(key)
        if records is not None or self._storage is None:
            return records or []
        found = self._read_here(self._storage, key)
        if found is None:
            found = await asyncio.get_running_loop().run_in_executor(self._readers, self._storage.read, key)
        records = self._memory.get(key)  # another flight may have been quicker, and know more
        if records is None:
            now, wall = self._clock.monotonic(), self._clock.wall()
            records = [Record(stored, body, now, _resident(wall - stored.response_time)) for stored, body in found]
            self._memory.put(key, records)
        return records

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

    def _refresh_behind(self, hop: Hop, record: Record) -> None:
        """Renew ``record`` in the background, once at a time; bound to the cache, not to the caller."""
        key = _key(hop)
        if key not in self._behind:
            self._behind[key] = asyncio.create_task(self._renew(key, replace(hop, tally=Tally()), record))

    async def _renew(self, key: Key, hop: Hop, record: Record) -> None:
        try:
            await self._ask(hop, record)
        except TransportError as error:
            log.info("a refresh in the background failed: %s", error.kind)
        finally:
            del self._behind[key]

    def _age(self, record: Record, hop: Hop) -> float:
        return record.age(_terms(record, hop), self._clock.monotonic())


def _resident(seconds: float) -> float:
    """Return how long an entry lay on disk by the wall clock; an entry from the future is of unknown age."""
    return freshness.FOREVER if seconds < -CLOCK_SLACK else max(0.0, seconds)


def _key(hop: Hop) -> Key:
    request = hop.request
    # A file is kept as it came, anything else decoded: the same URL under two kinds is two bodies.
    extra = next((value for name, value in hop.headers if name == "range"), "file" if request.kind is Kind.FILE else "")
    # The reach, because a hit must not hand out what a connection would have been refused for.
    return hop.partition, hop.reach.value, request.method, hop.url, extra


def _select(records: list[Record], hop: Hop) -> Record | None:
    """Return the stored variant that answers ``hop`` (RFC 9111 §4.1)."""
    for record in records:
        variant = record.stored.variant
        if not variant or freshness.matches(variant, dict(hop.headers)):
            return record
    return None


def _terms(record: Record, hop: Hop) -> Terms:
    index = hop.request.index
    return record.terms_for(hop.request.kind, _override(index, hop.request.kind), index.stale_if_error)


def _override(index: Index, kind: Kind) -> str | None:
    """Return the operator's word for pages (``api``) or for everything that a page lists (``files``)."""
    if not index.cache_control:
        return None
    return index.cache_control.get("api" if kind is Kind.PAGE else "files")


def _answer(record: Record, hop: Hop, age: float, cache: CacheStatus) -> Response:
    stored = record.stored
    return Response(
        status=stored.status,
        url=stored.url,
        headers=stored.headers,
        body=record.body,
        digest=stored.digest,
        partition=hop.partition,
        cache=cache,
        requests=0,
        age=age,
    )
