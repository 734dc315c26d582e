"""The cache of the transport as a reverse proxy, so that a suite for HTTP caches can examine it.

    the suite's client → Shim → transport.cache.Cache (memory or disk) → Origin → the suite's server

Request headers are forwarded as they came, nothing is followed, decoded or retried, and only framing is made anew.
What the transport decides above the cache is done here in its way: a credential makes a partition
(:mod:`transport.partition`), a repeated header is one with commas, a forced refresh is ``Request.refresh``.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace

from transport import fields
from transport.cache import Cache
from transport.credentials import index_from_url
from transport.errors import ConnectFailed, TransportError
from transport.hop import Hop, Reach
from transport.message import CacheStatus, Credential, Index, Request, Response
from transport.origin import parse
from transport.partition import Partitions
from transport.secret import Secret

from . import wire

STALE_IF_ERROR = 3600.0
"""Seconds; the operator's setting of that name. The suite asks what must *not* be served stale where staleness is
allowed at all."""

Lend = Callable[[], contextlib.AbstractAsyncContextManager[Cache]]

_body: ContextVar[bytes] = ContextVar("_body", default=b"")
"""What the request under way sends: a fetcher's requests have no body, the suite's POSTs do."""


@dataclass(slots=True)
class Origin:
    """The layer below the cache: one connection for each request, and no opinion about statuses."""

    port: int

    async def fetch(self, hop: Hop) -> Response:
        """Send ``hop`` and return what comes back.

        Raises:
            ConnectFailed: nothing, or not all of it, came back.
        """
        body = _body.get()
        headers = [*hop.headers, *hop.secrets, ("connection", "close")]
        if body:
            headers.append(("content-length", str(len(body))))
        target = hop.url.removeprefix(str(hop.origin))
        writer = None
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=wire.MAX_HEAD)
            writer.write(wire.packed(f"{hop.request.method} {target} HTTP/1.1", headers, body))
            answer = await wire.read(reader, method=hop.request.method)
        except (OSError, asyncio.IncompleteReadError):
            raise hop.failure(ConnectFailed, "no answer", "disconnected") from None
        finally:
            if writer is not None:
                writer.close()
        return Response(
            status=int(answer.start.split(" ")[1]),
            url=hop.url,
            headers=wire.folded(answer.headers),
            body=answer.body,
            digest=hashlib.sha256(answer.body).hexdigest(),
            partition=hop.partition,
        )


@dataclass(slots=True)
class Shim:
    """A server that answers through caches; ``lend`` gives the one for the next request."""

    origin_port: int
    lend: Lend
    port: int = 0
    partitions: Partitions = field(default_factory=lambda: Partitions(b"of a test"))
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                while True:
                    writer.write(await self.answer(await wire.read(reader)))
                    await writer.drain()
        finally:
            self.tasks.discard(task)
            writer.close()

    async def answer(self, message: wire.Message) -> bytes:
        """Take one request through the cache; return the bytes of the response."""
        method, target, _ = message.start.split(" ")
        hop = self.hop(method, target, wire.folded(message.headers))
        _body.set(message.body)
        try:
            async with self.lend() as cache:
                response = cache.ready(hop) or await cache.fetch(hop)
        except TransportError as error:
            return wire.packed(
                "HTTP/1.1 502 Bad Gateway", [("content-length", str(len(error.kind)))], error.kind.encode()
            )
        return wire.packed(f"HTTP/1.1 {response.status} Said", _headers(method, response), response.body)

    def hop(self, method: str, target: str, headers: Mapping[str, str]) -> Hop:
        """Derive what ``auth`` derives for a request of an index's client."""
        parts = parse(f"http://127.0.0.1:{self.origin_port}{target}")
        index: Index = replace(index_from_url("suite", f"{parts.origin}/"), stale_if_error=STALE_IF_ERROR)
        kept = {name: value for name, value in headers.items() if name not in wire.FRAMING | {"authorization"}}
        is_refresh = kept.get("cache-control") == "no-cache"
        if is_refresh:
            del kept["cache-control"]  # the cache says it itself
        secrets: tuple[tuple[str, str], ...] = ()
        credential = None
        if "authorization" in headers:
            secrets = (("authorization", headers["authorization"]),)
            credential = Credential("header", "authorization", Secret(headers["authorization"]))
        return Hop(
            request=Request(parts.url, index, method=method, refresh=is_refresh),
            url=parts.url,
            origin=parts.origin,
            headers=tuple(kept.items()),
            secrets=secrets,
            partition=self.partitions.of(index, credential),
            reach=Reach.ANY,
        )


def _headers(method: str, response: Response) -> list[tuple[str, str]]:
    """Return the header fields for the wire; a stored response says how old it is (RFC 9111 §5.1)."""
    headers = {name: value for name, value in fields.kept(response.headers).items() if name not in wire.FRAMING}
    if response.cache is not CacheStatus.MISS:
        headers["age"] = str(int(response.age))
    if response.status not in wire.BODILESS and method != "HEAD":
        headers["content-length"] = str(len(response.body))
    return list(headers.items())


@asynccontextmanager
async def running(origin_port: int, lend: Lend) -> AsyncIterator[Shim]:
    """Serve on a port of the system's choice for as long as the block runs."""
    shim = Shim(origin_port, lend)
    listener = await asyncio.start_server(shim.serve, "127.0.0.1", 0, limit=wire.MAX_HEAD, backlog=1024)
    shim.port = listener.sockets[0].getsockname()[1]
    try:
        yield shim
    finally:
        listener.close()
        for task in list(shim.tasks):
            task.cancel()
        await asyncio.gather(*shim.tasks, return_exceptions=True)
        await listener.wait_closed()
