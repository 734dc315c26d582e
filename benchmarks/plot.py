"""Plots as SVG: the same findings give the same bytes, and nothing of the machine is in them."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, log10
from pathlib import Path

from .figures import Findings, Point, Row, slope

_OURS, _THEIRS = "#1b6ca8", "#b5502a"
_COLOURS = {"Lockwright, warm": _OURS, "Lockwright, cold": "#7fb5dc", "uv, offline": _THEIRS, "uv, cold": "#e3a98f"}
_KINDS = (
    *("warm", "restarted", "cold-0ms", "cold-20ms"),
    *("universal-warm", "command", "universal-cold-0ms", "universal-cold-20ms"),
)
_COLUMNS = 4


def curve(points: Sequence[Point], series: str) -> list[tuple[float, float]]:
    """(size, seconds) of one series, the smallest first."""
    return sorted((point.size, point.seconds) for point in points if point.series == series)


def slopes(points: Sequence[Point], series: str) -> tuple[float, float] | None:
    """The exponent over all sizes and over the last two: 1 is linear. None where there are too few sizes."""
    line = curve(points, series)
    return (slope(line), slope(line[-2:])) if len(line) > 1 else None


def write(findings: Findings, directory: Path) -> list[Path]:
    """Draw what can be drawn; return the files. Needs matplotlib.

    Raises:
        ImportError: it is not installed.
    """
    import matplotlib as mpl  # noqa: PLC0415 - only the bench's own environment has it

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "lockwright", "svg.fonttype": "none", "font.size": 9})
    directory.mkdir(parents=True, exist_ok=True)
    paths = []
    if findings.points:
        paths.append(directory / "growth.svg")
        _growth(findings.points, paths[-1])
    rows = [row for row in findings.rows if row.ours and row.theirs and row.peer == "uv"]
    kinds = [kind for kind in _KINDS if any(row.measurement == kind for row in rows)]
    if kinds:
        paths.append(directory / "sets.svg")
        _sets(rows, kinds, paths[-1])
    return paths


def _growth(points: Sequence[Point], path: Path) -> None:
    from matplotlib import pyplot as plt  # noqa: PLC0415 - as above

    growths = list(dict.fromkeys(point.growth for point in points))
    figure, axes = plt.subplots(1, len(growths), figsize=(4 * len(growths), 3.6), squeeze=False, layout="constrained")
    for axis, growth in zip(axes[0], growths, strict=True):
        here = [point for point in points if point.growth == growth]
        for series in dict.fromkeys(point.series for point in here):
            line = curve(here, series)
            axis.plot(*zip(*line, strict=True), marker="o", markersize=3, label=series, color=_COLOURS.get(series))
        axis.set(xscale="log", yscale="log", xlabel=growth, ylabel="seconds")
        sizes = sorted({point.size for point in here})
        least = min(point.seconds for point in here)
        axis.plot(sizes, [least * size / sizes[0] for size in sizes], linestyle=":", color="#888888", label="linear")
        axis.grid(visible=True, which="major", alpha=0.3)
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside upper center", ncols=5, frameon=False)
    _save(figure, path)


def _sets(rows: Sequence[Row], kinds: Sequence[str], path: Path) -> None:
    from matplotlib import pyplot as plt  # noqa: PLC0415 - as above

    lines = -(-len(kinds) // _COLUMNS)
    figure, axes = plt.subplots(lines, _COLUMNS, figsize=(15, 2.8 * lines), squeeze=False, layout="constrained")
    for axis in axes.flat[len(kinds) :]:
        axis.set_axis_off()
    for axis, kind in zip(axes.flat, kinds, strict=False):
        here = [row for row in rows if row.measurement == kind]
        spreads = [(row.ours, row.theirs) for row in here]
        pairs = [(ours.median * 1000, theirs.median * 1000) for ours, theirs in spreads if ours and theirs]
        for place, (row, pair) in enumerate(zip(here, pairs, strict=True)):
            axis.plot(pair, (place, place), color="#bbbbbb", zorder=1)
            ratio = f" {row.ratio.median:.2f}" if row.ratio else ""
            axis.annotate(ratio, (1, place), xycoords=("axes fraction", "data"), va="center")
        # Dots and not bars: on a logarithmic axis the length of a bar means nothing.
        for label, colour, at in (("Lockwright", _OURS, 0), ("uv", _THEIRS, 1)):
            axis.scatter([pair[at] for pair in pairs], range(len(pairs)), label=label, color=colour, zorder=2)
        times = [time for pair in pairs for time in pair]
        decades = range(floor(log10(min(times))), ceil(log10(max(times) * 1.1)) + 1)
        axis.set(xscale="log", xlim=(10 ** decades[0], 10 ** decades[-1]), title=kind)
        axis.set_xticks([10**one for one in decades], [f"{10**one:g} ms" for one in decades])
        axis.set_yticks(range(len(pairs)), [row.subject for row in here])
        axis.set_ylim(len(pairs) - 0.5, -0.5)
        axis.grid(visible=True, axis="x", alpha=0.3)
    handles, labels = axes[0][0].get_legend_handles_labels()
    title = "at the right: our time as a part of uv's"
    figure.legend(handles, labels, loc="outside upper center", ncols=2, frameon=False, title=title)
    _save(figure, path)


def _save(figure: object, path: Path) -> None:
    from matplotlib.figure import Figure  # noqa: PLC0415 - as above

    assert isinstance(figure, Figure)
    figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
    # The file ends its lines with blanks here and there; no text of the project does.
    path.write_text("".join(f"{line.rstrip()}\n" for line in path.read_text().splitlines()))
