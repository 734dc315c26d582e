"""Plain connections for second looks: the same addresses are allowed as for the first, and the same proxy is used."""

from __future__ import annotations

import asyncio
import socket

from transport.credentials import authorization
from transport.guard import Guard
from transport.hop import Reach
from transport.origin import Origin, parse
from transport.probe import Connect, Streams
from transport.proxy import Proxy


def directly(origin: Origin, reach: Reach) -> Connect:
    """Return what connects to an address of ``origin`` that ``reach`` allows."""

    async def connect() -> Streams:
        loop = asyncio.get_running_loop()
        make, failure = Guard(reach), OSError("no address")
        for info in await loop.getaddrinfo(origin.host.strip("[]"), origin.port, type=socket.SOCK_STREAM):
            try:
                sock = make(info)
            except OSError as error:
                failure = error
                continue
            try:
                sock.setblocking(False)  # noqa: FBT003 - positional only
                await loop.sock_connect(sock, info[4])
                return await asyncio.open_connection(sock=sock)
            except OSError as error:
                failure = error
                sock.close()
            except BaseException:
                sock.close()
                raise
        raise failure

    return connect


def through(proxy: Proxy, origin: Origin) -> Connect:
    """Return what connects to ``origin`` by way of ``proxy``, the only one to be told anything."""
    place = parse(proxy.url).origin
    target = f"{origin.host}:{origin.port}"
    said = "" if proxy.credential is None else f"Proxy-Authorization: {authorization(proxy.credential)[1]}\r\n"

    async def connect() -> Streams:
        reader, writer = await directly(place, Reach.ANY)()
        try:
            writer.write(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{said}\r\n".encode("latin-1"))
            await writer.drain()
            head = await reader.readuntil(b"\r\n\r\n")
        except BaseException:
            writer.transport.abort()
            raise
        if head.startswith((b"HTTP/1.1 2", b"HTTP/1.0 2")):
            return reader, writer
        writer.transport.abort()
        raise ConnectionRefusedError("the proxy does not connect")

    return connect
