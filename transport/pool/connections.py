"""The bottom: moves bytes with aiohttp, and says in our words what can go wrong there.

aiohttp appears here and nowhere else, without its redirects, cookies, proxies from the environment, netrc,
session authentication, and decompression: each of those is decided above, or bounded as aiohttp's own is not.
There is one connector per :class:`~transport.hop.Reach`, because a pooled connection that was allowed for one
reach must not be handed to a hop that may not go there.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Protocol

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from transport import guard
from transport.credentials import authorization
from transport.errors import BadResponse, IdentityInvalid, Refused, Timeout, TooLarge, TransportError
from transport.hop import Hop, Reach
from transport.message import Kind, Response
from transport.origin import Origin, parse
from transport.proxy import read_proxy
from transport.secret import Secret
from transport.settings import TransportSettings
from transport.tls import Contexts, Identity, Unusable
from transport.turns import Turns

from . import decoding, faults
from .faults import Lost
from .handshakes import Handshakes
from .pace import Pace

MAX_FIELD = 32 * 1024  # one header line; a content security policy may have 10 KiB
MAX_HEADERS = 64 * 1024  # all of them together
ERROR_BODY = 64 * 1024  # of an answer that is not 2xx: a problem document at most
SMALL = 8 * 1024  # bytes of a chunk; inflating it takes less than the wait for a turn
PIECES_A_TURN = 8  # of 64 KiB at most; some 2 ms
MAX_BASES = 1024  # origins; those that requests name come and go


class _Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...


class _Request(aiohttp.ClientRequest):
    """One that says whether it was sent, and takes all its fields from us."""

    DEFAULT_HEADERS: dict[Any, Any] = {}  # noqa: RUF012 - aiohttp's; "Accept" is not ours to make up
    was_sent = False

    async def send(self, conn: aiohttp.connector.Connection) -> aiohttp.ClientResponse:
        """Send it over ``conn``."""
        response = await super().send(conn)
        self.was_sent = True
        return response


class Attempt:
    """What is known about one request beside its answer."""

    __slots__ = ("is_reused", "reach", "shown", "sockets", "tally")

    def __init__(self, hop: Hop, sockets: guard.Sockets) -> None:
        self.tally = hop.tally
        self.is_reused = False
        self.reach = hop.reach
        self.shown: Identity | None = None
        self.sockets = sockets

    async def once(
        self,
        request: aiohttp.ClientRequest,
        send: Callable[[aiohttp.ClientRequest], Awaitable[aiohttp.ClientResponse]],
    ) -> aiohttp.ClientResponse:
        """Keep aiohttp from repeating a request on its own account: it would do so on fresh connections, too."""
        made = self.sockets.made
        try:
            return await send(request)
        except aiohttp.ClientConnectorError:
            raise
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
            raise Lost from error
        finally:
            self.is_reused = self.is_reused or self.sockets.made == made
            self.tally.sent += isinstance(request, _Request) and request.was_sent


class Pool:
    """Connections."""

    def __init__(self, settings: TransportSettings, contexts: Contexts, turns: Turns) -> None:
        self._settings = settings
        self._contexts = contexts
        self._turns = turns
        self._sessions: dict[Reach, aiohttp.ClientSession] = {
            reach: self._session(reach) for reach in Reach if reach is not Reach.AS_HOME
        }
        self._agent = ("user-agent", settings.user_agent)
        self._bases: dict[Origin, tuple[int, URL]] = {}
        self._sizes = {
            Kind.PAGE: (settings.page_wire, settings.page_decoded),
            Kind.METADATA: (settings.metadata, settings.metadata),
            Kind.RANGE: (settings.range, settings.range),
            Kind.FILE: (settings.file, settings.file),
        }
        self._homes = guard.Homes()
        self._handshakes = Handshakes(contexts, connect=settings.connect)

    def _session(self, reach: Reach) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=0,  # width is decided per origin, in `limit`; a queue here would look like a slow connect
            ttl_dns_cache=10,
            socket_factory=guard.Guard(reach),
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            request_class=_Request,
            trust_env=False,
            auto_decompress=False,
            raise_for_status=False,
            max_line_size=MAX_FIELD,
            max_field_size=MAX_FIELD,
            timeout=aiohttp.ClientTimeout(
                total=None, connect=None, sock_connect=self._settings.connect, sock_read=None
            ),
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._handshakes.close()
        for session in self._sessions.values():
            await session.close()

    async def fetch(self, hop: Hop) -> Response:
        """Send ``hop`` once and return whatever status comes back.

        Raises:
            TransportError: the road, the handshake, or bytes that make no answer.
        """
        sockets = guard.Sockets()
        token = guard.sockets.set(sockets)
        before = hop.tally.sent
        attempt = Attempt(hop, sockets)
        try:
            try:
                return await self._exchange(hop, attempt, before)
            except Lost:
                if not attempt.is_reused:
                    raise
                # A kept connection may have been closed while our request was under way; that says nothing about
                # the server, so the request goes out once more at once (RFC 9112 §9.3.1).
                return await self._exchange(hop, attempt, before)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError, HttpProcessingError) as error:
            # A second look may turn down addresses of its own; they are not why the first one failed.
            raise await self._named(hop, attempt, error, list(sockets.denied)) from None
        finally:
            guard.sockets.reset(token)

    async def _named(self, hop: Hop, attempt: Attempt, error: Exception, denied: list[str]) -> TransportError:
        """Put ``error`` into our words; where hands were shaken in vain, after a second look."""
        explained = None
        if not denied:
            explained = await self._handshakes.explain(
                hop, attempt.reach, attempt.shown, error, is_reused=attempt.is_reused
            )
        return explained or faults.named(hop, error, denied)

    async def _exchange(self, hop: Hop, attempt: Attempt, before: int) -> Response:
        settings, loop = self._settings, asyncio.get_running_loop()
        started = loop.time()
        patience = settings.total_retry if hop.patience is None else max(hop.patience, 0.1)
        index = hop.request.index
        extra: dict[str, Any] = {"headers": [self._agent, *hop.headers, *hop.secrets]}
        if hop.origin.scheme == "https":
            try:
                loaded = await self._contexts.get(index, own=hop.own, identity=hop.identity if hop.own else "")
            except Unusable as error:
                facts: dict[str, object] = {"setting": error.setting, "file": error.path, "remedy": error.remedy}
                raise hop.failure(IdentityInvalid, error.text, error.kind, facts=facts) from None
            extra["ssl"], attempt.shown = loaded.context, loaded.identity
        reach = hop.reach
        if reach is Reach.AS_HOME:
            reach = await self._homes.reach(parse(index.url).origin)
        if index.proxy is not None:
            extra |= self._through(hop, index.proxy)
            reach = Reach.ANY  # the address is the proxy's, and the operator named it
        attempt.reach, session = reach, self._sessions[reach]
        try:
            async with asyncio.timeout(min(patience, settings.connect + settings.first_byte)):
                answer = await session.request(
                    hop.request.method,
                    self._url(hop),
                    allow_redirects=False,
                    middlewares=(attempt.once,),
                    **extra,
                )
        except aiohttp.ConnectionTimeoutError:
            raise
        except TimeoutError:
            raise hop.failure(
                Timeout, f"no answer within {loop.time() - started:.0f} s", "first-byte-timeout"
            ) from None
        try:
            headers = _headers(hop, answer.raw_headers)
            body, digest = await self._body(hop, answer, headers, started, patience)
        except BaseException:
            answer.close()  # whatever is still on its way must not be read as the next answer
            raise
        if answer.status >= 400:
            refusal = await self._handshakes.refusal(hop, reach, attempt.shown, answer.status, body)
            if refusal is not None:
                raise refusal
        return Response(
            status=answer.status,
            url=hop.url,
            headers=headers,
            body=body,
            digest=digest,
            partition=hop.partition,
            requests=hop.tally.sent - before,
        )

    def _url(self, hop: Hop) -> URL:
        """The URL, byte for byte: taken apart once for each origin, not for each file of it."""
        base = self._bases.get(hop.origin)
        if base is None:
            while len(self._bases) >= MAX_BASES:
                del self._bases[next(iter(self._bases))]
            text = str(hop.origin)
            base = self._bases[hop.origin] = len(text), URL(f"{text}/", encoded=True)
        path = hop.url[base[0] :]
        return URL(hop.url, encoded=True) if "?" in path else base[1].with_path(path, encoded=True)

    def _through(self, hop: Hop, given: Secret) -> dict[str, Any]:
        """Return aiohttp's arguments for the proxy ``given``."""
        try:
            proxy = read_proxy(given)
        except ValueError as error:
            raise hop.failure(Refused, f"the proxy of the index cannot be used: {error}", "proxy-invalid") from None
        if proxy.is_tls and hop.own and hop.request.index.client_cert is not None:
            # aiohttp uses one context for both legs: the proxy would be shown who we are.
            raise hop.failure(
                Refused,
                "a client certificate cannot be used through a proxy that is spoken to by TLS",
                "proxy-identity",
            )
        said = {} if proxy.credential is None else {"Proxy-Authorization": authorization(proxy.credential)[1]}
        if hop.origin.scheme == "https":
            return {"proxy": URL(proxy.url), "proxy_headers": said}  # said with CONNECT, and to the proxy alone
        return {"proxy": URL(proxy.url), "headers": [self._agent, *hop.headers, *hop.secrets, *said.items()]}

    async def _body(
        self, hop: Hop, answer: aiohttp.ClientResponse, headers: Mapping[str, str], started: float, patience: float
    ) -> tuple[bytes, str]:
        """Read and decode the body under the caps; return it with its SHA-256 in hex."""
        wire_cap, cap = self._caps(hop, answer.status)
        length = headers.get("content-length", "")
        if length.isdigit() and int(length) > wire_cap:
            return self._beyond(hop, answer, int(length), 0)
        encoding = headers.get("content-encoding", "")
        if hop.request.kind is Kind.FILE:
            encoding = ""  # asked for as it is: what was listed with a hash are these bytes, whatever they are called
        elif hop.request.kind is Kind.RANGE and encoding.strip().lower() not in {"", "identity"}:
            raise _malformed(hop, "a range of a recoded file is of no use", "content-encoding")
        pace = Pace(hop, self._settings, started, patience)
        digest, pieces, size, wire = hashlib.sha256(), list[bytes](), 0, 0
        try:
            decoder = decoding.Body(encoding, cap)
            while wire <= wire_cap and (chunk := await pace.read(answer.content)):
                wire += len(chunk)
                decoded, count = decoder.feed(chunk), PIECES_A_TURN
                if len(chunk) < SMALL:
                    count, size = _inflate(decoded, pieces, digest, size)
                while count == PIECES_A_TURN:  # a large chunk, or what is left of a small one, which is a bomb then
                    async with self._turns:
                        count, size = _inflate(decoded, pieces, digest, size)
            if wire > wire_cap:
                return self._beyond(hop, answer, wire, size)
            decoder.finish()
        except (TransportError, aiohttp.ClientError, OSError):
            if hop.partial is not None:
                hop.partial.keep(answer.status, headers, pieces)
            raise
        except decoding.Overflow:
            return self._beyond(hop, answer, wire, size)
        except decoding.Corrupt as error:
            failure = _malformed(hop, str(error), "content-encoding")
            failure.retryable = "stops early" in str(error)
            raise failure from None
        return b"".join(pieces), digest.hexdigest()

    def _beyond(self, hop: Hop, answer: aiohttp.ClientResponse, wire: int, decoded: int) -> tuple[bytes, str]:
        """Drop an answer that is too large; of one that is no success, status and headers are enough."""
        if 200 <= answer.status < 300:
            raise hop.failure(
                TooLarge, f"the body is too large: {wire} bytes on the wire, {decoded} decoded so far", "too-large"
            )
        answer.close()
        return b"", hashlib.sha256(b"").hexdigest()

    def _caps(self, hop: Hop, status: int) -> tuple[int, int]:
        """Return the caps on wire bytes and on decoded bytes."""
        if not 200 <= status < 300:
            return ERROR_BODY, ERROR_BODY
        kind = hop.request.kind
        wire, decoded = self._sizes[kind]
        if hop.request.max_bytes is not None:
            decoded = hop.request.max_bytes
            wire = min(wire, decoded) if kind in {Kind.RANGE, Kind.FILE} else wire
        here = hop.partial.size if status == 206 and hop.partial is not None else 0
        return wire - here, decoded - here


