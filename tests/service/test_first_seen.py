"""Release ages on an index that gives no upload times: files count from when the service first saw them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.service.indexes import Service, Wheel, content, serving, undated_page, versions
from tests.transport.server import Answer, Server, TestClock, index, reply

OLD, NEW = Wheel("a", "1.0"), Wheel("a", "2.0")
WEEK = {"exclude_newer": "P7D"}
START = "2026-09-15T00:00:00Z"


@dataclass
class Days:
    """An index without upload times, of one project that begins with :data:`OLD` on the day :data:`START`; a clock."""

    answers: dict[str, Answer | list[Answer]] = field(default_factory=lambda: {"*": reply(b"", 404)})
    clock: TestClock = field(default_factory=TestClock)

    def __post_init__(self) -> None:
        self.clock.epoch = 1_789_430_400.0
        self.clock.now = 0.0
        self.list(OLD)

    def list(self, *wheels: Wheel) -> None:
        self.answers["/simple/a/"] = undated_page(*wheels)
        for wheel in wheels:
            self.answers[f"/files/{wheel.filename}.metadata"] = reply(wheel.metadata)

    def pass_by(self, days: float) -> None:
        self.clock.now += days * 86_400

    @asynccontextmanager
    async def serving(self, directory: Path, server: Server, **settings: Any) -> AsyncIterator[Service]:
        table = {"name": "corp", "url": f"{server.url}/simple/", "default": True}
        async with serving(directory, [table], clock=self.clock, **settings) as service:
            yield service

    @asynccontextmanager
    async def indexed(self, directory: Path, **settings: Any) -> AsyncIterator[Service]:
        """Serve the index, and the service over it."""
        async with index(self.answers) as server, self.serving(directory, server, **settings) as service:
            yield service


@asynccontextmanager
async def seen(directory: Path) -> AsyncIterator[tuple[Days, Service]]:
    """An index on its first day, and a service that has seen it."""
    days = Days()
    async with days.indexed(directory) as service:
        await service.lock("a")
        yield days, service


@asynccontextmanager
async def remembered(directory: Path) -> AsyncIterator[tuple[Days, Server]]:
    """An index on its first day, and what a service that has ended left of it in the directory."""
    days = Days()
    async with index(days.answers) as server:
        async with days.serving(directory, server) as service:
            await service.lock("a")
        yield days, server


def locked(answer: tuple[int, dict[str, Any]]) -> str:
    status, body = answer
    assert status == 200, body
    return versions(body)["a"][0]


async def test_a_file_without_an_upload_time_counts_from_when_it_was_first_seen(tmp_path: Path) -> None:
    days = Days()
    async with days.indexed(tmp_path) as service:
        status, problem = await service.lock("a", options=WEEK)
        assert (status, problem["type"].rpartition("/")[2]) == (422, "resolution-impossible")
        said = f"the index gives none; this service saw it first on {START}"
        assert said in problem["detail"]
        (hint,) = problem["hints"]
        assert f"this service saw it first on {START}" in hint
        assert "exclude_newer = false for a" in hint
        days.pass_by(6.9)
        assert (await service.lock("a", options=WEEK))[0] == 422
        days.pass_by(0.1)
        status, answer = await service.lock("a", options=WEEK)
        assert versions(answer)["a"][0] == "1.0"
        assert answer["warnings"] == []
        assert answer["packages"][0]["flags"] == ["no-upload-time"]
        assert answer["packages"][0]["files"][0]["upload_time"] is None


async def test_what_is_left_out_is_told_with_the_day_from_which_it_counts(tmp_path: Path) -> None:
    async with seen(tmp_path) as (days, service):
        days.pass_by(6)
        days.list(OLD, NEW)
        assert locked(await service.lock("a")) == "2.0"
        days.pass_by(2)
        first = await service.lock("a", options=WEEK)
        assert locked(first) == "1.0"
        (warning,) = first[1]["warnings"]
        assert (warning["code"], warning["package"], warning["index"]) == ("no-upload-time", "a", "corp")
        assert warning["detail"] == (
            "1 release gives no upload time and was left out by exclude_newer; this service saw it first on"
            " 2026-09-21T00:00:00Z, and will admit it from 2026-09-28T00:00:00Z on"
        )
        absolute = await service.lock("a", options={"exclude_newer": "2026-09-20T00:00:00Z"})
        assert locked(absolute) == "1.0"
        assert absolute[1]["warnings"][0]["detail"].endswith("this service saw it first on 2026-09-21T00:00:00Z")
        exactly = await service.lock("a", options={"exclude_newer": "2026-09-21T00:00:00Z"})
        assert locked(exactly) == "2.0"
        days.pass_by(5)
        assert locked(await service.lock("a", options=WEEK)) == "2.0"


async def test_a_package_can_be_exempt_and_have_a_limit_of_its_own(tmp_path: Path) -> None:
    days = Days()
    async with days.indexed(tmp_path) as service:
        lifted = {**WEEK, "packages": {"a": {"exclude_newer": False}}}
        assert locked(await service.lock("a", options=lifted)) == "1.0"
        shorter = {**WEEK, "packages": {"a": {"exclude_newer": "P1D"}}}
        assert (await service.lock("a", options=shorter))[0] == 422
        days.pass_by(1)
        assert (await service.lock("a", options=WEEK))[0] == 422
        assert locked(await service.lock("a", options=shorter)) == "1.0"


async def test_the_floor_of_the_server_counts_from_the_first_sighting_and_cannot_be_lifted(tmp_path: Path) -> None:
    days = Days()
    policy = {"min_release_age": "P7D"}
    async with days.indexed(tmp_path, policy=policy) as service:
        lifted = {"packages": {"a": {"exclude_newer": False}}}
        assert (await service.lock("a"))[0] == (await service.lock("a", options=lifted))[0] == 422
        days.pass_by(7)
        assert locked(await service.lock("a")) == "1.0"
        days.list(OLD, NEW)
        days.pass_by(1)
        answer = await service.lock("a", options=lifted)
        assert locked(answer) == "1.0"
        assert [one["code"] for one in answer[1]["warnings"]] == ["no-upload-time", "release-age-floor"]
        assert "will admit it from 2026-09-30T00:00:00Z on" in answer[1]["warnings"][0]["detail"]


async def test_what_was_seen_is_known_after_a_restart(tmp_path: Path) -> None:
    days = Days()
    async with index(days.answers) as server:
        async with days.serving(tmp_path, server) as service:
            assert (await service.lock("a", options=WEEK))[0] == 422
        days.pass_by(8)
        async with days.serving(tmp_path, server) as service:
            assert locked(await service.lock("a", options=WEEK)) == "1.0"
        async with days.serving(tmp_path / "elsewhere", server) as service:
            assert (await service.lock("a", options=WEEK))[0] == 422


async def test_other_bytes_under_an_old_name_are_a_new_file(tmp_path: Path) -> None:
    async with seen(tmp_path) as (days, service):
        days.pass_by(8)
        days.list(Wheel("a", "1.0", ("b",)))
        status, problem = await service.lock("a", options=WEEK)
        assert status == 422
        assert "first on 2026-09-23T00:00:00Z" in problem["detail"]
        days.list(OLD)
        days.pass_by(1)
        assert locked(await service.lock("a", options=WEEK)) == "1.0"


@pytest.mark.parametrize("is_configured", [True, False])
async def test_what_one_credential_saw_dates_nothing_for_another(tmp_path: Path, *, is_configured: bool) -> None:
    days = Days()

    async def ask(server: Server, user: str) -> int:
        url = f"http://{user}:secret@127.0.0.1:{server.port}/simple/"
        tables = [{"name": "corp", "url": url, "default": True}] if is_configured else []
        more = {} if is_configured else {"indexes": [{"name": "mine", "url": url}]}
        policy = {"index_urls": "loopback", "private_addresses": "allow"}
        async with serving(tmp_path, tables, clock=days.clock, policy=policy) as service:
            return (await service.lock("a", options=WEEK, **more))[0]

    async with index(days.answers) as server:
        assert await ask(server, "one") == 422
        days.pass_by(8)
        assert await ask(server, "two") == 422
        assert await ask(server, "one") == 200


async def test_pages_that_stay_the_same_are_noted_once(tmp_path: Path) -> None:
    async with remembered(tmp_path) as (days, server):
        files = sorted((tmp_path / "cache" / "first-seen").iterdir())
        assert [file.name for file in files] == ["1.sqlite"]
        before = files[0].read_bytes()
        async with days.serving(tmp_path, server) as service:
            for _ in range(3):
                days.pass_by(0.1)
                await service.lock("a")
        assert files[0].read_bytes() == before


async def test_an_index_with_upload_times_needs_no_ledger(tmp_path: Path) -> None:
    days = Days()
    async with index({"*": reply(b"", 404), **content(OLD)}) as server, days.serving(tmp_path, server) as service:
        assert locked(await service.lock("a", options=WEEK)) == "1.0"
        assert not (tmp_path / "cache" / "first-seen").exists()


async def test_a_ledger_that_cannot_be_read_costs_the_past_and_no_answer(tmp_path: Path) -> None:
    async with remembered(tmp_path) as (days, server):
        (tmp_path / "cache" / "first-seen" / "1.sqlite").write_bytes(b"\xff" * 8192)
        days.pass_by(8)
        async with days.serving(tmp_path, server) as service:
            assert (await service.lock("a", options=WEEK))[0] == 422
            assert locked(await service.lock("a")) == "1.0"
        days.pass_by(8)
        async with days.serving(tmp_path, server) as service:
            assert locked(await service.lock("a", options=WEEK)) == "1.0"
