"""Taking new connections off a listening socket, one each time the event loop comes round.

Workers share one queue of connections. Event loops empty it when they look: of 64 clients that come at once one worker
got 55, and the other stood idle. Taken one at a time, connections go to whoever has time for them.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable

import structlog

_PAUSE = 1.0  # seconds without a look at the queue when there are no more descriptors; asyncio's pause as well
_NO_MORE = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

_log = structlog.get_logger("lockwright.connection")


class Acceptor:
    """Accepts until it is closed."""

    def __init__(self, sock: socket.socket, factory: Callable[[], asyncio.BaseProtocol]) -> None:
        """Begin; ``sock`` listens, and is closed with this."""
        self._loop = asyncio.get_running_loop()
        self._sock = sock
        self._factory = factory
        self._beginning: set[asyncio.Task[None]] = set()
        self._is_closed = False
        sock.settimeout(0)
        self._watch()

    def _watch(self) -> None:
        if not self._is_closed:
            self._loop.add_reader(self._sock, self._accept)

    def _accept(self) -> None:
        try:
            connection, _ = self._sock.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return  # another worker was quicker, or the client thought better of it
        except OSError as error:
            if error.errno not in _NO_MORE:
                raise
            _log.error("no connection can be accepted", reason=error.strerror)
            self._loop.remove_reader(self._sock)
            self._loop.call_later(_PAUSE, self._watch)
            return
        connection.settimeout(0)
        task = self._loop.create_task(self._begin(connection))
        self._beginning.add(task)
        task.add_done_callback(self._beginning.discard)

    async def _begin(self, connection: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._factory, connection)
        except OSError as error:
            connection.close()
            _log.info("connection ended before it began", reason=type(error).__name__)

    def close(self) -> None:
        """Take no more; those that were taken go on."""
        if not self._is_closed:
            self._is_closed = True
            self._loop.remove_reader(self._sock)
            self._sock.close()
