"""The command as a whole: what help costs, which words it knows, and how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from resolver.model import Builds, IndexStrategy, Prerelease, ResolutionMode
from service.cli import options as lock_options
from service.cli.exits import CommandError, Declined
from service.cli.report import to_error
from service.problems import KINDS, Problem, to_document

from .conftest import ROOT, IndexServer, Lock

HEAVY = ("aiohttp", "lxml", "msgpack", "orjson", "packaging", "pydantic", "resolver", "rich", "structlog", "transport")

# What a lock needs only if somebody has to be asked, something has to be drawn, or a web server is to run.
IDLE = (
    "_ssl",
    "aiohttp",
    "difflib",
    "dis",
    "email",
    "http.client",
    "lxml",
    "packageurl",
    "prometheus_client",
    "pydantic",
    "resolver.refusal",
    "resolver.remedies",
    "resolver.solver.shortening",
    "rich",
    "shutil",
    "structlog",
    "tempfile",
    "urllib.request",
)


@pytest.mark.parametrize("command", ["", "lock", "check", "explain", "tree", "serve", "health"])
def test_help_imports_nothing_that_takes_long(command: str) -> None:
    arguments = [*command.split(), "--help"]
    script = (
        "import json, sys\nfrom service.cli.main import run\n"
        f"code = run({arguments!r})\nprint(json.dumps([code, sorted(sys.modules)]), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    code, modules = json.loads(done.stderr)
    assert code == 0
    assert done.stdout.startswith("Usage: lockwright")
    assert [module for module in HEAVY if module in modules] == []


def test_a_warm_lock_made_here_imports_no_more_than_it_uses(cli: Lock, index: IndexServer, directory: Path) -> None:
    (directory / "requirements.in").write_text("app\n")
    table = 'name = "own"\ndefault = true\ncache_control = {api = "max-age=600", files = "max-age=600"}\n'
    (directory / "lockwright.toml").write_text(f'[[index]]\nurl = "{index.url}"\n{table}')
    arguments = ["lock", "--python-version", "3.12", "--python-platform", "linux"]
    first = cli(*arguments)
    assert first.code == 0, first.err
    index.asked.clear()
    script = (
        f"import json, sys\nsys.path.insert(0, {str(ROOT)!r})\n"
        "from service.late_modules import import_late\nimport_late()\nfrom service.startup import hasten\nhasten()\n"
        f"from service.cli.main import run\ncode = run({arguments!r})\n"
        "print(json.dumps([code, sorted(sys.modules)]), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=directory, capture_output=True, text=True, check=True)
    code, modules = json.loads(done.stderr.splitlines()[-1])
    assert code == 0, done.stderr
    assert done.stdout == first.out
    assert not index.asked.is_set()
    assert [module for module in IDLE if module in modules] == []


def test_the_options_know_the_words_of_the_model() -> None:
    assert [mode.value for mode in ResolutionMode] == list(lock_options.RESOLUTIONS)
    assert [mode.value for mode in Prerelease] == list(lock_options.PRERELEASES)
    assert [builds.value for builds in Builds] == list(lock_options.BUILDS)
    assert [strategy.value for strategy in IndexStrategy] == list(lock_options.INDEX_STRATEGIES)


@pytest.mark.parametrize("name", sorted(KINDS))
def test_every_problem_has_an_exit_code_that_fits_whether_a_retry_helps(name: str) -> None:
    declined = Declined(to_document(Problem(name, "why")))
    answers = {"resolution-impossible": 1, "budget-exhausted": 1, "hash-mismatch": 4, "policy-denied": 5}
    assert declined.name == name
    assert declined.code == answers.get(name, 3 if KINDS[name].is_retryable else 2)


def test_what_a_server_says_cannot_move_the_cursor() -> None:
    said = to_error(Declined({"type": "/problems/index-unavailable", "detail": "a\x1b[2Jb\rc"}), {})
    assert isinstance(said, CommandError)
    assert "\x1b" not in said.text
    assert "\r" not in said.text


@pytest.mark.parametrize(
    "arguments",
    [
        ["unknown"],
        ["lock", "--unknown"],
        ["lock", "missing.in"],
        ["lock"],
        ["lock", "-o", "lock.unknown", "there.in"],
        ["lock", "-o", "there.txt", "there.txt"],
        ["lock", "-o", "no/such/directory.txt", "there.in"],
        ["lock", "--target", "linux", "there.in"],
        ["lock", "--target", "a=3.12:linux", "--python-version", "3.12", "there.in"],
        ["lock", "--python-version", "", "there.in"],
        ["lock", "--python-platform", "", "there.in"],
        ["lock", "--universal", "--python-platform", "", "there.in"],
        ["lock", "-P", "==1", "there.in"],
        ["lock", "--config", "missing.toml", "there.in"],
        ["lock", "--default-index", "ftp://index.example/", "there.in"],
        ["lock", "--server", "index.example", "there.in"],
        ["lock", "--server", "http://user:password@127.0.0.1:1", "there.in"],
        ["config", "explain", "no.such.key"],
    ],
)
def test_a_wrong_command_line_is_exit_2_with_a_reason(directory: Path, cli: Lock, arguments: list[str]) -> None:
    (directory / "there.in").write_text("app\n")
    (directory / "there.txt").write_text("app\n")
    done = cli(*arguments)
    assert done.code == 2, done.err
    assert done.out == ""
    assert "rror" in done.err
    assert "Traceback" not in done.err
    assert "password" not in done.err


def test_an_include_that_is_missing_is_named_with_the_line_that_names_it(directory: Path, cli: Lock) -> None:
    (directory / "there.in").write_text("app\n-r base.in\n")
    done = cli("lock", "there.in")
    assert (done.code, done.err) == (2, "error: there.in:2: base.in does not exist\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["lock", "there"], "there does not exist (to lock a requirement: echo 'there' | lockwright lock -)"),
        (["tree", "other.toml"], "other.toml does not exist"),
        (["lock", "latin.in"], "latin.in is not UTF-8; save it in that encoding"),
        (["lock", "--index", "here", "app.in"], "--index: an index URL starts with https:// (or http://) and a host"),
    ],
)
def test_a_file_or_a_url_that_cannot_be_used_is_named_with_the_remedy(
    directory: Path, cli: Lock, arguments: list[str], said: str
) -> None:
    (directory / "app.in").write_text("app\n")
    (directory / "latin.in").write_text("app # f\xfcr alle\n", "latin-1")
    done = cli(*arguments)
    assert (done.code, done.err) == (2, f"error: {said}\n")


def test_the_version_is_the_packages(cli: Lock) -> None:
    assert cli("--version").out == "lockwright 0.1.0\n"


def test_config_says_where_a_value_came_from_and_masks_secrets(
    directory: Path, cli: Lock, monkeypatch: pytest.MonkeyPatch
) -> None:
    (directory / "lockwright.toml").write_text(
        '[policy]\nindex_urls = "loopback"\n[[index]]\nname = "corp"\nurl = "https://ci:hunter2@index.example/simple"\n'
    )
    monkeypatch.setenv("LOCKWRIGHT_CACHE__SHARED", "redis://:hunter2@cache.example/0")
    listed = cli("config", "list").out
    assert "index.corp = https://index.example/simple/" in listed
    assert "hunter2" not in listed
    explained = cli("config", "explain", "policy.index_urls").out
    assert "policy.index_urls = loopback" in explained
    assert "lockwright.toml" in explained
    assert "LOCKWRIGHT_CACHE__SHARED" in cli("config", "explain", "cache.shared").out
    assert cli("config", "explain", "index.corp").out.endswith("environment: LOCKWRIGHT_INDEX\n")


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as closed:
        command = [sys.executable, "-m", "service", "config", "list"]
        environ = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, cwd=tmp_path, env=environ, stdout=closed, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
