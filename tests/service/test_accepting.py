"""Connections go to whoever has time for them."""

from __future__ import annotations

import asyncio
import socket
from functools import partial

import pytest

from service import listening
from service.accepting import Acceptor

CLIENTS = 64


class Greeter(asyncio.Protocol):
    """Says who it is, and hangs up."""

    def __init__(self, name: bytes) -> None:
        self._name = name

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(self._name)
        transport.close()


async def greeting(port: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()


async def test_two_that_have_time_share_what_comes_at_once() -> None:
    sock = listening.bind("127.0.0.1", 0)
    port = sock.getsockname()[1]
    waiting = [socket.create_connection(("127.0.0.1", port)) for _ in range(CLIENTS)]  # before anybody accepts
    acceptors = [Acceptor(one, partial(Greeter, name)) for one, name in ((sock.dup(), b"a"), (sock, b"b"))]
    greeted = []
    for one in waiting:
        with one:
            one.settimeout(0)
            greeted.append(await asyncio.get_running_loop().sock_recv(one, 10))
    for acceptor in acceptors:
        acceptor.close()
    assert abs(greeted.count(b"a") - greeted.count(b"b")) <= 2
    assert len(greeted) == CLIENTS


async def test_after_the_end_nobody_is_accepted_and_ending_twice_is_no_fault() -> None:
    sock = listening.bind("127.0.0.1", 0)
    port = sock.getsockname()[1]
    acceptor = Acceptor(sock, lambda: Greeter(b"here"))
    assert await greeting(port) == b"here"
    acceptor.close()
    acceptor.close()
    with pytest.raises(ConnectionRefusedError):
        await greeting(port)
