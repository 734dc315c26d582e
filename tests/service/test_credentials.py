"""Who is shown which credential, from ``POST /v1/lock`` to what indexes recorded (TRANSPORT, cases 1 to 13)."""

from __future__ import annotations

import base64
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from service.settings import SettingsError
from tests.service.indexes import TARGET, Wheel, authorizations, basic, content, guarded, page, serving, versions
from tests.transport.server import Answer, Seen, index, reply

OLD, NEW = Wheel("a", "1.0", ("b",)), Wheel("a", "2.0", ("b",))
B = Wheel("b", "1.0")
CANARY = "c4nary-s3cret"


def with_userinfo(url: str, userinfo: str) -> str:
    return url.replace("://", f"://{userinfo}@")


def netrc(directory: Path, *lines: str) -> dict[str, str]:
    file = directory / "netrc"
    file.write_text("\n".join(lines) + "\n")
    file.chmod(0o600)
    return {"NETRC": str(file)}


def keyring(directory: Path, **entries: str) -> None:
    """Put a keyring command on the PATH that knows ``entries`` (service to user:password) and notes its arguments."""
    script = directory / "keyring"
    script.write_text(
        f"#!{sys.executable}\n"
        "import sys\n"
        f"entries = {entries!r}\n"
        f"open({str(directory / 'asked')!r}, 'a').write(' '.join(sys.argv[1:]) + chr(10))\n"
        "user, _, password = entries.get(sys.argv[2], ':').partition(':')\n"
        "wanted = None if '--mode' in sys.argv else sys.argv[3]\n"
        "if not password or wanted not in (None, user):\n"
        "    sys.exit(1)\n"
        "print(password if wanted else user + chr(10) + password)\n"
    )
    script.chmod(0o755)
    os.environ["PATH"] = f"{directory}{os.pathsep}{os.environ['PATH']}"


def asked(directory: Path) -> list[str]:
    file = directory / "asked"
    return file.read_text().splitlines() if file.exists() else []


async def test_1_an_index_that_shows_strangers_less_is_never_asked_as_a_stranger(tmp_path: Path) -> None:
    few = content(OLD, B)
    alice = basic("alice", "wonder")
    answers = guarded(content(OLD, NEW, B), alice, otherwise=lambda seen: few.get(seen.target, reply(b"", 404)))  # type: ignore[arg-type, return-value]
    async with index(answers) as server:
        environ = netrc(tmp_path, "machine 127.0.0.1 login alice password wonder")
        async with serving(tmp_path, [{"name": "corp", "url": f"{server.url}/simple"}], environ=environ) as service:
            status, lock = await service.lock("a")
        assert (status, versions(lock)["a"]) == (200, ("2.0", "corp"))
        assert set(authorizations(server)) == {alice}


async def test_2_files_beside_the_index_carry_its_credential_at_the_first_try(tmp_path: Path) -> None:
    root, files = "/api/groups/1/simple/", "/api/projects/6/packages/"
    answers = guarded(content(NEW, B, root=root, files=files), basic("u", "p4ss"))
    async with index(answers) as server:
        table = {"name": "corp", "url": with_userinfo(server.url, "u:p4ss") + root}
        async with serving(tmp_path, [table]) as service:
            assert (await service.lock("a"))[0] == 200
        assert len(server.paths) == len(set(server.paths)) == 4
        assert set(authorizations(server)) == {basic("u", "p4ss")}


async def test_3_two_indexes_on_one_host_never_swap_passwords(tmp_path: Path) -> None:
    one = guarded(
        content(Wheel("a", "1.0", ("b",)), root="/a/simple/", files="/api/projects/a/"), basic("ua", "pass-a")
    )
    two = guarded(content(B, root="/b/simple/", files="/api/projects/b/"), basic("ub", "pass-b"))
    async with index({**one, **two, "*": reply(b"", 404)}) as server:
        tables = [
            {"name": "one", "url": with_userinfo(server.url, "ua:pass-a") + "/a/simple"},
            {"name": "two", "url": with_userinfo(server.url, "ub:pass-b") + "/b/simple"},
        ]
        async with serving(tmp_path, tables) as service:
            status, lock = await service.lock("a")
        assert (status, versions(lock)) == (200, {"a": ("1.0", "one"), "b": ("1.0", "two")})
        for seen in server.seen:
            expected = basic("ua", "pass-a") if "/a/" in seen.target else basic("ub", "pass-b")
            assert seen.headers["authorization"] == expected


