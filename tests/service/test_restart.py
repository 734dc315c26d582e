"""A service that starts again over its cache directory: what was parsed once is known, and only to who may know it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.transport.server import Answer, Seen, Server, index, reply

from .indexes import Wheel, basic, content, serving, undated_page, versions

WHEELS = (Wheel("a", "1.0", ("b",)), Wheel("a", "2.0", ("b>=1",)), Wheel("b", "1.0"))


def lasting(answers: Mapping[str, Answer | list[Answer]], control: str = "max-age=600") -> dict[str, Answer]:
    """Return the answers with a lifetime."""
    return {
        target: answer.replace(b"\r\n", f"\r\ncache-control: {control}\r\n".encode(), 1)
        for target, answer in answers.items()
        if isinstance(answer, bytes)
    }


def tables(server: Server, userinfo: str = "", **more: object) -> list[dict[str, Any]]:
    return [{"name": "corp", "url": server.url.replace("://", f"://{userinfo}") + "/simple/", **more}]


def records(directory: Path) -> bytes:
    """Return all that is kept of facts."""
    return b"".join(path.read_bytes() for path in (directory / "cache" / "derived").glob("*.seg"))


async def test_a_restart_needs_neither_the_index_nor_the_bodies_of_its_answers(tmp_path: Path) -> None:
    async with index(lasting(content(*WHEELS))) as server:
        async with serving(tmp_path, tables(server)) as service:
            assert (await service.lock("a"))[0] == 200
        asked = len(server.seen)
        shutil.rmtree(tmp_path / "cache" / "http" / "bodies")
        async with serving(tmp_path, tables(server)) as service:
            status, lock = await service.lock("a<2")
        assert (status, versions(lock)) == (200, {"a": ("1.0", "corp"), "b": ("1.0", "corp")})
        # The metadata of a 1.0 was never asked for before.
        assert [seen.target for seen in server.seen[asked:]] == ["/files/a-1.0-py3-none-any.whl.metadata"]


async def test_a_restart_asks_nobody_for_files_that_were_not_there_or_pages_that_are_fresh(tmp_path: Path) -> None:
    answers = lasting(content(*WHEELS))
    del answers["/files/a-2.0-py3-none-any.whl.metadata"]
    async with index(answers) as server:
        async with serving(tmp_path, tables(server)) as service:
            _, first = await service.lock("a")
        asked = len(server.seen)
        shutil.rmtree(tmp_path / "cache" / "http")
        async with serving(tmp_path, tables(server)) as service:
            status, again = await service.lock("a")
        assert (status, versions(again), len(server.seen)) == (200, versions(first), asked)
        assert versions(again)["a"] == ("1.0", "corp")
        async with serving(tmp_path, tables(server)) as service:
            body = {"requirements": ["a"], "targets": [{"name": "ci", "python": "3.11", "platform": "linux"}]}
            async with service.client.post("/v1/lock", json=body, headers={"Cache-Control": "no-cache"}) as response:
                assert response.status == 200
        assert len(server.seen) > asked  # who wants all to be asked anew is not told what was


@pytest.mark.parametrize("part", [slice(0), slice(300), slice(None, None, -1)])
async def test_facts_that_are_lost_or_damaged_are_parsed_again_from_what_the_cache_has(
    tmp_path: Path, part: slice
) -> None:
    async with index(lasting(content(*WHEELS))) as server:
        async with serving(tmp_path, tables(server)) as service:
            _, first = await service.lock("a")
        asked = len(server.seen)
        for path in (tmp_path / "cache" / "derived").glob("*.seg"):
            path.write_bytes(path.read_bytes()[part])
        async with serving(tmp_path, tables(server)) as service:
            status, again = await service.lock("a", "b")
        assert (status, versions(again), len(server.seen)) == (200, versions(first), asked)


@pytest.mark.parametrize(
    ("said", "settings", "is_kept"),
    [
        ("max-age=600", {}, True),
        ("no-store", {}, False),
        ("max-age=600", {"cache_control": {"api": "no-store", "files": "no-store"}}, False),
        ("no-store", {"cache_control": {"api": "max-age=600", "files": "max-age=600"}}, True),
    ],
)
async def test_facts_outlive_the_process_only_where_the_answers_may(
    tmp_path: Path, said: str, settings: dict[str, Any], *, is_kept: bool
) -> None:
    async with index(lasting(content(*WHEELS), said)) as server:
        async with serving(tmp_path, tables(server, **settings)) as service:
            assert (await service.lock("a"))[0] == 200
        kept = records(tmp_path)
        assert (b"a-2.0-py3-none-any.whl" in kept, b"b>=1" in kept) == (is_kept, is_kept)


async def test_facts_of_one_credential_are_not_anothers(tmp_path: Path) -> None:
    answers = lasting(content(*WHEELS))

    def by_user(target: str) -> Answer:
        def give(seen: Seen) -> bytes:
            is_known = seen.headers.get("authorization") == basic("alice", "right")
            answer = answers[target]
            assert isinstance(answer, bytes)
            return answer if is_known else reply(b"", 401)

        return give

    async with index({target: by_user(target) for target in answers}) as server:
        for userinfo, expected in (("alice:right@", 200), ("alice:wrong@", 502), ("alice:right@", 200)):
            asked = len(server.seen)
            async with serving(tmp_path, tables(server, userinfo)) as service:
                assert (await service.lock("a"))[0] == expected
        assert len(server.seen) == asked  # hers are still there


async def test_files_without_upload_times_are_as_old_after_a_restart_as_they_were_before(tmp_path: Path) -> None:
    answers = {**content(*WHEELS), "/simple/a/": undated_page(*WHEELS[:2])}
    async with index(lasting(answers)) as server:
        for _ in range(2):
            async with serving(tmp_path, tables(server)) as service:
                status, _ = await service.lock("a", options={"exclude_newer": "2024-06-01T00:00:00Z"})
                assert status == 422  # seen today, for all that is known
                status, lock = await service.lock("a", options={"exclude_newer": "2100-01-01T00:00:00Z"})
                assert (status, versions(lock)["a"]) == (200, ("2.0", "corp"))
