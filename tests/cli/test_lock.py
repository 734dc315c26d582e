"""``lockwright lock`` from files to files, in this process, over a real index on a loopback port."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgpack
import pytest
from packaging.pylock import Pylock

from .conftest import IndexServer, Lock

LINUX = ("--python-version", "3.12", "--python-platform", "linux")


def versions(text: str) -> dict[str, str]:
    return {package["name"]: package["version"] for package in tomllib.loads(text)["packages"]}


def test_stdout_holds_the_lock_and_nothing_else(directory: Path, lock: Lock) -> None:
    (directory / "requirements.in").write_text("app\n")
    done = lock("requirements.in", *LINUX)
    assert done.code == 0, done.err
    Pylock.from_dict(tomllib.loads(done.out)).validate()
    assert versions(done.out) == {"app": "2.0", "lib": "2.1"}
    assert "Locked 2 packages" in done.err


def test_a_script_is_locked_from_its_comment(directory: Path, lock: Lock) -> None:
    (directory / "tool.py").write_text('# /// script\n# dependencies = ["app<2"]\n# ///\nimport app\n-r = 1\n')
    done = lock("tool.py", *LINUX)
    assert done.code == 0, done.err
    assert versions(done.out)["app"] == "1.0"
    (directory / "torn.py").write_text('import app\n# /// script\n# dependencies = ["app"]\n')
    refused = lock("torn.py", *LINUX)
    assert refused.code == 2
    assert "torn.py:2: this block is never closed" in refused.err


def test_quiet_says_nothing_but_the_lock(directory: Path, lock: Lock) -> None:
    (directory / "requirements.in").write_text("app\n")
    assert lock("-q", *LINUX).err == ""


def test_without_a_target_the_running_interpreter_is_the_target(directory: Path, lock: Lock) -> None:
    (directory / "requirements.in").write_text(f"app ; python_version == '{sys.version_info[0]}.{sys.version_info[1]}'")
    assert versions(lock().out) == {"app": "2.0", "lib": "2.1"}


def test_a_universal_lock_is_for_every_environment_from_a_python_on(directory: Path, lock: Lock) -> None:
    (directory / "requirements.in").write_text("app<2\n")
    done = lock("--universal", "--python-version", "3.11")
    assert done.code == 0, done.err
    locked = tomllib.loads(done.out)
    assert locked["requires-python"] == ">=3.11"
    assert "environments" not in locked
    refused = lock("--universal", "--python-platform", "linux")
    assert refused.code == 2
    assert "--universal is for every platform" in refused.err


def test_what_an_earlier_run_saw_dates_files_without_an_upload_time(directory: Path, lock: Lock) -> None:
    (directory / "requirements.in").write_text("app\n")
    assert lock("requirements.in", *LINUX).code == 0
    limited = ("requirements.in", *LINUX, "--exclude-newer", "2026-03-01")
    refused = lock(*limited)
    assert refused.code == 1
    assert "this service saw it first on" in refused.err
    with contextlib.closing(sqlite3.connect(directory.parent / "cache" / "first-seen" / "1.sqlite")) as ledger:
        ledger.execute("UPDATE files SET seen = ?", (datetime(2026, 2, 1, tzinfo=UTC).timestamp(),))
        ledger.commit()
    done = lock(*limited)
    assert done.code == 0, done.err
    assert versions(done.out) == {"app": "2.0", "lib": "2.1"}


def test_several_targets_share_one_lock(directory: Path, lock: Lock) -> None:
    (directory / "requirements.in").write_text("app<2\n")
    done = lock("--target", "ci=3.12:linux", "--target", "desk=3.13:windows", "--format", "json")
    packages = {one["name"]: one for one in json.loads(done.out)["packages"]}
    assert packages["extra-lib"]["targets"] == ["desk"]
    assert packages["lib"]["targets"] == ["ci", "desk"]


def test_each_output_has_the_format_that_its_name_says(directory: Path, lock: Lock) -> None:
    (directory / "requirements.in").write_text("app\n")
    names = ("pylock.ci.toml", "requirements.txt", "lock.json", "lock.msgpack")
    done = lock(*LINUX, *(part for name in names for part in ("-o", name)))
    assert done.code == 0, done.err
    assert done.out == ""
    assert versions((directory / "pylock.ci.toml").read_text()) == {"app": "2.0", "lib": "2.1"}
    assert "app==2.0 \\\n" in (directory / "requirements.txt").read_text()
    answer = json.loads((directory / "lock.json").read_text())
    assert msgpack.unpackb((directory / "lock.msgpack").read_bytes()) == answer


def test_an_output_that_would_not_change_keeps_its_time_stamp(directory: Path, lock: Lock) -> None:
    (directory / "requirements.in").write_text("app\n")
    names = ("pylock.toml", "lock.json")
    arguments = (*LINUX, *(part for name in names for part in ("-o", name)))
    lock(*arguments)
    for name in names:
        os.utime(directory / name, (1, 1))
    done = lock(*arguments)
    assert "Unchanged: pylock.toml" in done.err
    assert {(directory / name).stat().st_mtime for name in names} == {1}


@pytest.mark.parametrize("name", ["pylock.toml", "requirements.txt", "lock.json", "lock.msgpack"])
def test_versions_of_an_existing_output_are_kept_until_an_upgrade_is_asked_for(
    directory: Path, lock: Lock, name: str
) -> None:
    source = directory / "requirements.in"
    source.write_text("app\nlib==2.0\n")
    lock(*LINUX, "-o", name)
    source.write_text("app\nlib\n")
    kept = lock(*LINUX, "-o", name, "--format", "pylock")
    assert versions(kept.out)["lib"] == "2.0", kept.err
    one = lock(*LINUX, "-o", name, "--format", "pylock", "-P", "lib")
    assert versions(one.out)["lib"] == "2.1"
    assert "Updated lib 2.0 -> 2.1" in one.err


def test_upgrade_lets_every_version_move(directory: Path, lock: Lock) -> None:
    source = directory / "requirements.in"
    source.write_text("app==1.0\nlib==1.0\n")
    lock(*LINUX, "-o", "pylock.toml")
    source.write_text("app\nlib\n")
    assert versions(lock(*LINUX, "-o", "pylock.toml", "-U", "--format", "pylock").out) == {"app": "2.0", "lib": "2.1"}


def test_an_upgrade_may_name_the_version_to_go_to(directory: Path, lock: Lock) -> None:
    source = directory / "requirements.in"
    source.write_text("lib==1.0\n")
    lock(*LINUX, "-o", "pylock.toml")
    source.write_text("lib\n")
    assert versions(lock(*LINUX, "-o", "pylock.toml", "-P", "lib<2.1", "--format", "pylock").out) == {"lib": "2.0"}


def test_included_files_and_constraints_are_read_from_disk_and_named_in_via(directory: Path, lock: Lock) -> None:
    (directory / "parts").mkdir()
    (directory / "requirements.in").write_text("-r parts/base.in\n")
    (directory / "parts" / "base.in").write_text("# first\napp\n-c ../limits.txt\n")
    (directory / "limits.txt").write_text("lib<2.1\n")
    (directory / "more.txt").write_text("app<3\n")
    done = lock("requirements.in", *LINUX, "-c", "more.txt", "--format", "json")
    packages = {one["name"]: one for one in json.loads(done.out)["packages"]}
    assert packages["lib"]["version"] == "2.0"
    assert packages["app"]["via"] == ["parts/base.in:2"]


def test_overrides_and_excludes_change_what_packages_require(directory: Path, lock: Lock) -> None:
    (directory / "requirements.in").write_text("app\n")
    (directory / "overrides.txt").write_text("lib==1.0\n")
    assert versions(lock(*LINUX, "--override", "overrides.txt").out) == {"app": "2.0", "lib": "1.0"}
    assert versions(lock(*LINUX, "--exclude", "lib").out) == {"app": "2.0"}


def test_standard_input_is_a_requirements_file(directory: Path, index: IndexServer, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "service", "lock", "-", "--default-index", index.url, *LINUX]
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "LOCKWRIGHT_CACHE__DIR": str(tmp_path)}
    done = subprocess.run(command, cwd=directory, env=environ, input=b"lib<2\n", capture_output=True, check=True)
    assert versions(done.stdout.decode()) == {"lib": "1.0"}


def test_extras_and_groups_of_a_project(directory: Path, lock: Lock) -> None:
    (directory / "pyproject.toml").write_text(
        '[project]\nname = "mine"\nversion = "1"\ndependencies = []\n'
        '[project.optional-dependencies]\nfast = ["lib<2"]\n[dependency-groups]\ndev = ["extra-lib"]\n'
    )
    assert versions(lock(*LINUX, "--extra", "fast").out) == {"lib": "1.0"}
    assert versions(lock(*LINUX, "pyproject.toml", "--all-extras", "--group", "dev").out) == {
        "extra-lib": "1.0",
        "lib": "1.0",
    }
    assert versions(lock(*LINUX, "--group", "dev").out) == {"extra-lib": "1.0"}


def test_no_header_leaves_the_leading_comment_out(directory: Path, lock: Lock) -> None:
    (directory / "requirements.in").write_text("lib\n")
    assert lock(*LINUX, "--format", "requirements", "--no-header").out.startswith("lib==2.1")
    assert lock(*LINUX, "--format", "requirements").out.startswith("#")


def test_a_contradiction_is_exit_1_explained_in_prose_and_touches_no_file(directory: Path, lock: Lock) -> None:
    (directory / "requirements.in").write_text("app==2.0\nold\n")
    (directory / "pylock.toml").write_text('lock-version = "1.0"\n')
    done = lock(*LINUX, "-o", "pylock.toml")
    assert done.code == 1
    assert "lib" in done.err
    assert "old" in done.err
    assert (directory / "pylock.toml").read_text() == 'lock-version = "1.0"\n'


def test_faults_come_one_to_a_line_with_their_place(directory: Path, lock: Lock) -> None:
    (directory / "requirements.in").write_text("app\n\nnot a requirement\n-e .\n")
    done = lock(*LINUX)
    assert done.code == 2
    lines = done.err.splitlines()
    assert [line.split(": ")[0] for line in lines if line.startswith("requirements.in:")] == [
        "requirements.in:3:5",
        "requirements.in:4",
    ]


def test_faults_of_options_name_the_option(directory: Path, lock: Lock) -> None:
    (directory / "requirements.in").write_text("app\n")
    done = lock("--python-version", "2.7", "--python-platform", "linux", "--exclude-newer", "yesterday-ish")
    assert done.code == 2
    assert "--exclude-newer: " in done.err
    done = lock("--python-version", "2.7", "--python-platform", "linux")
    assert "--python-version 2.7 --python-platform linux: " in done.err
    for place in (["--python-platform", "linux"], ["--universal"]):  # an unset variable of a script
        done = lock("--python-version", "", *place)
        assert done.code == 2
        assert "--python-version " in done.err


def test_an_index_that_is_down_is_exit_3(directory: Path, cli: Lock) -> None:
    (directory / "requirements.in").write_text("app\n")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    done = cli("lock", "--default-index", f"http://127.0.0.1:{port}/simple/", *LINUX)
    assert done.code == 3
    assert "default" in done.err


def test_a_file_that_is_not_the_promised_one_is_exit_4(directory: Path, lock: Lock, index: IndexServer) -> None:
    (directory / "requirements.in").write_text("app\n")
    page, metadata = index.world._page, index.answer

    def tampered(path: str) -> tuple[int, str, bytes]:
        status, kind, body = metadata(path)
        return status, kind, body + b"changed" if path.endswith(".metadata") else body

    assert page("app", [])["name"] == "app"
    index.answer = tampered  # type: ignore[method-assign]
    done = lock(*LINUX)
    assert done.code == 4, done.err
    assert "sha256" in done.err


def test_an_interrupt_is_exit_130(directory: Path, index: IndexServer, tmp_path: Path) -> None:
    (directory / "requirements.in").write_text("app\n")
    index.release.clear()
    command = [sys.executable, "-m", "service", "lock", "--default-index", index.url, *LINUX]
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "LOCKWRIGHT_CACHE__DIR": str(tmp_path)}
    with subprocess.Popen(command, cwd=directory, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as lock:
        assert index.asked.wait(60)
        lock.send_signal(signal.SIGINT)
        out, err = lock.communicate(timeout=60)
    index.release.set()
    assert lock.returncode == 130, err
    assert out == b""


def test_a_service_answers_as_this_process_does(
    directory: Path, cli: Lock, index: IndexServer, start_service: Callable[..., str]
) -> None:
    (directory / "requirements.in").write_text("app\n-c limits.txt\n")
    (directory / "limits.txt").write_text("lib<2.1\n")
    url = start_service(LOCKWRIGHT_DEFAULT_INDEX=index.url)
    for form in ("pylock", "requirements", "json"):
        here = cli("lock", "--default-index", index.url, "--format", form)
        there = cli("lock", "--server", url, "--format", form)
        assert there.code == here.code == 0, there.err
        assert there.out == here.out
    (directory / "requirements.in").write_text("app==9\n")
    here, there = cli("lock", "--default-index", index.url), cli("lock", "--server", url)
    assert there.code == here.code == 1
    assert there.err.splitlines()[1:] == here.err.splitlines()[1:]  # the first line says who is asked


def test_what_a_services_policy_refuses_is_exit_5(
    directory: Path, cli: Lock, index: IndexServer, start_service: Callable[..., str]
) -> None:
    (directory / "requirements.in").write_text("app\n")
    url = start_service(LOCKWRIGHT_DEFAULT_INDEX=index.url)
    done = cli("lock", "--server", url, "--default-index", index.url)
    assert done.code == 5, done.err
    assert "index_urls" in done.err
    allowed = start_service(LOCKWRIGHT_POLICY__INDEX_URLS="loopback", LOCKWRIGHT_DEFAULT_INDEX="explicit")
    assert cli("lock", "--server", allowed, "--default-index", index.url).code == 0
    assert cli("health", "--server", allowed).out == "ok\n"


def test_a_service_that_is_not_there_is_exit_3(directory: Path, cli: Lock) -> None:
    (directory / "requirements.in").write_text("app\n")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    done = cli("lock", "--server", url)
    assert done.code == 3
    assert "is it running?" in done.err
    assert cli("health", "--server", url).code == 3


def test_a_server_that_is_not_lockwright_is_exit_2(directory: Path, cli: Lock, index: IndexServer) -> None:
    (directory / "requirements.in").write_text("app\n")
    done = cli("lock", "--server", index.url.removesuffix("/simple/"))
    assert done.code in {2, 3}  # it knows no POST: 501
    assert "not as a lockwright service does" in done.err


def test_an_impossible_lock_says_what_would_help_and_which_option_does_it(directory: Path, lock: Lock) -> None:
    (directory / "requirements.in").write_text("-c limits.txt\napp\n")
    (directory / "limits.txt").write_text("# ours\nlib<2\n")
    assert lock("requirements.in", *LINUX).code == 0
    (directory / "requirements.in").write_text("-c limits.txt\napp>=2\n")
    done = lock("requirements.in", *LINUX)
    assert (done.code, done.out) == (1, "")
    assert "suggestion: change the constraint lib<2 (limits.txt:2) to lib<3\n" in done.err
    assert "suggestion: change app>=2 (requirements.in:2) to app>=1.0\n" in done.err
    (directory / "requirements.in").write_text("app\n")
    done = lock("requirements.in", "--no-binary", "app", *LINUX)
    assert "suggestion: admit wheels of app (another --no-binary)\n" in done.err
