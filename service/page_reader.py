"""A process beside a worker that reads project pages for it, so that the worker's own Python has time for the rest.

It is forked before the worker has threads, holds nothing but its end of a socket, and ends when that of the worker is
closed, however the worker ended. A worker whose reader is gone, or does not answer, reads pages itself.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import struct
import sys
import threading
from typing import NoReturn

import msgpack

from resolver.index.malformed import MalformedPage, PageTooLarge
from resolver.index.page import ProjectPage
from resolver.index.reading import HERE, read_packed, unpacked
from resolver.provider.versions import VersionList

from .logs import Log

_log = Log("lockwright.page_reader")

_LENGTHS = struct.Struct("<II")  # of what is said about a page, and of the page; of a verdict, and of what it is about
COLLECT_AFTER = 4 * 1024 * 1024  # bytes of pages; to look for garbage after each takes a quarter of its time
_BUFFER = 1024 * 1024  # bytes in the socket: most pages go in one piece
PATIENCE = 30.0  # seconds for one page; the largest that is read at all takes some five
_READ, _MALFORMED, _TOO_LARGE, _FAILED = b"read", b"malformed", b"too large", b"failed"
_IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # they are for the worker, which still has requests to finish


class PageReader:
    """The worker's end."""

    at_once = 24 * 1024  # bytes; to have them read by the other process takes some 200 µs

    def __init__(self, sock: socket.socket, pid: int, patience: float) -> None:
        sock.settimeout(patience)  # else one that hangs would hold up all requests for good
        self._sock: socket.socket | None = sock
        self._pid = pid
        self._turn = threading.Lock()

    @classmethod
    def start(cls, patience: float = PATIENCE) -> PageReader | None:
        """Fork the process; None where that cannot be done. Not for processes that have threads.

        ``patience`` is how many seconds it may take for a page.
        """
        if sys.platform == "win32":
            return None
        try:
            ours, theirs = socket.socketpair()
            for one in (ours, theirs):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
            pid = os.fork()
        except OSError as error:
            _log.warning("pages are read in the worker: no process can be started", error=type(error).__name__)
            return None
        if pid == 0:
            _serve(theirs)
        theirs.close()
        return cls(ours, pid, patience)

    def read(self, body: bytes, content_type: str, url: str, name: str) -> tuple[ProjectPage, VersionList]:
        """Have a page read.

        Raises:
            MalformedPage: what came is no page of the project.
        """
        verdict, answer = self._ask(body, msgpack.packb([content_type, url, name]))
        if verdict == _READ:
            return unpacked(answer)
        if verdict in {_MALFORMED, _TOO_LARGE}:
            raise (MalformedPage if verdict == _MALFORMED else PageTooLarge)(answer.decode())
        return HERE.read(body, content_type, url, name)

    def _ask(self, body: bytes, about: bytes) -> tuple[bytes, bytes]:
        with self._turn:
            if self._sock is None:
                return _FAILED, b""
            try:
                _send(self._sock, about, body)
                return _receive(self._sock)
            except (OSError, EOFError, MemoryError) as error:
                _log.warning("pages are read in the worker from now on", error=type(error).__name__)
                self._hang_up()
                return _FAILED, b""

    def close(self) -> None:
        """End the process and wait for its end."""
        sock = self._sock
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)  # a thread may wait for a page
        with self._turn:
            self._hang_up()

    def _hang_up(self) -> None:
        if self._sock is None:
            return
        self._sock.close()
        self._sock = None
        with contextlib.suppress(OSError):
            os.kill(self._pid, signal.SIGKILL)  # it may be at a page that nobody waits for
        with contextlib.suppress(OSError):
            os.waitpid(self._pid, 0)


def _serve(sock: socket.socket) -> NoReturn:
    """Read pages until the other end is closed."""
    code = 1
    try:
        for number in _IGNORED:
            signal.signal(number, signal.SIG_IGN)
        mine = sock.fileno()
        os.closerange(3, mine)  # the listening socket above all
        os.closerange(mine + 1, os.sysconf("SC_OPEN_MAX"))
        gc.freeze()
        gc.disable()  # a page is a hundred thousand objects; only parsers of HTML refer to themselves, and hold it
        since = 0
        while True:
            about, body = _receive(sock)
            since += len(body)
            _send(sock, *_read(about, body))
            del about, body
            if since > COLLECT_AFTER:
                since = 0
                gc.collect()
    except EOFError:
        code = 0
    finally:
        os._exit(code)


def _read(about: bytes, body: bytes) -> tuple[bytes, bytes]:
    try:
        return _READ, read_packed(body, *msgpack.unpackb(about))
    except PageTooLarge as error:
        return _TOO_LARGE, str(error).encode()
    except MalformedPage as error:
        return _MALFORMED, str(error).encode()
    except Exception:  # noqa: BLE001 - whatever it is, the worker meets it, too
        return _FAILED, b""


def _send(sock: socket.socket, first: bytes, second: bytes) -> None:
    sock.sendall(_LENGTHS.pack(len(first), len(second)) + first)
    sock.sendall(second)


def _receive(sock: socket.socket) -> tuple[bytes, bytes]:
    """Return both parts of a message.

    Raises:
        EOFError: the other end is closed.
    """
    first, second = _LENGTHS.unpack(_exactly(sock, _LENGTHS.size))
    return _exactly(sock, first), _exactly(sock, second)


def _exactly(sock: socket.socket, size: int) -> bytes:
    whole = bytearray(size)
    rest = memoryview(whole)
    while rest:
        count = sock.recv_into(rest)
        if not count:
            raise EOFError
        rest = rest[count:]
    return bytes(whole)
