"""``lockwright check``: is the lock still good for what it is made from?"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import IndexServer, Lock

LINUX = ("--python-version", "3.12", "--python-platform", "linux")


@pytest.mark.parametrize("name", ["pylock.toml", "requirements.txt", "lock.json", "lock.msgpack"])
@pytest.mark.parametrize(
    "place", [LINUX, (), ("--universal",), ("--target", "a=3.12:linux", "--target", "b=3.13:macos")]
)
def test_a_lock_satisfies_its_inputs_until_they_change(
    directory: Path, lock: Lock, cli: Lock, index: IndexServer, name: str, place: tuple[str, ...]
) -> None:
    (directory / "requirements.in").write_text("app\n")
    assert lock(*place, "-o", name).code == 0
    index.asked.clear()
    good = cli("check", "-l", name, *place)
    assert (good.code, good.out) == (0, ""), good.out + good.err
    assert f"{name} satisfies requirements.in" in good.err
    (directory / "requirements.in").write_text("app<2\n\nextra-lib\n")
    stale = cli("check", "-q", "-l", name, *place)
    assert stale.code == 1
    assert "requirements.in:1 asks for app<2: the lock has app 2.0" in stale.out
    assert "requirements.in:3 asks for extra-lib: the lock does not have it" in stale.out
    assert stale.err == ""
    assert not index.asked.is_set()


def test_a_service_judges_alike(directory: Path, lock: Lock, cli: Lock, start_service: Callable[..., str]) -> None:
    (directory / "requirements.in").write_text("app\n")
    lock(*LINUX, "-o", "pylock.toml")
    (directory / "limits.txt").write_text("lib<2\n")
    url = start_service(UV_DEFAULT_INDEX="http://127.0.0.1:9/simple/")
    assert cli("check", "--server", url, *LINUX).code == 0
    there = cli("check", "--server", url, "-c", "limits.txt", *LINUX, "--format", "json")
    here = cli("check", "-c", "limits.txt", *LINUX, "--format", "json")
    assert there.code == here.code == 1
    assert there.out == here.out
    assert json.loads(here.out)["modes"]["satisfies"]["faults"][0]["requirement"] == "lib<2"


def test_without_a_lock_the_reason_is_given(directory: Path, cli: Lock) -> None:
    (directory / "requirements.in").write_text("app\n")
    done = cli("check")
    assert (done.code, done.out) == (2, "")
    assert "no lock in pylock.toml" in done.err
    (directory / "pylock.toml").write_text("lock-version = '9'\n")
    broken = cli("check")
    assert broken.code == 2
    assert "pylock.toml" in broken.err
