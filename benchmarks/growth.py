"""How time grows with packages, versions and conflicts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from .bench import Bench
from .figures import Point, Spread
from .question import HERE, Question
from .service import Locked, Refused, serving
from .uv import read_pins
from .worlds import WORLDS, served

SIZES: Mapping[str, tuple[int, ...]] = {
    "packages": (10, 30, 100, 300, 1000),
    "versions": (10, 50, 250, 1000, 5000),
    "conflicts": (1, 4, 16, 64, 256),
}
_RUNS = 3


def grow(bench: Bench, growth: str, size: int) -> Iterator[Point]:
    """One world: us and uv, warm and cold, alternately; medians.

    Raises:
        Refused: there is no answer, or the answers differ.
    """
    question = Question(f"{growth} {size}", WORLDS[growth](size).roots, HERE)
    uv = bench.uv
    command = uv.write(question)
    times: dict[str, list[float]] = {}
    with served(growth, size) as url:
        for run in range(min(_RUNS, bench.runs)):
            with serving(bench.lockwright) as service:
                first = service.lock(question, url)
                uv.forget()
                theirs = uv.compile(command, url)
                # Bounds that the versions keep: the same answer, in words that were not used before.
                bounds = tuple(f"{name}<={found[0]}" for name, found in sorted(first.pins.items())[run : run + 2])
                warm = service.lock(replace(question, constraints=bounds), url)
                offline = uv.compile(command, url, offline=True)
            _check(question, (first, warm), read_pins(theirs.output))
            measured = {
                "Lockwright, cold": first.reply.seconds,
                "uv, cold": theirs.seconds,
                "Lockwright, warm": warm.reply.seconds,
                "uv, offline": offline.seconds,
            }
            for series, seconds in measured.items():
                times.setdefault(series, []).append(seconds)
    for series, values in times.items():
        yield Point(growth, series, size, Spread.of(values).median)


def _check(question: Question, answers: tuple[Locked, ...], pins: Mapping[str, tuple[str, ...]]) -> None:
    if any(answer.pins != pins for answer in answers):
        raise Refused(f"{question.name}: the pins differ from uv's")
