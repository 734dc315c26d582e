"""One client's connection: the server's protocol, with our words for what is not even a request.

aiohttp answers a head that it cannot parse with plain text, and logs a traceback; and its only timer for the first
head is the keep-alive time, which has to be longer than that of load balancers.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus

import structlog
from aiohttp import web

from .problems import Problem
from .replies import to_response

KEEPALIVE = 75.0  # seconds; longer than the 60 of common load balancers, so that they close first
LINGER = 3.0  # seconds to read what a refused body still sends, so that its sender sees the answer

_log = structlog.get_logger("lockwright.connection")


class _Connection(web.RequestHandler):
    """The protocol of one connection."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what could not become a request; the parser's message may quote the client and is not repeated."""
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or request.writer.output_size > 0:
            return super().handle_error(request, status, exc, message)
        _log.info("not an HTTP request", reason=type(exc).__name__)
        response = to_response(Problem("bad-request", "The request line or a header is not proper HTTP (RFC 9112)"))
        response.headers["Server"] = "lockwright"
        response.force_close()
        return response


class Connections:
    """Makes the protocols of new connections, and ends those whose first head does not arrive in time."""

    def __init__(self, head_timeout: float) -> None:
        """``head_timeout`` is in seconds."""
        self._head_timeout = head_timeout
        self._silent: set[object] = set()

    def heard(self, request: web.Request) -> None:
        """Note that the connection of ``request`` has sent a head."""
        self._silent.discard(request.protocol)

    def open(self, server: web.Server) -> web.RequestHandler:
        """Return the protocol of a new connection."""
        loop = asyncio.get_running_loop()
        protocol = _Connection(
            server,
            loop=loop,
            keepalive_timeout=KEEPALIVE,
            lingering_time=LINGER,
            auto_decompress=False,  # coded bodies are refused, so nothing may unpack them
        )
        self._silent.add(protocol)
        loop.call_later(self._head_timeout, self._check, protocol)
        return protocol

    def _check(self, protocol: web.RequestHandler) -> None:
        if protocol in self._silent:
            self._silent.discard(protocol)
            protocol.force_close()