def _inflate(decoded: Iterator[bytes], pieces: list[bytes], digest: _Digest, size: int) -> tuple[int, int]:
    """Take the next decoded pieces; return how many there were, and the size of all so far."""
    some = list(itertools.islice(decoded, PIECES_A_TURN))
    for piece in some:
        digest.update(piece)
        size += len(piece)
    pieces += some
    return len(some), size


@lru_cache(maxsize=1024)
def _field_name(raw: bytes) -> str:
    """All indexes send the same few."""
    return raw.decode("latin-1").lower()


def _headers(hop: Hop, raw: tuple[tuple[bytes, bytes], ...]) -> dict[str, str]:
    """Fold header fields into lower-case names; repeated ones are joined as RFC 9110 §5.3 says."""
    headers: dict[str, str] = {}
    size = 0
    for raw_name, raw_value in raw:
        size += len(raw_name) + len(raw_value)
        name, value = _field_name(raw_name), raw_value.decode("utf-8", "surrogateescape")
        if name == "set-cookie":
            continue  # an index has no business with our state
        if name in headers and name not in {"location", "etag", "last-modified", "date", "expires"}:
            headers[name] += f", {value}"
        else:
            headers.setdefault(name, value)
    if size > MAX_HEADERS:
        raise _malformed(hop, f"more than {MAX_HEADERS} bytes of headers", "malformed")
    return headers


def _malformed(hop: Hop, text: str, kind: str) -> BadResponse:
    error = hop.failure(BadResponse, text, kind)
    error.retryable = False  # a server that talks nonsense talks the same nonsense again
    return error