@pytest.mark.parametrize("status", [404, 401, 403])
async def test_4_an_index_without_a_credential_gets_none_from_its_neighbour(tmp_path: Path, status: int) -> None:
    async with index({"*": reply(b"", 404), "/b/simple/a/": reply(b"", status)}) as server:
        tables = [
            {"name": "one", "url": with_userinfo(server.url, "ua:pass-a") + "/a/simple"},
            {"name": "two", "url": f"{server.url}/b/simple"},
        ]
        async with serving(tmp_path, tables) as service:
            await service.lock("a")
        assert [seen.target for seen in server.seen] == ["/a/simple/a/", "/b/simple/a/"]
        assert authorizations(server) == [basic("ua", "pass-a"), None]


@pytest.mark.parametrize("order", [1, -1])
async def test_5_of_nested_indexes_each_has_its_own(tmp_path: Path, order: int) -> None:
    outer = guarded(content(Wheel("a", "1.0", ("b",)), files="/f/"), basic("o", "outer-pw"))
    inner = guarded(content(B, root="/simple/team/", files="/simple/team/f/"), basic("i", "inner-pw"))
    async with index({**outer, **inner, "/simple/b/": reply(b"", 404), "/simple/team/a/": reply(b"", 404)}) as server:
        tables = [
            {"name": "outer", "url": with_userinfo(server.url, "o:outer-pw") + "/simple"},
            {"name": "team", "url": f"{server.url}/simple/team"},
        ]
        environ = {"LOCKWRIGHT_INDEX_TEAM_USERNAME": "i", "LOCKWRIGHT_INDEX_TEAM_PASSWORD": "inner-pw"}
        async with serving(tmp_path, tables[::order], environ=environ) as service:
            assert (await service.lock("a"))[0] == 200
        for seen in server.seen:
            is_inner = seen.target.startswith("/simple/team/")
            assert seen.headers["authorization"] == (basic("i", "inner-pw") if is_inner else basic("o", "outer-pw"))


@pytest.mark.parametrize("where", ["url", "netrc", "environment"])
async def test_6_never_sends_nothing(tmp_path: Path, where: str) -> None:
    async with index(content(NEW, B)) as server:
        environ = netrc(tmp_path, "machine 127.0.0.1 login u password pw") if where == "netrc" else {}
        if where == "environment":
            environ = {"UV_INDEX_CORP_USERNAME": "u", "UV_INDEX_CORP_PASSWORD": "pw"}
        url = with_userinfo(server.url, "u:pw") if where == "url" else server.url
        table = {"name": "corp", "url": f"{url}/simple", "authenticate": "never"}
        async with serving(tmp_path, [table], environ=environ) as service:
            assert (await service.lock("a"))[0] == 200
        assert set(authorizations(server)) == {None}


@pytest.mark.parametrize("userinfo", ["", "only-a-user@"])
async def test_7_always_without_a_complete_credential_connects_nowhere(tmp_path: Path, userinfo: str) -> None:
    async with index(content(NEW, B)) as server:
        url = server.url.replace("://", f"://{userinfo}")
        table = {"name": "corp", "url": f"{url}/simple", "authenticate": "always"}
        async with serving(tmp_path, [table]) as service:
            status, problem = await service.lock("a")
        assert (status, problem["type"], problem["index"]) == (502, "/problems/index-unauthorized", "corp")
        assert "netrc" in problem["detail"]
        assert "network.keyring" in problem["detail"]
        assert server.connections == 0


