"""Redirects, and who gets to see which credential on the way."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable

import pytest

from transport.credentials import basic, bearer, header, index_from_url
from transport.errors import AddressDenied, CredentialMissing, RedirectRefused, TransportError, Unauthorized
from transport.message import Authenticate, CacheStatus, Kind, Request
from transport.stack import RequestRecord, TransportSettings, open_stack

from .server import CLOSE, Seen, index, reply

CANARY = "c4nary-s3cret"


def authorization(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def demanding(expected: str, then: bytes) -> Callable[[Seen], bytes]:
    """Answer 401 to anyone who does not say ``expected`` at the first try."""

    def answer(seen: Seen) -> bytes:
        return then if seen.headers.get("authorization") == expected else reply(b"", 401)

    return answer


async def test_every_request_of_an_index_carries_its_credential_at_the_first_try() -> None:
    async with (
        index({"*": demanding(authorization("u", "p@:/"), reply(b"ok"))}) as server,
        open_stack(TransportSettings()) as fetcher,
    ):
        corp = index_from_url("corp", server.url.replace("://", "://u:p%40%3A%2F@") + "/simple")
        for kind, path in [(Kind.PAGE, "simple/a/"), (Kind.METADATA, "files/a.metadata"), (Kind.FILE, "x/a.whl")]:
            response = await fetcher.fetch(Request(f"{server.url}/{path}", corp, kind))
            assert response.body == b"ok"
        assert len(server.seen) == 3
        assert all("@" not in one.target for one in server.seen)


@pytest.mark.parametrize(
    ("userinfo", "user", "password"),
    [
        (":tok", "", "tok"),
        ("tok", "tok", ""),
        ("us%65r:p%C3%A9%2F", "user", "pé/"),
    ],
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_userinfo_in_a_location_is_sent_to_that_hop_and_to_files_beside_it(
    status: int, userinfo: str, user: str, password: str
) -> None:
    expected = authorization(user, password)
    async with index({"*": demanding(expected, reply(b"ok"))}) as target:
        location = target.url.replace("://", f"://{userinfo}@") + "/page/"
        async with (
            index({"/simple/a/": reply(b"", status, location=location)}) as source,
            open_stack(TransportSettings()) as fetcher,
        ):
            corp = index_from_url("corp", source.url.replace("://", "://own:secret@") + "/simple/")
            page = await fetcher.fetch(Request(f"{corp.url}a/", corp))
            file = await fetcher.fetch(Request(f"{target.url}/files/a.whl", corp, Kind.FILE))
        assert (page.status, page.url, page.requests) == (200, f"{target.url}/page/", 2)
        assert file.body == b"ok"
        assert page.partition == file.partition != "public"
        assert [one.headers.get("authorization") for one in target.seen] == [expected] * 2
        assert b"own" not in b"".join(one.raw for one in target.seen)


@pytest.mark.parametrize("credential", [basic("u", CANARY), bearer(CANARY), header("X-Api-Key", CANARY)])
async def test_a_credential_stays_at_home_and_follows_redirects_within_it(credential: object) -> None:
    async with index({"*": reply(b"ok")}) as target:
        answers = {
            "/simple/in/": reply(b"", 302, location="/elsewhere/"),
            "/simple/out/": reply(b"", 302, location=f"{target.url}/page/"),
            "*": reply(b"home"),
        }
        async with index(answers) as source, open_stack(TransportSettings()) as fetcher:
            corp = index_from_url("corp", f"{source.url}/simple/", credential=credential)
            inside = await fetcher.fetch(Request(f"{corp.url}in/", corp))
            outside = await fetcher.fetch(Request(f"{corp.url}out/", corp))
        assert (inside.body, outside.body) == (b"home", b"ok")
        sent = [one.raw.decode().lower() for one in source.seen]
        assert len(sent) == 3
        assert all("authorization: " in one or "x-api-key: " in one for one in sent)
        for name in ("authorization", "cookie", "proxy-authorization", "x-api-key", "referer"):
            assert name not in target.seen[0].headers


async def test_userinfo_of_a_location_at_home_wins_for_that_hop_only() -> None:
    async with index() as server, open_stack(TransportSettings()) as fetcher:
        corp = index_from_url("corp", server.url.replace("://", "://u:p@") + "/simple/")
        there = server.url.replace("://", "://other:one@") + "/b/"
        server.answers = {"/simple/a/": reply(b"", 302, location=there), "*": reply(b"ok")}
        await fetcher.fetch(Request(f"{corp.url}a/", corp))
        await fetcher.fetch(Request(f"{server.url}/b/", corp))
        assert [one.headers["authorization"] for one in server.seen] == [
            authorization("u", "p"),
            authorization("other", "one"),
            authorization("u", "p"),
        ]


async def test_never_means_never_even_where_a_location_offers_a_credential() -> None:
    async with index() as server, open_stack(TransportSettings()) as fetcher:
        corp = index_from_url("corp", f"{server.url}/simple/", authenticate=Authenticate.NEVER)
        there = server.url.replace("://", "://other:one@") + "/b/"
        server.answers = {"/simple/a/": reply(b"", 302, location=there), "*": reply(b"ok")}
        await fetcher.fetch(Request(f"{corp.url}a/", corp))
        assert all("authorization" not in one.headers for one in server.seen)


async def test_always_without_a_credential_fails_before_connecting() -> None:
    async with index({"*": reply(b"ok")}) as server, open_stack(TransportSettings()) as fetcher:
        corp = index_from_url("corp", f"{server.url}/simple/", authenticate=Authenticate.ALWAYS)
        with pytest.raises(CredentialMissing, match="corp"):
            await fetcher.fetch(Request(f"{corp.url}a/", corp))
        assert server.connections == 0


async def test_two_indexes_on_one_host_never_swap_credentials() -> None:
    async with (
        index({"*": reply(b"ok", cache_control="max-age=60")}) as server,
        open_stack(TransportSettings()) as fetcher,
    ):
        one = index_from_url("one", server.url.replace("://", "://a:1@") + "/team/simple/")
        two = index_from_url("two", server.url.replace("://", "://b:2@") + "/simple/")
        bare = index_from_url("bare", f"{server.url}/bare/")
        partitions = set()
        for which in (one, two, bare):
            response = await fetcher.fetch(Request(f"{server.url}/files/shared.metadata", which, Kind.METADATA))
            partitions.add(response.partition)
            assert response.cache is CacheStatus.MISS
        assert [seen.headers.get("authorization") for seen in server.seen] == [
            authorization("a", "1"),
            authorization("b", "2"),
            None,
        ]
        assert len(partitions) == 3
        assert "public" in partitions


async def test_credential_hosts_get_the_credential_by_origin_and_not_by_name() -> None:
    async with (
        index({"*": reply(b"ok")}) as files,
        index({"*": reply(b"ok")}) as other,
        open_stack(TransportSettings()) as fetcher,
    ):
        corp = index_from_url("corp", "http://u:p@127.0.0.1:9/simple/", credential_hosts=(f"127.0.0.1:{files.port}",))
        await fetcher.fetch(Request(f"{files.url}/a.whl", corp, Kind.FILE))
        await fetcher.fetch(Request(f"{other.url}/a.whl", corp, Kind.FILE))
        assert files.seen[0].headers["authorization"] == authorization("u", "p")
        assert "authorization" not in other.seen[0].headers


async def test_a_refusal_names_the_hop_and_the_realm_and_is_asked_once() -> None:
    async with index({"*": reply(b"", 401, www_authenticate='Basic realm="inner"')}) as target:
        answers = {"*": reply(b"", 302, location=f"{target.url}/there/")}
        async with index(answers) as source, open_stack(TransportSettings()) as fetcher:
            corp = index_from_url("corp", source.url.replace("://", f"://me:{CANARY}@") + "/simple/")
            with pytest.raises(Unauthorized, match="inner") as caught:
                await fetcher.fetch(Request(f"{corp.url}a/", corp))
        assert caught.value.url == f"{target.url}/there/"
        assert caught.value.status == 401
        assert len(target.seen) == 1


async def test_an_ignored_error_code_is_an_answer() -> None:
    async with index({"*": reply(b"", 403)}) as server, open_stack(TransportSettings()) as fetcher:
        corp = index_from_url("corp", f"{server.url}/simple/", ignore_error_codes=frozenset({403}))
        assert (await fetcher.fetch(Request(f"{corp.url}a/", corp))).status == 403


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("../x/", "/simple/x/"),
        ("x//y/", "/simple/a/x//y/"),
        ("/r%2Foot//p%2B/?sig=a%2Bb/c", "/r%2Foot//p%2B/?sig=a%2Bb/c"),
        ("?page=2", "/simple/a/?page=2"),
        ("/frag#ment", "/frag"),
        ("/caf\u00e9/", "/caf%C3%A9/"),
        ("/sp ace/", "/sp%20ace/"),
        ("./", None),
    ],
)
async def test_a_location_is_followed_byte_for_byte_from_its_hop(location: str, target: str | None) -> None:
    answers = {"/simple/a/": reply(b"", 302, location=location), "*": reply(b"there")}
    async with index(answers) as server, open_stack(TransportSettings()) as fetcher:
        corp = index_from_url("corp", f"{server.url}/simple/")
        if target is None:
            with pytest.raises(RedirectRefused) as caught:
                await fetcher.fetch(Request(f"{corp.url}a/", corp))
            assert caught.value.kind == "redirect-loop"
            return
        response = await fetcher.fetch(Request(f"{corp.url}a/", corp))
        assert server.paths[1] == target
        assert response.url == server.url + target


async def test_a_scheme_relative_location_goes_to_the_other_host() -> None:
    async with index({"*": reply(b"there")}) as target:
        answers = {"*": reply(b"", 302, location=f"//127.0.0.1:{target.port}/x")}
        async with index(answers) as server, open_stack(TransportSettings()) as fetcher:
            corp = index_from_url("corp", f"{server.url}/simple/")
            assert (await fetcher.fetch(Request(f"{corp.url}a/", corp))).body == b"there"


async def test_ten_redirects_are_followed_and_eleven_are_an_error_with_the_chain() -> None:
    answers = {f"/s/{n}/": reply(b"", 302, location=f"../{n + 1}/?token={CANARY}") for n in range(1)}
    answers |= {f"/s/{n}/?token={CANARY}": reply(b"", 302, location=f"../{n + 1}/?token={CANARY}") for n in range(20)}
    answers[f"/s/11/?token={CANARY}"] = reply(b"end")
    async with index(answers) as server, open_stack(TransportSettings()) as fetcher:
        corp = index_from_url("corp", f"{server.url}/s/")
        response = await fetcher.fetch(Request(f"{corp.url}1/?token={CANARY}", corp))
        assert (response.body, response.requests) == (b"end", 11)
        with pytest.raises(RedirectRefused) as caught:
            await fetcher.fetch(Request(f"{corp.url}0/", corp))
        assert caught.value.kind == "redirect-too-many"
        chain = caught.value.facts["chain"]
        assert isinstance(chain, list)
        assert len(chain) == 11
        assert CANARY not in str(caught.value) + str(chain)


async def test_a_circle_is_noticed_when_it_closes() -> None:
    answers = {"/s/a/": reply(b"", 302, location="/s/b/"), "/s/b/": reply(b"", 302, location="/s/a/")}
    async with index(answers) as server, open_stack(TransportSettings()) as fetcher:
        corp = index_from_url("corp", f"{server.url}/s/")
        with pytest.raises(RedirectRefused) as caught:
            await fetcher.fetch(Request(f"{corp.url}a/", corp))
        assert caught.value.kind == "redirect-loop"
        assert len(server.seen) == 2


@pytest.mark.parametrize(
    "location",
    ["", "file:///etc/passwd", "ftp://h.example/", "http://", "http://h.example:99999/", "http://[::1/", "data:,x",
     "javascript:alert(1)", "http://u:%ff@h.example/", "http://a b/"],
)  # fmt: skip
async def test_a_location_that_cannot_be_followed_is_a_typed_error(location: str) -> None:
    async with index({"*": reply(b"", 302, location=location)}) as server, open_stack(TransportSettings()) as fetcher:
        corp = index_from_url("corp", f"{server.url}/s/")
        with pytest.raises(RedirectRefused) as caught:
            await fetcher.fetch(Request(f"{corp.url}a/", corp))
        assert caught.value.kind == "redirect-bad-location"
        assert len(server.seen) == 1


@pytest.mark.parametrize("location", ["http://169.254.169.254/latest/", "http://[::ffff:169.254.169.254]/"])
async def test_not_even_a_configured_index_leads_to_link_local_addresses(location: str) -> None:
    async with index({"*": reply(b"", 302, location=location)}) as server, open_stack(TransportSettings()) as fetcher:
        corp = index_from_url("corp", f"{server.url}/s/")
        with pytest.raises(AddressDenied):
            await fetcher.fetch(Request(f"{corp.url}a/", corp))


async def test_no_secret_leaves_in_errors_logs_or_records(caplog: pytest.LogCaptureFixture) -> None:
    """Userinfo, a token in a Location, a signature in a query, and a server that echoes what it was sent."""
    caplog.set_level(logging.DEBUG)
    records: list[RequestRecord] = []

    def echo(seen: Seen) -> bytes:
        return reply(b"", 403, www_authenticate=f'Basic realm="{seen.headers.get("authorization")} {CANARY}2"')

    async with index({"/x/": CLOSE, "*": echo}) as target:
        where = target.url.replace("://", f"://t:{CANARY}2@")
        answers = {
            "/s/a/": reply(b"", 302, location=f"{where}/y/?X-Goog-Signature={CANARY}&sig={CANARY}"),
            "/s/b/": reply(b"", 302, location=f"{where}/x/?token={CANARY}"),
            "/s/c/": reply(b"", 302, location=f"ftp://u:{CANARY}@h.example/?sig={CANARY}"),
            "/s/d/": reply(b"", 302, location=f"/s/d/?sig={CANARY}"),
            f"/s/d/?sig={CANARY}": reply(b"", 302, location=f"/s/d/?sig={CANARY}"),
        }
        async with (
            index(answers) as source,
            open_stack(TransportSettings(retries=0), on_request=records.append) as fetcher,
        ):
            corp = index_from_url("corp", source.url.replace("://", f"://me:{CANARY}@") + "/s/")
            failures: list[TransportError] = []
            for name in "abcd":
                with pytest.raises(TransportError) as caught:
                    await fetcher.fetch(Request(f"{corp.url}{name}/", corp))
                failures.append(caught.value)
    assert [type(one).__name__ for one in failures] == [
        "Unauthorized", "Unauthorized", "RedirectRefused", "RedirectRefused"
    ]  # fmt: skip
    said = "".join(f"{one} {one.text} {one.url} {one.facts} {one!r}" for one in failures)
    said += repr(records) + caplog.text + repr(corp)
    assert records
    assert CANARY not in said
    assert base64.b64encode(f"me:{CANARY}".encode()).decode() not in said
    assert base64.b64encode(f"t:{CANARY}2".encode()).decode() not in said


async def test_records_tell_every_hop_and_what_it_cost() -> None:
    records: list[RequestRecord] = []
    answers = {"/s/a/": reply(b"", 302, location="/b/"), "/b/": reply(b"body", cache_control="max-age=60")}
    async with index(answers) as server, open_stack(TransportSettings(), on_request=records.append) as fetcher:
        corp = index_from_url("corp", f"{server.url}/s/")
        await fetcher.fetch(Request(f"{corp.url}a/", corp))
        again = await fetcher.fetch(Request(f"{corp.url}a/", corp))
    assert [(one.status, one.cache, one.requests, one.hop) for one in records] == [
        (302, CacheStatus.MISS, 1, 0),
        (200, CacheStatus.MISS, 1, 1),
        (302, CacheStatus.MISS, 1, 0),
        (200, CacheStatus.HIT, 0, 1),
    ]
    assert again.requests == 1
    assert len(server.seen) == 3
