"""A plain set of environments between two others: it has all of the one and nothing of the other.

Where a version serves some environments and not another that is required, a region is divided between them. What lies
on neither side may go with either; as in uv it goes with the value that comes first, so that ``linux`` is parted from
``win32`` by ``sys_platform != 'win32'``, and not by all that the two sides say of themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from .axes import Axis, axis_of
from .diagram import NO, YES, DiagramLimitError, Keys, Node, bounded, join, make, meet, minus, nodes_of, parts, support
from .space import EnvironmentSet, from_node

MAX_STEPS = 2_000  # of one separation, some 20 ms: that of two wheels from a platform takes 40

_PYTHON = axis_of("python_full_version")
_FIRST = (axis_of("sys_platform"), axis_of("platform_machine"))


@lru_cache(maxsize=1024)
def between(inside: EnvironmentSet, outside: EnvironmentSet) -> EnvironmentSet:
    """A set with all of ``inside`` and nothing of ``outside``; the two are disjoint.

    Where they are too intricate for plain words, it is ``inside`` itself.
    """
    try:
        with bounded(MAX_STEPS):
            within, beyond = inside.node, outside.node
            plain = _on_any(within, _PYTHON), _on_any(beyond, _PYTHON)
            if meet(*plain) is NO:
                within, beyond = plain
            return from_node(_Separation().of(within, beyond))
    except (DiagramLimitError, RecursionError):
        return inside


def _on_any(node: Node, axis: Axis) -> Node:
    """What remains when nothing is said of an axis."""
    whole = NO
    for part in _Slices(axis, _keys(axis, node)).of(node):
        whole = join(whole, part)
    return whole


class _Separation:
    """One search; nodes are shared within a diagram, so what was answered is kept."""

    def __init__(self) -> None:
        self._found: dict[tuple[Node, Node], Node] = {}
        self._left = MAX_STEPS

    def of(self, within: Node, beyond: Node) -> Node:
        """A set with all of ``within`` and nothing of ``beyond``.

        Raises:
            DiagramLimitError: it takes too many steps.
        """
        if within is NO or beyond is NO:
            return YES if beyond is NO else NO
        found = self._found.get((within, beyond))
        if found is None:
            self._left -= 1
            if self._left < 0:
                raise DiagramLimitError
            found = self._found[within, beyond] = self._apart(within, beyond)
        return found

    def _apart(self, within: Node, beyond: Node) -> Node:
        axes = support(within, beyond)
        axis = next((one for one in _FIRST if one in axes), None) or min(axes, key=lambda one: one.rank)
        keys = _keys(axis, within, beyond)
        slices = _Slices(axis, keys)
        pairs = list(zip(slices.of(within), slices.of(beyond), strict=True))
        # Where both sides are, other axes tell them apart; and perhaps they do so elsewhere, too.
        found = [None if one is NO or other is NO else self.of(one, other) for one, other in pairs]
        shared = [node for node in found if node is not None]
        for at, (one, other) in enumerate(pairs):
            if found[at] is None and (one is not NO or other is not NO):
                fitting = (node for node in shared if minus(one, node) is NO and meet(node, other) is NO)
                found[at] = next(fitting, YES if other is NO else NO)
        first = next(node for node in found if node is not None)
        whole = NO
        for values, node in zip(_values(axis, keys), found, strict=True):
            whole = join(whole, meet(values, first if node is None else node))
        return whole


def _values(axis: Axis, keys: Keys) -> Iterator[Node]:
    """The parts that keys make of an axis."""
    for position in range(len(keys) + 1):
        yield make(axis, keys, [YES if at == position else NO for at in range(len(keys) + 1)])


def _keys(axis: Axis, *nodes: Node) -> Keys:
    """The keys that nodes have on an axis, wherever they ask for it."""
    return tuple(sorted({key for node in nodes_of(*nodes) if node.axis is axis for key in node.keys}))


class _Slices:
    """What remains of sets in each of the parts that ``keys`` make of an axis."""

    def __init__(self, axis: Axis, keys: Keys) -> None:
        self._axis = axis
        self._keys = keys
        self._found: dict[Node, Sequence[Node]] = {}

    def of(self, node: Node) -> Sequence[Node]:
        """One set for each key, and one for the rest."""
        if node.axis.rank >= self._axis.rank:
            return parts(node, self._axis, self._keys)
        found = self._found.get(node)
        if found is None:
            by_child = [self.of(child) for child in node.children]
            found = self._found[node] = [
                make(node.axis, node.keys, [of_child[at] for of_child in by_child]) for at in range(len(self._keys) + 1)
            ]
        return found