@pytest.mark.parametrize(("user", "expected"), [("alice", "alice:wonder"), ("bob", "bob:")])
async def test_8_netrc_completes_a_user_and_lends_nobody_anothers_password(
    tmp_path: Path, user: str, expected: str
) -> None:
    async with index(content(NEW, B)) as server:
        environ = netrc(tmp_path, "machine 127.0.0.1 login alice password wonder")
        table = {"name": "corp", "url": with_userinfo(server.url, user) + "/simple"}
        async with serving(tmp_path, [table], environ=environ) as service:
            assert (await service.lock("a"))[0] == 200
        assert set(authorizations(server)) == {basic(*expected.split(":"))}


@pytest.mark.parametrize(
    ("userinfo", "user", "password"),
    [
        (":tok", "", "tok"),
        ("tok", "tok", ""),
        ("u:p%3Aw%2F%40", "u", "p:w/@"),
        ("us%C3%A9r:p%C3%A4ss", "usér", "päss"),
    ],
)
async def test_9_userinfo_is_sent_as_exactly_these_bytes(
    tmp_path: Path, userinfo: str, user: str, password: str
) -> None:
    async with index(content(NEW, B)) as server:
        table = {"name": "corp", "url": with_userinfo(server.url, userinfo) + "/simple"}
        async with serving(tmp_path, [table]) as service:
            assert (await service.lock("a"))[0] == 200
        expected = base64.b64encode(f"{user}:{password}".encode()).decode()
        assert set(authorizations(server)) == {f"Basic {expected}"}


@pytest.mark.parametrize("url", ["https://u:%ff@corp.example/", "https://u:c4n/ary@h.example/", "https://u/x:c4n@h/"])
def test_9_userinfo_that_cannot_be_meant_is_refused_without_being_quoted(tmp_path: Path, url: str) -> None:
    from service.configuration import load  # noqa: PLC0415

    with pytest.raises(SettingsError) as caught:
        load(environ={}, directory=tmp_path, flags={"index": [{"name": "corp", "url": url}]})
    assert "corp" in str(caught.value)
    assert "encoded" in str(caught.value)
    assert "c4n" not in str(caught.value)


