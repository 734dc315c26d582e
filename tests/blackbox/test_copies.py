"""What is asked again, what stands in for a sick index, and what the lock says of it (44 to 50, F-25 to F-29)."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.service.indexes import JSON, Wheel, basic, content, metadata, page, versions
from tests.transport.server import HANG, RESET, Answer, Seen, Server, TestClock, index, reply

from .service import SOON, entry, fresh_for, listed, sdist, serving, table, with_headers

A1, A2 = Wheel("a", "1.0"), Wheel("a", "2.0")
Answers = dict[str, Answer | list[Answer]]


def answering(*pages: Answer) -> Answers:
    return {**content(A1, A2), "/simple/a/": list(pages)}


def pages(server: Server) -> list[Seen]:
    return [seen for seen in server.seen if seen.target == "/simple/a/"]


def codes(lock: Mapping[str, list[dict[str, str]]]) -> dict[str, str]:
    return {one["code"]: one["detail"] for one in lock["warnings"]}


@pytest.mark.parametrize("trouble", [reply(b"", 503), RESET, HANG])
async def test_a_stale_copy_stands_in_for_a_sick_index_and_the_lock_says_how_old_it_is(
    tmp_path: Path, trouble: bytes | str
) -> None:
    clock = TestClock()
    answers = answering(fresh_for(60, A1), trouble)
    async with (
        index(answers) as server,
        serving(
            tmp_path, table(server, stale_if_error="24h"), clock=clock, network={"timeout": SOON, "retries": 1}
        ) as service,
    ):
        assert (await service.lock("a"))[1]["warnings"] == []
        clock.now += 7300
        status, lock = await service.lock("a")
        assert (status, versions(lock)) == (200, {"a": ("1.0", "corp")})
        assert codes(lock) == {"stale": "a copy that is 2 hours old was used: index 'corp' did not confirm it"}
        assert {(one["package"], one["index"]) for one in lock["warnings"]} == {("a", "corp")}
        assert clock.slept == []
        assert len(pages(server)) <= 3  # what was kept open may have died of old age, so a reset there is asked again
        async with service.client.post(
            "/v1/lock",
            json={"requirements": ["a"], "targets": [{"python": "3.13", "platform": "linux"}]},
            headers={"cache-control": "no-cache"},
        ) as refused:
            assert refused.status in {503, 504}  # who asks for what is true now is not given what was


async def test_a_stale_copy_is_not_used_beyond_its_time_or_against_the_origins_word(tmp_path: Path) -> None:
    clock = TestClock()
    answers: Answers = {
        **content(A1, Wheel("b", "1.0")),
        "/simple/a/": [fresh_for(60, A1), reply(b"", 503)],
        "/simple/b/": [
            with_headers(page("b", Wheel("b", "1.0")), cache_control="max-age=60, must-revalidate"),
            reply(b"", 503),
        ],
    }
    corp = {"stale_if_error": "1h"}
    network = {"retries": 0}
    async with (
        index(answers) as server,
        serving(tmp_path, table(server, **corp), clock=clock, network=network) as service,
    ):
        assert (await service.lock("a", "b"))[0] == 200
        clock.now += 61
        assert (await service.lock("a"))[0] == 200
        assert (await service.lock("b"))[0] == 503
        clock.now += 3600
        assert (await service.lock("a"))[0] == 503


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_a_refusal_is_believed_although_a_copy_is_there(tmp_path: Path, status: int) -> None:
    clock = TestClock()
    answers = answering(fresh_for(60, A1), reply(b"", status))
    async with index(answers) as server, serving(tmp_path, table(server, stale_if_error="24h"), clock=clock) as service:
        await service.lock("a")
        clock.now += 61
        got, said = await service.lock("a")
        assert (got, said["type"]) == (
            (422, "/problems/resolution-impossible") if status == 404 else (502, "/problems/index-unauthorized")
        )


async def test_a_name_that_is_not_cached_is_unavailable_and_never_unknown(tmp_path: Path) -> None:
    answers: Answers = {"*": reply(b"", 503), **content(A1), "/simple/a/": fresh_for(60, A1)}
    async with (
        index(answers) as server,
        index(content(Wheel("b", "99.0"))) as public,
        serving(tmp_path, table(server, stale_if_error="24h"), table(public, "public")) as service,
    ):
        assert (await service.lock("a"))[0] == 200
        status, said = await service.lock("b")
        assert (status, said["type"], said["index"]) == (503, "/problems/index-unavailable", "corp")
        assert public.seen == []


async def test_twenty_jobs_on_a_copy_within_its_grace_cause_one_request_in_the_background(tmp_path: Path) -> None:
    clock = TestClock()
    grace = "max-age=60, stale-while-revalidate=600"
    first, second = (with_headers(page("a", one), cache_control=grace) for one in (A1, A2))
    async with (
        index({**answering(first, second)}) as server,
        serving(tmp_path, table(server), clock=clock) as service,
    ):
        await service.lock("a")
        clock.now += 61
        jobs = [service.lock("a", options={"exclude_newer": f"2025-01-{day:02}"}) for day in range(1, 21)]
        for status, lock in await asyncio.gather(*jobs):
            assert status == 200
            assert versions(lock)["a"][0] in {"1.0", "2.0"}
        await server.saw(3)
        for _ in range(1000):  # until the answer has been read and stored
            if versions((await service.lock("a"))[1])["a"][0] == "2.0":
                break
        assert versions((await service.lock("a"))[1])["a"][0] == "2.0"
        assert len(pages(server)) == 2


async def test_twenty_cold_jobs_are_one_request_for_each_url(tmp_path: Path) -> None:
    answers = {**content(A1), "/simple/a/": fresh_for(60, A1)}  # one that comes late finds the copy
    async with index(answers) as server, serving(tmp_path, table(server)) as service:
        jobs = [service.lock("a", options={"exclude_newer": f"2025-01-{day:02}"}) for day in range(1, 21)]
        assert {status for status, _ in await asyncio.gather(*jobs)} == {200}
        assert sorted(server.paths) == ["/files/a-1.0-py3-none-any.whl.metadata", "/simple/a/"]


async def test_the_page_of_one_credential_answers_no_other(tmp_path: Path) -> None:
    def by_user(seen: Seen) -> bytes:
        said = seen.headers.get("authorization")
        if said == basic("alice", "right"):
            return fresh_for(600, A1, A2)
        return fresh_for(600, A1) if said is None else reply(b"", 401)

    answers: Answers = {**content(A1, A2), "/simple/a/": by_user}
    async with index(answers) as server:
        for userinfo, expected in (
            ("alice:right@", "2.0"),
            ("alice:wrong@", None),
            ("", "1.0"),
            ("alice:right@", "2.0"),
        ):
            corp = {"name": "corp", "url": server.url.replace("://", f"://{userinfo}") + "/simple/"}
            async with serving(tmp_path, corp) as service:  # one directory for all of them
                status, lock = await service.lock("a")
                assert (status == 200) == (expected is not None)
                assert expected is None or versions(lock) == {"a": (expected, "corp")}
        assert len(pages(server)) == 3  # Alice's own copy answered her the second time


@pytest.mark.parametrize(
    ("control", "age", "after", "asked"),
    [
        ("no-cache, max-age=600", "0", 0, 2),
        ("max-age=600", "700", 0, 2),
        ("MAX-AGE=600", "0", 599, 1),
        ("max-age=600", "500", 99, 1),
        ("max-age=600", "500", 101, 2),
        ("no-store", "0", 0, 2),
    ],
)
async def test_freshness_is_what_the_index_says(
    tmp_path: Path, control: str, age: str, after: float, asked: int
) -> None:
    clock = TestClock()
    answers = answering(with_headers(page("a", A1), cache_control=control, age=age))
    async with index(answers) as server, serving(tmp_path, table(server), clock=clock) as service:
        await service.lock("a")
        clock.now += after
        await service.lock("a")
        assert len(pages(server)) == asked


@pytest.mark.parametrize(
    ("tag", "renewed"), [('W/"1"', {"etag": 'W/"1"'}), ('"1"', {}), ('"1"', {"last_modified": "x"})]
)
async def test_a_page_is_compared_by_its_tag_and_a_304_needs_none(
    tmp_path: Path, tag: str, renewed: Mapping[str, str]
) -> None:
    answers = answering(with_headers(page("a", A1), etag=tag), reply(b"", 304, **{"x_any": "1", **renewed}))
    async with index(answers) as server, serving(tmp_path, table(server)) as service:
        for _ in range(3):
            assert versions((await service.lock("a"))[1]) == {"a": ("1.0", "corp")}
        assert [seen.headers.get("if-none-match") for seen in pages(server)] == [None, tag, tag]


async def test_the_operators_word_replaces_the_indexs_and_an_explicit_refresh_goes_out(tmp_path: Path) -> None:
    answers = answering(with_headers(page("a", A1), cache_control="no-store"))
    async with (
        index(answers) as server,
        serving(tmp_path, table(server, cache_control={"api": "max-age=600"})) as service,
    ):
        await service.lock("a")
        await service.lock("a")
        assert len(pages(server)) == 1
        body = {"requirements": ["a"], "targets": [{"python": "3.13", "platform": "linux"}]}
        async with service.client.post("/v1/lock", json=body, headers={"cache-control": "no-cache"}) as answer:
            assert answer.status == 200
        assert len(pages(server)) == 2


async def test_a_304_to_no_question_and_a_part_of_a_page_are_no_answers(tmp_path: Path) -> None:
    wrong: Answers = {
        "/simple/a/": reply(b"", 304, etag='"1"'),
        "/simple/b/": reply(b"{}", 206, content_range="bytes 0-1/2", content_type=JSON),
    }
    async with index(wrong) as server, serving(tmp_path, table(server), network={"retries": 0}) as service:
        for name in ("a", "b"):
            status, said = await service.lock(name)
            assert (status, said["type"]) == (502, "/problems/index-bad-response")


async def test_one_solve_sees_one_page_however_often_it_changes(tmp_path: Path) -> None:
    wheels = [Wheel("a", f"{number}.0") for number in range(1, 9)]
    growing = [page("a", *wheels[:count]) for count in range(1, 9)]
    b, c = Wheel("b", "1.0", ("a",)), Wheel("c", "1.0", ("a>=1", "b"))
    answers: Answers = {**content(*wheels, b, c), "/simple/a/": [*growing]}
    targets = [{"python": python, "platform": "linux"} for python in ("3.11", "3.12", "3.13")]
    async with index(answers) as server, serving(tmp_path, table(server)) as service:
        for number in range(1, 4):
            status, lock = await service.lock("b", "c", "a", targets=targets)
            assert (status, versions(lock)["a"]) == (200, (f"{number}.0", "corp"))
            assert len(pages(server)) == number


async def test_another_file_or_version_takes_the_place_of_one_that_is_not_there(tmp_path: Path) -> None:
    body = sdist("a", "2.0")
    metadata_of = {"core-metadata": True}
    gone = entry("a-2.0-py3-none-any.whl", b"", **metadata_of)
    older = entry("a-1.0-py3-none-any.whl", b"", **metadata_of)
    answers: Answers = {
        **content(A1),
        "/files/a-1.0-py3-none-any.whl.metadata": reply(metadata("a", "1.0")),
        "/files/a-2.0.tar.gz": reply(body),
        "/simple/a/": [listed("a", gone, entry("a-2.0.tar.gz", body), older), listed("a", gone, older)],
    }
    async with index(answers) as server, serving(tmp_path, table(server)) as service:
        status, lock = await service.lock("a")
        assert (status, versions(lock)) == (200, {"a": ("2.0", "corp")})
        assert [file["filename"] for file in lock["packages"][0]["files"]] == ["a-2.0.tar.gz"]
        assert "a-2.0-py3-none-any.whl" in codes(lock)["file-missing"]
        status, lock = await service.lock("a")
        assert (status, versions(lock)) == (200, {"a": ("1.0", "corp")})
        assert "a 2.0 was passed over" in codes(lock)["file-missing"]
        answers["/simple/a/"] = listed("a", gone)
        server.used.clear()
        status, said = await service.lock("a")
        assert (status, said["type"]) == (422, "/problems/resolution-impossible")
        assert "a-2.0-py3-none-any.whl" in said["detail"]


async def test_metadata_that_is_not_what_was_promised_names_the_file_and_both_hashes(tmp_path: Path) -> None:
    good, bad = metadata("a", "1.0"), metadata("a", "1.0", "evil")
    answers: Answers = {**content(A1), "/files/a-1.0-py3-none-any.whl.metadata": [reply(bad), reply(good)]}
    answers["/simple/a/"] = fresh_for(600, A1)
    async with index(answers) as server, serving(tmp_path, table(server)) as service:
        status, said = await service.lock("a")
        assert (status, said["type"], said["retryable"]) == (502, "/problems/hash-mismatch", False)
        assert "a-1.0-py3-none-any.whl.metadata" in said["detail"]
        assert all(hashlib.sha256(body).hexdigest() in said["detail"] for body in (good, bad))
        assert (await service.lock("a"))[0] == 200  # nothing was kept
        assert len(server.paths) == 3
