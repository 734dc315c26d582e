"""A plain HTTP/1.1 client on one kept-alive connection: as little of its own time as Python allows."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer."""

    seconds: float
    """From before the first byte was sent until the last byte was there."""
    status: int
    head: bytes
    body: bytes

    def header(self, name: str) -> str:
        """The first field of that name; empty where there is none."""
        found = re.search(rb"\r\n" + re.escape(name.encode()) + rb": *([^\r]*)\r\n", self.head, re.IGNORECASE)
        return found[1].decode() if found else ""


def message(method: str, path: str, body: bytes = b"", fields: Mapping[str, str] | None = None) -> bytes:
    """The bytes of a request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: application/json"]
    lines += [f"{name}: {value}" for name, value in (fields or {}).items()]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Connection:
    """A connection that is opened when it is made."""

    def __init__(self, port: int) -> None:
        """Connect to ``port`` on loopback."""
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=300)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray(1 << 20)

    def ask(self, request: bytes) -> Reply:
        """Send ``request`` and read the answer, which must state its length.

        Raises:
            ConnectionError: the server hung up, or did not say how long its answer is.
        """
        received = bytearray()
        view = memoryview(self._buffer)
        started = time.perf_counter()
        self._socket.sendall(request)
        end = total = -1
        while total < 0 or len(received) < total:
            count = self._socket.recv_into(view)
            if not count:
                raise ConnectionError(f"the server hung up after {len(received)} bytes")
            received += view[:count]
            if end < 0:
                end = received.find(b"\r\n\r\n")
            if end >= 0 and total < 0:
                total = end + 4 + self._length(bytes(received[: end + 2]))
        seconds = time.perf_counter() - started
        head = bytes(received[: end + 2])
        return Reply(seconds, int(head[9:12]), head, bytes(received[end + 4 :]))

    @staticmethod
    def _length(head: bytes) -> int:
        if head[9:12] in {b"304", b"204"}:
            return 0
        found = _LENGTH.search(head)
        if found is None:
            raise ConnectionError("the answer does not state its length")
        return int(found[1])

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
