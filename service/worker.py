"""One process that serves: an event loop, an application, and an orderly end.

SIGTERM: not ready at once; new requests are still served for a grace, in which load balancers notice; then the
listener closes, requests in flight finish (or are told to go elsewhere at the limit), and the process exits 0.
SIGINT skips the grace. A second signal ends the process at once.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable
from functools import partial

import structlog
from aiohttp import web

from resolver.index.reading import Reader

from . import pages
from .accepting import Acceptor
from .app import make_app
from .configuration import Configuration
from .handlers import LOCKS
from .locks import Locks, Resolve
from .middleware import CONNECTIONS

_LAST_WORDS = 2.0  # seconds before the drain limit in which requests are told that the server goes

_log = structlog.get_logger("lockwright.worker")


async def start(app: web.Application, sock: socket.socket, *, limit: float) -> tuple[web.AppRunner, Acceptor]:
    """Start to serve ``app`` on ``sock``; ``limit`` is how many seconds requests may take to end at shutdown."""
    # A client that goes away cancels its work; all else that a connection does is in service.connection.
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=limit)
    await runner.setup()
    assert runner.server is not None
    return runner, Acceptor(sock, partial(app[CONNECTIONS].open, runner.server))


class _Signals:
    """The first signal is awaited, the second ends the process."""

    def __init__(self, lifeline: int | None) -> None:
        loop = asyncio.get_running_loop()
        self._told: asyncio.Future[bool] = loop.create_future()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._signal, number)
        if lifeline is not None:  # readable when the supervisor is gone
            loop.add_reader(lifeline, self._orphaned, lifeline)

    def _signal(self, number: signal.Signals) -> None:
        if self._told.done():
            _log.warning("second signal: requests in flight are dropped", signal=number.name)
            os._exit(1)
        self._told.set_result(number is signal.SIGTERM)

    def _orphaned(self, lifeline: int) -> None:
        asyncio.get_running_loop().remove_reader(lifeline)
        if not self._told.done():
            self._told.set_result(True)

    async def first(self) -> bool:
        """Wait for it; return whether load balancers need a grace."""
        return await self._told


async def serve(
    configuration: Configuration,
    sock: socket.socket,
    *,
    on_ready: Callable[[], None],
    lifeline: int | None = None,
    resolve: Resolve | None = None,
    reader: Reader | None = None,
) -> None:
    """Serve on ``sock`` until a signal says to stop.

    ``on_ready`` is called when requests are answered; ``lifeline`` is a descriptor that becomes readable when the
    process that supervises this one has ended. ``reader`` reads large pages.
    """
    service = configuration.settings.service
    app = make_app(configuration, resolve=resolve, reader=reader)
    signals = _Signals(lifeline)
    runner, acceptor = await start(app, sock, limit=service.drain_limit)
    try:
        on_ready()
        needs_grace = await signals.first()
        app[pages.READINESS].is_ready = False
        _log.info("draining", grace=service.drain_grace if needs_grace else 0)
        if needs_grace:
            await asyncio.sleep(service.drain_grace)
    finally:
        locks = app[LOCKS]
        locks.is_closed = True
        acceptor.close()
        last_words = asyncio.create_task(_close_in(max(0.0, service.drain_limit - _LAST_WORDS), locks))
        await runner.cleanup()
        last_words.cancel()


async def _close_in(seconds: float, locks: Locks) -> None:
    await asyncio.sleep(seconds)
    await locks.close()


def new_loop() -> asyncio.AbstractEventLoop:
    """Return an event loop: uvloop's where there is one."""
    if sys.platform == "win32":
        return asyncio.new_event_loop()
    import uvloop  # noqa: PLC0415 - not there on Windows

    return uvloop.new_event_loop()
