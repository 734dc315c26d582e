"""Answers from before: looks up, asks whether it still holds, stores. What is allowed, `freshness` decides.

Keys begin with the partition, so that nobody is given an answer that another's credential opened. The memory is
asked without waiting (:meth:`Cache.ready`). A GET or HEAD is answered from a whole copy in the form that the caller
wants (:mod:`.reply`); other methods pass, and what they may have changed is forgotten (RFC 9111 §4.4).
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from dataclasses import replace
from urllib.parse import urljoin

from . import fields, freshness, reply, validation, vary
from .absence import absent_for
from .clock import Clock
from .errors import BadResponse, TransportError
from .freshness import OURS, Policy, Terms, Verdict
from .hop import Hop, Reach, Sender, Tally
from .memory import Memory, Record
from .message import CacheStatus, Index, Kind, Response
from .origin import parse
from .reply import PARTICULAR
from .shelf import Shelf
from .storage import Key, Storage, Stored

log = logging.getLogger("transport.cache")

MAX_VARIANTS = 8  # an index that varies on more is varying on something private
MAX_STORED = 64 * 1024 * 1024  # whole artifacts belong in the artifact store
GONE = frozenset({401, 403, 404, 407, 410})
ANSWERED = frozenset({"GET", "HEAD"})
SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})  # RFC 9110 §9.2.1: they change nothing
ELSEWHERE = validation.FOR_THE_ORIGIN | {"cache-control"}  # they may send a request past the cache


class Cache:
    """A private HTTP cache per partition: memory over an optional disk."""

    def __init__(
        self, inner: Sender, memory: Memory, storage: Storage | None, clock: Clock, policy: Policy = OURS
    ) -> None:
        self._inner = inner
        self._memory = memory
        self._shelf = Shelf(memory, storage, clock)
        self._clock = clock
        self._policy = policy
        self._behind: dict[Key, asyncio.Task[None]] = {}

    def ready(self, hop: Hop) -> Response | None:
        """Return a fresh answer from memory or a quick disk, or None."""
        if hop.request.refresh or hop.request.method not in ANSWERED:
            return None
        for name, _ in hop.headers:
            if name in ELSEWHERE:
                return None  # a matter for `fetch`
        key = _key(hop)
        records = self._shelf.at_hand(key)
        record = _select(records, hop) if records else None
        if record is not None and record.body is None and not self._is_known(hop, record):
            record = self._shelf.with_body_at_hand(key, record)
        return self._usable(hop, record)

    async def fetch(self, hop: Hop) -> Response:
        """Answer ``hop`` from what is stored as far as that is allowed, else from below."""
        if hop.request.method not in ANSWERED:
            return await self._pass(hop)
        asked = dict(hop.headers)
        if not validation.FOR_THE_ORIGIN.isdisjoint(asked) or "no-store" in freshness.directives(
            asked.get("cache-control")
        ):
            return await self._inner.fetch(hop)
        key = _key(hop)
        record = _select(await self._shelf.load(key), hop)
        if record is not None and record.body is None and not self._is_known(hop, record):
            record = await self._shelf.with_body(key, record)
        return self._usable(hop, record) or await self._ask(hop, record)

    def _is_known(self, hop: Hop, record: Record) -> bool:
        """Whether the caller can do without the body of ``record``."""
        known, status = hop.request.known, record.stored.status
        if (
            known is None
            or status != 200
            or hop.request.method != "GET"
            or not PARTICULAR.isdisjoint(dict(hop.headers))
        ):
            return False
        return known(_answer(record, hop, self._age(record, hop), CacheStatus.HIT))

    def _usable(self, hop: Hop, record: Record | None) -> Response | None:
        """Return the answer that ``record`` gives without asking anybody, if it may."""
        if record is None:
            return None
        terms = self._terms(record, hop)
        age = record.age(terms, self._clock.monotonic())
        verdict = terms.verdict(age, refresh=hop.request.refresh)
        if verdict is Verdict.FRESH:
            return _answer(record, hop, age, CacheStatus.HIT, self._clock.monotonic() + terms.remaining(age))
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
        await self._shelf.close()

    async def _pass(self, hop: Hop) -> Response:
        """Let a method through that we do not answer; forget what it may have changed (RFC 9111 §4.4)."""
        response = await self._inner.fetch(hop)
        if hop.request.method not in SAFE and 200 <= response.status < 400:
            for url in _changed(hop, response):
                for reach in Reach:
                    for coding in ("", "file"):
                        self._shelf.drop((hop.partition, reach.value, url, coding))
        return response

    async def _ask(self, hop: Hop, record: Record | None) -> Response:
        spare = ours = False
        if record is not None:
            terms = self._terms(record, hop)
            spare = not hop.request.refresh and terms.may_serve_stale(record.age(terms, self._clock.monotonic()))
            ours = hop.request.method == "GET" and bool(validation.conditions(record.stored.headers))
        asked = _question(hop, record if ours else None)
        if spare:
            asked = replace(asked, insist=False)
        sent_at = self._clock.wall()
        try:
            response = await self._inner.fetch(asked)
        except TransportError as error:
            if record is None or not spare or not error.retryable:
                raise
            return _answer(record, hop, self._age(record, hop), CacheStatus.STALE)
        if hop.request.method == "HEAD":
            return response
        if response.status == 304:
            if record is not None and ours and validation.confirms(record.stored.headers, response.headers):
                return self._confirmed(hop, record, response, sent_at)
            if not ours and validation.CONDITIONAL.isdisjoint(dict(hop.headers)):
                raise hop.failure(BadResponse, "a 304 to a request that asked for no comparison", "unexpected-304")
            # To the caller's question it is an answer; to ours it speaks of something that we do not have: then ask
            # for the whole.
            return await self._ask(hop, None) if ours else response
        if response.status == 206 and hop.header("range") is None:
            raise hop.failure(BadResponse, "a part (206) where the whole was asked for", "unexpected-206")
        fresh_until = self._store(hop, response, sent_at) or self._absent_until(hop, response, sent_at)
        if fresh_until:
            response = replace(response, fresh_until=fresh_until)
        if ours and response.status == 200 and not validation.CONDITIONAL.isdisjoint(dict(hop.headers)):
            return _fitted(response, hop, self._clock.wall())
        return response

    def _confirmed(self, hop: Hop, record: Record, response: Response, sent_at: float) -> Response:
        """Take a 304: the stored body with fresh headers (RFC 9111 §4.3.4)."""
        headers = fields.merged(record.stored.headers, response.headers)
        stored = replace(
            record.stored,
            headers=headers,
            variant=vary.variant(headers, dict(hop.headers), is_part=vary.is_part(record.stored.variant)),
            request_time=sent_at,
            response_time=self._clock.wall(),
        )
        renewed = Record(stored, record.body, self._clock.monotonic(), 0.0)
        if self._terms(renewed, hop).storable:
            self._keep(hop, renewed, instead_of=record)
        else:
            self._shelf.drop(_key(hop))
        age = self._age(renewed, hop)
        return _answer(renewed, hop, age, CacheStatus.REVALIDATED, self._fresh_until(renewed, hop, age))

    def _fresh_until(self, record: Record, hop: Hop, age: float) -> float:
        remaining = self._terms(record, hop).remaining(age)
        return self._clock.monotonic() + remaining if remaining > 0 else 0.0

    def _store(self, hop: Hop, response: Response, sent_at: float) -> float:
        """Keep what may be kept; return until when it is fresh, as :attr:`Response.fresh_until` says it."""
        asked = dict(hop.headers)
        control = freshness.directives(response.headers.get("cache-control"))
        stored = Stored(
            url=response.url,
            status=response.status,
            headers=fields.kept(response.headers, control.get("no-cache") or ""),
            variant=vary.variant(response.headers, asked, is_part="range" in asked and response.status != 200),
            digest=response.digest,
            size=len(response.body),
            request_time=sent_at,
            response_time=self._clock.wall(),
        )
        record = Record(stored, response.body, self._clock.monotonic(), 0.0)
        storable = self._terms(record, hop).storable and len(response.body) <= MAX_STORED
        if response.status in GONE and not storable:
            # Who may no longer see it, or what is no longer there, leaves nothing behind to be served as stale.
            self._shelf.drop(_key(hop))
        elif hop.request.sha256 not in {None, response.digest}:
            return 0.0
        elif storable:
            self._keep(hop, record)
            return self._fresh_until(record, hop, self._age(record, hop))
        elif response.status in freshness.STORED_STATUSES:
            self._shelf.drop(_key(hop))  # the newest answer is not to be kept, and the older one no longer holds
        return 0.0

    def _absent_until(self, hop: Hop, response: Response, sent_at: float) -> float:
        """Until when a page need not be asked for again that is not there; 0: it has to be."""
        index, kind = hop.request.index, hop.request.kind
        if kind is not Kind.PAGE or hop.request.method != "GET":
            return 0.0
        seconds = absent_for(
            *(response.status, response.headers),
            request_time=sent_at,
            response_time=self._clock.wall(),
            override=_override(index, kind),
        )
        return self._clock.monotonic() + seconds if seconds else 0.0

    def _keep(self, hop: Hop, record: Record, *, instead_of: Record | None = None) -> None:
        """Keep ``record`` beside the other variants, ``instead_of`` one that had the same body."""
        key = _key(hop)
        others = [
            other
            for other in self._memory.get(key) or []
            if other is not instead_of and other.stored.variant != record.stored.variant
        ]
        if record.stored.status == 200:
            others = [other for other in others if not vary.is_part(other.stored.variant)]  # parts of an older whole
        self._shelf.keep(key, [record, *others][:MAX_VARIANTS], is_new=instead_of is None)

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
        return record.age(self._terms(record, hop), self._clock.monotonic())

    def _terms(self, record: Record, hop: Hop) -> Terms:
        index, kind = hop.request.index, hop.request.kind
        return record.terms_for(kind, _override(index, kind), index.stale_if_error, self._policy)


def _question(hop: Hop, held: Record | None) -> Hop:
    """Return what to send below: does what is ``held`` still hold, or simply ``hop``."""
    headers = hop.headers
    if held is not None:  # our condition in place of the caller's, whom the copy can answer once it is known to hold
        theirs = (pair for pair in headers if pair[0] not in validation.CONDITIONAL)
        headers = (*theirs, *validation.conditions(held.stored.headers))
    if hop.request.refresh:
        headers = (*headers, ("cache-control", "no-cache"))  # RFC 9111 §5.2.1.4: caches on the way shall ask, too
    return hop if headers is hop.headers else replace(hop, headers=headers)


def _key(hop: Hop) -> Key:
    # A file is kept as it came, anything else decoded: the same URL under two kinds is two bodies.
    coding = "file" if hop.request.kind is Kind.FILE else ""
    # The reach, because a hit must not hand out what a connection would have been refused for.
    return hop.partition, hop.reach.value, hop.url, coding


def _changed(hop: Hop, response: Response) -> set[str]:
    """Return the URLs of which a successful ``hop`` leaves no copy valid; those of other origins are not its to say."""
    urls = {hop.url}
    for name in ("location", "content-location"):
        if name in response.headers:
            try:
                place = parse(urljoin(hop.url, response.headers[name]))
            except ValueError:
                continue
            if place.origin == hop.origin:
                urls.add(place.url)
    return urls


def _select(records: list[Record], hop: Hop) -> Record | None:
    """Return the stored variant that answers ``hop`` (RFC 9111 §4.1)."""
    for record in records:
        variant = record.stored.variant
        if not variant or vary.matches(variant, dict(hop.headers)):
            return record
    return None


def _override(index: Index, kind: Kind) -> str | None:
    """Return the operator's word for pages (``api``) or for everything that a page lists (``files``)."""
    if not index.cache_control:
        return None
    return index.cache_control.get("api" if kind is Kind.PAGE else "files")


def _answer(record: Record, hop: Hop, age: float, cache: CacheStatus, fresh_until: float = 0.0) -> Response:
    stored = record.stored
    response = Response(
        status=stored.status,
        url=stored.url,
        headers=stored.headers,
        body=record.body or b"",
        digest=stored.digest,
        partition=hop.partition,
        cache=cache,
        requests=0,
        age=age,
        fresh_until=fresh_until,
        has_body=record.body is not None,
    )
    if stored.status == 200:
        for name, _ in hop.headers:
            if name in PARTICULAR:
                return _fitted(response, hop, stored.response_time)
    return response if hop.request.method == "GET" else _bodiless(response)


def _fitted(response: Response, hop: Hop, response_time: float) -> Response:
    """Make of a whole what the caller wants of it."""
    status, headers, body = reply.fitted(
        hop.request.method, dict(hop.headers), response.headers, response.body, response_time
    )
    if body is response.body:
        return response
    return replace(response, status=status, headers=headers, body=body, digest=hashlib.sha256(body).hexdigest())


def _bodiless(response: Response) -> Response:
    """Return what answers HEAD."""
    return replace(response, body=b"", digest=hashlib.sha256(b"").hexdigest())
