"""The exceptions of aiohttp, and of what lies below it, in our words. Only the pool asks.

aiohttp's own texts hold whole URLs, so none of them is passed on.
"""

from __future__ import annotations

import errno
import socket
import ssl

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError

from transport.errors import (
    AddressDenied,
    BadResponse,
    ConnectFailed,
    Refused,
    Timeout,
    TlsFailure,
    TransportError,
    Unauthorized,
)
from transport.hop import Hop

# What a connection that was there dies of; asyncio leaves out the number where the peer only closed.
_DROPPED = frozenset({None, errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED, errno.ESHUTDOWN, errno.ENOTCONN})
CAUSES = 8  # links of an exception chain worth following


class Lost(aiohttp.ClientError):
    """The connection ended between the request and the head of the answer; the cause says how."""


def named(hop: Hop, error: Exception, denied: list[str]) -> TransportError:
    """Put ``error``, raised while ``hop`` was under way, into our words; ``denied`` are addresses turned down."""
    if denied:
        return hop.failure(
            AddressDenied,
            f"{hop.origin.host} leads to an address that is not allowed; an operator may configure the index, or "
            "set private_addresses",
            "address-denied",
        )
    if isinstance(error, Lost) and isinstance(error.__cause__, Exception):
        error = error.__cause__
    if (tls := tls_cause(error)) is not None:
        return hop.failure(TlsFailure, f"the TLS handshake failed ({tls.reason or 'no reason given'})", "tls-handshake")
    if isinstance(error, TimeoutError):
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            return hop.failure(Timeout, "no connection (TCP and TLS) within the time for it", "connect-timeout")
        return hop.failure(Timeout, "the connection fell silent", "idle-timeout")
    if isinstance(error, aiohttp.ClientHttpProxyError | aiohttp.ClientProxyConnectionError):
        return _proxy(hop, error)
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        if error.os_error.errno in {socket.EAI_AGAIN, None}:
            return hop.failure(ConnectFailed, "its name cannot be resolved at the moment", "dns-temporary")
        return hop.failure(ConnectFailed, "its name cannot be resolved", "dns")
    if isinstance(error, OSError):
        if error.errno == errno.ECONNREFUSED:
            return hop.failure(ConnectFailed, "nobody listens there (connection refused)", "refused")
        return hop.failure(ConnectFailed, f"the connection failed ({_errno(error)})", "reset")
    return _answer(hop, error)


def _proxy(hop: Hop, error: aiohttp.ClientHttpProxyError | aiohttp.ClientProxyConnectionError) -> TransportError:
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return hop.failure(ConnectFailed, "the proxy cannot be reached", "proxy-connect")
    if error.status == 407:
        return hop.failure(Unauthorized, "the proxy wants credentials", "proxy-auth-required", status=407)
    return hop.failure(ConnectFailed, f"the proxy answered {error.status}", "proxy-connect")


def _answer(hop: Hop, error: Exception) -> TransportError:
    if isinstance(error, aiohttp.ClientPayloadError):
        return hop.failure(BadResponse, "the body stopped early or is framed wrongly", "transfer")
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return hop.failure(ConnectFailed, "the server closed the connection without an answer", "disconnected")
    if isinstance(error, aiohttp.ClientResponseError | HttpProcessingError):
        failure = hop.failure(
            BadResponse, "what the server sent is not HTTP, or beyond the limits on headers", "malformed"
        )
        failure.retryable = False  # a server that talks nonsense talks the same nonsense again
        return failure
    return hop.failure(Refused, "the request cannot be sent: the URL or a header is not valid", "bad-request")


def is_drop(error: BaseException, *, is_reused: bool) -> bool:
    """Whether ``error`` is a new connection that ended while hands were shaken, or before a word was answered.

    With TLS 1.3 the latter may be the former: a server judges our certificate after our side is done.
    """
    if isinstance(error, Lost):
        return not is_reused
    return (
        isinstance(error, aiohttp.ClientConnectorError)
        and not isinstance(error, aiohttp.ClientProxyConnectionError | aiohttp.ClientConnectorDNSError)
        and error.os_error.errno in _DROPPED
    )


def tls_cause(error: BaseException) -> ssl.SSLError | None:
    """Find the TLS error behind ``error``: TLS 1.3 rejections arrive on the first read, inside an OSError."""
    seen = 0
    cause: BaseException | None = error
    while cause is not None and seen < CAUSES:
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, aiohttp.ClientError):
            return None if isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError) else cause
        inner = getattr(cause, "os_error", None) or getattr(cause, "certificate_error", None)
        cause = inner if isinstance(inner, ssl.SSLError) else cause.__cause__ or cause.__context__
        seen += 1
    return None


def _errno(error: OSError) -> str:
    return errno.errorcode.get(error.errno, "unknown") if error.errno is not None else "no reason given"
