"""Under load, with wrk: how many locks a second, how evenly, and how long the event loop is held."""

from __future__ import annotations

import json
import random
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

from .bench import Bench
from .connection import message
from .figures import Figure
from .process import clean_environment, run
from .pulse import percentile, pulse
from .question import Question
from .service import Pins, Refused, Service, post, serving

_THREADS = 2
_CLIENTS = 64
_MOST = 3000  # distinct locks a second that there are questions for
_PRIMING = 3  # seconds: both workers get to know the facts
_SCRIPT = Path(__file__).with_name("load.lua")


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk found."""

    requests: int
    seconds: float
    p50: float
    """Seconds."""
    p99: float
    most: float
    connect: int
    """Connections that could not be made; each of the following failed after that."""
    read: int
    """Connections that ended before the answer did."""
    write: int
    status: int
    """Answers of 400 and above."""
    timeout: int

    @property
    def failures(self) -> dict[str, int]:
        """How many requests failed, by kind; those that did."""
        kinds = {name: getattr(self, name) for name in ("connect", "read", "write", "status", "timeout")}
        return {name: count for name, count in kinds.items() if count}

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


def read_summary(output: str) -> Load:
    """The last line of what the script prints."""
    return Load(**json.loads(output.strip().splitlines()[-1]))


def wrk(port: int, messages: Sequence[bytes], seconds: int, clients: int = _CLIENTS) -> Load:
    """Send ``messages`` in turns for some seconds.

    Raises:
        Refused: wrk is not installed, or failed.
    """
    command = shutil.which("wrk")
    if command is None:
        raise Refused("wrk is not installed (apt-get install wrk)")
    threads = min(_THREADS, clients)
    with tempfile.NamedTemporaryFile() as file:
        file.writelines(b"%d\n%s" % (len(one), one) for one in messages)
        file.flush()
        options = ["-t", str(threads), "-c", str(clients), "-d", f"{seconds}s", "--timeout", "30s", "-s", str(_SCRIPT)]
        url = f"http://127.0.0.1:{port}"
        finished = run([command, *options, url, "--", file.name, str(threads)], clean_environment())
    if finished.code:
        raise Refused(f"wrk ended with {finished.code}: {finished.errors.strip()[:200]}")
    return read_summary(finished.output)


def distinct(question: Question, pins: Pins, count: int, seed: int) -> list[Question]:
    """Questions with the same answer and no two alike: bounds on packages that their versions keep."""
    bounds = [f"{name}{sign}{found[-1]}" for name, found in sorted(pins.items()) for sign in ("<=", ">=")]
    choose = random.Random(seed)
    found: list[Question] = []
    for size in range(1, len(bounds)):
        sets = list(_some(bounds, size, count - len(found)))
        choose.shuffle(sets)
        found += [replace(question, constraints=one) for one in sets]
        if len(found) >= count:
            break
    choose.shuffle(found)
    return found


def _some(bounds: Sequence[str], size: int, count: int) -> Iterator[tuple[str, ...]]:
    for _, chosen in zip(range(count), combinations(bounds, size), strict=False):
        yield chosen


def under_load(bench: Bench, question: Question, seconds: int) -> Iterator[Figure]:
    """Two workers, 64 clients: different locks, the same lock, one that the client has; then the event loop's holds.

    Raises:
        Refused: wrk is not there, or answers failed.
    """
    with serving(bench.lockwright, workers=2) as service:
        locked = service.lock(question, bench.index.url)
        asked = distinct(question, locked.pins, (_PRIMING + seconds) * _MOST, bench.seed)
        messages = [post(one, bench.index.url) for one in asked]
        priming = len(messages) * _PRIMING // (_PRIMING + seconds)
        wrk(service.port, messages[:priming], _PRIMING)
        fresh = messages[priming:]
        yield from _rates(f"{question.name}, distinct", wrk(service.port, fresh, seconds), 200, len(fresh))
        _check(service, asked[-3:], locked.pins, bench.index.url)
        same = wrk(service.port, [post(question, bench.index.url)], seconds)
        yield from _rates(f"{question.name}, identical", same, 3000)
        path = locked.reply.header("Content-Location")
        etag = service.connection.ask(message("GET", path)).header("ETag")
        known = message("GET", path, fields={"If-None-Match": etag})
        yield from _rates(f"{question.name}, 304", wrk(service.port, [known], seconds), 3000)
    with serving(bench.lockwright) as service:
        service.lock(question, bench.index.url)
        with pulse(service.port) as idle:
            run(["sleep", "2"], clean_environment())
        with pulse(service.port) as busy:
            wrk(service.port, messages, seconds, clients=1)
    yield Figure("load", "/healthz, idle, most", idle[-1] * 1000, "ms")
    what = f"/healthz while one client asks for {question.name}"
    yield Figure("load", f"{what}, p99", percentile(busy, 0.99) * 1000, "ms")
    yield Figure("load", f"{what}, most", busy[-1] * 1000, "ms", 10)


def _rates(what: str, load: Load, least: float, distinct: int | None = None) -> Iterator[Figure]:
    if not load.requests:
        raise Refused(f"{what}: nothing was answered within {load.seconds:.0f} s")
    if load.failures:
        kinds = ", ".join(f"{name} {count}" for name, count in load.failures.items())
        raise Refused(f"{what}: of {load.requests} requests failed: {kinds}")
    if distinct is not None and load.requests > distinct:
        raise Refused(f"{what}: {load.requests} requests, and only {distinct} were different")
    yield Figure("load", f"{what}: a second", load.rate, "", least, more_is_better=True)
    yield Figure("load", f"{what}: p50", load.p50 * 1000, "ms")
    yield Figure("load", f"{what}: p99", load.p99 * 1000, "ms", load.p50 * 10_000)


def _check(service: Service, asked: Sequence[Question], pins: Pins, index: str) -> None:
    for one in asked:
        if service.lock(one, index).pins != pins:
            raise Refused(f"the answer under load differs: {one.constraints}")
