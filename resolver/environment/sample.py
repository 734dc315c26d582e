"""One concrete environment out of a set: a witness that it is not empty, and someone to try an answer on.

Usual values come first, so a sample of most sets is CPython on Linux on x86-64.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice

from .axes import FINAL, Axis, Cut, Point, flag_holds, point_of
from .diagram import NO, YES, Node, decide, support
from .space import EnvironmentSet

MAX_TRIES = 256  # ways through a diagram, and so candidates: the first one does unless substrings are asked for

_USUAL = {
    "implementation_name": ("cpython", "pypy", "graalpy"),
    "os_name": ("posix", "nt", "java"),
    "platform_machine": ("x86_64", "arm64", "aarch64", "AMD64", "riscv64"),
    "platform_python_implementation": ("CPython", "PyPy", "GraalVM"),
    "platform_release": ("6.1.0", "5.4.0", "24.1.0", "10", "1", ""),
    "platform_system": ("Linux", "Darwin", "Windows", "FreeBSD", "Java"),
    "platform_version": ("#1 SMP", ""),
    "sys_platform": ("linux", "darwin", "win32", "freebsd14", "java21"),
}
_USUAL_PYTHON: Point = (3, 12, 0, FINAL, 0)
_OTHER = "other"


@dataclass(frozen=True, slots=True)
class Sample:
    """An environment and the extras taken in it."""

    markers: dict[str, str] = field(default_factory=dict)
    """All eleven variables."""
    extras: frozenset[str] = frozenset()


def sample(space: EnvironmentSet) -> Sample | None:
    """A member of the set.

    None where the set is empty, or where none was found: which substrings a value may have at once is not decided by
    the algebra, so ``"a" in os_name and os_name in "b"`` is not known to be empty.
    """
    for found in islice(_ways(space.node, Sample(), _literals(space.node)), MAX_TRIES):
        complete = _completed(found)
        if space.contains(complete.markers, complete.extras):
            return complete
    return None


def _literals(node: Node) -> list[str]:
    """What comparisons in the set speak of: substrings, and the parts of texts in which values are looked for."""
    quoted = (re.search(r"""(["'])(.*)\1""", axis.text) for axis in support(node) if axis.kind == "flag")
    texts = sorted({found[2] for found in quoted if found})
    return [*texts, *(part for text in texts for part in text.split()), "".join(texts)]


def _ways(node: Node, known: Sample, literals: list[str]) -> Iterator[Sample]:
    if node is NO:
        return
    axis = node.axis
    if node is YES:
        yield known
    elif axis.variable == "extra":
        yield from _ways(node.children[1], known, literals)
        yield from _ways(node.children[0], replace(known, extras=known.extras | {axis.text}), literals)
    elif axis.kind == "version":
        for child, point in _by_preference(node):
            yield from _ways(child, _with(known, axis.variable, _text(point)), literals)
    elif axis.kind == "flag" and axis.variable not in _USUAL:
        value = _completed(known).markers[axis.variable]
        yield from _ways(node.children[0 if flag_holds(axis, value) else 1], known, literals)
    else:
        usual = _USUAL[axis.variable]
        for value in dict.fromkeys(
            (*usual, *node.keys, *literals, _OTHER) if axis.kind == "string" else (*usual, *literals)
        ):
            yield from _ways(_at(node, axis, value), _with(known, axis.variable, value), literals)


def _with(known: Sample, variable: str, value: str) -> Sample:
    return replace(known, markers={**known.markers, variable: value})


def _at(node: Node, axis: Axis, value: str) -> Node:
    if axis.kind == "string":
        if value in node.keys:
            return node.children[node.keys.index(value)]
        node = node.children[-1]
    return decide(node, axis.variable, value)


def _by_preference(node: Node) -> list[tuple[Node, Point]]:
    """The parts of a version axis that are not empty and a version in each: the usual one, then from the newest."""
    cuts: list[Cut | None] = [None, *node.keys, None]
    found = [
        (child, _point_in(cuts[index], cuts[index + 1])) for index, child in enumerate(node.children) if child is not NO
    ]
    return sorted(found, key=lambda pair: (pair[1] == _USUAL_PYTHON, pair[1]), reverse=True)


def _point_in(low: Cut | None, high: Cut | None) -> Point:
    if (low is None or low <= _USUAL_PYTHON) and (high is None or high > _USUAL_PYTHON):
        return _USUAL_PYTHON
    if low is None:
        assert high is not None
        older: Point = (high[0], high[1] - 1, 0, FINAL, 0) if high[1] else (high[0] - 1, 9, 0, FINAL, 0)
        return older if high[0] else (0, 0, 0, FINAL, 0)
    final: Point = (*low[:3], FINAL, 0)
    return final if high is None or final < high else low


def _text(point: Point) -> str:
    major, minor, micro, kind, number = point
    return f"{major}.{minor}.{micro}" + ("" if kind == FINAL else f"{('a', 'b', 'rc')[kind]}{number}")


def _completed(known: Sample) -> Sample:
    markers = {variable: usual[0] for variable, usual in _USUAL.items()} | known.markers
    full = markers.setdefault("python_full_version", _text(_USUAL_PYTHON))
    point = point_of(full)
    assert point is not None
    markers["python_version"] = f"{point[0]}.{point[1]}"
    is_cpython = markers["implementation_name"] == "cpython"
    markers.setdefault("implementation_version", full if is_cpython else "7.3.17")
    return replace(known, markers=markers)
