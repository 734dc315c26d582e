"""What was found: spreads of times, rows that compare, single figures, points of curves; all of it as JSON, too."""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, least and most of several runs."""

    median: float
    low: float
    high: float
    runs: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Of at least one value."""
        return cls(statistics.median(values), min(values), max(values), len(values))


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """Ours by theirs, run by run: what disturbs the machine disturbs both of a pair."""
    return Spread.of([mine / other for mine, other in zip(ours, theirs, strict=True)])


@dataclass(frozen=True, slots=True)
class Row:
    """One question, measured with us and with another, alternately."""

    measurement: str
    """Such as ``warm``."""
    subject: str
    """The set."""
    peer: str
    """Whom we are compared with."""
    ours: Spread | None
    """Seconds."""
    theirs: Spread | None
    """Seconds."""
    ratio: Spread | None
    answer: str = ""
    """``equal`` pins, ``sound`` other pins, or what is wrong."""
    counts: Mapping[str, float] = field(default_factory=dict)
    """Requests and what else was counted."""
    phases: Mapping[str, float] = field(default_factory=dict)
    """Median seconds of each phase of ours."""

    @property
    def is_wrong(self) -> bool:
        """Whether the answers were neither equal nor sound."""
        return self.answer.startswith("WRONG")


@dataclass(frozen=True, slots=True)
class Figure:
    """A single number, and how large it may be at most (or must be at least, where ``more_is_better``)."""

    measurement: str
    name: str
    value: float
    unit: str
    limit: float | None = None
    more_is_better: bool = False

    @property
    def is_met(self) -> bool | None:
        """Whether the limit holds, if there is one."""
        if self.limit is None:
            return None
        return self.value >= self.limit if self.more_is_better else self.value <= self.limit


@dataclass(frozen=True, slots=True)
class Point:
    """One size of a synthetic world."""

    growth: str
    """What grows: ``packages``, ``versions`` or ``conflicts``."""
    series: str
    """Who was measured, such as ``ours warm``."""
    size: int
    seconds: float


def slope(points: Sequence[tuple[float, float]]) -> float:
    """The exponent of a power law through (size, seconds): least squares on logarithms.

    Raises:
        ValueError: fewer than two sizes.
    """
    xs, ys = [math.log(x) for x, _ in points], [math.log(y) for _, y in points]
    return statistics.linear_regression(xs, ys).slope if len(set(xs)) > 1 else _too_few()


def _too_few() -> float:
    raise ValueError("a slope needs two sizes")


@dataclass(slots=True)
class Findings:
    """All of a run."""

    facts: dict[str, str] = field(default_factory=dict)
    """Versions and counts of what was measured with."""
    rows: list[Row] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    """What was not measured, and why."""

    def to_document(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Findings:
        """From what :meth:`to_document` made."""
        rows = []
        for one in document["rows"]:
            spreads = {name: Spread(**one[name]) if one[name] else None for name in ("ours", "theirs", "ratio")}
            rows.append(Row(**{**one, **spreads}))
        return cls(
            dict(document["facts"]),
            rows,
            [Figure(**one) for one in document["figures"]],
            [Point(**one) for one in document["points"]],
            list(document["skipped"]),
        )
