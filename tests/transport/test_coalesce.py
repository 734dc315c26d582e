"""One flight for identical requests, and nobody falls out of it with another."""

from __future__ import annotations

import asyncio

import pytest

from transport.credentials import index_from_url
from transport.errors import BadStatus
from transport.message import CacheStatus, Request
from transport.stack import TransportSettings, open_stack

from .server import HANG, TestClock, index, reply


async def test_a_thousand_cold_requests_are_one_upstream() -> None:
    async with index({"*": reply(b"ok")}) as server, open_stack(TransportSettings()) as fetcher:
        corp = index_from_url("corp", f"{server.url}/s/")
        answers = await asyncio.gather(*(fetcher.fetch(Request(f"{corp.url}a/", corp)) for _ in range(1000)))
        assert {one.body for one in answers} == {b"ok"}
        assert len(server.seen) == 1
        assert sum(one.requests for one in answers) == 1
        assert [one.cache for one in answers].count(CacheStatus.JOINED) == 999


async def test_followers_get_their_answer_when_the_leader_is_cancelled() -> None:
    opened = asyncio.Event()

    async with index({"*": reply(b"ok")}) as server, open_stack(TransportSettings()) as fetcher:

        async def gated(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await opened.wait()
            await server.serve(reader, writer)

        gate = await asyncio.start_server(gated, "127.0.0.1", 0)
        corp = index_from_url("corp", f"http://127.0.0.1:{gate.sockets[0].getsockname()[1]}/s/")
        request = Request(f"{corp.url}a/", corp)
        leader = asyncio.create_task(fetcher.fetch(request))
        await asyncio.sleep(0)
        followers = [asyncio.create_task(fetcher.fetch(request)) for _ in range(10)]
        await asyncio.sleep(0)
        leader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leader
        opened.set()
        answers = await asyncio.gather(*followers)
        assert {one.body for one in answers} == {b"ok"}
        assert len(server.seen) == 1
        gate.close()


async def test_the_last_one_to_leave_cancels_the_work_and_the_next_one_starts_anew() -> None:
    async with index({"*": [HANG, reply(b"ok")]}) as server, open_stack(TransportSettings()) as fetcher:
        corp = index_from_url("corp", f"{server.url}/s/")
        request = Request(f"{corp.url}a/", corp)
        waiting = [asyncio.create_task(fetcher.fetch(request)) for _ in range(3)]
        await server.saw(1)
        for task in waiting:
            task.cancel()
        # Comes before the cancelled flight has landed, and must not board it.
        late = asyncio.create_task(fetcher.fetch(request))
        assert all(
            isinstance(one, asyncio.CancelledError) for one in await asyncio.gather(*waiting, return_exceptions=True)
        )
        assert (await late).body == b"ok"
        assert len(server.seen) == 2


async def test_cancelled_work_closes_its_connection() -> None:
    async with index({"*": HANG}) as server, open_stack(TransportSettings()) as fetcher:
        corp = index_from_url("corp", f"{server.url}/s/")
        task = asyncio.create_task(fetcher.fetch(Request(f"{corp.url}a/", corp)))
        await server.saw(1)
        task.cancel()
        await asyncio.wait_for(server.is_deserted(), 5)
        assert task.cancelled()


async def test_a_failure_is_everybodys_and_is_not_remembered() -> None:
    async with (
        index({"*": [reply(b"", 501), reply(b"ok")]}) as server,
        open_stack(TransportSettings(), clock=TestClock()) as fetcher,
    ):
        corp = index_from_url("corp", f"{server.url}/s/")
        request = Request(f"{corp.url}a/", corp)
        failures = await asyncio.gather(*(fetcher.fetch(request) for _ in range(5)), return_exceptions=True)
        assert all(isinstance(one, BadStatus) for one in failures)
        assert (await fetcher.fetch(request)).body == b"ok"
        assert len(server.seen) == 2


async def test_different_credentials_never_share_a_flight() -> None:
    async with index({"*": reply(b"ok")}) as server, open_stack(TransportSettings()) as fetcher:
        indexes = [index_from_url("corp", server.url.replace("://", f"://u:{n}@") + "/s/") for n in range(5)]
        await asyncio.gather(*(fetcher.fetch(Request(f"{one.url}a/", one)) for one in indexes))
        assert len({seen.headers["authorization"] for seen in server.seen}) == 5


async def test_closing_the_stack_ends_what_is_under_way() -> None:
    async with index({"*": HANG}) as server:
        corp = index_from_url("corp", f"{server.url}/s/")
        async with open_stack(TransportSettings()) as fetcher:
            task = asyncio.create_task(fetcher.fetch(Request(f"{corp.url}a/", corp)))
            await server.saw(1)
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(server.is_deserted(), 5)
