"""Through a proxy, or not at all: never around it."""

from __future__ import annotations

import asyncio
import base64
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme

from transport.credentials import index_from_url
from transport.errors import ConnectFailed, Refused, Unauthorized
from transport.message import Index, Request
from transport.proxy import read_proxy
from transport.secret import Secret
from transport.stack import TransportSettings, open_stack

from .server import TestClock, index, reply

CA = trustme.CA()


async def body(one: Index) -> bytes:
    async with open_stack(TransportSettings(), clock=TestClock()) as fetcher:
        return (await fetcher.fetch(Request(f"{one.url}a/", one))).body


@pytest.mark.parametrize("scheme", ["http://", ""])
async def test_plain_http_is_asked_of_the_proxy_with_its_own_credential(scheme: str) -> None:
    async with index({"*": reply(b"through")}) as proxy:
        one = index_from_url(
            "corp",
            "http://own:secret@index.example/s/",
            proxy=Secret(f"{scheme}p%40x:p%3Aw@127.0.0.1:{proxy.port}"),
        )
        assert await body(one) == b"through"
        seen = proxy.seen[0]
        assert seen.target == "http://index.example/s/a/"
        assert seen.headers["proxy-authorization"] == "Basic " + base64.b64encode(b"p@x:p:w").decode()
        assert seen.headers["authorization"] == "Basic " + base64.b64encode(b"own:secret").decode()


@asynccontextmanager
async def tunnel(port: int) -> AsyncIterator[tuple[int, list[bytes]]]:
    """Run a proxy that joins every CONNECT to ``port``; give its own port and what it was told."""
    heads: list[bytes] = []
    tasks: set[asyncio.Task[None]] = set()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        there, onward = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        try:
            await asyncio.gather(pump(reader, onward), pump(there, writer))
        except ConnectionError:
            pass
        finally:
            onward.transport.abort()
            writer.transport.abort()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield listener.sockets[0].getsockname()[1], heads
    finally:
        listener.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_https_goes_through_a_tunnel_that_sees_no_credential_of_the_index(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(CA.cert_pem.bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    CA.issue_cert("index.example").configure_cert(context)
    async with index({"*": reply(b"inside")}, context) as server, tunnel(server.port) as (port, heads):
        one = index_from_url(
            "corp",
            "https://own:secret@index.example/s/",
            ca=str(tmp_path / "ca.pem"),
            proxy=Secret(f"http://u:p@127.0.0.1:{port}"),
        )
        assert await body(one) == b"inside"
        assert heads[0].startswith(b"CONNECT index.example:443 ")
        assert base64.b64encode(b"own:secret") not in b"".join(heads)
        assert "proxy-authorization" not in server.seen[0].headers


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_that_wants_credentials_is_named_and_asked_once(scheme: str) -> None:
    async with index({"*": reply(b"", 407)}) as proxy:
        one = index_from_url(
            "corp", f"{scheme}://index.example/s/", proxy=Secret(f"http://u:c4nary@127.0.0.1:{proxy.port}")
        )
        with pytest.raises(Unauthorized) as caught:
            await body(one)
        assert caught.value.status == 407
        assert "c4nary" not in str(caught.value)
        assert len(proxy.seen) == 1


async def test_a_dead_proxy_is_an_error_and_not_a_reason_to_go_around_it() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        async with index({"*": reply(b"direct")}) as server:
            proxy = Secret(f"http://u:c4nary@127.0.0.1:{unused.getsockname()[1]}")
            with pytest.raises(ConnectFailed) as caught:
                await body(index_from_url("corp", f"{server.url}/s/", proxy=proxy))
            assert caught.value.kind == "proxy-connect"
            assert "c4nary" not in str(caught.value)
            assert server.connections == 0


@pytest.mark.parametrize("given", ["socks5://u:c4nary@p.example", "http://", "http://u:c4nary@p.example:99999"])
async def test_a_proxy_that_cannot_be_used_is_refused_without_quoting_it(given: str) -> None:
    with pytest.raises(ValueError, match=r"scheme|host|port"):
        read_proxy(Secret(given))
    with pytest.raises(Refused) as caught:
        await body(index_from_url("corp", "http://index.example/s/", proxy=Secret(given)))
    assert "c4nary" not in str(caught.value)
