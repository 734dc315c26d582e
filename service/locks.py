"""Answering lock requests: admit, share, resolve, render, store. HTTP is left outside."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from time import perf_counter

from resolver.errors import BudgetExhausted
from resolver.index.standing import Reliance
from resolver.model import Query, Resolution, Stats
from transport.message import Index
from transport.turns import Turns

from .admission import Admission
from .answers import Answers, Finished
from .counts import Counts
from .flights import Flights
from .identity import Identity, identify
from .indexes import Indexes
from .policy import Policy
from .problems import Problem, from_error
from .query import Asked, to_query
from .recall import Recall, Understood
from .rendering import LARGE, Rendered, render, render_at_once, size_of
from .schema import LockRequest
from .settings import Settings
from .stored import StoredLocks

Resolve = Callable[[Query], Awaitable[Resolution]]
Clock = Callable[[], datetime]

Holds = Callable[[Sequence[Index], Reliance], Awaitable[bool]]
"""Whether the pages that an answer rests on still are what its indexes would show us."""

_PATIENCE = 5.0  # seconds beyond the budget: the resolver ends itself, this catches one that hangs
_LARGE = 64 * 1024  # characters; reading more takes longer than the event loop should be held
_LONG = 400  # characters of markers; half as many pairs of conditions as fit there can be a diagram of a thousand steps


def _draining() -> Problem:
    return Problem("draining", "This server is shutting down; ask another one")


@dataclass(frozen=True, slots=True)
class Answer:
    """A lock and how it came about."""

    rendered: Rendered
    served_from: str
    stats: Stats
    seconds: float
    """Of this request, waiting included."""
    outputs: tuple[str, ...] = ()
    """Forms that the request wants beside the one of the answer."""


class Locks:
    """The use case. One per process."""

    def __init__(
        self,
        settings: Settings,
        indexes: Indexes,
        resolve: Resolve,
        stored: StoredLocks,
        counts: Counts,
        clock: Clock,
        holds: Holds | None = None,
        turns: Turns | None = None,
    ) -> None:
        """``clock`` tells the time in UTC, for ages such as ``P7D``; without ``holds`` each question is resolved.

        ``turns`` are those that resolves compute in.
        """
        service = settings.service
        self._settings = settings
        self._resolve = resolve
        self._stored = stored
        self._counts = counts
        self._clock = clock
        self._holds = holds
        self._turns = turns
        self._answers = Answers()
        self._recall = Recall()
        self._flights: Flights[tuple[Rendered, Stats]] = Flights()
        self._admission = Admission(
            service.max_concurrent_solves,
            max_waiting=service.max_waiting_solves,
            max_wait=service.max_wait,
            watch=counts.load,
        )
        # One thread: locks are rendered one after the other, and the event loop shares the interpreter with one only.
        self._renderer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="render")
        self._indexes = indexes
        self.is_closed = False
        self.solved = 0
        """Resolves that were begun."""

    @property
    def indexes(self) -> tuple[Index, ...]:
        """The configured ones, in order of priority."""
        return self._indexes.current()

    def _read(self, request: LockRequest, refresh: bool) -> tuple[Asked, Identity]:  # noqa: FBT001
        asked = to_query(
            request,
            indexes=self.indexes,
            policy=Policy(self._settings.policy, self._clock()),
            max_seconds=self._settings.service.max_seconds,
            default_requires_python=self._settings.service.default_requires_python,
            refresh=refresh,
        )
        return asked, identify(asked)

    async def _understand(self, request: LockRequest, *, refresh: bool) -> tuple[Asked, Identity]:
        if self.is_closed:
            raise _draining()
        texts = (*request.files.values(), *(request.requirements or ()), request.lock.content if request.lock else "")
        universal = request.universal
        markers = () if universal is None else (*universal.environments, *universal.required_environments)
        if sum(map(len, texts)) > _LARGE or sum(map(len, markers)) > _LONG:
            return await asyncio.to_thread(self._read, request, refresh)
        return self._read(request, refresh)

    async def again(self, seen: bytes) -> Answer | None:
        """Answer the request with the digest ``seen``, if it was understood before and its answer still holds.

        Raises:
            Problem: the service is draining.
            TransportError: who we are to an index cannot be said.
        """
        started = perf_counter()
        understood = self._recall.get(seen, self.indexes)
        if understood is None:
            return None
        if self.is_closed:
            raise _draining()
        known = await self._known(understood.identity, understood.indexes)
        if known is None:
            return None
        self._counts.lock("stored")
        return Answer(known, "stored", Stats(), perf_counter() - started, understood.outputs)

    async def answer(self, request: LockRequest, *, refresh: bool = False, seen: bytes | None = None) -> Answer:
        """Answer ``request``, together with whoever asks the same at the same time.

        ``seen`` is a digest by which :meth:`again` knows it.

        Raises:
            Problem: the request is invalid or denied, or the service is overloaded or draining.
            ResolverError: as :func:`resolver.driver.resolve`.
            TransportError: likewise.
        """
        started = perf_counter()
        try:
            server = self.indexes
            asked, identity = await self._understand(request, refresh=refresh)
            indexes, outputs = asked.query.indexes, tuple(request.outputs)
            if seen is not None and not self._depends_on_time(request):
                self._recall.put(seen, Understood(identity, indexes, outputs, server))
            known = None if refresh else await self._known(identity, indexes)
            if known is not None:
                self._counts.lock("stored")
                return Answer(known, "stored", Stats(), perf_counter() - started, outputs)
            (rendered, stats), joined = await self._flights.join(identity.key, lambda: self._solve(asked, identity))
        except Exception as error:
            self._counts.lock(from_error(error).name)
            raise
        served_from = "joined" if joined else "solved"
        self._counts.lock(served_from)
        return Answer(rendered, served_from, stats, perf_counter() - started, outputs)

    def _depends_on_time(self, request: LockRequest) -> bool:
        """Whether the same words may mean something else later: an instant comes to lie before the server's floor."""
        asked = request.options
        if self._settings.policy.min_release_age is None:
            return False
        return asked.exclude_newer is not None or any(one.exclude_newer is not None for one in asked.packages.values())

    async def _known(self, identity: Identity, indexes: Sequence[Index]) -> Rendered | None:
        """The answer to the same question, if what it rests on still holds for whoever we are to the indexes now."""
        found = self._answers.get(identity.key)
        if found is None or self._holds is None:
            return None
        if not found.admits_the_same(self._clock) or not await self._holds(indexes, found.reliance):
            self._answers.drop(identity.key)
            return None
        return found.rendered

    async def understand(self, request: LockRequest, *, refresh: bool = False) -> Asked:
        """Return the query of ``request``, which is not answered.

        Raises:
            Problem: the request is invalid or denied, or the service is draining.
        """
        return (await self._understand(request, refresh=refresh))[0]

    async def resolve(self, query: Query) -> Resolution:
        """Resolve when it is this query's turn.

        Raises:
            Problem: the service is overloaded.
            ResolverError: as :func:`resolver.driver.resolve`.
            TransportError: likewise.
        """
        seconds = query.budget.seconds
        async with self._admission.slot():
            self.solved += 1
            try:
                async with asyncio.timeout(seconds + _PATIENCE):
                    return await self._resolve(query)
            except TimeoutError:
                raise BudgetExhausted(f"no lock after {seconds:g} seconds", (), {"seconds": seconds}) from None

    async def _solve(self, asked: Asked, identity: Identity) -> tuple[Rendered, Stats]:
        resolution = await self.resolve(asked.query)
        started = perf_counter()
        size = size_of(resolution)
        if self._turns is not None and size > LARGE:
            await self._turns.begin_anew()
        rendered = render_at_once(resolution, identity.digest, asked.notices, size=size)
        if rendered is None:
            loop = asyncio.get_running_loop()
            rendered = await loop.run_in_executor(self._renderer, render, resolution, identity.digest, asked.notices)
        stats = replace(resolution.stats, render=perf_counter() - started)
        self._counts.solved(stats)
        await self._stored.put(rendered)
        if self._holds is not None and resolution.reliance is not None:
            self._answers.put(identity.key, Finished(rendered, resolution.reliance, asked.at))
        return rendered, stats

    @property
    def is_idle(self) -> bool:
        """Whether nothing is being resolved."""
        return not len(self._flights)

    async def stored(self, identifier: str) -> Rendered:
        """Return a finished lock.

        Raises:
            Problem: ``not-found`` or ``gone``.
        """
        return await self._stored.get(identifier)

    async def close(self) -> None:
        """Cancel what is under way; its requests are told that the server is draining."""
        self.is_closed = True
        await self._flights.close()
        await self._stored.close()
        self._renderer.shutdown(wait=False, cancel_futures=True)
