"""How hard we lean on an origin: so many requests at a time, none while it asked for a pause, few while it is dead.

The circuit counts *rounds*: failures of requests that were under way together count once, so that a hiccup under
forty parallel requests is one failure and not forty. Who finds the circuit open is told at once, with the time
left; one request at a time may then try whether the origin is back. Everything is kept per origin *and* partition:
what one tenant's proxy or credential brings about is no verdict for another.

A credential that an origin has not seen yet goes ahead alone: some servers look it up slowly the first time and
refuse whoever else shows it meanwhile, and a wrong one is better shown once than forty times.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field, replace

from .clock import Clock
from .errors import Paused, TransportError, Unreachable
from .freshness import retry_after
from .hop import Hop, Sender
from .message import Response
from .origin import Origin

MAX_ORIGINS = 4096  # origins named by requests come and go
SICK = frozenset({502, 503, 504, 520, 521, 522, 523, 524, 527})
"""Statuses that speak of the whole origin; a 500 speaks of one page."""
PAUSING = frozenset({429, 503})
TRUSTED_FOR = 600.0  # seconds in which a credential that was good is not suddenly bad: a 401 gets one more try
SECOND_LOOK = 0.5  # seconds before it
MIN_STREAK = 0.5  # seconds that failures must span: below it every hiccup of an index would open circuits


@dataclass(slots=True)
class _State:
    """What is known of one origin; times are monotonic."""

    slots: asyncio.Semaphore
    users: int = 0
    paused_until: float = 0.0
    open_until: float = 0.0
    is_open: bool = False
    is_probing: bool = False
    rounds: int = 0
    first_failure: float = 0.0
    last_failure: float = float("-inf")
    trouble: str = ""
    """What the last failure was, in a word: who meets an open circuit should learn why."""
    gate: asyncio.Lock = field(default_factory=asyncio.Lock)
    is_introduced: bool = False
    """Whether a credential was shown here and not refused."""
    refused: Response | None = None
    """The answer to who showed it last, if that was a refusal."""
    welcomed: float = float("-inf")
    """When it was last accepted."""


class Limit:
    """Lets hops through to one origin as its state allows."""

    def __init__(
        self, inner: Sender, clock: Clock, *, connections: int, failures: int, pause: float, patience: float
    ) -> None:
        """``patience`` is that of a hop that names none, seconds."""
        self._inner = inner
        self._clock = clock
        self._connections = connections
        self._failures = failures
        self._pause = pause
        self._patience = patience
        self._states: OrderedDict[tuple[Origin, str], _State] = OrderedDict()

    async def fetch(self, hop: Hop) -> Response:
        """Answer ``hop`` when its origin has room.

        Raises:
            Paused: the circuit is open, or the origin's pause outlasts the hop's patience.
        """
        state = self._state(hop)
        state.users += 1
        try:
            if not hop.secrets:
                return await self._pass(hop, state)
            if not state.is_introduced:
                before = state.refused
                async with state.gate:
                    if state.refused is not before and state.refused is not None and _is_final(hop):
                        # Refused while we waited: what is not accepted once is not worth showing again and again.
                        return replace(state.refused, url=hop.url, requests=0)
                    if not state.is_introduced:
                        return await self._introduce(hop, state)
            return await self._present(hop, state)
        finally:
            state.users -= 1

    async def _introduce(self, hop: Hop, state: _State) -> Response:
        """Show a credential for the first time; whoever holds the same one waits for what becomes of it."""
        try:
            response = await self._pass(hop, state)
        except TransportError:
            state.is_introduced = True  # it says nothing about the credential: all may try, as they would without one
            raise
        state.is_introduced = response.status != 401
        state.refused = None if state.is_introduced else replace(response, body=b"")
        if state.is_introduced:
            state.welcomed = self._clock.monotonic()
        return response

    async def _present(self, hop: Hop, state: _State) -> Response:
        """Show a credential that is known here."""
        response = await self._pass(hop, state)
        now = self._clock.monotonic()
        if response.status != 401:
            state.welcomed = now
        elif now - state.welcomed < TRUSTED_FOR and hop.insist:
            await self._clock.sleep(SECOND_LOOK)
            response = await self._pass(hop, state)
        return response

    async def _pass(self, hop: Hop, state: _State) -> Response:
        while True:
            await self._sit_out(hop, state)
            async with state.slots:
                self._knock(hop, state)
                if state.paused_until <= self._clock.monotonic():
                    return await self._send(hop, state)

    async def _sit_out(self, hop: Hop, state: _State) -> None:
        """Wait while the origin has asked for a pause."""
        wait = state.paused_until - self._clock.monotonic()
        if wait <= 0:
            return
        if wait > (self._patience if hop.patience is None else hop.patience):
            raise hop.failure(
                Paused, f"{hop.origin} asked for a pause of {wait:.0f} s more", "retry-after", retry_after=wait
            )
        await self._clock.sleep(wait)

    def _knock(self, hop: Hop, state: _State) -> None:
        """Turn ``hop`` away while the circuit is open."""
        if not state.is_open:
            return
        wait = state.open_until - self._clock.monotonic()
        if wait > 0 or state.is_probing:
            raise hop.failure(
                Paused,
                f"{hop.origin} failed {state.rounds} times in a row ({state.trouble}) and is left alone for a moment",
                "circuit-open",
                retry_after=max(wait, MIN_STREAK),
            )

    async def _send(self, hop: Hop, state: _State) -> Response:
        started = self._clock.monotonic()
        is_probe = state.is_open
        state.is_probing = state.is_probing or is_probe
        try:
            response = await self._inner.fetch(hop)
        except Unreachable as error:
            self._failed(state, started, error.kind)
            raise
        finally:
            if is_probe:
                state.is_probing = False
        if response.status in PAUSING:
            asked = retry_after(response.headers, self._clock.wall())
            if asked:
                state.paused_until = max(state.paused_until, self._clock.monotonic() + asked)
        if response.status in SICK:
            self._failed(state, started, f"status {response.status}")
        else:
            state.rounds = 0
            state.is_open = False
        return response

    def _failed(self, state: _State, started: float, trouble: str) -> None:
        now = self._clock.monotonic()
        state.trouble = trouble
        if started <= state.last_failure and not state.is_open:
            return  # it was under way when the round was lost already
        if state.rounds == 0:
            state.first_failure = now
        state.rounds += 1
        state.last_failure = now
        if state.is_open or (state.rounds >= self._failures and now - state.first_failure >= MIN_STREAK):
            state.is_open = True
            state.open_until = now + self._pause

    def _state(self, hop: Hop) -> _State:
        key = (hop.origin, hop.partition)
        state = self._states.get(key)
        if state is None:
            while len(self._states) >= MAX_ORIGINS:
                oldest, kept = next(iter(self._states.items()))
                if kept.users:
                    break
                del self._states[oldest]
            state = self._states[key] = _State(asyncio.Semaphore(self._connections))
        self._states.move_to_end(key)
        return state


def _is_final(hop: Hop) -> bool:
    """Whether a 401 speaks of the credential; where it may mean "not here", each page has to say so itself."""
    return 401 not in hop.request.index.ignore_error_codes
