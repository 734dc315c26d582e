"""The outermost layer: makes a hop of a request, follows redirects, and lets no secret out in an error.

Redirects are followed here and never below, because each hop has its own credential, identity and address rule.
"""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NoReturn

from .auth import Auth
from .errors import RedirectRefused, Refused, Timeout, TransportError, Unauthorized
from .hop import Hop, Sender, Tally
from .message import CacheStatus, Index, Request, Response
from .origin import parse, resolve
from .redaction import KnownSecrets, redact

FOLLOWED = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """What became of one hop, for logs, metrics and the report of a job; holds no secret."""

    index: str
    kind: str
    url: str
    status: int | None
    """None: it failed; ``error`` says how."""
    cache: CacheStatus | None
    requests: int
    """Sent to the network for this hop."""
    size: int
    seconds: float
    error: str = ""
    hop: int = 0
    authenticated: bool = False
    """Whether a credential was sent."""


class Redirects:
    """Answers requests from answers to hops."""

    def __init__(
        self,
        inner: Sender,
        auth: Auth,
        known: KnownSecrets,
        *,
        limit: int,
        on_request: Callable[[RequestRecord], None] | None = None,
    ) -> None:
        self._inner = inner
        self._auth = auth
        self._known = known
        self._limit = limit
        self._on_request = on_request

    async def fetch(self, request: Request) -> Response:
        """Answer ``request``: see :class:`transport.fetch.Fetcher`."""
        try:
            if request.deadline is None:
                return await self._follow(request)
            try:
                async with asyncio.timeout_at(request.deadline):
                    return await self._follow(request)
            except TimeoutError:
                raise Timeout(
                    f"index {request.index.name}: no answer before the deadline of the request ({redact(request.url)})",
                    index=request.index.name,
                    url=redact(request.url),
                    kind="deadline",
                ) from None
        except TransportError as error:
            self._scrub(error)
            raise

    async def partition(self, index: Index) -> str:
        """Say whose answers a request for ``index`` would get now."""
        return await self._auth.partition(index)

    async def _follow(self, request: Request) -> Response:
        tally = Tally()
        try:
            await self._auth.prepare(request.index)
            hop = self._auth.hop(request, request.url, tally=tally)
        except ValueError as error:
            raise _refused(Refused, request, [request.url], f"the URL cannot be used: {error}", "bad-url") from None
        chain: list[tuple[str, object]] = []
        is_second = False
        until = math.inf  # an answer is known without asking only as long as each redirect to it is
        while True:
            response = await self._send(hop, len(chain))
            if response.status not in FOLLOWED:
                if not chain and not is_second and await self._auth.reconsider(hop, response.status):
                    is_second = True
                    hop = self._auth.hop(request, request.url, tally=tally)
                    continue
                self._admit(hop, response)
                sent, until = tally.sent, min(until, response.fresh_until)
                if response.requests == sent and response.fresh_until == until:
                    return response
                return replace(response, requests=sent, fresh_until=until)
            until = min(until, response.fresh_until)
            chain.append((hop.url, hop.secrets))
            hop = self._next(hop, response, [url for url, _ in chain])
            if (hop.url, hop.secrets) in chain:
                self._refuse(request, [*(url for url, _ in chain), hop.url], "the redirects go in a circle", "loop")

    async def _send(self, hop: Hop, number: int) -> Response:
        if self._on_request is None:
            return await self._inner.fetch(hop)
        started, before = time.monotonic(), hop.tally.sent
        response, failure = None, ""
        try:
            response = await self._inner.fetch(hop)
        except TransportError as error:
            failure = error.kind or type(error).__name__
            raise
        finally:
            if response is not None or failure:
                self._on_request(
                    RequestRecord(
                        index=hop.request.index.name,
                        kind=hop.request.kind.value,
                        url=redact(hop.url),
                        status=response.status if response else None,
                        cache=response.cache if response else None,
                        requests=hop.tally.sent - before,
                        size=len(response.body) if response else 0,
                        seconds=time.monotonic() - started,
                        error=failure,
                        hop=number,
                        authenticated=bool(hop.secrets),
                    )
                )
        return response

    def _admit(self, hop: Hop, response: Response) -> None:
        """Raise for an answer that says: not you. The hop that said it is named, not the first one."""
        index = hop.request.index
        if response.status not in {401, 403, 407} or response.status in index.ignore_error_codes:
            return
        realm = re.search(r'realm="([^"]{1,100})"', response.headers.get("www-authenticate", ""))
        told = f"the realm {realm[1]!r} says " if realm else ""
        had = "the credential that was sent is not accepted" if hop.secrets else "no credential was sent"
        error = hop.failure(
            Unauthorized,
            f"{told}status {response.status}, {had}",
            "auth",
            status=response.status,
            facts={"realm": realm[1] if realm else None, "sent": bool(hop.secrets)},
        )
        error.attempts = max(1, hop.tally.sent)
        raise error

    def _next(self, hop: Hop, response: Response, chain: list[str]) -> Hop:
        """Return the hop that ``response`` points to, or refuse it."""
        location = response.headers.get("location", "")
        if not location:
            self._refuse(hop.request, chain, f"status {response.status} without a Location", "bad-location")
        if len(chain) > self._limit:
            self._refuse(hop.request, chain, f"more than {self._limit} redirects", "too-many")
        try:
            # Against this hop's URL, not the first one (RFC 9110 §10.2.2).
            target = resolve(hop.url, location)
            parts = parse(target)
        except ValueError as error:
            self._refuse(hop.request, chain, f"a Location that cannot be followed: {error}", "bad-location")
        if hop.origin.scheme == "https" and parts.origin.scheme == "http":
            if not hop.request.index.allow_downgrade:
                self._refuse(
                    hop.request,
                    [*chain, target],
                    "a redirect from https to http; set allow_downgrade for the index if that is meant",
                    "downgrade",
                )
            if parts.userinfo is not None:
                self._refuse(hop.request, [*chain, target], "a redirect that shows a credential on http", "downgrade")
        try:
            return self._auth.hop(hop.request, target, tally=hop.tally, previous=hop)
        except ValueError as error:
            self._refuse(hop.request, chain, f"a Location that cannot be followed: {error}", "bad-location")

    def _refuse(self, request: Request, chain: list[str], text: str, kind: str) -> NoReturn:
        raise _refused(RedirectRefused, request, chain, text, f"redirect-{kind}")

    def _scrub(self, error: TransportError) -> None:
        """Blot out secrets that a server may have woven into what we quote."""
        error.text = self._known.scrub(error.text)
        error.url = self._known.scrub(error.url)
        error.args = (error.text,)
        error.facts = {
            key: self._known.scrub(value) if isinstance(value, str) else value for key, value in error.facts.items()
        }


def _refused(error: type[Refused], request: Request, chain: list[str], text: str, kind: str) -> Refused:
    shown = [redact(url) for url in chain]
    via = f"; by way of {' → '.join(shown)}" if len(shown) > 1 else f" ({shown[0]})"
    return error(
        f"index {request.index.name}: {text}{via}",
        index=request.index.name,
        url=shown[-1],
        kind=kind,
        facts={"chain": shown},
    )
