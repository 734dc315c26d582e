"""Redirects through the whole service: what is locked, what is told, and what nobody gets to see (14 to 25, F-16)."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from tests.service.indexes import Wheel, basic, content, guarded, page, versions
from tests.transport.server import Answer, Seen, index, reply

from .service import serving, table

A = Wheel("a", "1.0")
Answers = dict[str, Answer | list[Answer]]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_location_with_a_credential_leads_to_a_lock_without_it(tmp_path: Path, status: int) -> None:
    target = guarded(content(A, root="/there/simple/", files="/there/files/"), basic("aws", "t0ken"))
    async with index(target) as there:
        beside = there.url.replace("://", "://aws:t0ken@")
        here: Answers = {"/simple/a/": reply(b"", status, location=f"{beside}/there/simple/a/")}
        async with index(here) as front:
            corp = {"name": "corp", "url": front.url.replace("://", "://own:secret@") + "/simple/"}
            async with serving(tmp_path, corp) as service:
                got, lock = await service.lock("a", outputs=["pylock", "requirements"])
            assert (got, versions(lock)) == (200, {"a": ("1.0", "corp")})
            assert lock["packages"][0]["files"][0]["url"].startswith(f"{there.url}/there/files/")
            assert "t0ken" not in str(lock)
            assert "secret" not in str(lock)
            assert f"{front.url}/simple/" in lock["outputs"]["pylock.toml"]  # the configured index, not the target
            assert {seen.headers.get("authorization") for seen in there.seen} == {basic("aws", "t0ken")}
            assert len(there.seen) == 2
            assert {seen.headers.get("authorization") for seen in front.seen} == {basic("own", "secret")}


async def test_files_of_a_redirected_page_are_beside_where_it_led(tmp_path: Path) -> None:
    async with index(
        {"/x/y/a/": page("a", A, files="../../f/"), "/x/f/a-1.0-py3-none-any.whl.metadata": reply(A.metadata)}
    ) as there:
        async with (
            index({"/simple/a/": reply(b"", 302, location=f"{there.url}/x/y/a/")}) as front,
            serving(tmp_path, table(front)) as service,
        ):
            status, lock = await service.lock("a")
        assert status == 200, lock
        assert lock["packages"][0]["files"][0]["url"] == f"{there.url}/x/f/a-1.0-py3-none-any.whl"


async def test_a_presigned_target_is_shown_no_credential(tmp_path: Path) -> None:
    def presigned(seen: Seen) -> bytes:
        return reply(b"only one way to authenticate", 400) if "authorization" in seen.headers else reply(A.metadata)

    async with index({"*": presigned}) as bucket:
        answers = content(A)
        answers["/files/a-1.0-py3-none-any.whl.metadata"] = reply(
            b"", 302, location=f"{bucket.url}/o?X-Amz-Signature=1"
        )
        async with index(answers) as front:
            corp = {"name": "corp", "url": front.url.replace("://", "://own:secret@") + "/simple/"}
            async with serving(tmp_path, corp) as service:
                assert (await service.lock("a"))[0] == 200
        assert [seen.target for seen in bucket.seen] == ["/o?X-Amz-Signature=1"]


@pytest.mark.parametrize(
    ("location", "requests"),
    [
        ("/simple/a/", 1),
        ("/simple/{}/", 11),
        ("file:///etc/passwd", 1),
        ("ftp://127.0.0.1/a/", 1),
        ("//169.254.169.254/latest/", 1),
        ("", 1),
        ("http://[::1", 1),
    ],
)
async def test_a_redirect_that_is_not_followed_is_said_and_never_means_no_versions(
    tmp_path: Path, location: str, requests: int
) -> None:
    count = iter(range(1, 100))
    async with (
        index({"*": lambda _: reply(b"<html></html>", 302, location=location.format(next(count)))}) as front,
        index(content(A)) as public,
        serving(tmp_path, table(front), table(public, "public")) as service,
    ):
        status, said = await service.lock("a")
        assert (status, said["index"]) in {(502, "corp"), (403, "corp")}
        assert said["type"] in {"/problems/index-bad-response", "/problems/policy-denied"}
        assert said["reason"].startswith(("redirect-", "address-"))
        assert (len(front.seen), public.seen) == (requests, [])


@pytest.mark.parametrize("status", [401, 403, 500])
async def test_what_a_location_holds_is_in_no_answer_and_no_log(
    tmp_path: Path, status: int, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    canaries = ("canary-pass", "canary-amz", "canary-goog", "canary-sig", "canary-token")
    query = "X-Amz-Signature=canary-amz&X-Goog-Signature=canary-goog&sig=canary-sig&token=canary-token"
    async with index({"*": lambda seen: reply(seen.raw, status)}) as there:
        location = there.url.replace("://", "://aws:canary-pass@") + f"/a/?{query}"
        async with (
            index({"*": reply(b"", 302, location=location)}) as front,
            serving(tmp_path, table(front), network={"retries": 0}) as service,
        ):
            got, said = await service.lock("a")
            assert got in {502, 503}
            assert str(there.port) in said["url"]  # the hop that failed, not the first one
        assert there.seen
        assert there.seen[0].headers["authorization"] == basic("aws", "canary-pass")
    written = "".join(capfd.readouterr()) + caplog.text + str(said)
    assert "/v1/lock" in written
    assert [canary for canary in canaries if canary in written] == []