async def test_10_a_wrong_password_is_shown_once_and_no_other_index_is_asked(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    async with index({"*": reply(b"", 401)}) as private, index(content(NEW, B)) as public:
        tables = [
            {"name": "private", "url": with_userinfo(private.url, f"u:{CANARY}") + "/simple"},
            {"name": "public", "url": f"{public.url}/simple"},
        ]
        async with serving(tmp_path, tables) as service:
            status, problem = await service.lock("a", "b", "c", "d", "e")
        assert (status, problem["type"], problem["index"]) == (502, "/problems/index-unauthorized", "private")
        assert len(private.seen) <= 2
        assert public.seen == []
        assert CANARY not in f"{problem}{caplog.text}"
        assert base64.b64encode(f"u:{CANARY}".encode()).decode() not in f"{problem}{caplog.text}"


async def test_11_a_new_credential_goes_ahead_alone(tmp_path: Path) -> None:
    wheels = [Wheel(f"p{number}", "1.0") for number in range(30)]
    expected, waiting, is_warm = basic("u", "p4ss"), set[int](), False
    answers = guarded(content(*wheels), expected)
    inner = {target: answer for target, answer in answers.items() if callable(answer)}

    def cold(seen: Seen) -> bytes | str:
        """Refuse whoever comes on another connection before the first one has had its answer."""
        nonlocal is_warm
        waiting.add(seen.connection)
        if not is_warm and len(waiting) > 1:
            return reply(b"", 401)
        answer = inner.get(seen.target, inner["*"])(seen)
        is_warm = is_warm or len(server.seen) > 1
        return answer

    async with index({"*": cold}) as server:
        table = {"name": "corp", "url": with_userinfo(server.url, "u:p4ss") + "/simple"}
        async with serving(tmp_path, [table]) as service:
            status, lock = await service.lock(*(wheel.name for wheel in wheels))
        assert (status, len(lock["packages"])) == (200, 30)
        assert len(server.seen) == 60


async def test_11_a_credential_that_was_good_a_moment_ago_gets_one_more_try(tmp_path: Path) -> None:
    refused: list[Answer] = [reply(b"", 401), page("b", B)]
    async with index({**content(NEW, B), "/simple/b/": refused}) as server:
        table = {"name": "corp", "url": with_userinfo(server.url, "u:p4ss") + "/simple"}
        async with serving(tmp_path, [table]) as service:
            assert (await service.lock("a"))[0] == 200
        assert server.paths.count("/simple/b/") == 2


@pytest.mark.parametrize(
    ("settings", "header", "value"),
    [
        ({"token_file": "secret"}, "authorization", f"Bearer {CANARY}"),
        ({"header": "X-JFrog-Art-Api", "header_file": "secret"}, "x-jfrog-art-api", CANARY),
        ({"username": "ci", "password_file": "secret"}, "authorization", basic("ci", CANARY)),
    ],
)
async def test_12_every_kind_of_credential_stays_on_its_origin(
    tmp_path: Path, settings: Mapping[str, str], header: str, value: str
) -> None:
    (tmp_path / "secret").write_text(f"{CANARY}\n")
    given = {key: str(tmp_path / "secret") if key.endswith("_file") else one for key, one in settings.items()}
    async with index(content(B)) as other:
        answers = guarded(
            {
                **content(NEW),
                "/simple/a/": reply(b"", 302, location="/moved/a/"),
                "/moved/a/": page("a", NEW),
                "/simple/b/": reply(b"", 302, location=f"{other.url}/simple/b/"),
            },
            value,
            header=header,
        )
        async with index(answers) as server:
            async with serving(tmp_path, [{"name": "corp", "url": f"{server.url}/simple", **given}]) as service:
                status, lock = await service.lock("a")
            assert (status, versions(lock)) == (200, {"a": ("2.0", "corp"), "b": ("1.0", "corp")})
        assert other.seen
        assert CANARY.encode() not in b"".join(seen.raw for seen in other.seen)
        assert "authorization" not in {name for seen in other.seen for name in seen.headers}


async def test_13_another_port_is_another_origin_but_netrc_may_name_hosts(tmp_path: Path) -> None:
    async with index(content(B)) as other:
        moved = {**content(NEW), "/simple/b/": reply(b"", 307, location=f"{other.url}/simple/b/")}
        async with index(moved) as server:
            url = with_userinfo(server.url, "u:p4ss") + "/simple"
            async with serving(tmp_path / "one", [{"name": "corp", "url": url}]) as service:
                assert (await service.lock("a"))[0] == 200
            assert set(authorizations(other)) == {None}
            port = f"machine 127.0.0.1:{other.port} login v password by-port"
            environ = netrc(tmp_path, "machine 127.0.0.1 login u password by-host", port)
            async with serving(tmp_path / "two", [{"name": "corp", "url": url}], environ=environ) as service:
                assert (await service.lock("a"))[0] == 200
            assert set(authorizations(other)) == {None, basic("v", "by-port")}


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"LOCKWRIGHT_INDEX_MY_CORP_USERNAME": "u", "LOCKWRIGHT_INDEX_MY_CORP_PASSWORD": "pw"}, basic("u", "pw")),
        ({"LOCKWRIGHT_INDEX_MY_CORP_TOKEN": "t0ken"}, "Bearer t0ken"),
        ({"UV_INDEX_MY_CORP_USERNAME": "u", "UV_INDEX_MY_CORP_PASSWORD": "pw"}, basic("u", "pw")),
        ({"UV_INDEX_MY_CORP_PASSWORD": "pw", "LOCKWRIGHT_INDEX_MY_CORP_PASSWORD": "own"}, basic("", "own")),
    ],
)
async def test_the_environment_has_credentials_by_the_name_of_an_index(
    tmp_path: Path, environ: Mapping[str, str], expected: str
) -> None:
    async with index(content(NEW, B)) as server:
        table = {"name": "my-corp", "url": f"{server.url}/simple", "authenticate": "always"}
        async with serving(tmp_path, [table], environ=environ) as service:
            assert (await service.lock("a"))[0] == 200
        assert set(authorizations(server)) == {expected}


