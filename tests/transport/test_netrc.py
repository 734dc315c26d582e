"""Netrc: eager, exact, and only for what the operator configured."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from transport.credentials import index_from_url
from transport.message import Authenticate, Kind, Request
from transport.netrc import read_netrc
from transport.origin import parse
from transport.stack import TransportSettings, open_stack

from .server import Server, index, reply


def said(server: Server) -> list[str | None]:
    """Return user:password of each request."""
    found = []
    for seen in server.seen:
        value = seen.headers.get("authorization")
        found.append(base64.b64decode(value.removeprefix("Basic ")).decode() if value else None)
    return found


async def test_every_request_of_a_configured_index_carries_the_entry_of_its_host(tmp_path: Path) -> None:
    file = tmp_path / "netrc"
    file.write_text("machine 127.0.0.1 login alice password wonder\n")
    async with index({"*": reply(b"ok")}) as server, open_stack(TransportSettings(netrc=file)) as fetcher:
        corp = index_from_url("corp", f"{server.url}/s/", authenticate=Authenticate.ALWAYS)
        await fetcher.fetch(Request(f"{corp.url}a/", corp))
        await fetcher.fetch(Request(f"{server.url}/files/a.metadata", corp, Kind.METADATA))
        assert said(server) == ["alice:wonder"] * 2


@pytest.mark.parametrize(
    ("userinfo", "fields", "expected"),
    [
        ("", {}, "alice:wonder"),
        ("alice@", {}, "alice:wonder"),
        ("bob@", {}, "bob:"),
        ("bob:own@", {}, "bob:own"),
        ("", {"authenticate": "never"}, None),
        ("", {"configured": False}, None),
    ],
)
async def test_the_index_s_own_word_is_stronger_and_a_tenant_s_index_gets_nothing(
    tmp_path: Path, userinfo: str, fields: dict[str, object], expected: str | None
) -> None:
    file = tmp_path / "netrc"
    file.write_text("machine 127.0.0.1 login alice password wonder\ndefault login any password one\n")
    settings = TransportSettings(netrc=file, private_addresses="allow")
    async with index({"*": reply(b"ok")}) as server, open_stack(settings) as fetcher:
        corp = index_from_url("corp", server.url.replace("://", f"://{userinfo}") + "/s/", **fields)
        await fetcher.fetch(Request(f"{corp.url}a/", corp))
        assert said(server) == [expected]


async def test_a_redirect_gets_the_entry_of_its_host_and_never_the_default(tmp_path: Path) -> None:
    file = tmp_path / "netrc"
    async with index({"*": reply(b"ok")}) as known, index({"*": reply(b"ok")}) as strange, index() as source:
        file.write_text(f"machine 127.0.0.1:{known.port} login alice password wonder\ndefault login any password one\n")
        source.answers = {
            "/s/a/": reply(b"", 302, location=f"{known.url}/"),
            "/s/b/": reply(b"", 302, location=f"{strange.url}/"),
        }
        async with open_stack(TransportSettings(netrc=file)) as fetcher:
            corp = index_from_url("corp", f"{source.url}/s/")
            for name in "ab":
                await fetcher.fetch(Request(f"{corp.url}{name}/", corp))
        assert (said(known), said(strange), said(source)) == (["alice:wonder"], [None], ["any:one"] * 2)


def test_the_file_comes_from_the_settings_then_the_environment_then_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    origin = parse("https://h.example/").origin
    assert read_netrc(None, {}).find(origin) is None
    for name, password in [(".netrc", "home"), (".other", "environment"), ("named", "settings")]:
        (tmp_path / name).write_text(f"machine h.example login u password {password}\n")
        (tmp_path / name).chmod(0o600)
    found = [
        read_netrc(None, {}).find(origin),
        read_netrc(None, {"NETRC": "~/.other"}).find(origin),
        read_netrc(tmp_path / "named", {"NETRC": "~/.other"}).find(origin),
    ]
    assert [one.secret.reveal() if one else None for one in found] == ["home", "environment", "settings"]


def test_a_named_file_that_cannot_be_parsed_is_an_error_with_the_line_and_without_its_content(tmp_path: Path) -> None:
    file = tmp_path / "netrc"
    file.write_text("machine h.example login u password p\nc4nary nonsense\n")
    with pytest.raises(ValueError, match="line 2") as caught:
        read_netrc(file, {})
    assert "c4nary" not in str(caught.value)
    with pytest.raises(ValueError, match="no such file"):
        read_netrc(tmp_path / "absent", {})
