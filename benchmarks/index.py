"""The snapshot's replay server, and what was asked of it."""

from __future__ import annotations

import contextlib
import hashlib
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .process import free_port, running

_SETTLE = 0.05  # seconds: the server writes its log just after the last byte


@dataclass(frozen=True, slots=True)
class Fetch:
    """One request that the server answered."""

    at: float
    """Seconds since the epoch, when the answer had been sent."""
    status: int
    path: str


def parse(log: str) -> list[Fetch]:
    """The access log of the replay server: tab separated time, method, status, bytes, path and more."""
    fields = (line.split("\t") for line in log.splitlines())
    return [Fetch(float(one[0]), int(one[2]), one[4]) for one in fields if len(one) > 4]


def rounds(fetches: list[Fetch], latency: float) -> int:
    """How many fetches, each ``latency`` seconds long, came strictly one after the other.

    The largest number of disjoint intervals: no fewer round trips can have been made in series.
    """
    count, free_at = 0, float("-inf")
    for at in sorted(fetch.at for fetch in fetches):
        if at - latency >= free_at - 0.002:  # the log's clock ticks in milliseconds
            count, free_at = count + 1, at
    return count


@dataclass(slots=True)
class Replay:
    """A running replay server."""

    url: str
    """Of the simple API."""
    latency: float
    """Seconds."""
    log: Path
    _mark: int = field(default=0)

    def mark(self) -> None:
        """Forget what was asked until now."""
        time.sleep(_SETTLE)
        self._mark = self.log.stat().st_size

    def fetches(self) -> list[Fetch]:
        """What was asked since the mark."""
        time.sleep(_SETTLE)
        with self.log.open() as file:
            file.seek(self._mark)
            return parse(file.read())

    def missing(self) -> int:
        """How many fetches since the mark found nothing: facts that the snapshot lacks."""
        return sum(fetch.status == 404 for fetch in self.fetches())


@contextlib.contextmanager
def replay(
    snapshot: Path, *, latency_ms: int = 0, max_age: int = 600, options: tuple[str, ...] = ()
) -> Iterator[Replay]:
    """The snapshot's index while the block runs."""
    mark = hashlib.sha256(str(snapshot.resolve()).encode()).hexdigest()[:12]
    variant = "-".join(option.strip("-") for option in options if option == "--no-metadata")
    root = (
        Path(tempfile.gettempdir()) / f"lockwright-bench-{mark}{variant}"
    )  # its own: two snapshots would fight over one
    port = free_port()
    url = f"http://127.0.0.1:{port}/simple/"
    with tempfile.TemporaryDirectory(prefix="lockwright-replay-") as run:
        command = [sys.executable, str(snapshot / "replay.py"), "--port", str(port), "--run", run, "--root", str(root)]
        command += ["--latency-ms", str(latency_ms), "--max-age", str(max_age), *options]
        with running(command, url):
            yield Replay(url, latency_ms / 1000, Path(run) / "access.log")
