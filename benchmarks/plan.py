"""What is measured in one run, in which order, and with whom."""

from __future__ import annotations

import contextlib
import os
import platform
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from . import cold, footprint, growth, load, others, warm
from .bench import Bench
from .figures import Figure, Findings, Point, Row
from .index import replay
from .peers import PEERS
from .question import Question, questions
from .service import Refused, beside, serving
from .uv import Uv

MEASUREMENTS = ("warm", "restarted", "cold", "stale", "universal", "footprint", "load", "growth", "others")
_SMALL = ("black", "jupyter", "trio")
_SLOW_INDEX = 100  # ms: so slow that what waits for what shows in the log

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What the command line asks for."""

    snapshot: Path
    lockwright: Path
    only: tuple[str, ...]
    peers: tuple[str, ...] | None
    """None for all that are installed."""
    runs: int
    seed: int
    is_quick: bool

    @property
    def data(self) -> Path | None:
        """The snapshot's metadata, which answers are checked against."""
        data = self.snapshot / "data"
        return data if data.is_dir() else None

    def questions(self, *, is_universal: bool = False) -> list[Question]:
        """The sets to ask for."""
        sets = questions(self.snapshot, self.only or (_SMALL if self.is_quick else ()))
        return [replace(one, is_universal=is_universal) for one in sets]


class Run:
    """One run of a plan."""

    def __init__(self, plan: Plan, say: Say) -> None:
        """``say`` takes a line for each thing that was measured."""
        self.plan = plan
        self.findings = Findings()
        self._say = say

    def keep(self, *rows: Row) -> None:
        """Add to the findings."""
        self.findings.rows += rows
        for row in rows:
            self._say(line(row))

    def note(self, figures: Iterable[Figure]) -> None:
        """Add single figures."""
        for figure in figures:
            self.findings.figures.append(figure)
            self._say(f"{figure.measurement:20} {figure.name}: {figure.value:.1f} {figure.unit}")

    def draw(self, points: Iterable[Point]) -> None:
        """Add to the curves."""
        for point in points:
            self.findings.points.append(point)
            self._say(f"{point.growth:20} {point.size:>6} {point.series}: {point.seconds * 1000:.1f} ms")

    @contextlib.contextmanager
    def attempt(self, what: str) -> Iterator[None]:
        """Note why ``what`` could not be measured."""
        try:
            yield
        except Refused as refusal:
            self.findings.skipped.append(f"{what}: {refusal}")
            self._say(f"not measured: {what}: {refusal}")

    @contextlib.contextmanager
    def bench(self, *, latency_ms: int = 0, max_age: int = 600) -> Iterator[Bench]:
        """An index, and a uv with an empty cache."""
        executable = beside("uv")
        if executable is None:
            raise SystemExit("uv is not installed beside this Python: make bench")
        plan = self.plan
        with (
            tempfile.TemporaryDirectory(prefix="lockwright-uv-") as directory,
            replay(plan.snapshot, latency_ms=latency_ms, max_age=max_age) as index,
        ):
            yield Bench(plan.lockwright, Uv(executable, Path(directory)), index, plan.data, plan.runs, plan.seed)

    def warm(self, *, is_universal: bool = False) -> None:
        """Facts in memory."""
        with self.bench() as bench, serving(bench.lockwright) as service:
            for question in self.plan.questions(is_universal=is_universal):
                with self.attempt(f"warm {question.name}"):
                    self.keep(warm.never_seen(bench, service, question))
                    if not is_universal:
                        self.keep(*warm.again(bench, service, question))

    def restarted(self) -> None:
        """Facts on disk."""
        for question in self.plan.questions():
            with self.bench() as bench, self.attempt(f"restarted {question.name}"):
                self.keep(warm.restarted(bench, question))

    def cold(self, *, is_universal: bool = False) -> None:
        """No facts."""
        for latency_ms in (0, 20):
            with self.bench(latency_ms=latency_ms) as bench:
                for question in self.plan.questions(is_universal=is_universal):
                    with self.attempt(f"cold {question.name}"):
                        self.keep(*cold.cold(bench, question))

    def stale(self) -> None:
        """Facts that have to be asked for again."""
        for question in self.plan.questions():
            with self.bench(latency_ms=_SLOW_INDEX, max_age=0) as bench, self.attempt(f"stale {question.name}"):
                self.keep(*cold.stale(bench, question))

    def universal(self) -> None:
        """For every environment."""
        self.warm(is_universal=True)
        self.cold(is_universal=True)

    def footprint(self) -> None:
        """Memory, start (with a small set), command line."""
        questions = self.plan.questions()
        small = min(questions, key=lambda question: len(question.text))
        with self.bench() as bench:
            with self.attempt("memory"):
                self.note(footprint.memory(bench, questions))
            with self.attempt("start to first answer"):
                self.note([footprint.first_answer(bench, small)])
            for question in questions:
                with self.attempt(f"command line {question.name}"):
                    self.keep(footprint.command_line(bench, question))

    def load(self) -> None:
        """Many clients: with jupyter, the size that the targets are for, or the first set."""
        questions = self.plan.questions()
        chosen = next((one for one in questions if one.name == "jupyter"), questions[0])
        with self.bench() as bench, self.attempt(f"load {chosen.name}"):
            self.note(load.under_load(bench, chosen, 2 if self.plan.is_quick else 10))

    def growth(self) -> None:
        """Worlds of several sizes."""
        with self.bench() as bench:
            for kind, sizes in growth.SIZES.items():
                for size in sizes[:2] if self.plan.is_quick else sizes:
                    with self.attempt(f"growth {kind} {size}"):
                        self.draw(growth.grow(bench, kind, size))

    def others(self) -> None:
        """Every peer but uv."""
        wanted = self.plan.peers
        with self.bench() as bench, serving(bench.lockwright) as service:
            for question in self.plan.questions():
                for name, kind in PEERS.items():
                    if wanted is None or name in wanted:
                        with self.attempt(f"{name} {question.name}"):
                            self.keep(*others.beside_peer(bench, service, question, kind))


def line(row: Row) -> str:
    """A row for a terminal."""
    ours = f"{row.ours.median * 1000:.1f} ms" if row.ours else "-"
    ratio = f"{row.ratio.median:.2f} of {row.peer}" if row.ratio else f"({row.peer})"
    counts = " ".join(f"{key}={value:g}" for key, value in row.counts.items())
    return f"{row.measurement:20} {row.subject:22} {ours:>10} {ratio:>16}  {row.answer} {counts}"


def _version_of(lockwright: Path) -> str:
    """What our command says it is: the version, and whether it is compiled."""
    told = subprocess.run([lockwright, "--version"], capture_output=True, text=True, check=True).stdout
    return told.strip().removeprefix("lockwright ")


def measure(plan: Plan, wanted: Sequence[str], say: Say) -> Findings:
    """Measure what is ``wanted``, one after the other."""
    run = Run(plan, say)
    run.findings.facts = {
        "cores": str(os.cpu_count()),
        "Python": platform.python_version(),
        "lockwright": _version_of(plan.lockwright),
        "runs": str(plan.runs),
        "seed": str(plan.seed),
    }
    for name in ("uv", *(kind.module for kind in PEERS.values())):
        with contextlib.suppress(PackageNotFoundError):
            run.findings.facts[name] = version(name)
    for one in wanted:
        getattr(run, one)()
    return run.findings
