"""Warm: facts in memory, or on disk only; questions that were never asked, the same question again, a stored lock."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .bench import Bench
from .connection import message
from .figures import Row, Spread, ratios
from .process import Finished
from .question import Question, variants
from .service import Locked, Pins, Refused, Service, post, serving
from .uv import read_pins
from .verdict import verdict, worst


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that both can answer from what they know, and uv's command for it."""

    question: Question
    command: list[str]


def medians(phases: Sequence[dict[str, float]]) -> dict[str, float]:
    """The median of each phase over several answers."""
    names = {name for one in phases for name in one}
    return {name: statistics.median([one.get(name, 0.0) for one in phases]) for name in sorted(names)}


def first_pins(pins: Pins) -> dict[str, str]:
    """One version a name."""
    return {name: versions[-1] for name, versions in pins.items()}


def prepare(bench: Bench, service: Service, question: Question, count: int) -> list[Asked]:
    """Make both know every fact of ``count`` variants of ``question``, but none of their answers.

    Variants that need what the snapshot lacks, or that have no answer, are passed over.

    Raises:
        Refused: there is no variant, or no answer to ``question`` itself.
    """
    uv, index = bench.uv, bench.index
    locked = service.lock(question, index.url)
    uv.compile(uv.write(question), index.url)
    found: list[Asked] = []
    for variant, sibling in variants(question, first_pins(locked.pins), count * 2, bench.seed):
        if len(found) == count:
            break
        index.mark()
        command = uv.write(variant)
        try:
            uv.compile(uv.write(sibling), index.url)
            uv.compile(command, index.url)
            if index.missing():  # what uv is refused it needs, for it fetches little ahead; we may have guessed
                continue
            service.lock(sibling, index.url)
        except Refused:
            continue
        found.append(Asked(variant, command))
    if not found:
        raise Refused("no variant of it can be answered from the snapshot")
    return found


class Pairs:
    """Answers of ours and of uv, taken alternately."""

    def __init__(self) -> None:
        self._ours: list[float] = []
        self._theirs: list[float] = []
        self._answers: list[str] = []
        self._phases: list[dict[str, float]] = []
        self.fetched = 0
        """Requests to the index for one answer of ours, at most."""

    def take(self, bench: Bench, service: Service, one: Asked) -> None:
        """Ask us, then uv offline; check the answer after both."""
        bench.index.mark()
        locked = service.lock(one.question, bench.index.url)
        self.fetched = max(self.fetched, len(bench.index.fetches()))
        finished = bench.uv.compile(one.command, bench.index.url, offline=True)
        self.add(one.question, locked, finished, bench.data)

    def add(self, question: Question, locked: Locked, finished: Finished, data: Path | None) -> None:
        """Keep a pair."""
        self._ours.append(locked.reply.seconds)
        self._theirs.append(finished.seconds)
        self._phases.append(locked.phases)
        self._answers.append(verdict(question, locked, read_pins(finished.output), data))

    def row(self, measurement: str, subject: str, counts: Mapping[str, float] | None = None) -> Row:
        """What the pairs say."""
        spreads = (Spread.of(self._ours), Spread.of(self._theirs), ratios(self._ours, self._theirs))
        return Row(measurement, subject, "uv", *spreads, worst(self._answers), counts or {}, medians(self._phases))


def never_seen(bench: Bench, service: Service, question: Question) -> Row:
    """Facts resident, questions that nobody asked before.

    Raises:
        Refused: there is nothing to ask.
    """
    asked = prepare(bench, service, question, bench.runs)
    pairs = Pairs()
    for one in asked:
        pairs.take(bench, service, one)
    kind = "universal-warm" if question.is_universal else "warm"
    return pairs.row(kind, question.name, {"requests": pairs.fetched})


def again(bench: Bench, service: Service, question: Question) -> list[Row]:
    """The same question again, and its stored lock with ``If-None-Match``."""
    uv, index = bench.uv, bench.index
    request, command = post(question, index.url), uv.write(question)
    uv.compile(command, index.url)
    locked = service.lock(question, index.url)
    location = locked.reply.header("Content-Location")
    etag = service.connection.ask(message("GET", location)).header("ETag")
    conditional = message("GET", location, fields={"If-None-Match": etag})
    service.connection.ask(request)
    ours, known, theirs, statuses = list[float](), list[float](), list[float](), set[int]()
    pins: Pins = {}
    for _ in range(bench.runs):
        ours.append(service.connection.ask(request).seconds)
        finished = uv.compile(command, index.url, offline=True)
        theirs.append(finished.seconds)
        pins = read_pins(finished.output)
        reply = service.connection.ask(conditional)
        known.append(reply.seconds)
        statuses.add(reply.status)
    answer = verdict(question, service.lock(question, index.url), pins, bench.data)
    not_modified = "304" if statuses == {304} else f"WRONG: statuses {sorted(statuses)}"
    return [
        Row("again", question.name, "uv", Spread.of(ours), Spread.of(theirs), ratios(ours, theirs), answer),
        Row("known", question.name, "uv", Spread.of(known), Spread.of(theirs), ratios(known, theirs), not_modified),
    ]


def restarted(bench: Bench, question: Question) -> Row:
    """Facts on disk only: a new process for each question, its start not counted.

    Raises:
        Refused: there is nothing to ask.
    """
    pairs = Pairs()
    with tempfile.TemporaryDirectory(prefix="lockwright-restart-") as name:
        cache = Path(name)
        with serving(bench.lockwright, cache) as service:
            asked = prepare(bench, service, question, bench.runs)
        for one in asked:
            with serving(bench.lockwright, cache) as service:
                pairs.take(bench, service, one)
    return pairs.row("restarted", question.name, {"requests": pairs.fetched})
