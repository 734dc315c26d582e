"""The keyring command: once for all who ask, again when it is time, and never for ever."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from transport import keyring as module
from transport.credentials import basic, index_from_url
from transport.errors import Unauthorized
from transport.keyring import KEPT_FOR, RENEWED_AFTER, Keyring
from transport.message import Request
from transport.stack import TransportSettings, open_stack

from .server import Seen, TestClock, index, reply
from .test_redirects import authorization

URL = "https://corp.example/simple/"


class Command:
    """A keyring command on the PATH that prints what a file says, and counts."""

    def __init__(self, directory: Path, body: str = "") -> None:
        self._secret, self._count = directory / "secret", directory / "count"
        script = directory / "keyring"
        script.write_text(
            f"#!{sys.executable}\nimport sys, pathlib, time\n"
            f"with open({str(self._count)!r}, 'a') as file: file.write('x')\n{body}\n"
            f"secret = pathlib.Path({str(self._secret)!r})\n"
            "print(secret.read_text() if secret.exists() else '')\n"
        )
        script.chmod(0o755)
        os.environ["PATH"] = f"{directory}{os.pathsep}{os.environ['PATH']}"

    def knows(self, secret: str) -> None:
        self._secret.write_text(secret)

    @property
    def count(self) -> int:
        return len(self._count.read_text()) if self._count.exists() else 0


async def test_who_asks_at_the_same_time_shares_an_answer_that_is_kept_for_a_while(tmp_path: Path) -> None:
    command, clock = Command(tmp_path), TestClock()
    command.knows("pw")
    keyring = Keyring(clock)
    found = await asyncio.gather(*(keyring.find(URL, "ci") for _ in range(10)))
    assert found == [basic("ci", "pw")] * 10
    command.knows("other")
    clock.now += KEPT_FOR
    assert await keyring.find(URL, "ci") == basic("ci", "pw")
    assert command.count == 1
    clock.now += 1
    assert await keyring.find(URL, "ci") == basic("ci", "other")


async def test_an_index_that_refuses_has_the_keyring_asked_once_more(tmp_path: Path) -> None:
    command, clock, accepted = Command(tmp_path), TestClock(), ["one"]

    def answer(seen: Seen) -> bytes:
        return reply(b"", 200 if seen.headers.get("authorization") == authorization("ci", accepted[0]) else 401)

    command.knows("one")
    async with index({"*": answer}) as server:
        corp = index_from_url("corp", server.url.replace("://", "://ci@") + "/s/")
        async with open_stack(TransportSettings(keyring=True), clock=clock) as fetcher:
            assert (await fetcher.fetch(Request(f"{corp.url}a/", corp))).status == 200
            command.knows("two")
            accepted[0] = "two"
            clock.now += RENEWED_AFTER + 1
            assert (await fetcher.fetch(Request(f"{corp.url}b/", corp))).status == 200
            assert command.count == 2
            accepted[0] = "nobody knows"
            with pytest.raises(Unauthorized):  # its answer is as fresh as can be
                await fetcher.fetch(Request(f"{corp.url}c/", corp))
            assert command.count == 2


async def test_a_request_that_names_its_own_index_does_not_reach_the_keyring(tmp_path: Path) -> None:
    command = Command(tmp_path)
    command.knows("pw")
    async with index({"*": reply(b"", 401)}) as server:
        theirs = index_from_url("theirs", server.url.replace("://", "://ci@") + "/s/", configured=False)
        settings = TransportSettings(keyring=True, private_addresses="allow")
        async with open_stack(settings) as fetcher:
            with pytest.raises(Unauthorized):
                await fetcher.fetch(Request(f"{theirs.url}a/", theirs))
    assert command.count == 0


async def test_a_command_that_prompts_or_hangs_or_is_missing_is_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    Command(tmp_path, "input('Password: ')")  # there is nobody to type
    assert await Keyring(TestClock()).find(URL, "ci") is None
    Command(tmp_path, "time.sleep(60)")
    monkeypatch.setattr(module, "PATIENCE", 0.01)
    assert await Keyring(TestClock()).find(URL, "ci") is None
    assert "no answer" in caplog.text
    assert await Keyring(TestClock(), "no-such-keyring").find(URL, "ci") is None
    assert "no-such-keyring" in caplog.text


async def test_closing_ends_a_command_that_still_runs(tmp_path: Path) -> None:
    pipe = tmp_path / "started"
    os.mkfifo(pipe)
    Command(tmp_path, f"open({str(pipe)!r}, 'w').write('x')\ntime.sleep(60)")
    keyring = Keyring(TestClock())
    asking = asyncio.create_task(keyring.find(URL, "ci"))
    assert await asyncio.to_thread(pipe.read_text) == "x"
    await keyring.close()
    with pytest.raises(asyncio.CancelledError):
        await asking
