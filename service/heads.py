"""Connections that must say what they want: the first head of a request arrives in time, or the connection ends.

aiohttp's own timer for it is the keep-alive time, which has to be longer than that of load balancers.
"""

from __future__ import annotations

import asyncio

from aiohttp import web


class HeadWatch:
    """Knows which connections have not sent a whole head yet."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._silent: set[object] = set()

    def heard(self, request: web.Request) -> None:
        """Note that the connection of ``request`` has sent a head."""
        self._silent.discard(request.protocol)

    def open(self, server: web.Server) -> web.RequestHandler:
        """Return the protocol of a new connection."""
        protocol = server()
        self._silent.add(protocol)
        asyncio.get_running_loop().call_later(self._seconds, self._check, protocol)
        return protocol

    def _check(self, protocol: web.RequestHandler) -> None:
        if protocol in self._silent:
            self._silent.discard(protocol)
            protocol.force_close()
