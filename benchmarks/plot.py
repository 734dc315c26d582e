"""Plots as SVG: the same findings give the same bytes, and nothing of the machine is in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .figures import Findings, Point, Row, slope

_OURS, _THEIRS = "#1b6ca8", "#b5502a"
_COLOURS = {"Lockwright, warm": _OURS, "Lockwright, cold": "#7fb5dc", "uv, offline": _THEIRS, "uv, cold": "#e3a98f"}
_KINDS = ("warm", "restarted", "cold-0ms", "cold-20ms")


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

    figure, axes = plt.subplots(1, len(kinds), figsize=(4 * len(kinds), 3.2), squeeze=False, layout="constrained")
    for axis, kind in zip(axes[0], kinds, strict=True):
        here = [row for row in rows if row.measurement == kind]
        places = range(len(here))
        ours, theirs = [row.ours for row in here], [row.theirs for row in here]
        bars = (("Lockwright", _OURS, -0.2, ours), ("uv", _THEIRS, 0.2, theirs))
        for label, colour, shift, spreads in bars:
            medians = [spread.median * 1000 for spread in spreads if spread]
            axis.barh([place + shift for place in places], medians, 0.38, label=label, color=colour)
        axis.set(xscale="log", xlabel="milliseconds", title=kind)
        axis.set_yticks(list(places), [row.subject for row in here])
        axis.invert_yaxis()
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside upper center", ncols=2, frameon=False)
    _save(figure, path)


def _save(figure: object, path: Path) -> None:
    from matplotlib.figure import Figure  # noqa: PLC0415 - as above

    assert isinstance(figure, Figure)
    figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
    # The file ends its lines with blanks here and there; no text of the project does.
    path.write_text("".join(f"{line.rstrip()}\n" for line in path.read_text().splitlines()))
