"""With several indexes: what the first one does not have, and how often it is asked about it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.service.indexes import Service, Wheel, content, versions
from tests.transport.server import Answer, Server, TestClock, index, reply

from .service import fresh_for, serving, table

Answers = dict[str, Answer | list[Answer]]

A, B = Wheel("a", "1.0", ("b>=1",)), Wheel("b", "1.0")
OURS = Wheel("a", "3.0")


def public() -> Answers:
    return {**content(A, B), "/simple/a/": fresh_for(6000, A), "/simple/b/": fresh_for(6000, B)}


def pages(server: Server) -> list[str]:
    found = sorted(seen.target for seen in server.seen if seen.target.startswith("/simple/"))
    server.seen.clear()
    return found


def absent(**headers: str) -> Answers:
    return {f"/simple/{name}/": reply(b"", 404, **headers) for name in ("a", "b")}


async def test_a_second_lock_asks_no_index_about_names_that_the_first_index_does_not_have(tmp_path: Path) -> None:
    async with (
        index(absent()) as first,
        index(public()) as second,
        serving(tmp_path, table(first), table(second, "public")) as service,
    ):
        assert (await service.lock("a"))[0] == 200
        assert (pages(first), pages(second)) == (["/simple/a/", "/simple/b/"], ["/simple/a/", "/simple/b/"])
        _, lock = await service.lock("a", "b")
        assert (lock["served_from"], lock["stats"]["requests"]) == ("solved", 0)
        assert (await service.lock("a"))[1]["served_from"] == "stored"
        assert (pages(first), pages(second)) == ([], [])


@pytest.mark.parametrize(
    ("headers", "settings", "seconds"),
    [
        ({}, {}, 60),
        ({"cache_control": "max-age=20"}, {}, 20),
        ({"cache_control": "max-age=86400"}, {}, 600),
        ({"cache_control": "max-age=20"}, {"cache_control": {"api": "max-age=100"}}, 100),
        ({}, {"cache_control": {"api": "max-age=86400"}}, 600),
        ({}, {"cache_control": {"api": "max-age=0"}}, 0),
        ({"cache_control": "no-cache"}, {}, 0),
        ({"cache_control": "no-store"}, {}, 0),
        ({"cache_control": "max-age=0"}, {}, 0),
        ({"vary": "*"}, {}, 0),
    ],
)
async def test_that_a_name_is_not_there_is_believed_for_a_time_and_then_asked_again(
    tmp_path: Path, headers: dict[str, str], settings: dict[str, Any], seconds: float
) -> None:
    clock = TestClock()
    async with (
        index(absent(**headers)) as first,
        index(public()) as second,
        serving(tmp_path, table(first, **settings), table(second, "public"), clock=clock) as service,
    ):
        assert (await service.lock("a"))[0] == 200
        pages(first)
        if seconds:
            clock.now += seconds - 1
            assert (await service.lock("a"))[0] == 200
            assert pages(first) == []
        clock.now += 2
        assert (await service.lock("a"))[0] == 200
        assert pages(first) == ["/simple/a/", "/simple/b/"]


@asynccontextmanager
async def gets_it(directory: Path, clock: TestClock) -> AsyncIterator[Service]:
    """The first index does not have the name, and has it when it is asked again."""
    answers: Answers = {
        **content(OURS),
        "/simple/a/": [reply(b"", 404), fresh_for(60, OURS)],
        "/simple/b/": reply(b"", 404),
    }
    async with (
        index(answers) as first,
        index(public()) as second,
        serving(directory, table(first), table(second, "public"), clock=clock) as service,
    ):
        assert versions((await service.lock("a"))[1])["a"][0] == "1.0"
        yield service


async def test_a_name_that_the_first_index_gets_is_its_own_as_soon_as_it_is_asked(tmp_path: Path) -> None:
    clock = TestClock()
    async with gets_it(tmp_path, clock) as service:
        clock.now += 61
        assert versions((await service.lock("a"))[1])["a"][0] == "3.0"


async def test_a_request_with_no_cache_asks_the_first_index_at_once(tmp_path: Path) -> None:
    async with gets_it(tmp_path, TestClock()) as service:
        body = {"requirements": ["a"], "targets": [{"python": "3.13", "platform": "linux"}]}
        async with service.client.post("/v1/lock", json=body, headers={"Cache-Control": "no-cache"}) as response:
            assert versions(await response.json())["a"][0] == "3.0"
        assert versions((await service.lock("a"))[1])["a"][0] == "3.0"


async def test_a_name_that_no_index_has_is_asked_for_each_time_for_it_may_just_have_been_published(
    tmp_path: Path,
) -> None:
    answers: Answers = {**content(OURS), "/simple/a/": [reply(b"", 404), fresh_for(60, OURS)]}
    async with (
        index(answers) as first,
        index({"/simple/a/": reply(b"", 404)}) as second,
        serving(tmp_path, table(first), table(second, "public")) as service,
    ):
        assert (await service.lock("a"))[0] == 422
        status, lock = await service.lock("a")
        assert (status, versions(lock)["a"][0]) == (200, "3.0")


async def test_that_a_name_was_not_there_does_not_stand_in_for_an_index_that_is_down(tmp_path: Path) -> None:
    clock = TestClock()
    goes_down: Answers = {
        f"/simple/{name}/": [reply(b"", 404, cache_control="max-age=60, stale-if-error=6000"), reply(b"", 503)]
        for name in ("a", "b")
    }
    network = {"retries": 0}
    async with (
        index(goes_down) as first,
        index(public()) as second,
        serving(
            tmp_path, table(first, stale_if_error="1h"), table(second, "public"), clock=clock, network=network
        ) as service,
    ):
        assert (await service.lock("a"))[0] == 200
        clock.now += 61
        status, problem = await service.lock("a")
        assert (status, problem["index"]) == (503, "corp")
