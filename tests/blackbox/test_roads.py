"""Where connections go: through proxies of the environment, never to what only this machine may ask (52, 53)."""

from __future__ import annotations

import base64
import socket
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.service.indexes import Wheel, content, versions
from tests.service.indexes import serving as serving_with
from tests.transport.server import Answer, Server, index, reply

from .service import serving

A = Wheel("a", "1.0")
AWAY = "http://index.invalid/simple/"


def through() -> dict[str, Answer | list[Answer]]:
    """Return what a proxy is asked for that fetches from an index which only it can reach."""
    return {f"http://index.invalid{target}": answer for target, answer in content(A).items()}


async def lock(directory: Path, environ: Mapping[str, str]) -> tuple[int, dict[str, object]]:
    async with serving_with(directory, [{"name": "corp", "url": AWAY}], environ=environ) as service:
        status, said = await service.lock("a")
        if status == 200:
            assert versions(said) == {"a": ("1.0", "corp")}
        return status, said


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("scheme", ["http://", ""])
async def test_a_proxy_of_the_environment_is_used_and_given_its_own_credential(
    tmp_path: Path, variable: str, scheme: str
) -> None:
    async with index(through()) as proxy:
        status, said = await lock(tmp_path, {variable: f"{scheme}u:p%40ss@127.0.0.1:{proxy.port}"})
        assert status == 200, said
        expected = "Basic " + base64.b64encode(b"u:p@ss").decode()
        assert [seen.headers["proxy-authorization"] for seen in proxy.seen] == [expected] * 2


@pytest.mark.parametrize(
    "exception", ["index.invalid", ".invalid", "index.invalid:80", "other.example,index.invalid", "*"]
)
async def test_what_no_proxy_names_is_not_asked_of_the_proxy(tmp_path: Path, exception: str) -> None:
    async with index(through()) as proxy:
        status, said = await lock(tmp_path, {"HTTP_PROXY": f"http://127.0.0.1:{proxy.port}", "NO_PROXY": exception})
        assert (status, str(said["reason"]).partition("-")[0]) == (503, "dns")  # directly, where there is nothing
        assert proxy.connections == 0


async def test_another_port_is_no_exception(tmp_path: Path) -> None:
    async with index(through()) as proxy:
        environ = {"HTTP_PROXY": f"http://127.0.0.1:{proxy.port}", "NO_PROXY": "index.invalid:8080"}
        assert (await lock(tmp_path, environ))[0] == 200


async def test_a_proxy_that_is_dead_or_refuses_is_told_apart_without_its_password(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        environ = {"HTTP_PROXY": f"http://u:hunter2@127.0.0.1:{unused.getsockname()[1]}"}
        status, said = await lock(tmp_path, environ)
    assert (status, said["reason"]) == (503, "proxy-connect")
    assert "hunter2" not in str(said)
    async with index({"*": reply(b"", 407)}) as proxy:
        status, said = await lock(tmp_path, {"HTTP_PROXY": f"http://u:hunter2@127.0.0.1:{proxy.port}"})
        assert (status, said["upstream_status"], len(proxy.seen)) == (502, 407, 1)
    assert "hunter2" not in str(said)


HOSTS = ["127.0.0.1", "localhost", "0x7f000001", "①27.0.0.1", "[::ffff:127.0.0.1]", "0.0.0.0", "[::1]", "127.1",
         "2130706433", "0177.0.0.1", "localhost.", "[64:ff9b::7f00:1]"]  # fmt: skip


def quiet(server: Server) -> bool:
    return server.connections == 0


@pytest.mark.parametrize("host", HOSTS)
async def test_a_url_of_a_request_reaches_nothing_that_only_this_machine_may_ask(tmp_path: Path, host: str) -> None:
    async with index({"*": reply(b"inner")}) as inner, serving(tmp_path, network={"retries": 0}) as service:
        status, said = await service.lock(f"a @ http://{host}:{inner.port}/a-1.0-py3-none-any.whl")
        assert status in {403, 422, 502, 503}, said
        assert "inner" not in str(said)
        assert quiet(inner)


@pytest.mark.parametrize("host", HOSTS)
async def test_a_redirect_of_a_requests_index_reaches_no_more_than_its_url(tmp_path: Path, host: str) -> None:
    async with index({"*": reply(b"inner")}) as inner:
        location = f"http://{host}:{inner.port}/simple/a/".encode().decode("latin-1")
        async with index({"*": reply(b"", 302, location=location)}) as outer:
            allowed = {"index_urls": [f"{outer.url}/simple/"]}
            async with serving(tmp_path, policy=allowed, network={"retries": 0}) as service:
                theirs = {"name": "theirs", "url": f"{outer.url}/simple/"}
                status, said = await service.lock("a", indexes=[theirs])
            assert outer.seen
        assert status in {403, 502, 503}, said
        assert quiet(inner)
