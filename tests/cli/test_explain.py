"""``lockwright explain``: why a package is in the lock, or why a version is not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from .conftest import IndexServer, Lock

LINUX = ("--python-version", "3.12", "--python-platform", "linux")


def test_the_chains_end_at_the_package(directory: Path, cli: Lock, index: IndexServer) -> None:
    (directory / "requirements.in").write_text("app\nlib>=1\n")
    done = cli("explain", "lib", "-q", "--default-index", index.url, *LINUX)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        "lib 2.1",
        "  lib>=1 (requirements.in:2)",
        "  app (requirements.in:1)",
        "    app 2.0 requires lib>=2",
    ]
    absent = cli("explain", "old", "-q", "--default-index", index.url, *LINUX)
    assert (absent.code, absent.out) == (1, "old is not in the lock: nothing requires it\n")


def test_a_wish_is_answered_here_and_by_a_service(
    directory: Path, cli: Lock, index: IndexServer, start_service: Callable[..., str]
) -> None:
    (directory / "requirements.in").write_text("app\n")
    url = start_service(UV_DEFAULT_INDEX=index.url)
    for where in (("--default-index", index.url), ("--server", url)):
        possible = cli("explain", "lib", "--not", "<2", "-q", *where, *LINUX)
        assert (possible.code, possible.err) == (0, "")
        assert possible.out.splitlines() == [
            "lib<2 is possible; the lock would change:",
            "  Updated app 2.0 -> 1.0",
            "  Updated lib 2.1 -> 1.0",
        ]
        impossible = cli("explain", "lib", "--not", "9.9", "-q", *where, *LINUX)
        assert impossible.code == 1
        assert impossible.out.startswith("lib==9.9 is impossible: ")
        assert impossible.err == ""


def test_the_versions_of_a_lock_are_kept(directory: Path, cli: Lock, index: IndexServer) -> None:
    (directory / "requirements.in").write_text("lib\n")
    (directory / "lock.txt").write_text("lib==2.0\n")
    done = cli("explain", "lib", "-l", "lock.txt", "--format", "json", "-q", "--default-index", index.url, *LINUX)
    assert json.loads(done.out)["locked"][0]["version"] == "2.0"


def test_a_question_that_is_none_names_its_option(directory: Path, cli: Lock, index: IndexServer) -> None:
    (directory / "requirements.in").write_text("lib\n")
    wish = cli("explain", "lib", "--not", "old ones", "--default-index", index.url, *LINUX)
    assert wish.code == 2
    assert "--not old ones: neither a version specifier" in wish.err
    name = cli("explain", "no name", "--default-index", index.url, *LINUX)
    assert name.code == 2
    assert "'no name'" in name.err
