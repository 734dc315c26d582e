"""The text of a set of environments: a short PEP 508 marker that a person could have written.

The text need only be right within an assumption (what the lock as a whole is made for) and within what can be
(``theory``), so everything outside is free to be included. A set that one variable decides is said with that variable;
one that is a conjunction, as a conjunction; any other is covered step by step: take an environment that is not
covered yet, generalise it as far as nothing forbidden is included, and drop in the end what the others cover anyway
(the expand and irredundant-cover steps of Brayton et al., "Logic Minimization Algorithms for VLSI Synthesis", 1984).

Invariant: ``from_marker(to_marker(s, assuming=a)) & a is s & a`` (``tests/properties/test_space.py``).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from .axes import Axis
from .diagram import (
    NO,
    YES,
    DiagramLimitError,
    Keys,
    Node,
    bounded,
    first_path,
    flag_node,
    join,
    meet,
    minus,
    support,
    values,
)
from .space import ALL, EnvironmentSet
from .wording import Alternatives, cost, word

MAX_STEPS = 50_000  # of the diagrams for one text, some 300 ms: unions of forty real markers take 1,100
MAX_CONJUNCTIONS = 50  # in one text; unions of forty real markers have ten
MAX_CACHED = 16_384  # texts remembered, some 300 bytes each
NEVER = 'python_version < "0"'
"""PEP 508 has no word for false."""

# As a reader expects them in a conjunction; of variables that say the same, the earlier is preferred.
_READING_ORDER = (
    "python_full_version",
    "sys_platform",
    "os_name",
    "platform_system",
    "implementation_name",
    "platform_python_implementation",
    "platform_machine",
    "implementation_version",
    "platform_release",
    "platform_version",
    "extra",
)
_PLACES = {variable: place for place, variable in enumerate(_READING_ORDER)}
# Left out first, as far as the others decide. The second order lets os_name speak where sys_platform has no one word.
_DROPPING_ORDERS = (
    ("platform_system", "os_name", "platform_python_implementation"),
    ("platform_system", "sys_platform", "os_name", "platform_python_implementation"),
)

_Cube = dict[Axis, Node]
"""A conjunction: per axis, a set over that axis alone."""


def to_marker(space: EnvironmentSet, *, assuming: EnvironmentSet = ALL) -> str | None:
    """A marker that holds, of the environments in ``assuming``, exactly in those in ``space``; None: in all.

    It is an ``or`` of conjunctions, none of which could be left out; a condition in a conjunction may itself be a few
    alternatives. Spelled as ``packaging`` prints markers. ``extra`` occurs only where the set depends on it beyond
    the assumption.

    Raises:
        DiagramLimitError: the set is too complex to describe.
    """
    with bounded(MAX_STEPS):
        return _text(space, assuming)


@lru_cache(maxsize=MAX_CACHED)
def _text(space: EnvironmentSet, assuming: EnvironmentSet) -> str | None:
    need, bad = meet(space.node, assuming.node), minus(assuming.node, space.node)
    if bad is NO:
        return None
    if need is NO:
        return NEVER
    cubes = _single(need, bad) or _box(need, bad) or _cover(need, bad)
    cubes = sorted(cubes, key=_place)
    if len(cubes) > 1:
        _divide(cubes, need, bad)
    return " or ".join(_spell(cube, need, bad, is_alone=len(cubes) == 1) for cube in cubes)


def _spell(cube: _Cube, need: Node, bad: Node, *, is_alone: bool) -> str:
    factors = [alternatives for alternatives in _worded(cube, need, bad) if alternatives != ((),)]
    if len(factors) == 1:
        (alternatives,) = factors
        is_alone = is_alone and len(alternatives) == 1
        return " or ".join(_group(" and ".join(atoms), is_one=is_alone or len(atoms) == 1) for atoms in alternatives)
    parts = []
    for alternatives in factors:
        is_one = len(alternatives) == 1
        inner = (_group(" and ".join(atoms), is_one=is_one or len(atoms) == 1) for atoms in alternatives)
        parts.append(_group(" or ".join(inner), is_one=is_one))
    return _group(" and ".join(parts), is_one=is_alone)


def _group(text: str, *, is_one: bool) -> str:
    return text if is_one else f"({text})"


def _place(cube: _Cube) -> list[tuple[int, tuple[int, int, str], Keys]]:
    """Where a conjunction stands among others."""
    return [(_PLACES[axis_variable(axis)], axis.rank, cube[axis].keys) for axis in _in_reading_order(cube)]


def _in_reading_order(axes: Iterable[Axis]) -> list[Axis]:
    return sorted(axes, key=lambda axis: (_PLACES.get(axis_variable(axis), len(_PLACES)), axis.rank))


def axis_variable(axis: Axis) -> str:
    """The variable whose place in a text the axis takes."""
    return "python_full_version" if axis.variable == "python_version" else axis.variable


def _conjunction(cube: _Cube, *, without: Axis | None = None) -> Node:
    whole = YES
    for axis, node in cube.items():
        if axis is not without:
            whole = meet(whole, node)
    return whole


def _single(need: Node, bad: Node) -> list[_Cube]:
    """One variable that decides alone, the one with the shortest words."""
    found = []
    for axis in _in_reading_order(support(need, bad)):
        needed = values(need, axis)
        if needed is not YES and meet(needed, bad) is NO:
            found.append({axis: needed})
    return [min(found, key=lambda cube: _cost(cube, need, bad))] if found else []


def _box(need: Node, bad: Node) -> list[_Cube]:
    """Independent conditions on several variables."""
    cube = {axis: values(need, axis) for axis in _in_reading_order(support(need))}
    if meet(_conjunction(cube), bad) is not NO:
        return []
    return [_generalised(cube, need, bad)]


def _cover(need: Node, bad: Node) -> list[_Cube]:
    cubes: list[tuple[_Cube, Node]] = []
    remaining = need

    def add(cube: _Cube) -> None:
        nonlocal remaining
        covered = _conjunction(cube)
        cubes.append((cube, covered))
        remaining = minus(remaining, covered)

    # A comparison that is kept as it is covers named values too, which the first paths would list one by one.
    for axis in _in_reading_order(support(need)):
        if axis.kind == "flag" and axis.variable != "extra":
            for setting in (flag_node(axis), minus(YES, flag_node(axis))):
                if meet(setting, bad) is NO and meet(setting, remaining) is not NO:
                    add({axis: setting})
    while remaining is not NO:
        if len(cubes) >= MAX_CONJUNCTIONS:
            raise DiagramLimitError
        add(_generalised({node.axis: node for node in first_path(remaining)}, need, bad))
    kept = list(cubes)
    for one in sorted(cubes, key=lambda pair: _cost(pair[0], need, bad), reverse=True):
        others = NO
        for cube, covered in kept:
            if cube is not one[0]:
                others = join(others, covered)
        if minus(need, others) is NO:
            kept.remove(one)
    return [cube for cube, _ in kept]


def _divide(cubes: list[_Cube], need: Node, bad: Node) -> None:
    """Leave out alternatives within a conjunction that other conjunctions cover; the earlier of two stays."""
    for cube in reversed(cubes):
        own = need
        for other in cubes:
            if other is not cube:
                own = minus(own, _conjunction(other))
        for axis in [axis for axis in cube if axis.kind != "flag"]:
            rest = _conjunction(cube, without=axis)
            inside = meet(rest, cube[axis])
            shared = word(axis, values(meet(inside, need), axis), _widest(cube, axis, bad))
            needed = values(meet(inside, own), axis)
            if cost(word(axis, needed, needed)) < cost(shared):
                cube[axis] = needed


def _generalised(cube: _Cube, need: Node, bad: Node) -> _Cube:
    """Fewer conditions and wider ones, without a bad environment; of two ways, the one with the shorter text."""
    candidates = []
    for order in _DROPPING_ORDERS:
        wide = dict(cube)
        first = [axis for variable in order for axis in wide if axis.variable == variable]
        for axis in (*first, *reversed([axis for axis in _in_reading_order(wide) if axis not in first])):
            if meet(_conjunction(wide, without=axis), bad) is NO:
                del wide[axis]
        for axis in list(wide):
            wide[axis] = _widest(wide, axis, bad)
        candidates.append(wide)
    return min(candidates, key=lambda one: _cost(one, need, bad))


def _widest(cube: _Cube, axis: Axis, bad: Node) -> Node:
    if axis.kind == "flag":  # other axes decide it for the values they name, so it has no values of its own
        return cube[axis]
    rest = _conjunction(cube, without=axis)
    return join(cube[axis], minus(YES, values(meet(rest, bad), axis)))


def _worded(cube: _Cube, need: Node, bad: Node) -> list[Alternatives]:
    """Per axis in reading order, the words for some set between what is needed and what is allowed."""
    worded = []
    for axis in _in_reading_order(cube):
        rest = _conjunction(cube, without=axis)
        worded.append(word(axis, values(meet(meet(rest, cube[axis]), need), axis), _widest(cube, axis, bad)))
    return worded


def _cost(cube: _Cube, need: Node, bad: Node) -> tuple[float, int]:
    worded = _worded(cube, need, bad)
    return sum(map(cost, worded)), len(worded)
