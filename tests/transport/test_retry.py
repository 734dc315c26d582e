"""Second chances, pauses and open circuits, on a clock that a test moves."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.utils import formatdate

import pytest

from transport.credentials import index_from_url
from transport.errors import BadResponse, BadStatus, ConnectFailed, Paused, TransportError
from transport.fetch import Fetcher
from transport.message import Index, Request
from transport.stack import TransportSettings, open_stack

from .server import CLOSE, RESET, Answer, Server, TestClock, index, reply

OK = reply(b"ok")
SHORT = reply(b"short", content_length="50", connection="close")


@asynccontextmanager
async def bench(
    *answers: Answer, chance: float = 0.0, retries: int = 3
) -> AsyncIterator[tuple[Server, Fetcher, TestClock, Index]]:
    clock = TestClock(chance)
    async with (
        index({"*": list(answers)}) as server,
        open_stack(TransportSettings(retries=retries), clock=clock) as fetcher,
    ):
        yield server, fetcher, clock, index_from_url("corp", f"{server.url}/s/")


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 527])
async def test_a_passing_trouble_is_asked_again(status: int) -> None:
    async with bench(reply(b"", status), reply(b"", status), OK) as (server, fetcher, clock, corp):
        response = await fetcher.fetch(Request(f"{corp.url}a/", corp))
        assert (response.body, response.requests) == (b"ok", 3)
        assert len(server.seen) == 3
        assert len(clock.slept) == 2


@pytest.mark.parametrize("status", [501, 505, 506, 508, 511, 525, 599])
async def test_what_will_be_the_same_tomorrow_is_asked_once(status: int) -> None:
    async with bench(reply(b"", status)) as (server, fetcher, _, corp):
        with pytest.raises(BadStatus) as caught:
            await fetcher.fetch(Request(f"{corp.url}a/", corp))
        assert (caught.value.status, caught.value.attempts, caught.value.retryable) == (status, 1, False)
        assert len(server.seen) == 1


@pytest.mark.parametrize("status", [200, 204, 400, 404, 405, 410, 416, 418, 422, 451])
async def test_an_answer_is_an_answer(status: int) -> None:
    async with bench(reply(b"", status)) as (server, fetcher, _, corp):
        assert (await fetcher.fetch(Request(f"{corp.url}a/", corp))).status == status
        assert len(server.seen) == 1


@pytest.mark.parametrize(("trouble", "error"), [(RESET, ConnectFailed), (CLOSE, ConnectFailed), (SHORT, BadResponse)])
async def test_a_broken_transfer_is_asked_again_and_then_named(trouble: Answer, error: type[TransportError]) -> None:
    async with bench(trouble, OK) as (server, fetcher, _, corp):
        assert (await fetcher.fetch(Request(f"{corp.url}a/", corp))).body == b"ok"
        assert len(server.seen) == 2
    async with bench(trouble) as (server, fetcher, _, corp):
        with pytest.raises(error) as caught:
            await fetcher.fetch(Request(f"{corp.url}a/", corp))
        assert caught.value.attempts == 4
        assert len(server.seen) == 4


async def test_mixed_failures_share_one_counter() -> None:
    async with bench(RESET, reply(b"", 503), SHORT, OK) as (server, fetcher, _, corp):
        assert (await fetcher.fetch(Request(f"{corp.url}a/", corp))).requests == 4
    async with bench(RESET, reply(b"", 503), SHORT, RESET, OK) as (server, fetcher, _, corp):
        with pytest.raises(ConnectFailed):
            await fetcher.fetch(Request(f"{corp.url}a/", corp))
        assert len(server.seen) == 4


async def test_a_truncated_page_is_never_stored() -> None:
    cut = reply(b"short", content_length="50", connection="close", cache_control="max-age=600", etag='"1"')
    async with bench(cut, OK, retries=0) as (server, fetcher, _, corp):
        with pytest.raises(BadResponse):
            await fetcher.fetch(Request(f"{corp.url}a/", corp))
        assert (await fetcher.fetch(Request(f"{corp.url}a/", corp))).body == b"ok"
        assert "if-none-match" not in server.seen[1].headers


async def test_nobody_listening_is_worth_one_more_look() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/s/"
        clock = TestClock()
        async with open_stack(TransportSettings(), clock=clock) as fetcher:
            corp = index_from_url("corp", url)
            with pytest.raises(ConnectFailed, match="refused") as caught:
                await fetcher.fetch(Request(f"{corp.url}a/", corp))
        assert (caught.value.kind, caught.value.attempts, len(clock.slept)) == ("refused", 2, 1)


async def test_a_name_that_does_not_exist_is_an_error_of_the_road() -> None:
    async with open_stack(TransportSettings(), clock=TestClock()) as fetcher:
        corp = index_from_url("corp", "http://no-such-host.invalid/s/")
        with pytest.raises(ConnectFailed) as caught:
            await fetcher.fetch(Request(f"{corp.url}a/", corp))
        assert caught.value.kind in {"dns", "dns-temporary"}


@pytest.mark.parametrize(("chance", "waits"), [(0.0, [0.2, 0.2, 0.2]), (0.999999, [0.4, 0.8, 1.6])])
async def test_waits_are_drawn_between_a_floor_and_a_doubling_ceiling(chance: float, waits: list[float]) -> None:
    async with bench(reply(b"", 500), chance=chance) as (_, fetcher, clock, corp):
        with pytest.raises(BadStatus) as caught:
            await fetcher.fetch(Request(f"{corp.url}a/", corp))
        assert clock.slept == pytest.approx(waits, rel=1e-4)
        assert caught.value.attempts == 4


@pytest.mark.parametrize("form", ["seconds", "date"])
async def test_retry_after_is_a_floor_for_everybody_at_that_origin(form: str) -> None:
    clock = TestClock()
    value = "2" if form == "seconds" else formatdate(clock.wall() + 2, usegmt=True)
    arrivals: list[float] = []

    async with bench() as (server, fetcher, clock, corp):

        def answer(_: object) -> bytes:
            arrivals.append(clock.now)
            return reply(b"", 429, retry_after=value) if len(arrivals) == 1 else OK

        server.answers = {"*": answer}
        first = asyncio.create_task(fetcher.fetch(Request(f"{corp.url}a/", corp)))
        await server.saw(1)
        for _ in range(1000):  # the answer is on its way through our own layers
            if clock.slept:
                break
            await asyncio.sleep(0)
        begun = arrivals[0]
        await asyncio.gather(first, *(fetcher.fetch(Request(f"{corp.url}{n}/", corp)) for n in "bcd"))
        assert all(2.0 <= moment - begun < 4.0 for moment in arrivals[1:])
        assert len(arrivals) == 5


@pytest.mark.parametrize("status", [429, 503])
async def test_a_pause_beyond_our_patience_is_told_at_once_and_kept(status: int) -> None:
    async with bench(reply(b"", status, retry_after="3600")) as (server, fetcher, clock, corp):
        for name in "ab":
            with pytest.raises(Paused) as caught:
                await fetcher.fetch(Request(f"{corp.url}{name}/", corp))
            assert caught.value.retry_after == pytest.approx(3600)
        assert clock.slept == []
        assert len(server.seen) == 1


async def test_a_dead_origin_is_left_alone_after_one_budget_and_asked_now_and_then() -> None:
    """F-02: at most 4 requests; the next 100 requests within 10 s cause at most 5 more."""
    async with bench(reply(b"", 503), chance=0.5) as (server, fetcher, clock, corp):
        begun = clock.now
        with pytest.raises(BadStatus):
            await fetcher.fetch(Request(f"{corp.url}a/", corp))
        assert len(server.seen) == 4
        assert clock.now - begun <= 20
        for number in range(100):
            with pytest.raises(TransportError) as caught:
                await fetcher.fetch(Request(f"{corp.url}{number}/", corp))
            clock.now += 0.1
        assert isinstance(caught.value, Paused)
        assert caught.value.kind == "circuit-open"
        assert 0 < (caught.value.retry_after or 0) <= 5
        assert len(server.seen) <= 9
        # Back to life: the first who is let through finds out for all.
        server.answers = {"*": OK}
        clock.now += 5
        answers = await asyncio.gather(*(fetcher.fetch(Request(f"{corp.url}{n}/", corp)) for n in "x"))
        assert answers[0].body == b"ok"
        assert (await fetcher.fetch(Request(f"{corp.url}y/", corp))).body == b"ok"


async def test_a_hiccup_under_many_parallel_requests_opens_no_circuit() -> None:
    async with bench() as (server, fetcher, _, corp):
        server.answers = {f"/s/{n}/": [reply(b"", 503), OK] for n in range(30)}
        answers = await asyncio.gather(*(fetcher.fetch(Request(f"{corp.url}{n}/", corp)) for n in range(30)))
        assert {one.body for one in answers} == {b"ok"}
        assert len(server.seen) == 60


async def test_another_partition_is_not_punished_for_an_open_circuit() -> None:
    def answer(seen: object) -> bytes:
        return reply(b"", 503) if getattr(seen, "headers", {}).get("authorization") else OK

    async with bench(chance=0.5) as (server, fetcher, _, corp):
        server.answers = {"*": answer}
        other = index_from_url("other", server.url.replace("://", "://u:p@") + "/s/")
        with pytest.raises(BadStatus):
            await fetcher.fetch(Request(f"{other.url}a/", other))
        with pytest.raises(Paused):
            await fetcher.fetch(Request(f"{other.url}a/", other))
        assert (await fetcher.fetch(Request(f"{corp.url}a/", corp))).body == b"ok"


async def test_no_more_connections_than_allowed_go_to_one_origin() -> None:
    under_way, peak, opened = 0, 0, asyncio.Event()

    async with index({"*": OK}) as server:

        async def counting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal under_way, peak
            under_way += 1
            peak = max(peak, under_way)
            if under_way == 3:
                opened.set()
            await opened.wait()
            await server.serve(reader, writer)
            under_way -= 1

        listener = await asyncio.start_server(counting, "127.0.0.1", 0)
        corp = index_from_url("corp", f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/s/")
        async with open_stack(TransportSettings(connections_per_origin=3)) as fetcher:
            await asyncio.gather(*(fetcher.fetch(Request(f"{corp.url}{n}/", corp)) for n in range(30)))
        assert peak == 3
        assert len(server.seen) == 30
        listener.close()


async def test_a_kept_connection_that_died_is_counted_as_what_the_server_saw() -> None:
    async with bench(OK, CLOSE, OK) as (server, fetcher, _, corp):
        total = 0
        for _ in range(2):
            total += (await fetcher.fetch(Request(f"{corp.url}a/", corp))).requests
        assert total == len(server.seen) == 3
