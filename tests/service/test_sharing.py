"""Requests in flight: shared, abandoned, turned away."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from service.flights import Flights
from service.handlers import LOCKS
from service.problems import Problem
from tests.service.support import TARGET, Service, serving

BODY = {"requirements": ["a"], "targets": [TARGET]}


def _waiters(service: Service) -> int:
    return sum(flight.waiters for flight in service.app[LOCKS]._flights._flights.values())


async def _until_waiting(service: Service, count: int) -> None:
    """Let the loop turn until ``count`` requests wait for a solve."""
    while _waiters(service) != count:  # noqa: ASYNC110 - the sockets' loop turns, nobody sets an event
        await asyncio.sleep(0)


async def test_identical_requests_share_one_solve(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        service.resolver.is_open.clear()
        asked = [asyncio.create_task(service.lock("a")) for _ in range(20)]
        await _until_waiting(service, 20)
        service.resolver.is_open.set()
        answers = await asyncio.gather(*asked)
    assert len(service.resolver.queries) == 1
    assert sorted(answer["served_from"] for _, answer in answers) == ["joined"] * 19 + ["solved"]
    assert len({answer["id"] for _, answer in answers}) == 1


async def test_a_client_that_goes_away_cancels_its_work(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        service.resolver.is_open.clear()
        asked = asyncio.create_task(service.lock("a"))
        await service.resolver.started.acquire()
        asked.cancel()
        await service.resolver.cancelled.acquire()
        service.resolver.is_open.set()
        assert (await service.lock("a"))[1]["served_from"] == "solved"


async def test_a_client_that_goes_away_leaves_the_work_to_who_shares_it(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        service.resolver.is_open.clear()
        first = asyncio.create_task(service.lock("a"))
        await service.resolver.started.acquire()
        second = asyncio.create_task(service.lock("a"))
        await _until_waiting(service, 2)
        first.cancel()
        await _until_waiting(service, 1)
        service.resolver.is_open.set()
        status, answer = await second
    assert (status, answer["served_from"]) == (200, "joined")
    assert len(service.resolver.queries) == 1


async def test_what_does_not_fit_in_the_queue_is_told_to_come_back(tmp_path: Path) -> None:
    limits = {"service": {"max_concurrent_solves": 1, "max_waiting_solves": 1}}
    async with serving(tmp_path, "a 1.0\nb 1.0\nc 1.0", settings=limits) as service:
        service.resolver.is_open.clear()
        running = asyncio.create_task(service.lock("a"))
        await service.resolver.started.acquire()
        waiting = asyncio.create_task(service.lock("b"))
        await _until_waiting(service, 2)
        async with service.client.post("/v1/lock", json={**BODY, "requirements": ["c"]}) as response:
            problem = await response.json(content_type=None)
        assert (response.status, problem["type"], problem["retryable"]) == (429, "/problems/overloaded", True)
        assert int(response.headers["Retry-After"]) > 0
        service.resolver.is_open.set()
        assert [status for status, _ in await asyncio.gather(running, waiting)] == [200, 200]
        assert (await service.lock("c"))[0] == 200


async def test_who_waits_too_long_is_told_to_come_back(tmp_path: Path) -> None:
    limits = {"service": {"max_concurrent_solves": 1, "max_wait": 0.01}}
    async with serving(tmp_path, "a 1.0\nb 1.0", settings=limits) as service:
        service.resolver.is_open.clear()
        running = asyncio.create_task(service.lock("a"))
        await service.resolver.started.acquire()
        assert (await service.lock("b"))[0] == 429
        service.resolver.is_open.set()
        assert (await running)[0] == 200


async def test_an_error_is_shared_by_who_waits_and_forgotten() -> None:
    flights: Flights[int] = Flights()
    release = asyncio.Event()

    async def fail() -> int:
        await release.wait()
        raise KeyError("x")

    async def succeed() -> int:
        return 1

    waiting = [asyncio.create_task(flights.join("k", fail)) for _ in range(3)]
    await asyncio.sleep(0)
    release.set()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [KeyError] * 3
    assert await flights.join("k", succeed) == (1, False)
    assert len(flights) == 0


async def test_who_comes_after_all_have_left_starts_anew() -> None:
    flights: Flights[str] = Flights()
    has_begun, may_end = asyncio.Event(), asyncio.Event()

    async def slow_to_end() -> str:
        has_begun.set()
        try:
            return await asyncio.Future()
        finally:
            await may_end.wait()

    async def fresh() -> str:
        return "fresh"

    first = asyncio.create_task(flights.join("k", slow_to_end))
    await has_begun.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert await flights.join("k", fresh) == ("fresh", False)
    may_end.set()


async def test_work_that_is_stopped_says_so_to_its_waiters() -> None:
    flights: Flights[bool] = Flights()
    waiting = asyncio.create_task(flights.join("k", asyncio.Event().wait))
    await asyncio.sleep(0)
    await flights.close()
    with pytest.raises(Problem, match="draining"):
        await waiting
