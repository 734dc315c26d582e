"""Second chances: which failures deserve one, how long to wait, and when the patience is spent.

One budget covers connecting, headers and body. Full jitter (each wait is drawn between the floor and a ceiling
that doubles) keeps the clients of a recovering index from coming back in step.
"""

from __future__ import annotations

from dataclasses import replace

from .clock import Clock
from .errors import BadStatus, Paused, TransportError
from .freshness import retry_after
from .hop import Hop, Sender
from .message import Kind, Response
from .partial import Partial

RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 527})
"""Never 501, 505 or 511: they will say the same tomorrow."""
ONCE = frozenset({"refused", "dns"})
"""No such host, nobody listening: mostly a mistake, sometimes a restart; worth one more look."""
MAX_TURNS = 64  # an open circuit turns callers away without an attempt; nobody knocks forever


class Retry:
    """Sends a hop again until it is answered or the budget is spent."""

    def __init__(
        self, inner: Sender, clock: Clock, *, retries: int, total: float, backoff: tuple[float, float]
    ) -> None:
        self._inner = inner
        self._clock = clock
        self._retries = retries
        self._total = total
        self._floor, self._ceiling = backoff

    async def fetch(self, hop: Hop) -> Response:
        """Answer ``hop`` with a status that is an answer.

        Raises:
            BadStatus: a status of :data:`RETRIED`, or another of 500 and more, was the last word.
            Paused: the origin wants more time than the budget has.
        """
        start = self._clock.monotonic()
        attempts = had = 0
        partial = None
        if hop.request.kind is Kind.FILE and hop.request.method == "GET" and hop.header("range") is None:
            partial = Partial()
            hop = replace(hop, partial=partial)
        for _ in range(MAX_TURNS):
            failure: TransportError
            try:
                response = await self._inner.fetch(hop)
            except TransportError as error:
                failure = error
                attempts += not isinstance(error, Paused)
            else:
                attempts += 1
                if response.status < 500 and response.status not in RETRIED:
                    return response
                failure = self._bad_status(hop, response)
            failure.attempts = max(attempts, 1)
            if partial is not None and partial.size > had:
                # A download that came along before it broke has not stalled: only the number of attempts bounds it.
                start = self._clock.monotonic()
            had = 0 if partial is None else partial.size
            left = self._total - (self._clock.monotonic() - start)
            wait = self._wait(hop, failure, attempts, left)
            if wait is None:
                raise failure
            await self._clock.sleep(wait)
            hop = replace(hop, patience=self._total - (self._clock.monotonic() - start))
        raise failure

    def _wait(self, hop: Hop, failure: TransportError, attempts: int, left: float) -> float | None:
        """Return the seconds to wait before the next attempt; None: there is none."""
        if not hop.insist or not failure.retryable:
            return None
        if isinstance(failure, Paused):
            # A stranger to a paused origin goes away at once; who was already at it waits for its turn.
            pause = failure.retry_after or 0.0
            return pause + self._clock.random() * self._floor if attempts > 0 and pause < left else None
        allowed = min(self._retries, 1) if failure.kind in ONCE else self._retries
        if attempts > allowed:
            return None
        asked = failure.retry_after or 0.0
        if asked > max(left, 0.0):
            raise hop.failure(
                Paused,
                f"status {failure.status}: asks to come back in {asked:.0f} s",
                "retry-after",
                status=failure.status,
                retry_after=asked,
            )
        ceiling = min(self._ceiling, self._floor * 2**attempts)
        jitter = self._floor + (ceiling - self._floor) * self._clock.random()
        # Retry-After is a floor (RFC 9110 §10.2.3); the jitter comes on top, or all would come back at once.
        wait = max(asked, jitter) if asked <= jitter else asked + self._clock.random() * self._floor
        return wait if wait < left else None

    def _bad_status(self, hop: Hop, response: Response) -> BadStatus:
        error = hop.failure(
            BadStatus,
            f"status {response.status}",
            "status",
            status=response.status,
            retry_after=retry_after(response.headers, self._clock.wall()),
        )
        error.retryable = response.status in RETRIED
        return error
