"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from .figures import Row, Spread
from .targets import Target, shortfalls


def markdown(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A table; the first column is text, the others are aligned to the right."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (head, rule, *lines))


def milliseconds(spread: Spread | None) -> str:
    """Median and, in brackets, least and most."""
    if spread is None:
        return "-"
    return f"{_short(spread.median)} ({_short(spread.low)}-{_short(spread.high)})"


def _short(seconds: float) -> str:
    value = seconds * 1000
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def ratio(spread: Spread | None) -> str:
    """Median of the ratios of pairs and, in brackets, least and most."""
    return "-" if spread is None else f"{spread.median:.2f} ({spread.low:.2f}-{spread.high:.2f})"


def verdict(target: Target, row: Row) -> str:
    """Whether the row meets the target."""
    missed = shortfalls(target, row)
    if missed:
        return f"**{'; '.join(missed)}**"
    has_goal = target.goal is not None and row.ratio is not None and row.ratio.median <= target.goal
    return "goal" if has_goal else "met"


def comparison(target: Target, rows: Sequence[Row]) -> str:
    """The rows of one measurement."""
    counted = list(dict.fromkeys(name for row in rows for name in row.counts))
    head = ["set", "Lockwright, ms", f"{target.peer}, ms", "ratio", *counted, "pins", "target"]
    lines = []
    for row in rows:
        counts = [f"{row.counts[name]:g}" if name in row.counts else "-" for name in counted]
        times = [milliseconds(row.ours), milliseconds(row.theirs), ratio(row.ratio)]
        lines.append([row.subject, *times, *counts, row.answer, verdict(target, row)])
    return markdown(head, lines)
