"""A service of ours: started, asked, stopped, started again on the same cache."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from .connection import Connection, Reply, message
from .process import clean_environment, free_port, running
from .question import PLATFORM, Question

Pins = dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Locked:
    """An answer with status 200."""

    reply: Reply
    document: dict[str, Any]

    @property
    def pins(self) -> Pins:
        """Versions by name; a universal lock may have several."""
        found: dict[str, set[str]] = {}
        for package in self.document["packages"]:
            found.setdefault(canonicalize_name(package["name"]), set()).add(package["version"])
        return {name: tuple(sorted(versions)) for name, versions in found.items()}

    @property
    def phases(self) -> dict[str, float]:
        """Seconds by phase: those of ``stats``, and whatever else ``Server-Timing`` names."""
        timing = {}
        for part in self.reply.header("Server-Timing").split(","):
            name, _, duration = part.strip().partition(";dur=")
            if duration:
                timing[name] = float(duration) / 1000
        stats = self.document.get("stats") or {}
        return timing | {name: float(value) for name, value in stats.get("seconds", {}).items()}


def body(question: Question, index: str) -> dict[str, Any]:
    """The request that asks ``question`` of ``index``."""
    asked: dict[str, Any] = {
        "requirements": list(question.requirements),
        "indexes": [{"name": "snapshot", "url": index}],
        "options": {"only_binary": [":all:"]},
    }
    if question.constraints:
        asked["constraints"] = list(question.constraints)
    if question.is_universal:
        asked["universal"] = {"requires_python": f">={question.python}"}
    else:
        asked["targets"] = [{"name": "t", "python": question.python, "platform": PLATFORM}]
    return asked


def post(question: Question, index: str, *, refresh: bool = False) -> bytes:
    """The bytes of ``POST /v1/lock``."""
    fields = {"Cache-Control": "no-cache"} if refresh else {}
    return message("POST", "/v1/lock", json.dumps(body(question, index)).encode(), fields)


class Refused(Exception):
    """An answer that is no lock."""


class Service:
    """A running service and one kept-alive connection to it."""

    def __init__(self, port: int, process: subprocess.Popen[bytes]) -> None:
        """Connect to ``port``, where ``process`` listens."""
        self.port = port
        self.process = process
        self.connection = Connection(port)
        self.connection.ask(message("GET", "/healthz"))

    def lock(self, question: Question, index: str) -> Locked:
        """Ask, and read the answer after the clock has stopped.

        Raises:
            Refused: there is no lock.
        """
        reply = self.connection.ask(post(question, index))
        document = json.loads(reply.body)
        if reply.status != 200:
            raise Refused(f"HTTP {reply.status}: {str(document.get('detail'))[:200]}")
        return Locked(reply, document)


def variables(cache: Path) -> dict[str, str]:
    """What a service or a command of ours is started with."""
    return clean_environment(
        LOCKWRIGHT_POLICY__INDEX_URLS="loopback",
        LOCKWRIGHT_CACHE__DIR=str(cache),
        LOCKWRIGHT_LOG_LEVEL="error",
        LOCKWRIGHT_SERVICE__DRAIN_GRACE="0",
    )


@contextlib.contextmanager
def serving(lockwright: Path, cache: Path | None = None, *, workers: int = 1) -> Iterator[Service]:
    """A service while the block runs; without ``cache`` it has an empty one of its own."""
    with contextlib.ExitStack() as stack:
        if cache is None:
            cache = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lockwright-cache-")))
        port = free_port()
        command = [str(lockwright), "serve", "--port", str(port), "--workers", str(workers)]
        url = f"http://127.0.0.1:{port}/healthz"
        process = stack.enter_context(running(command, url, variables(cache)))
        service = Service(port, process)
        stack.callback(service.connection.close)
        yield service


def beside(name: str) -> Path | None:
    """The command ``name`` of the environment that runs this, if it is there."""
    path = Path(sys.executable).with_name(name)
    return path if path.exists() else None
