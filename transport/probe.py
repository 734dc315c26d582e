"""One handshake without a request: what a server presents, and what it asks of us. Only a failure is reason for one.

OpenSSL says *that* a chain cannot be verified and a server often says nothing at all; both can be seen by looking
again. A probe sends no byte of HTTP to the server, trusts nothing that it sees, and never makes a connection usable:
what it learns goes into the text of an error that was certain before.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from .tls.certificate import Certificate, from_chain, name
from .tls.der import Malformed, elements

VERDICT = 1.0  # seconds; in TLS 1.3 our certificate is judged after our side is done, within a round trip or so
MAX_READS = 64  # of 16 KiB: a chain of a megabyte explains nothing
MAX_AUTHORITIES = 100  # a list of every public root has about 150
_CERTIFICATE_AUTHORITIES = 47  # RFC 8446 §4.2.4


class End(Enum):
    """How a probe ended."""

    OPEN = "open"
    """The handshake is done and nothing speaks against us."""
    ALERT = "alert"
    """The server said what it did not like."""
    CLOSED = "closed"
    RESET = "reset"
    UNVERIFIED = "unverified"
    """We did not like the server's certificate."""
    FAILED = "failed"
    """Anything else that TLS cannot go on with."""


@dataclass(slots=True)
class Finding:
    """What a probe saw."""

    end: End = End.CLOSED
    is_established: bool = False
    """Whether our side of the handshake was done when it ended."""
    reason: str = ""
    """OpenSSL's word for the alert or the failure."""
    version: str = ""
    chain: tuple[Certificate, ...] = ()
    """As the server presented it."""
    is_identity_wanted: bool = False
    """Whether the server asked for a client certificate."""
    authorities: tuple[str, ...] = field(default=())
    """Whose certificates it accepts; empty: it does not say."""

    @property
    def is_refused(self) -> bool:
        """Whether the server ended it after it had asked who we are."""
        return self.is_identity_wanted and self.end in {End.ALERT, End.CLOSED, End.RESET}


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[], Awaitable[Streams]]


async def probe(connect: Connect, context: ssl.SSLContext, host: str, *, patience: float) -> Finding | None:
    """Make one handshake with ``host`` in ``context``, which nobody else may use, over what ``connect`` opens.

    Returns:
        What was seen; None where there was no connection, or nothing happened within ``patience`` seconds.
    """
    finding = Finding()
    try:
        async with asyncio.timeout(patience):
            reader, writer = await connect()
            try:
                await _shake_hands(finding, context, host, reader, writer)
            finally:
                writer.transport.abort()
    except (OSError, EOFError, ValueError, TimeoutError, asyncio.LimitOverrunError):
        return None
    return finding


async def _shake_hands(
    finding: Finding, context: ssl.SSLContext, host: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    heard = _Ear(finding)
    _listen(context, heard)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname=host)

    async def more() -> bool:
        writer.write(outgoing.read())
        await writer.drain()
        data = await reader.read(16 * 1024)
        incoming.write(data)
        return bool(data)

    try:
        await _advance(tls.do_handshake, more)
        finding.is_established = True
        writer.write(outgoing.read())
        await writer.drain()
        if tls.version() == "TLSv1.3" and not heard.is_accepted:
            async with asyncio.timeout(VERDICT):
                await _advance(lambda: tls.read(1), more, until=lambda: heard.is_accepted)
        finding.end = End.OPEN
    except TimeoutError:
        finding.end = End.OPEN  # a server that waits for a request has no objections
    except ssl.SSLCertVerificationError as error:
        finding.end, finding.reason = End.UNVERIFIED, error.reason or ""
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError, EOFError):
        finding.end = End.CLOSED
    except ssl.SSLError as error:
        finding.reason = error.reason or ""
        finding.end = End.ALERT if "ALERT" in finding.reason else End.FAILED
    except ConnectionError:
        finding.end = End.RESET
    finally:
        _listen(context, None)
        finding.version = tls.version() or ""
        finding.chain = from_chain(_presented(tls))


async def _advance(
    step: Callable[[], object], more: Callable[[], Awaitable[bool]], until: Callable[[], bool] = lambda: False
) -> None:
    """Repeat ``step`` with more bytes until it is done or ``until`` says so."""
    for _ in range(MAX_READS):
        try:
            step()
        except ssl.SSLWantReadError:
            if until():
                return
        else:
            return
        if not await more():
            raise EOFError
    raise EOFError


class _Ear:
    """Hears the messages of a handshake."""

    def __init__(self, finding: Finding) -> None:
        self._finding = finding
        self.is_accepted = False

    def __call__(self, _conn: object, way: str, version: int, content: int, message: int, data: bytes) -> None:
        if way != "read" or content != 22:  # 22: handshake
            return
        if message == 4:  # a session ticket is for those who were let in
            self.is_accepted = True
        elif message == 13:
            self._finding.is_identity_wanted = True
            with contextlib.suppress(Malformed, IndexError):
                self._finding.authorities = _authorities(data[4:], is_new=version >= ssl.TLSVersion.TLSv1_3)


def _listen(context: ssl.SSLContext, ear: _Ear | None) -> None:
    # The callback is not documented, yet the same in 3.11 to 3.14; without it an error only says less.
    with contextlib.suppress(AttributeError, TypeError):
        anything: Any = context
        anything._msg_callback = ear  # noqa: SLF001


def _presented(tls: ssl.SSLObject) -> list[bytes]:
    """Return the server's chain in DER, as it came, verified or not."""
    public = getattr(tls, "get_unverified_chain", None)  # Python 3.13
    if public is not None:
        return list(public() or ())
    inner: Any = getattr(tls, "_sslobj", None)
    try:
        return [ssl.PEM_cert_to_DER_cert(one.public_bytes()) for one in inner.get_unverified_chain() or ()]
    except (AttributeError, ValueError):
        return []


def _authorities(body: bytes, *, is_new: bool) -> tuple[str, ...]:
    """Read whom a CertificateRequest names (RFC 5246 §7.4.4, RFC 8446 §4.3.2)."""
    if is_new:
        _, rest = _vector(body, 1)
        extensions, _ = _vector(rest, 2)
        listed = b""
        while extensions:
            kind = int.from_bytes(extensions[:2], "big")
            value, extensions = _vector(extensions[2:], 2)
            if kind == _CERTIFICATE_AUTHORITIES:
                listed, _ = _vector(value, 2)
    else:
        _, rest = _vector(body, 1)
        _, rest = _vector(rest, 2)
        listed, _ = _vector(rest, 2)
    names: list[str] = []
    while listed and len(names) < MAX_AUTHORITIES:
        one, listed = _vector(listed, 2)
        names.extend(name(element.whole) for element in elements(one))
    return tuple(names)


def _vector(data: bytes, width: int) -> tuple[bytes, bytes]:
    """Split a vector with a length of ``width`` bytes from what follows it."""
    if len(data) < width:
        raise Malformed("a length is cut off")
    end = width + int.from_bytes(data[:width], "big")
    if end > len(data):
        raise Malformed("a vector is cut off")
    return data[width:end], data[end:]
