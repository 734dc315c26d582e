"""Decision diagrams: functions from environments to yes or no, one object per function.

A node asks for the position on one axis and has a child per part of it. A version axis is cut by ascending points, a
string axis has a child per named literal and one for all other values, a flag has yes and no. Axes ascend from the
root (Bryant, "Graph-based algorithms for Boolean function manipulation", 1986; nodes of many children as in Srinivasan
et al., "Algorithms for discrete function manipulation", 1990).

Invariant: two nodes that are alive and mean the same are the same object. It rests on :func:`make`, the only
constructor, which merges neighbouring equal parts, drops literals that behave as the rest do, and interns. "As the
rest do" takes flags into account: where ``"linux" in sys_platform`` stands below, the rest at ``linux`` is what remains
once that flag is decided. ``tests/properties/test_space.py`` holds the invariant against truth tables.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeAlias
from weakref import WeakValueDictionary

from .axes import END, Axis, compares_strings, flag_holds, flag_is_set, point_of

# Of one operation or bounded block, some 100 ms: diagrams can grow exponentially, and metadata may be hostile. A marker
# of real metadata takes some 30.
MAX_STEPS = 20_000
MAX_VALUES = 16_384  # projections remembered, some 150 bytes each
MAX_MEMO = 200_000  # operations remembered, some 150 bytes each

Keys: TypeAlias = tuple[Any, ...]
"""Cuts of a version axis, literals of a string axis, both ascending; of a flag the one literal True."""


class DiagramLimitError(ValueError):
    """A set of environments that takes too many steps to describe."""

    def __init__(self) -> None:
        super().__init__("the markers combine too many independent conditions to be told apart")


class Node:
    """Where to go next; :data:`YES` and :data:`NO` are the ends."""

    __slots__ = ("__weakref__", "axis", "children", "flagged", "keys")

    def __init__(self, axis: Axis, keys: Keys, children: tuple[Node, ...], flagged: frozenset[str]) -> None:
        self.axis = axis
        self.keys = keys
        self.children = children
        """One more than keys: the part below the first cut comes first, the child of other values last."""
        self.flagged = flagged
        """Variables of string axes that flags here or below compare."""


YES = Node(END, (), (), frozenset())
NO = Node(END, (), (), frozenset())

_FLAG_KEYS: Keys = (True,)
_LOCK = threading.Lock()
_nodes: WeakValueDictionary[tuple[Axis, Keys, tuple[Node, ...]], Node] = WeakValueDictionary()
_running = threading.local()
_memo: dict[tuple[int, Node, Node], Node] = {}
_decided: dict[tuple[Node, str, str], Node] = {}


class _Bound:
    """A class of its own, for this is entered thousands of times in a universal resolve."""

    __slots__ = ("_outer", "_steps")

    def __init__(self, steps: int) -> None:
        self._steps = [steps]

    def __enter__(self) -> None:
        self._outer: list[int] | None = getattr(_running, "steps", None)
        _running.steps = self._outer or self._steps

    def __exit__(self, *_: object) -> None:
        _running.steps = self._outer


def bounded(steps: int = MAX_STEPS) -> _Bound:
    """Bound what all operations in the block do together on this thread, rather than each. Never wait in the block.

    Raises:
        DiagramLimitError: from an operation in the block that would exceed it.
    """
    return _Bound(steps)


def make(axis: Axis, keys: Sequence[Any], children: Sequence[Node]) -> Node:
    """The node that asks for ``axis``, or what it reduces to."""
    kept_keys: list[Any] = []
    kept: list[Node] = []
    if axis.kind == "version":
        kept.append(children[0])
        for key, child in zip(keys, children[1:], strict=True):
            if child is not kept[-1]:
                kept_keys.append(key)
                kept.append(child)
    else:
        rest = children[-1]
        is_bound = axis.kind == "string" and axis.variable in rest.flagged
        for key, child in zip(keys, children, strict=False):
            if child is not (decide(rest, axis.variable, key) if is_bound else rest):
                kept_keys.append(key)
                kept.append(child)
        kept.append(rest)
    return kept[0] if not kept_keys else _intern(axis, tuple(kept_keys), tuple(kept))


def flag_node(axis: Axis) -> Node:
    """Yes where the flag is set."""
    return _intern(axis, _FLAG_KEYS, (YES, NO))


def _intern(axis: Axis, keys: Keys, children: tuple[Node, ...]) -> Node:
    key = (axis, keys, children)
    found = _nodes.get(key)
    if found is not None:
        return found
    flagged = frozenset().union(*(child.flagged for child in children))
    if axis.kind == "flag" and compares_strings(axis):
        flagged |= {axis.variable}
    with _LOCK:  # two threads that make the same node must get the same one
        found = _nodes.get(key)
        if found is None:
            found = _nodes[key] = Node(axis, keys, children, flagged)
    return found


def decide(node: Node, variable: str, value: str) -> Node:
    """What remains of a diagram when flags know that ``variable`` has this value."""
    if variable not in node.flagged:
        return node
    key = (node, variable, value)
    found = _decided.get(key)
    if found is None:
        axis = node.axis
        if axis.kind == "flag" and axis.variable == variable:
            found = decide(node.children[0 if flag_holds(axis, value) else 1], variable, value)
        else:
            found = make(axis, node.keys, [decide(child, variable, value) for child in node.children])
        if len(_decided) >= MAX_MEMO:
            _decided.clear()
        _decided[key] = found
    return found


def parts(node: Node, axis: Axis, keys: Keys) -> Sequence[Node]:
    """The children of ``node`` by the parts that ``keys``, which include its own, make of ``axis``."""
    if node.axis is axis:
        if node.keys == keys:
            return node.children
        if axis.kind == "version":
            return [node.children[0], *(node.children[bisect_right(node.keys, key)] for key in keys)]
        named = dict(zip(node.keys, node.children, strict=False))
        rest = node.children[-1]
        return [*(named.get(key) or decide(rest, axis.variable, key) for key in keys), rest]
    if axis.kind == "string" and axis.variable in node.flagged:
        return [*(decide(node, axis.variable, key) for key in keys), node]
    return [node] * (len(keys) + 1)


class _Operation:
    """A function of two sets; ``at_end`` answers where one look at the operands suffices."""

    __slots__ = ("at_end", "is_symmetric", "number")

    def __init__(self, number: int, at_end: Callable[[Node, Node], Node | None], *, is_symmetric: bool) -> None:
        self.number = number
        self.at_end = at_end
        self.is_symmetric = is_symmetric

    def __call__(self, left: Node, right: Node) -> Node:
        """Apply to two sets.

        Raises:
            DiagramLimitError: the answer takes more than ``MAX_STEPS`` steps.
        """
        answer = self.at_end(left, right) or _memo.get((self.number, left, right))
        if answer is not None:
            return answer
        try:
            return self._apply(left, right, getattr(_running, "steps", None) or [MAX_STEPS])
        except RecursionError:  # more axes than a stack has frames: some 900 extras in one set
            raise DiagramLimitError from None

    def _apply(self, left: Node, right: Node, left_over: list[int]) -> Node:
        answer = self.at_end(left, right)
        if answer is not None:
            return answer
        if self.is_symmetric and id(left) > id(right):
            left, right = right, left
        memo = (self.number, left, right)
        answer = _memo.get(memo)
        if answer is not None:
            return answer
        left_over[0] -= 1
        if left_over[0] < 0:
            raise DiagramLimitError
        axis, keys = left.axis, left.keys
        if axis is right.axis:
            if keys != right.keys:
                keys = tuple(sorted({*keys, *right.keys}))
        elif right.axis.rank < axis.rank:
            axis, keys = right.axis, right.keys
        children = [
            self._apply(one, other, left_over)
            for one, other in zip(parts(left, axis, keys), parts(right, axis, keys), strict=True)
        ]
        answer = make(axis, keys, children)
        if len(_memo) >= MAX_MEMO:
            _memo.clear()
        _memo[memo] = answer
        return answer


def _meet_at_end(left: Node, right: Node) -> Node | None:
    if left is right or right is YES:
        return left
    if left is YES:
        return right
    return NO if left is NO or right is NO else None


def _join_at_end(left: Node, right: Node) -> Node | None:
    if left is right or right is NO:
        return left
    if left is NO:
        return right
    return YES if left is YES or right is YES else None


def _minus_at_end(left: Node, right: Node) -> Node | None:
    if left is right or left is NO or right is YES:
        return NO
    return left if right is NO else None


meet = _Operation(0, _meet_at_end, is_symmetric=True)
join = _Operation(1, _join_at_end, is_symmetric=True)
minus = _Operation(2, _minus_at_end, is_symmetric=False)


@lru_cache(maxsize=MAX_VALUES)
def values(node: Node, axis: Axis) -> Node:
    """The values on one axis for which the set is not empty: a diagram over that axis alone."""
    seen: dict[Node, Node] = {}

    def project(at: Node) -> Node:
        if at is NO or at.axis.rank > axis.rank:
            return NO if at is NO else YES
        found = seen.get(at)
        if found is None:
            if at.axis is axis:
                found = make(axis, at.keys, [NO if child is NO else YES for child in at.children])
            else:
                found = NO
                for child in at.children:
                    found = join(found, project(child))
                    if found is YES:
                        break
            seen[at] = found
        return found

    return project(node)


def nodes_of(*nodes: Node) -> set[Node]:
    """The nodes of diagrams, each once."""
    seen: set[Node] = set()
    open_nodes = list(nodes)
    while open_nodes:
        node = open_nodes.pop()
        if node not in seen:
            seen.add(node)
            open_nodes.extend(node.children)
    return seen


def support(*nodes: Node) -> set[Axis]:
    """The axes that sets depend on."""
    return {node.axis for node in nodes_of(*nodes)} - {END}


def locate(node: Node, markers: Mapping[str, str], extras: Collection[str]) -> bool:
    """Whether a concrete environment is in the set; a variable that is absent is the empty string."""
    while node.axis is not END:
        node = node.children[_position(node, markers, extras)]
    return node is YES


def _position(node: Node, markers: Mapping[str, str], extras: Collection[str]) -> int:
    axis = node.axis
    if axis.kind == "flag":
        return 0 if flag_is_set(axis, markers, extras) else 1
    value = markers.get(axis.variable, "")
    if axis.kind == "string":
        return node.keys.index(value) if value in node.keys else len(node.keys)
    point = point_of(value)
    return 0 if point is None else bisect_right(node.keys, point)


def first_path(node: Node) -> Iterator[Node]:
    """Single-axis sets whose intersection is the first way from the root to yes, and not empty."""
    while node.axis is not END:
        at = next(index for index, child in enumerate(node.children) if child is not NO)
        chosen = [NO] * len(node.children)
        chosen[at] = YES
        yield make(node.axis, node.keys, chosen)
        node = node.children[at]
