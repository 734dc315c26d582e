"""What breaks on the way, and how often we ask: the cases 37 to 43 of the wire, faults F-01 to F-13, F-22 and F-23."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.utils import formatdate
from pathlib import Path

import pytest

from tests.service.indexes import Wheel, content, page, versions
from tests.transport.server import CLOSE, HANG, RESET, Answer, Seen, TestClock, index, reply

from .service import SOON, entry, listed, sdist, serving, table, wheel

A = Wheel("a", "1.0")
PAGE = page("a", A)
SHORT = PAGE[:-20].replace(b"HTTP/1.1 200 Said\r\n", b"HTTP/1.1 200 Said\r\nconnection: close\r\n")


def failing(*answers: Answer) -> dict[str, Answer | list[Answer]]:
    return {**content(A), "/simple/a/": list(answers)}


@pytest.mark.parametrize(
    "trouble", [reply(b"", 500), reply(b"", 503), reply(b"", 504), reply(b"", 408), RESET, CLOSE, SHORT]
)
async def test_a_passing_trouble_costs_two_more_requests_and_no_lock(tmp_path: Path, trouble: bytes | str) -> None:
    async with index(failing(trouble, trouble, PAGE)) as server, serving(tmp_path, table(server)) as service:
        status, lock = await service.lock("a")
        assert (status, versions(lock)) == (200, {"a": ("1.0", "corp")})
        assert server.paths.count("/simple/a/") == 3
        assert len(server.paths) == 4  # and the metadata once


@pytest.mark.parametrize(
    ("trouble", "problem", "tries"),
    [
        (reply(b"", 503), "index-unavailable", 4),
        (reply(b"", 501), "index-unavailable", 1),
        (reply(b"", 511), "index-unavailable", 1),
        (RESET, "index-unavailable", 4),
        (SHORT, "index-bad-response", 4),
        (reply(b"", 429, retry_after="3600"), "index-unavailable", 1),
    ],
)
async def test_a_lasting_trouble_is_told_with_its_index_and_its_tries(
    tmp_path: Path, trouble: bytes | str, problem: str, tries: int
) -> None:
    answers = failing(*([trouble] * tries), PAGE)
    async with index(answers) as server, serving(tmp_path, table(server)) as service:
        status, said = await service.lock("a")
        assert status in {502, 503}
        assert (said["type"], said["index"], said["package"]) == (f"/problems/{problem}", "corp", "a")
        assert (said["attempts"], server.paths) == (tries, ["/simple/a/"] * tries)


async def test_nothing_of_a_truncated_page_is_left_for_the_next_request(tmp_path: Path) -> None:
    tagged = SHORT.replace(b"\r\n", b'\r\netag: "1"\r\ncache-control: max-age=600\r\n', 1)
    async with index(failing(*([tagged] * 4), PAGE)) as server, serving(tmp_path, table(server)) as service:
        assert (await service.lock("a"))[0] == 502
        assert (await service.lock("a"))[0] == 200
        assert "if-none-match" not in server.seen[4].headers


@pytest.mark.parametrize("form", ["seconds", "date"])
async def test_a_pause_holds_back_every_request_to_that_origin(tmp_path: Path, form: str) -> None:
    clock = TestClock()
    after = "2" if form == "seconds" else formatdate(clock.wall() + 2, usegmt=True)
    asked: list[float] = []

    def timed(answer: bytes) -> Answer:
        def give(_: Seen) -> bytes:
            asked.append(clock.monotonic())
            return answer

        return give

    answers = {**content(A, Wheel("b", "1.0"))}
    answers["/simple/a/"] = [timed(reply(b"", 429, retry_after=after)), timed(PAGE)]
    answers["/simple/b/"] = timed(page("b", Wheel("b", "1.0")))
    network = {"connections_per_origin": 1}
    async with index(answers) as server, serving(tmp_path, table(server), clock=clock, network=network) as service:
        assert (await service.lock("a", "b"))[0] == 200
    assert all(later - asked[0] >= (2 if form == "seconds" else 1) for later in asked[1:])
    assert asked[-1] - asked[0] < 4


async def test_forty_packages_of_an_origin_that_never_shakes_hands_cost_one_budget(tmp_path: Path) -> None:
    held: list[asyncio.StreamWriter] = []

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)
        await reader.read(-1)
        writer.close()

    listener = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    clock = TestClock()
    private = {"name": "private", "url": f"https://localhost:{port}/simple/"}
    names = [f"p{number}" for number in range(40)]
    try:
        async with (
            index(content(*(Wheel(name, "1.0") for name in names))) as public,
            serving(tmp_path, private, table(public, "public"), clock=clock, network={"timeout": SOON}) as service,
        ):
            status, said = await service.lock(*names)
            # Who waited for a slot meets the open circuit, which says what opened it.
            assert (said["index"], status) in {("private", 503), ("private", 504)}
            assert said["reason"] == "connect-timeout" or "(connect-timeout)" in said["detail"]
            assert public.seen == []
            # Nobody queued behind another's timeouts: all were tried side by side, four times at most, and what was
            # waited between the attempts is one fetch's patience.
            assert said["attempts"] <= 4
            assert len(held) <= 4 * 40
            assert clock.monotonic() - 1000.0 <= 20.0
    finally:
        listener.close()
        for writer in held:
            writer.transport.abort()
        await listener.wait_closed()


async def test_a_client_that_leaves_takes_its_connections_to_the_index_along(tmp_path: Path) -> None:
    async with index({"*": HANG}) as server, serving(tmp_path, table(server)) as service:
        request = asyncio.create_task(service.lock("a", "b", "c"))
        await server.saw(3)
        request.cancel()
        await server.is_deserted()


async def test_who_shares_a_page_with_a_client_that_leaves_gets_it(tmp_path: Path) -> None:
    gate = asyncio.Event()
    async with held(gate) as (port, asked):
        private = {"name": "corp", "url": f"http://127.0.0.1:{port}/simple/"}
        async with serving(tmp_path, private) as service:
            leaves = asyncio.create_task(service.lock("a"))
            stays = asyncio.create_task(service.lock("a", options={"no_deps": True}))  # another solve, the same page
            await asyncio.wait_for(asked.acquire(), 10)
            leaves.cancel()
            await asyncio.gather(leaves, return_exceptions=True)
            gate.set()
            assert (await stays)[0] == 200


@asynccontextmanager
async def held(gate: asyncio.Event) -> AsyncIterator[tuple[int, asyncio.Semaphore]]:
    """Serve A once ``gate`` is open."""
    asked = asyncio.Semaphore(0)
    answers = content(A)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                target = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()
                asked.release()
                await gate.wait()
                answer = answers[target]
                assert isinstance(answer, bytes)
                writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield listener.sockets[0].getsockname()[1], asked
    finally:
        listener.close()
        await listener.wait_closed()


SDIST = sdist("a", "1.0", size=1_500_000)
MIB = 1024 * 1024


WHEEL = wheel("a", "1.0", size=1_500_000)


@pytest.mark.parametrize(
    ("requirement", "filename", "body"),
    [("a", "a-1.0.tar.gz", SDIST), ("a @ {}/files/a-1.0-py3-none-any.whl", "a-1.0-py3-none-any.whl", WHEEL)],
)
async def test_a_file_that_stops_early_is_resumed_and_its_hash_verified(
    tmp_path: Path, requirement: str, filename: str, body: bytes
) -> None:
    def whole_but_cut(_: Seen) -> bytes:
        return reply(body, etag='"1"', connection="close")[: -(len(body) - MIB)]

    def rest(seen: Seen) -> bytes:
        assert seen.headers["if-range"] == '"1"'
        start = int(seen.headers["range"][6:-1])
        return reply(body[start:], 206, etag='"1"', content_range=f"bytes {start}-{len(body) - 1}/{len(body)}")

    answers: dict[str, Answer | list[Answer]] = {
        "/simple/a/": listed("a", entry(filename, body)),
        f"/files/{filename}": [whole_but_cut, rest],
    }
    async with index(answers) as server, serving(tmp_path, table(server)) as service:
        status, lock = await service.lock(requirement.format(server.url))
        assert status == 200, lock
        assert server.paths.count(f"/files/{filename}") == 2
        assert hashlib.sha256(body).hexdigest() in str(lock["packages"])


async def test_parts_that_do_not_make_the_listed_file_are_a_hash_mismatch(tmp_path: Path) -> None:
    def rest(seen: Seen) -> bytes:
        start = int(seen.headers["range"][6:-1])
        place = f"bytes {start}-{len(SDIST) - 1}/{len(SDIST)}"
        return reply(bytes(len(SDIST) - start), 206, etag='"1"', content_range=place)

    answers: dict[str, Answer | list[Answer]] = {
        "/simple/a/": listed("a", entry("a-1.0.tar.gz", SDIST)),
        "/files/a-1.0.tar.gz": [reply(SDIST, etag='"1"', connection="close")[: -(len(SDIST) - MIB)], rest],
    }
    async with index(answers) as server, serving(tmp_path, table(server)) as service:
        status, said = await service.lock("a")
        assert (status, said["type"]) == (502, "/problems/hash-mismatch")
        assert "a-1.0.tar.gz" in said["detail"]
        assert hashlib.sha256(SDIST).hexdigest() in said["detail"]


async def test_a_file_that_always_stops_is_the_indexs_fault_and_not_the_requirements(tmp_path: Path) -> None:
    answers: dict[str, Answer | list[Answer]] = {
        "/simple/a/": listed("a", entry("a-1.0.tar.gz", SDIST)),
        "/files/a-1.0.tar.gz": reply(SDIST, connection="close")[:-MIB],
    }
    async with index(answers) as server, serving(tmp_path, table(server)) as service:
        status, said = await service.lock("a")
        assert (status, said["type"], said["attempts"]) == (502, "/problems/index-bad-response", 4)
        assert server.paths.count("/files/a-1.0.tar.gz") == 4


async def test_a_file_cut_without_a_length_is_caught_by_its_hash_and_not_stored(tmp_path: Path) -> None:
    cut = b"HTTP/1.0 200 OK\r\nconnection: close\r\n\r\n" + SDIST[:MIB]
    answers: dict[str, Answer | list[Answer]] = {
        "/simple/a/": listed("a", entry("a-1.0.tar.gz", SDIST)),
        "/files/a-1.0.tar.gz": [cut, reply(SDIST)],
    }
    async with index(answers) as server, serving(tmp_path, table(server)) as service:
        status, said = await service.lock("a")
        assert (status, said["type"]) == (502, "/problems/hash-mismatch")
        assert (await service.lock("a"))[0] == 200


@pytest.mark.parametrize(
    "head",
    [
        b"content-length: 5\r\ncontent-length: 9\r\n",
        b"content-length: 5\r\ntransfer-encoding: chunked\r\n",
        b"content-length: 5\r\n",
    ],
)
async def test_a_body_that_is_framed_in_two_ways_is_an_error_and_its_connection_is_not_used_again(
    tmp_path: Path, head: bytes
) -> None:
    body = PAGE.partition(b"\r\n\r\n")[2]
    twisted = b"HTTP/1.1 200 OK\r\ncontent-type: application/vnd.pypi.simple.v1+json\r\n" + head + b"\r\n" + body
    async with index(failing(twisted, PAGE)) as server, serving(tmp_path, table(server)) as service:
        status, said = await service.lock("a")
        assert status in {200, 502}  # a retry may have found the better answer; never is half a page believed
        assert status == 200 or said["type"] == "/problems/index-bad-response"
        assert (await service.lock("a"))[0] == 200
        pages = [seen for seen in server.seen if seen.target == "/simple/a/"]
        assert pages[1].connection != pages[0].connection


async def test_a_silent_index_is_a_timeout_of_that_index(tmp_path: Path) -> None:
    async with (
        index({"*": HANG}) as server,
        serving(tmp_path, table(server), network={"timeout": SOON, "retries": 1}) as service,
    ):
        status, said = await service.lock("a")
        assert (status, said["type"], said["index"]) == (504, "/problems/index-timeout", "corp")
        assert len(server.seen) == 2


async def test_nobody_listening_is_said_and_tried_twice(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        gone = {"name": "corp", "url": f"http://127.0.0.1:{unused.getsockname()[1]}/simple/"}
        async with serving(tmp_path, gone) as service:
            status, said = await service.lock("a")
    assert (status, said["reason"], said["attempts"]) == (503, "refused", 2)


async def test_a_name_that_does_not_resolve_is_said(tmp_path: Path) -> None:
    async with serving(tmp_path, {"name": "corp", "url": "http://index.invalid/simple/"}) as service:
        status, said = await service.lock("a")
    assert (status, said["type"]) == (503, "/problems/index-unavailable")
    assert said["reason"] in {"dns", "dns-temporary"}


@pytest.mark.parametrize(
    "refusal",
    [reply(b"", 403), reply(b"", 405), reply(b"", 416), reply(gzip.compress(bytes(99)), content_encoding="gzip")],
)
async def test_a_wheel_whose_parts_are_refused_is_read_whole(tmp_path: Path, refusal: bytes) -> None:
    body = wheel("a", "1.0")
    name = "a-1.0-py3-none-any.whl"
    answers: dict[str, Answer | list[Answer]] = {
        "/simple/a/": listed("a", entry(name, body)),
        f"/files/{name}": [refusal, reply(body)],
    }
    async with index(answers) as server, serving(tmp_path, table(server)) as service:
        status, lock = await service.lock("a")
        assert (status, versions(lock)) == (200, {"a": ("1.0", "corp")})
        assert server.paths == ["/simple/a/", f"/files/{name}", f"/files/{name}"]


async def test_a_wheel_that_is_refused_whole_as_well_is_a_refusal(tmp_path: Path) -> None:
    body = wheel("a", "1.0")
    name = "a-1.0-py3-none-any.whl"
    answers = {"/simple/a/": listed("a", entry(name, body)), f"/files/{name}": reply(b"", 403)}
    async with index(answers) as server, serving(tmp_path, table(server)) as service:
        status, problem = await service.lock("a")
        assert (status, problem["type"]) == (502, "/problems/index-unauthorized")
        assert server.paths.count(f"/files/{name}") == 2
