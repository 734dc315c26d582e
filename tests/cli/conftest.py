"""A tiny index on a loopback port, the command line called in this process, and a service in another one."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import structlog

from service.cli.main import run
from tests.fake_index import BASE, FILES, World

ROOT = Path(__file__).resolve().parents[2]
Lock = Callable[..., "Finished"]


@dataclass(frozen=True, slots=True)
class Finished:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that go away, as an interrupted command does."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class IndexServer:
    """Serves a world over HTTP; ``url`` is its simple API."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.asked = threading.Event()
        self.release = threading.Event()
        self.release.set()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                owner.asked.set()
                owner.release.wait(60)
                status, kind, body = owner.answer(self.path)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        owner = self
        self._server = _Server(("127.0.0.1", 0), Handler)
        self._base = f"http://127.0.0.1:{self._server.server_port}"
        self.url = f"{self._base}/simple/"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def answer(self, path: str) -> tuple[int, str, bytes]:
        url = path.replace("/simple/", BASE, 1).replace("/files/", FILES, 1)
        status, kind, body = self.world._answer(url)
        return status, kind, body.replace(FILES.encode(), f"{self._base}/files/".encode())

    def close(self) -> None:
        self.release.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


WORLD = """
    app 1.0: lib>=1, extra-lib; sys_platform == 'win32'
    app 2.0: lib>=2
    lib 1.0
    lib 2.0
    lib 2.1
    extra-lib 1.0
    old 1.0: lib<2
"""


@pytest.fixture
def index() -> Generator[IndexServer]:
    server = IndexServer(World(WORLD))
    yield server
    server.close()


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory of a user, empty."""
    home = tmp_path / "project"
    home.mkdir()
    monkeypatch.chdir(home)
    monkeypatch.setenv("LOCKWRIGHT_CACHE__DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("LOCKWRIGHT_NETWORK__RETRIES", "0")
    return home


@pytest.fixture
def cli(directory: Path, capsys: pytest.CaptureFixture[str]) -> Generator[Lock]:
    """Call the command line in the current directory."""
    del directory
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level

    def call(*arguments: str) -> Finished:
        code = run(arguments)
        said = capsys.readouterr()
        return Finished(code, said.out, said.err)

    yield call
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def lock(cli: Lock, index: IndexServer) -> Lock:
    """Call ``lockwright lock`` with the index as the default one."""
    return lambda *arguments: cli("lock", "--default-index", index.url, *arguments)


@pytest.fixture
def start_service(tmp_path: Path) -> Generator[Callable[..., str]]:
    """Start a service with settings from environment variables, and return its URL."""
    running: list[subprocess.Popen[str]] = []

    def start(**settings: str) -> str:
        settings.setdefault("LOCKWRIGHT_SERVICE__DRAIN_GRACE", "0")  # no load balancer has to notice
        environ = {**os.environ, "LOCKWRIGHT_CACHE__DIR": str(tmp_path / f"service-{len(running)}"), **settings}
        command = [sys.executable, "-m", "service", "serve", "--port", "0"]
        process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, env=environ)
        running.append(process)
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("listening on "):
                return line.removeprefix("listening on ").strip()
        raise AssertionError("the service ended before it listened")

    yield start
    for process in running:
        process.terminate()
    for process in running:
        process.communicate()
