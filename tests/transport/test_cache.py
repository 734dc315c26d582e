"""The cache over real sockets: what is asked again, what is served, and to whom."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from transport import shelf
from transport.credentials import index_from_url
from transport.errors import AddressDenied, BadResponse, BadStatus, TransportError
from transport.fetch import Fetcher
from transport.message import CacheStatus, Index, Kind, Request, Response
from transport.stack import TransportSettings, open_stack

from .server import RESET, Answer, Seen, Server, TestClock, index, reply

HIT, MISS, STALE, REVALIDATED = CacheStatus.HIT, CacheStatus.MISS, CacheStatus.STALE, CacheStatus.REVALIDATED


class Bench:
    """A server, a stack with a clock of its own, and one index."""

    def __init__(self, server: Server, fetcher: Fetcher, clock: TestClock, corp: Index) -> None:
        self.server, self.fetcher, self.clock, self.corp = server, fetcher, clock, corp

    async def get(self, path: str = "a/", kind: Kind = Kind.PAGE, *, refresh: bool = False, **headers: str) -> Response:
        named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
        return await self.fetcher.fetch(Request(self.corp.url + path, self.corp, kind, named, refresh=refresh))


@asynccontextmanager
async def bench(
    *answers: bytes | str, cache_dir: Path | None = None, clock: TestClock | None = None, **fields: object
) -> AsyncIterator[Bench]:
    clock = clock or TestClock()
    settings = TransportSettings(cache_dir=cache_dir, retries=0)
    async with index({"*": list(answers)}) as server, open_stack(settings, clock=clock) as fetcher:
        yield Bench(server, fetcher, clock, index_from_url("corp", f"{server.url}/s/", **fields))


def contents(directory: Path) -> bytes:
    """Return all that a directory holds."""
    return b"".join(path.read_bytes() for path in directory.rglob("*") if path.is_file())


async def test_a_fresh_answer_is_served_without_a_request_and_ages() -> None:
    async with bench(reply(b"one", cache_control="max-age=60", age="5")) as on:
        assert (await on.get()).cache is MISS
        on.clock.now += 54
        again = await on.get()
        assert (again.cache, again.requests, again.body, again.age) == (HIT, 0, b"one", 59)
        on.clock.now += 1
        assert (await on.get()).cache is MISS
        assert len(on.server.seen) == 2


async def test_a_stale_answer_is_asked_for_with_its_validator_and_renewed_by_a_304() -> None:
    async with bench(
        reply(b"one", cache_control="max-age=60", etag='W/"1"'),
        reply(status=304, cache_control="max-age=60", last_modified="Sun, 06 Nov 1994 08:49:37 GMT"),
        reply(status=304, cache_control="max-age=60"),
    ) as on:
        first = await on.get()
        for _ in range(2):
            on.clock.now += 61
            again = await on.get()
            assert (again.cache, again.requests) == (REVALIDATED, 1)
            assert (again.body, again.digest, again.age) == (first.body, first.digest, 0)
            assert (await on.get()).cache is HIT
        # The 304 with only a Last-Modified did not cost us the tag.
        assert [one.headers.get("if-none-match") for one in on.server.seen] == [None, 'W/"1"', 'W/"1"']


async def test_a_page_without_any_freshness_is_revalidated_each_time_and_its_metadata_rests() -> None:
    async with bench(reply(b"one", etag='"1"'), reply(status=304)) as on:
        await on.get()
        assert (await on.get()).cache is REVALIDATED
        await on.get("a.metadata", Kind.METADATA)
        assert len(on.server.seen) == 3
    async with bench(reply(b"metadata")) as on:
        await on.get("a.metadata", Kind.METADATA)
        assert (await on.get("a.metadata", Kind.METADATA)).cache is HIT


async def test_a_refresh_goes_out_whatever_the_freshness() -> None:
    async with bench(reply(b"one", cache_control="max-age=60, immutable", etag='"1"'), reply(status=304)) as on:
        await on.get()
        assert (await on.get(refresh=True)).cache is REVALIDATED
        assert on.server.seen[1].headers["cache-control"] == "no-cache"
        assert on.server.seen[1].headers["if-none-match"] == '"1"'


async def test_a_304_to_no_question_is_an_error_and_one_about_another_tag_asks_for_the_whole() -> None:
    async with bench(reply(status=304)) as on:
        with pytest.raises(BadResponse) as caught:
            await on.get()
        assert caught.value.kind == "unexpected-304"
    async with bench(reply(b"one", etag='"1"'), reply(status=304, etag='"2"'), reply(b"two", etag='"2"')) as on:
        await on.get()
        again = await on.get()
        assert (again.body, again.cache, again.requests) == (b"two", MISS, 2)
        assert "if-none-match" not in on.server.seen[2].headers


async def test_a_part_for_the_whole_is_an_error_and_parts_that_were_asked_for_are_kept() -> None:
    async with bench(reply(b"tail", 206, content_range="bytes 6-9/10")) as on:
        with pytest.raises(BadResponse):
            await on.get()
        for expected in (MISS, HIT):
            part = await on.get("a.whl", Kind.RANGE, range="bytes=-4")
            assert (part.status, part.cache, part.headers["content-range"]) == (206, expected, "bytes 6-9/10")
        assert (await on.get("a.whl", Kind.RANGE, range="bytes=-8")).cache is MISS


async def test_a_whole_copy_answers_parts_heads_and_conditions_and_is_asked_for_once() -> None:
    whole = reply(b"0123456789", cache_control="max-age=60", etag='"1"')
    async with bench(whole) as on:
        await on.get("a.whl", Kind.RANGE)
        part = await on.get("a.whl", Kind.RANGE, range="bytes=-4")
        assert (part.status, part.body, part.headers["content-range"]) == (206, b"6789", "bytes 6-9/10")
        assert part.digest == hashlib.sha256(b"6789").hexdigest()
        same = await on.get("a.whl", Kind.RANGE, if_none_match='"1"')
        other = await on.get("a.whl", Kind.RANGE, if_none_match='"2"')
        assert (same.status, same.body, other.status, other.body) == (304, b"", 200, b"0123456789")
        head = await on.fetcher.fetch(Request(on.corp.url + "a.whl", on.corp, Kind.RANGE, method="HEAD"))
        assert (head.status, head.body, head.headers["content-length"]) == (200, b"", "10")
        assert {part.cache, same.cache, other.cache, head.cache} == {HIT}
        assert len(on.server.seen) == 1


async def test_a_stale_copy_is_validated_with_our_tag_before_it_answers_the_callers() -> None:
    async with bench(
        reply(b"one", cache_control="max-age=60", etag='"1"'),
        reply(status=304, cache_control="max-age=60"),
        reply(b"two", cache_control="max-age=60", etag='"2"'),
    ) as on:
        await on.get()
        on.clock.now += 61
        assert (await on.get(if_none_match='"0", "1"')).status == 304
        on.clock.now += 61
        assert (await on.get(if_none_match='"2"')).status == 304
        assert (await on.get()).body == b"two"
        assert [one.headers.get("if-none-match") for one in on.server.seen] == [None, '"1"', '"1"']


async def test_without_a_copy_a_callers_condition_goes_out_and_its_304_comes_back() -> None:
    async with bench(reply(status=304, etag='"1"'), reply(b"one")) as on:
        assert (await on.get(if_none_match='"1"')).status == 304
        assert (await on.get()).body == b"one"
        assert [one.headers.get("if-none-match") for one in on.server.seen] == ['"1"', None]


async def test_a_new_whole_copy_replaces_the_parts_of_the_old_one() -> None:
    old = reply(b"old-tail", 206, content_range="bytes 2-9/10", cache_control="max-age=600")
    async with bench(old, reply(b"new!", cache_control="max-age=600")) as on:
        await on.get("a.whl", Kind.RANGE, range="bytes=-2")
        await on.get("a.whl", Kind.RANGE)
        assert (await on.get("a.whl", Kind.RANGE, range="bytes=-2")).body == b"w!"


@pytest.mark.parametrize("on_disk", [False, True])
@pytest.mark.parametrize(
    ("status", "location", "forgotten"),
    [
        (200, None, ["a/"]),
        (201, "s/b/", ["a/", "a/s/b/"]),
        (201, "../b/", ["a/", "b/"]),
        (201, "http://elsewhere.example/s/b/", ["a/"]),  # not theirs to say
        (404, "../b/", []),
        (503, "../b/", []),
    ],
)
async def test_what_an_unsafe_method_changes_is_forgotten(
    tmp_path: Path, status: int, location: str | None, forgotten: list[str], *, on_disk: bool
) -> None:
    """RFC 9111 §4.4. At once, though the disk deletes later."""

    def answer(seen: Seen) -> bytes:
        if seen.method == "GET":
            return reply(seen.target.encode(), cache_control="max-age=60")
        return reply(b"", status, location=location) if location else reply(b"", status)

    async with bench(cache_dir=tmp_path if on_disk else None) as on:
        on.server.answers = {"*": answer}
        for name in ("a/", "b/", "a/s/b/"):
            await on.get(name)
        with contextlib.suppress(BadStatus):
            await on.fetcher.fetch(Request(on.corp.url + "a/", on.corp, method="POST"))
        assert [name for name in ("a/", "b/", "a/s/b/") if (await on.get(name)).cache is MISS] == forgotten


@pytest.mark.parametrize("failure", [RESET, reply(b"", 503), reply(b"short", content_length="50", connection="close")])
async def test_a_stale_copy_stands_in_for_an_index_in_trouble(failure: bytes | str) -> None:
    async with bench(reply(b"one", cache_control="max-age=60, stale-if-error=600"), failure) as on:
        await on.get()
        on.clock.now += 100
        again = await on.get()
        assert (again.cache, again.body, again.age) == (STALE, b"one", 100)
        assert on.clock.slept == []  # no patience is needed where an answer is at hand
        with pytest.raises(TransportError):
            await on.get(refresh=True)
        on.clock.now += 561
        with pytest.raises(TransportError):
            await on.get()


@pytest.mark.parametrize("status", [401, 403, 404, 410])
async def test_a_refusal_is_believed_and_leaves_nothing_to_serve(status: int) -> None:
    async with bench(
        reply(b"one", cache_control="max-age=60, stale-if-error=600"), reply(b"", status), reply(b"", 503),
        ignore_error_codes=frozenset({401, 403}),
    ) as on:  # fmt: skip
        await on.get()
        on.clock.now += 61
        assert (await on.get()).status == status
        with pytest.raises(TransportError):
            await on.get()


async def test_stale_while_revalidate_answers_at_once_and_asks_once_behind() -> None:
    control = "max-age=60, stale-while-revalidate=600"
    async with bench(reply(b"one", cache_control=control), reply(b"two", cache_control=control)) as on:
        await on.get()
        on.clock.now += 61
        answers = await asyncio.gather(*(on.get() for _ in range(20)))
        assert {(one.cache, one.body, one.requests) for one in answers} == {(STALE, b"one", 0)}
        await on.server.saw(2)
        for _ in range(1000):
            again = await on.get()
            if again.cache is HIT:
                break
            await asyncio.sleep(0)
        assert (again.cache, again.body) == (HIT, b"two")
        assert len(on.server.seen) == 2


async def test_variants_are_kept_side_by_side() -> None:
    def by_accept(seen: Seen) -> bytes:
        return reply(seen.headers["accept"].encode(), vary="Accept", cache_control="max-age=60")

    async with bench() as on:
        on.server.answers = {"*": by_accept}
        for expected in (MISS, HIT):
            for accept in ("json", "html"):
                response = await on.get(accept=accept)
                assert (response.body, response.cache) == (accept.encode(), expected)


@pytest.mark.parametrize(
    "answer",
    [
        reply(b"one-secret-body", cache_control="no-store"),
        reply(b"one-secret-body", vary="*", cache_control="max-age=60"),
    ],
)
async def test_what_may_not_be_stored_is_not(answer: bytes, tmp_path: Path) -> None:
    async with bench(answer, cache_dir=tmp_path) as on:
        await on.get()
        assert (await on.get()).cache is MISS
    assert b"one-secret" not in contents(tmp_path)


async def test_the_operators_cache_control_stands_in_place_of_the_indexs() -> None:
    async with bench(
        reply(b"one", cache_control="no-store"), cache_control={"api": "max-age=600", "files": "immutable"}
    ) as on:
        await on.get()
        assert (await on.get()).cache is HIT
        await on.get("a.metadata", Kind.METADATA)
        on.clock.now += 10 * 86400
        assert (await on.get("a.metadata", Kind.METADATA)).cache is HIT
        assert (await on.get()).cache is MISS
        assert (await on.get(refresh=True)).cache is MISS


async def test_one_credentials_private_page_is_never_anothers(tmp_path: Path) -> None:
    """Alice fills; a wrong password, nobody, and Alice without verification each make their own request."""

    def page(seen: Seen) -> bytes:
        return reply(seen.headers.get("authorization", "nobody").encode(), cache_control="public, max-age=600")

    async with index({"*": page}) as server:
        for expected in (MISS, HIT):  # the second time from disk, in another process' place
            async with open_stack(TransportSettings(cache_dir=tmp_path), clock=TestClock()) as fetcher:
                bodies, partitions = [], []
                for userinfo, fields in [("alice:1@", {}), ("alice:2@", {}), ("", {}), ("alice:1@", {"verify": False})]:
                    url = server.url.replace("://", f"://{userinfo}") + "/s/"
                    corp = index_from_url("corp", url, **fields)
                    response = await fetcher.fetch(Request(f"{corp.url}a/", corp))
                    assert response.cache is expected
                    bodies.append(response.body)
                    partitions.append(response.partition)
                assert len(set(bodies)) == 3
                assert len(set(partitions)) == 4
                assert partitions[2] == "public"
        assert len(server.seen) == 4
    assert b"nobody" in contents(tmp_path)


async def test_a_restart_finds_what_was_stored_and_how_old_it_is(tmp_path: Path) -> None:
    clock = TestClock()
    settings = TransportSettings(cache_dir=tmp_path)
    answers: list[Answer] = [reply(b"one", cache_control="max-age=60", etag='"1"'), reply(status=304)]
    async with index({"*": answers}) as server:
        corp = index_from_url("corp", f"{server.url}/s/")
        request = Request(f"{corp.url}a/", corp)
        async with open_stack(settings, clock=clock) as fetcher:
            await fetcher.fetch(request)
        clock.now += 30
        async with open_stack(settings, clock=clock) as fetcher:
            again = await fetcher.fetch(request)
            assert (again.cache, again.body, again.age, again.requests) == (HIT, b"one", 30, 0)
        clock.epoch -= 30 * 86400  # the clock was a month ahead when this was stored: nothing becomes immortal
        async with open_stack(settings, clock=clock) as fetcher:
            assert (await fetcher.fetch(request)).cache is REVALIDATED
        assert len(server.seen) == 2


async def test_a_hit_hands_out_nothing_that_a_connection_would_have_been_refused_for(tmp_path: Path) -> None:
    async with bench(reply(b"inside", cache_control="max-age=600"), cache_dir=tmp_path) as on:
        await on.get()
        theirs = replace(on.corp, configured=False)
        with pytest.raises(AddressDenied):
            await on.fetcher.fetch(Request(on.corp.url + "a/", theirs))
        assert (await on.get()).cache is HIT


async def test_a_fresh_body_too_large_for_the_memory_is_a_hit_from_disk(tmp_path: Path) -> None:
    settings = TransportSettings(cache_dir=tmp_path, memory_max_bytes=10_000)
    async with index({"*": reply(b"x" * 5000, cache_control="max-age=600")}) as server:
        corp = index_from_url("corp", f"{server.url}/s/")
        for expected in (MISS, HIT):
            async with open_stack(settings) as fetcher:
                assert (await fetcher.fetch(Request(f"{corp.url}a/", corp))).cache is expected


@pytest.mark.parametrize(("size", "slow"), [(100, False), (300_000, False), (100, True)])
async def test_entries_come_from_disk_whole_on_either_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, *, slow: bool
) -> None:
    """Small ones at once, large ones in a thread, all in a thread once the disk was slow."""
    if slow:
        monkeypatch.setattr(shelf, "SLOW_READ", -1.0)
    page = b"x" * size
    async with index({"*": reply(page, cache_control="max-age=600")}) as server:
        corp = index_from_url("corp", f"{server.url}/s/")
        for expected in (MISS, HIT):
            async with open_stack(TransportSettings(cache_dir=tmp_path)) as fetcher:
                for name in "ab":
                    response = await fetcher.fetch(Request(f"{corp.url}{name}/", corp))
                    assert (response.cache, response.body) == (expected, page)


async def test_a_body_that_is_not_what_was_promised_is_returned_and_not_kept() -> None:
    async with bench(reply(b"wrong", cache_control="max-age=60"), reply(b"right", cache_control="max-age=60")) as on:
        request = Request(on.corp.url + "a.metadata", on.corp, Kind.METADATA, sha256="0" * 64)
        assert (await on.fetcher.fetch(request)).body == b"wrong"
        assert (await on.fetcher.fetch(request)).body == b"right"


async def test_a_directory_that_cannot_be_used_makes_the_cache_slower_and_not_wrong(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    async with bench(reply(b"one", cache_control="max-age=60"), cache_dir=blocked) as on:
        await on.get()
        assert (await on.get()).cache is HIT
    assert "cannot be used" in caplog.text


async def test_a_disk_that_fails_while_writing_costs_one_line_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with bench(reply(b"one", cache_control="max-age=60"), cache_dir=tmp_path) as on:
        for folder in ("entries", "bodies", "tmp"):
            path = tmp_path / "http" / folder
            path.rmdir()
            path.write_bytes(b"")
        for name in "abc":
            assert (await on.get(f"{name}/")).body == b"one"
        assert (await on.get("a/")).cache is HIT
    assert caplog.text.count("cannot write") == 1


async def test_the_body_of_a_stored_answer_is_left_out_only_for_who_knows_its_digest(tmp_path: Path) -> None:
    async with bench(reply(b"one", cache_control="max-age=60"), cache_dir=tmp_path) as on:
        assert (await on.get()).has_body  # an answer from the network always has one
    shown: list[Response] = []

    def knows(*, answer: bool) -> Request:
        def known(stored: Response) -> bool:
            shown.append(stored)
            return answer

        return Request(on.corp.url + "a/", on.corp, known=known)

    async with open_stack(TransportSettings(cache_dir=tmp_path), clock=on.clock) as fetcher:
        for _ in range(2):  # from disk, from memory
            known = await fetcher.fetch(knows(answer=True))
            assert (known.cache, known.body, known.has_body) == (HIT, b"", False)
            assert known.digest == hashlib.sha256(b"one").hexdigest()
        whole = await fetcher.fetch(knows(answer=False))
        assert (whole.cache, whole.body, whole.has_body) == (HIT, b"one", True)
    assert [(one.digest, one.status, one.has_body) for one in shown] == [(known.digest, 200, False)] * 3


async def test_who_knows_the_digest_learns_that_a_copy_still_holds_without_its_body(tmp_path: Path) -> None:
    answers = [reply(b"one", etag='"1"'), reply(b"", 304, etag='"1"'), reply(b"two", etag='"2"')]
    async with index({"*": list(answers)}) as server:
        corp, clock = index_from_url("corp", f"{server.url}/s/"), TestClock()
        request = Request(corp.url + "a/", corp)
        async with open_stack(TransportSettings(cache_dir=tmp_path), clock=clock) as fetcher:
            first = await fetcher.fetch(request)
        request = replace(request, known=lambda stored: stored.digest == first.digest)
        async with open_stack(TransportSettings(cache_dir=tmp_path), clock=clock) as fetcher:
            same = await fetcher.fetch(request)
            assert (same.cache, same.digest, same.has_body) == (REVALIDATED, first.digest, False)
            other = await fetcher.fetch(request)
            assert (other.cache, other.body, other.has_body) == (MISS, b"two", True)


async def test_a_body_that_is_damaged_is_noticed_when_it_is_wanted_and_asked_for_again(tmp_path: Path) -> None:
    answer = reply(b"one", cache_control="max-age=60", etag='"1"')
    async with index({"*": answer}) as server:
        corp, clock = index_from_url("corp", f"{server.url}/s/"), TestClock()
        request = Request(corp.url + "a/", corp)
        async with open_stack(TransportSettings(cache_dir=tmp_path), clock=clock) as fetcher:
            digest = (await fetcher.fetch(request)).digest
        (path,) = (path for path in (tmp_path / "http" / "bodies").rglob("*") if path.name == digest)
        path.write_bytes(b"two")
        async with open_stack(TransportSettings(cache_dir=tmp_path), clock=clock) as fetcher:
            known = await fetcher.fetch(replace(request, known=lambda _: True))
            assert (known.cache, known.has_body, len(server.seen)) == (HIT, False, 1)  # nobody looked at it
            whole = await fetcher.fetch(request)
            assert (whole.cache, whole.body, len(server.seen)) == (MISS, b"one", 2)
            assert "if-none-match" not in server.seen[1].headers  # a 304 would be about a body that we do not have
