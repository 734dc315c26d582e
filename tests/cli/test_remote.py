"""The command line as a client: what it sends, to whom, and what it shows meanwhile."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import service.cli.lock as lock_command
from service.cli import remote

from .conftest import ROOT, IndexServer, Lock


@pytest.fixture
def elsewhere() -> Generator[ThreadingHTTPServer]:
    """A server that redirects every POST to another path of its own, and counts what arrives there."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(302)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            arrived.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    arrived: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.arrived = arrived  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_token_from_the_environment_opens_a_protected_service(
    directory: Path,
    cli: Lock,
    index: IndexServer,
    start_service: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (directory / "requirements.in").write_text("lib\n")
    (directory / "tokens").write_text("sesame\n")
    url = start_service(LOCKWRIGHT_DEFAULT_INDEX=index.url, LOCKWRIGHT_SERVICE__TOKENS_FILE=str(directory / "tokens"))
    refused = cli("lock", "--server", url)
    assert refused.code == 2
    monkeypatch.setenv("LOCKWRIGHT_TOKEN", "sesame")
    opened = cli("lock", "--server", url)
    assert opened.code == 0, opened.err
    assert "sesame" not in opened.err


def test_a_proxy_is_not_asked_for_a_service_on_this_machine(
    directory: Path, cli: Lock, index: IndexServer, start_service: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (directory / "requirements.in").write_text("lib\n")
    url = start_service(LOCKWRIGHT_DEFAULT_INDEX=index.url)
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.invalid:3128")
    monkeypatch.setenv("http_proxy", "http://proxy.invalid:3128")
    assert cli("lock", "--server", url).code == 0


def test_a_redirect_is_not_followed(directory: Path, cli: Lock, elsewhere: ThreadingHTTPServer) -> None:
    (directory / "requirements.in").write_text("lib\n")
    done = cli("lock", "--server", f"http://127.0.0.1:{elsewhere.server_port}")
    assert done.code == 2
    assert "answered 302" in done.err
    assert elsewhere.arrived == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("server", ["http://lockwright.example:8080/", "https://lockwright.example/base"])
def test_a_server_may_have_a_path_and_a_trailing_slash(server: str) -> None:
    assert remote.check(server) == server.rstrip("/")


def test_a_crash_is_not_taken_for_an_answer(directory: Path, cli: Lock, monkeypatch: pytest.MonkeyPatch) -> None:
    (directory / "requirements.in").write_text("lib\n")

    def crash(**_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(lock_command.lock, "callback", crash)
    done = cli("lock")
    assert done.code == 3
    assert "ZeroDivisionError" in done.err
    assert "fault of lockwright" in done.err


def test_in_a_log_progress_is_a_plain_line(directory: Path, lock: Lock, monkeypatch: pytest.MonkeyPatch) -> None:
    (directory / "requirements.in").write_text("lib\n")
    monkeypatch.setenv("CI", "true")
    done = lock("--python-version", "3.12", "--python-platform", "linux")
    assert done.err.splitlines()[0] == "Resolving requirements.in ..."
    assert "\x1b" not in done.err


def test_on_a_terminal_progress_is_a_live_line_that_goes_away(
    directory: Path, index: IndexServer, tmp_path: Path
) -> None:
    (directory / "requirements.in").write_text("lib\n")
    index.release.clear()
    ours, theirs = pty.openpty()
    environ = {name: value for name, value in os.environ.items() if name not in {"CI", "NO_COLOR"}}
    environ |= {"PYTHONPATH": str(ROOT), "LOCKWRIGHT_CACHE__DIR": str(tmp_path), "TERM": "xterm", "COLUMNS": "80"}
    command = [sys.executable, "-m", "service", "lock", "--default-index", index.url]
    with subprocess.Popen(command, cwd=directory, env=environ, stdout=subprocess.PIPE, stderr=theirs) as process:
        os.close(theirs)
        said = b""
        while b"Resolving requirements.in" not in said:
            said += os.read(ours, 4096)
        index.release.set()
        out, _ = process.communicate(timeout=60)
        said += _rest(ours)
    os.close(ours)
    assert process.returncode == 0, said
    assert out.startswith(b"lock-version")
    assert b"\x1b[2K" in said  # the line is erased
    assert b"Locked 1 package in" in said


def _rest(descriptor: int) -> bytes:
    """Read what a terminal still holds; Linux ends it with EIO when the other side is closed."""
    parts = []
    try:
        while part := os.read(descriptor, 4096):
            parts.append(part)
    except OSError:
        pass
    return b"".join(parts)