async def test_the_default_of_netrc_is_for_the_home_of_a_configured_index_only(tmp_path: Path) -> None:
    async with index(content(B)) as other:
        async with index({**content(NEW), "/simple/b/": reply(b"", 302, location=f"{other.url}/simple/b/")}) as server:
            environ = netrc(tmp_path, "default login anyone password some-password")
            table = {"name": "corp", "url": f"{server.url}/simple"}
            async with serving(tmp_path, [table], environ=environ) as service:
                assert (await service.lock("a"))[0] == 200
            assert set(authorizations(server)) == {basic("anyone", "some-password")}
        assert set(authorizations(other)) == {None}


async def lock_with_keyring(
    directory: Path, table: Mapping[str, Any], *requirements: str
) -> tuple[int, dict[str, Any]]:
    async with serving(directory, [table], network={"keyring": True}) as service:
        return await service.lock(*requirements)


async def test_the_keyring_knows_a_users_password_before_the_first_request(tmp_path: Path) -> None:
    async with index(guarded(content(NEW, B), basic("ci", "from-keyring"))) as server:
        keyring(tmp_path, **{f"{server.url}/simple": "ci:from-keyring"})
        table = {"name": "corp", "url": with_userinfo(server.url, "ci") + "/simple/"}
        assert (await lock_with_keyring(tmp_path, table, "a", "b"))[0] == 200
        assert set(authorizations(server)) == {basic("ci", "from-keyring")}
        assert asked(tmp_path) == [f"get {server.url}/simple ci"]


async def test_the_keyring_is_asked_by_host_too_and_for_the_user_with_always(tmp_path: Path) -> None:
    async with index(guarded(content(NEW, B), basic("ci", "from-keyring"))) as server:
        keyring(tmp_path, **{f"127.0.0.1:{server.port}": "ci:from-keyring"})
        table = {"name": "corp", "url": f"{server.url}/simple", "authenticate": "always"}
        assert (await lock_with_keyring(tmp_path, table, "a"))[0] == 200
        assert set(authorizations(server)) == {basic("ci", "from-keyring")}
        assert asked(tmp_path)[-1] == f"get 127.0.0.1:{server.port} --mode creds"


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_a_stranger_that_is_turned_away_asks_the_keyring_once(tmp_path: Path, status: int) -> None:
    answers = guarded(content(NEW, B), basic("ci", "late-pw"), otherwise=lambda _: reply(b"", status))
    async with index(answers) as server:
        keyring(tmp_path, **{f"{server.url}/simple": "ci:late-pw"})
        assert (await lock_with_keyring(tmp_path, {"name": "corp", "url": f"{server.url}/simple"}, "a"))[0] == 200
        assert authorizations(server) == [None, *[basic("ci", "late-pw")] * 4]
        assert len(asked(tmp_path)) == 1


async def test_a_keyring_that_knows_nothing_is_asked_once_and_never_is_not_asked(tmp_path: Path) -> None:
    async with index({"*": reply(b"", 401)}) as server:
        keyring(tmp_path)
        table = {"name": "corp", "url": f"{server.url}/simple"}
        assert (await lock_with_keyring(tmp_path / "one", table, "a", "b", "c"))[0] == 502
        assert len(asked(tmp_path)) == 3  # the URL, with and without slash, and the host
        assert (await lock_with_keyring(tmp_path / "two", {**table, "authenticate": "never"}, "a"))[0] == 502
        assert len(asked(tmp_path)) == 3


async def test_a_secret_file_that_is_replaced_counts_at_once_and_a_broken_one_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("first-token")
    async with index(content(NEW, B)) as server:
        table = {"name": "corp", "url": f"{server.url}/simple", "token_file": str(file)}
        async with serving(tmp_path, [table]) as service:
            for replacement, expected in [(None, "first"), ("second-token", "second"), ("", "second")]:
                if replacement is not None:
                    (tmp_path / "new").write_text(replacement)
                    (tmp_path / "new").replace(file)
                server.seen.clear()
                async with service.client.post(
                    "/v1/lock",
                    json={"requirements": ["a"], "targets": [TARGET]},
                    headers={"Cache-Control": "no-cache"},
                ) as response:
                    assert response.status == 200
                assert set(authorizations(server)) == {f"Bearer {expected}-token"}
