"""The document: what was measured, beside what was aimed at. Everything between the marks is written by a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from . import plot, table
from .figures import Figure, Findings, Point, Row
from .targets import TARGETS, Target, shortfalls

_LOAD = (
    "Locks a second are wrk's, with 64 clients and two workers; distinct ones are of one set, each with other bounds. "
    "wrk, both workers and what watches them share the machine's cores. `/healthz` is asked every 10 ms from another "
    "process: what it waits for is at least the longest hold of the event loop."
)
_GROWTH = (
    "Made-up indexes on loopback (`benchmarks.worlds`): packages of twenty versions that each need some others; ten "
    "packages of more and more versions; and pairs that agree only after eight versions have been given up. An "
    "exponent of 1 is linear; the smallest sizes are mostly what every request costs.\n\n"
    "![time against size](performance/growth.svg)"
)
_OTHERS = (
    "Medians of at most three runs, each beside one of ours. Poetry locks for every platform, the others for this one; "
    "a hyphen stands for a peer that has no answer, see below."
)
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def _limits(target: Target) -> str:
    parts = []
    if target.least is not None:
        parts.append(f"at most {target.least:g} x {target.peer}")
    if target.goal is not None:
        parts.append(f"goal {target.goal:g} x")
    if target.beyond is not None:
        parts.append(f"at most {target.peer} and {target.beyond * 1000:g} ms")
    if target.seconds is not None:
        parts.append(f"at most {target.seconds * 1000:g} ms")
    parts += [f"{name} at most {limit}" for name, limit in target.counts]
    return ", ".join(parts)


def _rows(findings: Findings, target: Target) -> list[Row]:
    return [row for row in findings.rows if row.measurement == target.measurement and row.peer == target.peer]


def _summary(findings: Findings) -> str:
    lines = []
    for target in TARGETS:
        rows = _rows(findings, target)
        if not rows:
            continue
        missed = [row.subject for row in rows if shortfalls(target, row)]
        found = f"{len(rows) - len(missed)} of {len(rows)} sets" + (f"; not {', '.join(missed)}" if missed else "")
        ratios = [row.ratio.median for row in rows if row.ratio]
        spread = f"{min(ratios):.2f}-{max(ratios):.2f}" if ratios else "-"
        lines.append([target.title, _limits(target), spread, found])
    return table.markdown(["measured", "target", "ratios", "met"], lines)


def _phases(rows: Sequence[Row]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row.phases))
    lines = []
    for row in rows:
        cells = [f"{row.phases[name] * 1000:.1f}" if name in row.phases else "-" for name in names]
        lines.append([f"{row.measurement} {row.subject}", *cells, f"{row.ours.median * 1000:.1f}" if row.ours else "-"])
    return table.markdown(["ms", *names, "measured"], lines)


def _figures(figures: Sequence[Figure]) -> str:
    lines = []
    for one in figures:
        limit = "" if one.limit is None else f"at {'least' if one.more_is_better else 'most'} {one.limit:.4g}"
        state = {True: "met", False: "**missed**", None: ""}[one.is_met]
        lines.append([one.name, f"{one.value:.4g} {one.unit}".strip(), limit, state])
    return table.markdown(["measured", "found", "target", ""], lines)


def _slopes(points: Sequence[Point]) -> str:
    lines = []
    for growth, series in dict.fromkeys((point.growth, point.series) for point in points):
        here = [point for point in points if point.growth == growth]
        line, found = plot.curve(here, series), plot.slopes(here, series)
        times = [f"{line[0][1] * 1000:.1f} ms at {line[0][0]:g}", f"{line[-1][1] * 1000:.1f} ms at {line[-1][0]:g}"]
        exponents = [f"{one:.2f}" for one in found] if found else ["-", "-"]
        lines.append([f"{growth}, {series}", *times, *exponents])
    return table.markdown(["", "smallest", "largest", "exponent", "of the last step"], lines)


def _peers(rows: Sequence[Row]) -> str:
    """A line a set, a column a peer: its seconds cold and warm, and how many times ours that is."""
    peers = list(dict.fromkeys(row.peer for row in rows))
    lines = []
    for subject in dict.fromkeys(row.subject for row in rows):
        cells = []
        for peer in peers:
            found = {row.measurement: row for row in rows if row.subject == subject and row.peer == peer}
            times = [_times(found.get(name)) for name in ("peers-cold", "peers-warm")]
            cells.append(" / ".join(times))
        lines.append([subject, *cells])
    return table.markdown(["cold / warm, s (times ours)", *peers], lines)


def _times(row: Row | None) -> str:
    if row is None or row.theirs is None or row.ratio is None:
        return "-"
    return f"{row.theirs.median:.2f} ({1 / row.ratio.median:.0f}x)"


def sections(findings: Findings) -> Iterator[str]:
    """The parts of the document, each with its heading."""
    facts = "; ".join(f"{name} {value}" for name, value in findings.facts.items())
    yield (
        "Every figure is of one run on one machine. Pairs of runs alternate, and a ratio is the median of the pairs' "
        "ratios, so that what disturbs the machine disturbs both. Times are medians, with the least and the most in "
        f"brackets. ({facts})\n"
    )
    drawn = any(row.measurement == "warm" for row in findings.rows)
    picture = "\n![warm, restarted and cold, beside uv](performance/sets.svg)\n" if drawn else ""
    yield f"## Against the targets\n\n{_summary(findings)}{picture}"
    for target in TARGETS:
        rows = _rows(findings, target)
        if rows:
            yield f"## {target.title}\n\n{target.method}\n\n{table.comparison(target, rows)}"
    if findings.figures:
        yield f"## Load and footprint\n\n{_LOAD}\n\n{_figures(findings.figures)}"
    if findings.points:
        yield f"## How it grows\n\n{_GROWTH}\n\n{_slopes(findings.points)}"
    others = [row for row in findings.rows if row.measurement.startswith("peers-")]
    if others:
        yield f"## Other peers\n\n{_OTHERS}\n\n{_peers(others)}"
    timed = [row for row in findings.rows if row.phases]
    if timed:
        yield (
            "## Where the time went\n\nMedian milliseconds of each phase, as the answers' `stats` and `Server-Timing` "
            "give them; phases may overlap. *measured* is what the client waited.\n\n" + _phases(timed)
        )
    if findings.skipped:
        yield "## Not measured\n\n" + "".join(f"- {one}\n" for one in findings.skipped)


def text(findings: Findings) -> str:
    """The whole, in Markdown."""
    return "\n".join(sections(findings))


def write(findings: Findings, path: Path) -> None:
    """Replace what stands between the marks in ``path``; what is around them stays."""
    before, after = "# Performance\n\n", ""
    if path.exists():
        old = path.read_text()
        if BEGIN in old and END in old:
            before, after = old.partition(BEGIN)[0], old.partition(END)[2]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{before}{BEGIN}\n\n{text(findings)}\n{END}{after or chr(10)}")
