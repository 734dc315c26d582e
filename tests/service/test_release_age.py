"""Release ages on an index that gives upload times: the same age a little later is the same question."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.service.indexes import JSON, Service, Wheel, serving, versions
from tests.transport.server import Answer, Server, TestClock, index, reply

DAY = 86_400.0
START = 1_789_430_400.0  # 2026-09-15T00:00:00Z
WEEK = {"exclude_newer": "P7D"}
A1, A2, B1 = Wheel("a", "1.0", ("b",)), Wheel("a", "2.0", ("b",)), Wheel("b", "1.0")


def uploaded(**times: str) -> dict[str, Answer | list[Answer]]:
    """An index whose pages are fresh for a month: files with their upload times."""
    wheels = {"a1": A1, "a2": A2, "b1": B1}
    answers: dict[str, Answer | list[Answer]] = {"*": reply(b"", 404)}
    for name in ("a", "b"):
        files: list[dict[str, Any]] = []
        for key, time in times.items():
            wheel = wheels[key]
            if wheel.name == name:
                sha256 = hashlib.sha256(wheel.metadata).hexdigest()
                files.append(
                    {
                        "filename": wheel.filename,
                        "url": f"/files/{wheel.filename}",
                        "hashes": {"sha256": sha256},
                        "core-metadata": {"sha256": sha256},
                        "upload-time": time,
                    }
                )
                answers[f"/files/{wheel.filename}.metadata"] = reply(wheel.metadata)
        body = orjson.dumps({"meta": {"api-version": "1.1"}, "name": name, "files": files})
        answers[f"/simple/{name}/"] = reply(body, content_type=JSON, cache_control="max-age=2592000")
    return answers


@asynccontextmanager
async def indexed(
    directory: Path, answers: dict[str, Answer | list[Answer]], **settings: Any
) -> AsyncIterator[tuple[TestClock, Server, Service]]:
    clock = TestClock()
    clock.epoch, clock.now = START, 0.0
    async with index(answers) as server:
        table = {"name": "corp", "url": f"{server.url}/simple/", "default": True}
        async with serving(directory, [table], clock=clock, **settings) as service:
            yield clock, server, service


def told(answer: tuple[int, dict[str, Any]]) -> tuple[str, str]:
    status, lock = answer
    assert status == 200, lock
    return lock["served_from"], versions(lock)["a"][0]


UPLOADS = uploaded(a1="2026-01-01T00:00:00Z", a2="2026-09-10T00:00:00Z", b1="2026-01-01T00:00:00Z")


async def test_an_answer_under_an_age_is_stored_until_the_age_admits_another_file(tmp_path: Path) -> None:
    async with indexed(tmp_path, UPLOADS) as (clock, _, service):
        assert told(await service.lock("a", options=WEEK)) == ("solved", "1.0")
        clock.now += 1.5
        assert told(await service.lock("a", options=WEEK)) == ("stored", "1.0")
        clock.now = 2 * DAY  # a 2.0 is seven days old, and counts from the next instant on
        assert told(await service.lock("a", options=WEEK)) == ("stored", "1.0")
        clock.now += 1e-3
        assert told(await service.lock("a", options=WEEK)) == ("solved", "2.0")
        assert told(await service.lock("a", options=WEEK)) == ("stored", "2.0")
        clock.now += 20 * DAY  # nothing is left that could begin to count
        assert told(await service.lock("a", options=WEEK)) == ("stored", "2.0")


async def test_a_clock_that_was_set_back_is_noticed(tmp_path: Path) -> None:
    async with indexed(tmp_path, UPLOADS) as (clock, _, service):
        clock.now = 3 * DAY
        assert told(await service.lock("a", options=WEEK)) == ("solved", "2.0")
        clock.epoch -= 2 * DAY
        assert told(await service.lock("a", options=WEEK)) == ("solved", "1.0")


@pytest.mark.parametrize("more", [{"a": {"exclude_newer": "P1D"}}, {"a": {"exclude_newer": False}}])
async def test_an_age_of_one_package_has_a_time_of_its_own(tmp_path: Path, more: dict[str, Any]) -> None:
    answers = uploaded(a1="2026-01-01T00:00:00Z", a2="2026-09-14T12:00:00Z", b1="2026-01-01T00:00:00Z")
    lifted = more["a"]["exclude_newer"] is False
    async with indexed(tmp_path, answers) as (clock, _, service):
        options = {**WEEK, "packages": more}
        first = "2.0" if lifted else "1.0"
        assert told(await service.lock("a", options=options)) == ("solved", first)
        clock.now += 0.4 * DAY
        assert told(await service.lock("a", options=options)) == ("stored", first)
        clock.now += 0.2 * DAY
        assert told(await service.lock("a", options=options)) == ("stored" if lifted else "solved", "2.0")


async def test_the_servers_own_floor_keeps_answers_as_well_and_warns_whom_it_concerns_only(tmp_path: Path) -> None:
    policy = {"min_release_age": "P7D"}
    async with indexed(tmp_path, UPLOADS, policy=policy) as (clock, _, service):
        assert told(await service.lock("a")) == ("solved", "1.0")
        clock.now += 60
        assert told(await service.lock("a")) == ("stored", "1.0")
        late = {"exclude_newer": "2026-09-14T00:00:00Z"}
        status, lock = await service.lock("a", options=late)
        assert (status, lock["served_from"], [one["code"] for one in lock["warnings"]]) == (
            *(200, "solved"),
            ["release-age-floor"],
        )
        clock.now += 1.9 * DAY
        assert [one["code"] for one in (await service.lock("a", options=late))[1]["warnings"]] == ["release-age-floor"]
        clock.now += 30 * DAY  # now the floor has passed the instant, which is what counts
        status, lock = await service.lock("a", options=late)
        assert (status, versions(lock)["a"][0], lock["warnings"]) == (200, "2.0", [])


async def test_a_question_that_was_never_asked_needs_no_request_under_an_age_either(tmp_path: Path) -> None:
    async with indexed(tmp_path, UPLOADS) as (clock, server, service):
        assert told(await service.lock("a", options=WEEK)) == ("solved", "1.0")
        clock.now += 60
        server.seen.clear()
        assert told(await service.lock("a", "b", options=WEEK)) == ("solved", "1.0")
        assert server.seen == []
