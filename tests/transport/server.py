"""An index that does exactly what a test wrote: raw bytes over real sockets, and a memory of what it was asked.

    async with index({"/simple/a/": reply(b"page", etag='"1"')}) as server:
        ...
    assert server.paths == ["/simple/a/"]

An answer is bytes, or one of :data:`RESET`, :data:`CLOSE`, :data:`HANG`, or a function of what was seen, or a list
of these, used up one at a time with the last one staying.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from transport.clock import Clock

RESET = "reset"
"""Drop the connection with a TCP reset."""
CLOSE = "close"
"""Close the connection without a word."""
HANG = "hang"
"""Never answer."""


@dataclass(frozen=True)
class Seen:
    """One request, as it arrived."""

    method: str
    target: str
    headers: Mapping[str, str]
    raw: bytes
    connection: int
    peer_certificate: object = None


Plain = bytes | str
Answer = Plain | Callable[[Seen], Plain]


@dataclass
class Server:
    """A running index."""

    answers: Mapping[str, Answer | list[Answer]]
    scheme: str = "http"
    port: int = 0
    host: str = "127.0.0.1"
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    used: dict[str, int] = field(default_factory=dict)
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)
    closed: asyncio.Condition = field(default_factory=asyncio.Condition)
    open: int = 0

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"

    @property
    def paths(self) -> list[str]:
        return [one.target for one in self.seen]

    async def saw(self, count: int) -> None:
        """Wait until ``count`` requests have arrived."""
        async with self.arrived:
            await self.arrived.wait_for(lambda: len(self.seen) >= count)

    async def is_deserted(self) -> None:
        """Wait until no connection is left."""
        async with self.closed:
            await self.closed.wait_for(lambda: self.open == 0)

    def _next(self, seen: Seen) -> Plain:
        answer = self.answers.get(seen.target, self.answers.get("*", reply(b"", 404)))
        if isinstance(answer, list):
            turn = self.used.get(seen.target, 0)
            self.used[seen.target] = turn + 1
            answer = answer[min(turn, len(answer) - 1)]
        return answer if isinstance(answer, bytes | str) else answer(seen)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        self.connections += 1
        self.open += 1
        number = self.connections
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
                while await self._one(reader, writer, number):
                    pass
        finally:
            self.tasks.discard(task)
            writer.transport.abort()
            self.open -= 1
            async with self.closed:
                self.closed.notify_all()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> bool:
        raw = await reader.readuntil(b"\r\n\r\n")
        first, *lines = raw.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        fields = (line.partition(":") for line in lines if line)
        headers = {name.lower(): value.strip() for name, _, value in fields}
        seen = Seen(method, target, headers, raw, number, writer.get_extra_info("peercert"))
        self.seen.append(seen)
        async with self.arrived:
            self.arrived.notify_all()
        answer = self._next(seen)
        if answer == HANG:
            await reader.read()
            return False
        if answer == RESET:
            reset(writer)
            return False
        if answer == CLOSE:
            return False
        assert isinstance(answer, bytes)
        writer.write(answer)
        await writer.drain()
        if b"connection: close" in answer.partition(b"\r\n\r\n")[0].lower():
            writer.close()
            await writer.wait_closed()
            return False
        return True


def reset(writer: asyncio.StreamWriter) -> None:
    """Make the kernel send RST in place of FIN."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def reply(body: bytes = b"", status: int = 200, **headers: str) -> bytes:
    """Make a whole answer; ``cache_control="no-cache"`` becomes ``cache-control: no-cache``."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if not {"content-length", "transfer-encoding"} & set(named) and status != 304:
        named["content-length"] = str(len(body))
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"HTTP/1.1 {status} Said\r\n{head}\r\n".encode("utf-8", "surrogateescape") + body


@asynccontextmanager
async def index(
    answers: Mapping[str, Answer | list[Answer]] | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Server]:
    """Serve ``answers`` (by target; ``*`` for the rest) on a port of the system's choice."""
    server = Server(answers or {}, scheme="https" if tls else "http", host="localhost" if tls else "127.0.0.1")
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for task in list(server.tasks):
            task.cancel()
        await asyncio.gather(*server.tasks, return_exceptions=True)
        await listener.wait_closed()


class TestClock(Clock):
    """A clock that a test moves: sleeping takes no time, and is written down."""

    __test__ = False

    def __init__(self, chance: float = 0.0) -> None:
        self.now = 1000.0
        self.epoch = 1_700_000_000.0
        self.slept: list[float] = []
        self.chance = chance

    def wall(self) -> float:
        return self.epoch + self.now

    def monotonic(self) -> float:
        return self.now

    def random(self) -> float:
        return self.chance

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        end = self.now + seconds
        await asyncio.sleep(0)
        self.now = max(self.now, end)  # who slept meanwhile slept at the same time, not before
