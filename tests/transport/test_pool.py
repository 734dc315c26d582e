"""What a hostile, broken or slow server can do to us: nothing but a typed error, soon, in little memory."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import hashlib
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from transport.credentials import index_from_url
from transport.errors import AddressDenied, BadResponse, Refused, Timeout, TooLarge, TransportError
from transport.fetch import Fetcher
from transport.message import Index, Kind, Request, Response
from transport.stack import TransportSettings, open_stack

from .server import HANG, Answer, Server, TestClock, index, reply

MIB = 1024 * 1024


@asynccontextmanager
async def bench(
    *answers: Answer, settings: TransportSettings | None = None
) -> AsyncIterator[tuple[Server, Fetcher, Index]]:
    settings = settings or TransportSettings(retries=0)
    async with index({"*": list(answers)}) as server, open_stack(settings, clock=TestClock()) as fetcher:
        yield server, fetcher, index_from_url("corp", f"{server.url}/s/")


async def get(fetcher: Fetcher, corp: Index, kind: Kind = Kind.PAGE, max_bytes: int | None = None) -> Response:
    return await fetcher.fetch(Request(f"{corp.url}a/", corp, kind, max_bytes=max_bytes))


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


PAGE = b"<a href=x>x</a>" * 1000


@pytest.mark.parametrize(
    ("coding", "wire"),
    [
        ("gzip", gzip.compress(PAGE)),
        ("GZip", gzip.compress(PAGE)),
        ("x-gzip", gzip.compress(PAGE)),
        ("deflate", zlib.compress(PAGE)),
        ("deflate", raw_deflate(PAGE)),
        ("gzip, gzip", gzip.compress(gzip.compress(PAGE))),
        ("deflate, gzip", gzip.compress(zlib.compress(PAGE))),
        ("identity", PAGE),
        ("gzip", gzip.compress(PAGE[:500]) + gzip.compress(PAGE[500:])),  # members, RFC 1952 §2.2
    ],
)
async def test_codings_are_undone_and_the_digest_is_of_the_body(coding: str, wire: bytes) -> None:
    async with bench(reply(wire, content_encoding=coding)) as (server, fetcher, corp):
        response = await get(fetcher, corp)
        assert response.body == PAGE
        assert response.digest == hashlib.sha256(PAGE).hexdigest()
        assert server.seen[0].headers["accept-encoding"].startswith("gzip, deflate")


@pytest.mark.parametrize("kind", [Kind.FILE, Kind.RANGE])
async def test_files_and_ranges_are_asked_for_and_taken_as_they_are(kind: Kind) -> None:
    async with bench(reply(b"PK")) as (server, fetcher, corp):
        assert (await get(fetcher, corp, kind)).body == b"PK"
        assert server.seen[0].headers["accept-encoding"] == "identity"


async def test_a_file_that_is_labelled_as_compressed_stays_what_was_hashed() -> None:
    packed = gzip.compress(b"sdist")
    async with bench(reply(packed, content_encoding="gzip")) as (_, fetcher, corp):
        assert (await get(fetcher, corp, Kind.FILE)).body == packed
        with pytest.raises(BadResponse):
            await fetcher.fetch(Request(f"{corp.url}a/", corp, Kind.RANGE, (("range", "bytes=-9"),)))


@pytest.mark.parametrize(
    "answer",
    [
        reply(b"not gzip", content_encoding="gzip"),
        reply(gzip.compress(PAGE)[:-20], content_encoding="gzip"),
        reply(PAGE, content_encoding="br, zstd, x-unknown"),
        reply(PAGE, content_encoding="x-unknown"),
        reply(PAGE, content_encoding="gzip, gzip, gzip"),
    ],
)
async def test_a_coding_that_cannot_be_undone_is_a_typed_error(answer: bytes) -> None:
    async with bench(answer) as (_, fetcher, corp):
        with pytest.raises(BadResponse) as caught:
            await get(fetcher, corp)
        assert caught.value.kind == "content-encoding"


def bomb(coding: str) -> bytes:
    """Pack 256 MiB of nothing."""
    packer = zlib.compressobj(9, wbits={"gzip": 31, "deflate": 15, "raw": -15}[coding])
    block = b"\0" * MIB
    return b"".join([*(packer.compress(block) for _ in range(256)), packer.flush()])


@pytest.mark.parametrize("coding", ["gzip", "gzip, gzip"])
async def test_a_bomb_is_defused_while_it_goes_off(coding: str) -> None:
    wire = bomb("gzip")
    wire = gzip.compress(wire) if coding == "gzip, gzip" else wire
    async with bench(reply(wire, content_encoding=coding)) as (server, fetcher, corp):
        tracemalloc.start()
        try:
            with pytest.raises(TooLarge):
                await get(fetcher, corp)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 80 * MIB
        assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("kind", "size"), [(Kind.PAGE, 16 * MIB + 1), (Kind.METADATA, 4 * MIB + 1), (Kind.RANGE, 32 * MIB + 1)]
)
async def test_a_body_over_the_cap_is_refused_on_its_announcement(kind: Kind, size: int) -> None:
    async with bench(reply(b"x", content_length=str(size))) as (_, fetcher, corp):
        with pytest.raises(TooLarge):
            await get(fetcher, corp, kind)


async def test_an_endless_chunked_page_ends_at_the_cap() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
                await writer.drain()

    async with listening(endless) as url, open_stack(TransportSettings(retries=0)) as fetcher:
        corp = index_from_url("corp", url)
        with pytest.raises(TooLarge):
            await get(fetcher, corp)
        with pytest.raises(TooLarge):
            await get(fetcher, corp, Kind.FILE, max_bytes=MIB)


async def test_a_smaller_cap_of_the_request_holds() -> None:
    async with bench(reply(b"x" * 1000)) as (_, fetcher, corp):
        with pytest.raises(TooLarge):
            await get(fetcher, corp, Kind.METADATA, max_bytes=999)
        assert len((await get(fetcher, corp, Kind.METADATA, max_bytes=1000)).body) == 1000


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nx-a: " + b"a" * 70_000 + b"\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"x-%d: a\r\n" % n for n in range(10_000)) + b"content-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"x-%d: %s\r\n" % (n, b"a" * 9000) for n in range(10)) + b"a: b\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx",
        b"HTTP/1.1 200 OK\r\ncontent-length: nonsense\r\n\r\nxx",
    ],
    ids=["one huge header", "ten thousand headers", "ninety kilobytes", "ssh", "two lengths", "no number"],
)  # fmt: skip
async def test_what_is_no_answer_within_our_limits_is_asked_once_and_named(answer: bytes) -> None:
    async with bench(answer, settings=TransportSettings()) as (server, fetcher, corp):
        with pytest.raises(BadResponse) as caught:
            await get(fetcher, corp)
        assert caught.value.kind == "malformed"
        assert not caught.value.retryable
        assert len(server.seen) == 1


async def test_cookies_are_neither_kept_nor_passed_on() -> None:
    async with bench(reply(b"ok", set_cookie="a=b")) as (server, fetcher, corp):
        assert "set-cookie" not in (await get(fetcher, corp)).headers
        await get(fetcher, corp)
        assert "cookie" not in server.seen[1].headers


async def test_the_error_body_of_a_404_is_bounded_and_the_status_stands() -> None:
    async with bench(reply(b"x" * MIB, 404)) as (_, fetcher, corp):
        response = await get(fetcher, corp)
        assert (response.status, response.body) == (404, b"")


@asynccontextmanager
async def listening(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[str]:
    tasks: list[asyncio.Task[None]] = []

    async def tracked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.append(task)
        try:
            await serve(reader, writer)
        finally:
            writer.transport.abort()

    listener = await asyncio.start_server(tracked, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/s/"
    finally:
        listener.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


QUICK = TransportSettings(connect=0.3, first_byte=0.3, idle=0.3, rate_window=0.3, total_retry=0.5, page=5, retries=3)


async def test_an_index_that_never_answers_is_given_up_within_the_budget() -> None:
    async with index({"*": HANG}) as server, open_stack(QUICK) as fetcher:
        corp = index_from_url("corp", f"{server.url}/s/")
        with pytest.raises(Timeout) as caught:
            await get(fetcher, corp)
        assert caught.value.kind == "first-byte-timeout"
        assert caught.value.retryable
        assert len(server.seen) <= 2


async def test_an_index_that_falls_silent_is_given_up() -> None:
    async with index({"*": reply(b"x" * 5000, content_length="100000")}) as server, open_stack(QUICK) as fetcher:
        corp = index_from_url("corp", f"{server.url}/s/")
        with pytest.raises(Timeout) as caught:
            await get(fetcher, corp)
        assert caught.value.kind in {"idle-timeout", "too-slow"}


async def test_a_drip_is_not_progress() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.02)

    async with listening(drip) as url, open_stack(QUICK) as fetcher:
        corp = index_from_url("corp", url)
        with pytest.raises(Timeout) as caught:
            await get(fetcher, corp)
        assert caught.value.kind == "too-slow"


async def test_a_deadline_of_the_request_ends_the_wait_of_that_caller_only() -> None:
    async with index({"*": HANG}) as server, open_stack(TransportSettings()) as fetcher:
        corp = index_from_url("corp", f"{server.url}/s/")
        now = asyncio.get_running_loop().time()
        patient = asyncio.create_task(get(fetcher, corp))
        await server.saw(1)
        with pytest.raises(Timeout) as caught:
            await fetcher.fetch(Request(f"{corp.url}a/", corp, deadline=now + 0.1))
        assert caught.value.kind == "deadline"
        assert not patient.done()
        patient.cancel()


@pytest.mark.parametrize(
    ("settings", "configured", "reaches"),
    [
        (TransportSettings(), True, True),
        (TransportSettings(), False, False),
        (TransportSettings(private_addresses="deny"), True, False),
        (TransportSettings(private_addresses="allow"), False, True),
        (TransportSettings(allowed_urls=("loopback",)), False, True),
        (TransportSettings(allowed_urls=("http://127.0.0.1:{port}/s",)), False, True),
        (TransportSettings(allowed_urls=("http://127.0.0.1:{port}/sim",)), False, False),
        (TransportSettings(allowed_urls=("http://127.0.0.1/s",)), False, False),
    ],
)
async def test_private_addresses_are_for_those_whom_the_operator_named(
    settings: TransportSettings, *, configured: bool, reaches: bool
) -> None:
    async with index({"*": reply(b"ok")}) as server:
        allowed = tuple(one.replace("{port}", str(server.port)) for one in settings.allowed_urls)
        settings = TransportSettings(private_addresses=settings.private_addresses, allowed_urls=allowed)
        async with open_stack(settings) as fetcher:
            corp = index_from_url("corp", f"{server.url}/s/", configured=configured)
            if reaches:
                assert (await get(fetcher, corp)).body == b"ok"
            else:
                with pytest.raises(AddressDenied):
                    await get(fetcher, corp)
        assert server.connections == int(reaches)


async def test_a_redirect_of_an_allowed_url_is_held_to_the_same_rule() -> None:
    async with index({"*": reply(b"inner")}) as inner, index() as outer:
        outer.answers = {"*": reply(b"", 302, location=f"{inner.url}/admin")}
        settings = TransportSettings(allowed_urls=(f"{outer.url}/s/",))
        async with open_stack(settings) as fetcher:
            corp = index_from_url("corp", f"{outer.url}/s/", configured=False)
            with pytest.raises(AddressDenied):
                await get(fetcher, corp)
        assert inner.connections == 0


async def test_a_connection_that_was_allowed_for_one_is_not_lent_to_another() -> None:
    async with index({"*": reply(b"ok")}) as server, open_stack(TransportSettings()) as fetcher:
        ours = index_from_url("corp", f"{server.url}/s/")
        theirs = index_from_url("extra", f"{server.url}/s/", configured=False)
        await get(fetcher, ours)
        with pytest.raises(AddressDenied):
            await get(fetcher, theirs)
        assert len(server.seen) == 1


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://h.example/", "http:///x", "nonsense", "http://a\n.example/"]
)
async def test_a_url_that_cannot_be_fetched_is_refused(url: str) -> None:
    async with open_stack(TransportSettings()) as fetcher:
        corp = index_from_url("corp", "http://h.example/s/")
        with pytest.raises(Refused):
            await fetcher.fetch(Request(url, corp))


async def test_every_failure_is_an_error_of_ours() -> None:
    async with bench(b"\0\xff" * 5000, settings=TransportSettings(retries=0)) as (_, fetcher, corp):
        with pytest.raises(TransportError):
            await get(fetcher, corp)
