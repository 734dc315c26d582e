"""Memory, time to the first answer, and the command line."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from .bench import Bench
from .connection import Connection
from .figures import Figure, Row, Spread, ratios
from .process import free_port, run
from .question import PLATFORM, Question
from .service import Refused, post, serving, variables
from .uv import read_pins
from .verdict import worst

_PYTHONS = ("3.9", "3.10", "3.11", "3.12", "3.13")


def memory_of(pid: int) -> dict[str, float]:
    """``Rss`` and ``Pss`` of a process in MB, as Linux counts them.

    Raises:
        Refused: the system does not tell.
    """
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    except OSError as error:
        raise Refused(f"the memory of a process is not known here: {error.strerror}") from None
    found = {name: value.split()[0] for name, _, value in (line.partition(":") for line in lines)}
    return {name: int(found[name]) * 1024 / 1e6 for name in ("Rss", "Pss")}


def memory(bench: Bench, questions: Sequence[Question]) -> Iterator[Figure]:
    """Of a worker that has locked every set for several Pythons.

    Raises:
        Refused: the system does not tell.
    """
    with serving(bench.lockwright) as service:
        yield Figure("footprint", "memory of a new worker (RSS)", memory_of(service.process.pid)["Rss"], "MB")
        count = 0
        for question in questions:
            for python in _PYTHONS:
                with contextlib.suppress(Refused):  # there is none for that Python: its facts are there nevertheless
                    service.lock(replace(question, python=python), bench.index.url)
                    count += 1
        found = memory_of(service.process.pid)
    name = f"memory of a worker after {count} locks of {len(questions)} sets"
    yield Figure("footprint", f"{name} (RSS)", found["Rss"], "MB", 400)
    yield Figure("footprint", f"{name} (PSS)", found["Pss"], "MB")


def first_answer(bench: Bench, question: Question) -> Figure:
    """From starting a process to the last byte of its first answer; its facts are on disk."""
    with tempfile.TemporaryDirectory(prefix="lockwright-first-") as name:
        cache = Path(name)
        with serving(bench.lockwright, cache) as service:
            service.lock(question, bench.index.url)
        seconds = [_first(bench, question, cache) for _ in range(bench.runs)]
    median = Spread.of(seconds).median
    return Figure("footprint", f"start to first answer, {question.name}", median * 1000, "ms", 500)


def _first(bench: Bench, question: Question, cache: Path) -> float:
    port = free_port()
    command = [str(bench.lockwright), "serve", "--port", str(port)]
    started = time.perf_counter()
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, env=variables(cache), stdout=quiet, stderr=quiet)
    try:
        while True:
            try:
                with Connection(port) as connection:
                    connection.ask(post(question, bench.index.url))
                    return time.perf_counter() - started
            except ConnectionRefusedError:
                if process.poll() is not None:
                    raise Refused(f"the service ended with {process.returncode}") from None
                time.sleep(0.001)
    finally:
        process.terminate()
        process.wait(40)


def command_line(bench: Bench, question: Question) -> Row:
    """``lockwright lock`` with a full cache beside ``uv pip compile --offline``, process starts included.

    Raises:
        Refused: one of them has no answer.
    """
    ours, theirs, answers = list[float](), list[float](), list[str]()
    with tempfile.TemporaryDirectory(prefix="lockwright-command-") as name:
        inputs = Path(name) / "set.in"
        inputs.write_text(question.text)
        target = ["--python-version", question.python, "--python-platform", PLATFORM, "--only-binary", ":all:"]
        command = [str(bench.lockwright), "lock", str(inputs), *target, "--format", "requirements"]
        command += ["--default-index", bench.index.url]
        env = variables(Path(name) / "cache") | {"CI": "true"}
        theirs_command = bench.uv.write(question)
        run(command, env)
        bench.uv.compile(theirs_command, bench.index.url)
        for _ in range(bench.runs):
            mine = run(command, env)
            if mine.code:
                raise Refused(f"lockwright lock ended with {mine.code}: {mine.errors.strip()[:200]}")
            other = bench.uv.compile(theirs_command, bench.index.url, offline=True)
            ours.append(mine.seconds)
            theirs.append(other.seconds)
            answers.append("equal" if read_pins(mine.output) == read_pins(other.output) else "differs")
    spreads = (Spread.of(ours), Spread.of(theirs), ratios(ours, theirs))
    return Row("command", question.name, "uv", *spreads, worst(answers))
