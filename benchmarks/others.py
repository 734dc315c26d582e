"""The other peers beside us, cold and warm. They need seconds where uv needs milliseconds, so they run less often."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from .bench import Bench
from .figures import Row, Spread, ratios
from .peers import Peer
from .question import Question
from .service import Locked, Pins, Service, serving

_LIMIT = 150.0  # seconds
_LONG = 20.0  # seconds: a peer that needs more runs once
_RUNS = 3


def beside_peer(bench: Bench, service: Service, question: Question, kind: type[Peer]) -> Iterator[Row]:
    """One peer and one set: both cold, then both warm; ``service`` holds the facts.

    Raises:
        Refused: the peer is not installed, failed, or took too long.
    """
    known = service.lock(question, bench.index.url)
    with tempfile.TemporaryDirectory(prefix="lockwright-peer-") as name:
        peer = kind(Path(name))
        cold, warm = list[tuple[float, float]](), list[tuple[float, float]]()
        pins: Pins = {}
        for run in range(min(_RUNS, bench.runs)):
            peer.forget()
            with serving(bench.lockwright) as fresh:
                ours = fresh.lock(question, bench.index.url)
            finished, pins = peer.lock(question, bench.index.url, _LIMIT)
            cold.append((ours.reply.seconds, finished.seconds))
            again, pins = peer.lock(question, bench.index.url, _LIMIT)
            warm.append((_unasked(service, bench, question, known, run).reply.seconds, again.seconds))
            if finished.seconds > _LONG:
                break
    answer = _compared(known.pins, pins)
    for measurement, pairs in (("peers-cold", cold), ("peers-warm", warm)):
        mine, theirs = [one for one, _ in pairs], [other for _, other in pairs]
        spreads = (Spread.of(mine), Spread.of(theirs), ratios(mine, theirs))
        yield Row(measurement, question.name, kind.module, *spreads, answer)


def _unasked(service: Service, bench: Bench, question: Question, known: Locked, run: int) -> Locked:
    """Ask for the same lock in words that were not used before: bounds that it keeps anyway."""
    names = sorted(known.pins)
    chosen = (names[(bench.seed + run) % len(names)], names[(bench.seed * 7 + run * 3 + 1) % len(names)])
    bounds = tuple(f"{name}<={known.pins[name][-1]}" for name in chosen)
    return service.lock(replace(question, constraints=bounds), bench.index.url)


def _compared(ours: Pins, theirs: Pins) -> str:
    """How many packages differ. Peers have their own ideas of environments and of what is best: it judges nobody."""
    differing = sum(ours.get(name) != theirs.get(name) for name in {*ours, *theirs})
    return "equal" if not differing else f"{differing} differ"
