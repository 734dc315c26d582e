"""The words for a set of values of one variable: comparisons that hold exactly there.

A version axis is cut at points, and PEP 440 has no single word for every cut: the pre-releases of 3.13 are below
``>= 3.13`` and yet outside of ``< 3.13``. What :func:`_above` and :func:`_below` write is exact all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise, product
from typing import TypeAlias

from .axes import FINAL, Axis, Cut
from .comparison import inverse, spell
from .diagram import NO, YES, Node

Conjunction: TypeAlias = tuple[str, ...]
Alternatives: TypeAlias = tuple[Conjunction, ...]
"""An ``or`` of conjunctions; the empty conjunction holds always."""
_Range: TypeAlias = tuple[Cut | None, Cut | None]

_FULL_VERSION_COST = 1.25  # a reader prefers ``python_version``
MAX_HOLES = 3  # in one range, written with !=; more are easier to read as ranges


def cost(alternatives: Alternatives) -> float:
    """How much there is to read."""
    return sum(
        _FULL_VERSION_COST if "python_full_version" in atom else 1.0
        for conjunction in alternatives
        for atom in conjunction
    )


def word(axis: Axis, needed: Node, allowed: Node) -> Alternatives:
    """Words for the set between ``needed`` and ``allowed``, both over ``axis`` alone, that has the shortest."""
    if allowed is YES:
        return ((),)
    if axis.kind == "version":
        return _versions(axis, needed, allowed)
    if axis.kind == "flag":
        return ((_flag(axis, is_set=allowed.children[0] is YES),),)
    options = [_strings(axis, node) for node in (needed, allowed) if node is not YES]
    return min(options, key=cost)  # of equal ones the first: what is needed is said positively


def _flag(axis: Axis, *, is_set: bool) -> str:
    if axis.variable == "extra" and not axis.text.startswith("?"):
        return spell("extra", "==" if is_set else "!=", axis.text)
    comparison = axis.text.removeprefix("?")
    return comparison if is_set else inverse(comparison)


def _strings(axis: Axis, node: Node) -> Alternatives:
    named = [key for key, child in zip(node.keys, node.children, strict=False) if child is not node.children[-1]]
    if node.children[-1] is NO:
        return tuple((spell(axis.variable, "==", value),) for value in named)
    return (tuple(spell(axis.variable, "!=", value) for value in named),)


def _ranges(node: Node) -> list[_Range]:
    if node is YES:
        return [(None, None)]
    cuts: list[Cut | None] = [None, *node.keys, None]
    return [limits for limits, child in zip(pairwise(cuts), node.children, strict=True) if child is YES]


def _versions(axis: Axis, needed: Node, allowed: Node) -> Alternatives:
    options = [
        tuple(
            min(_choices(axis, wide, narrow), key=lambda atoms: cost((atoms,)))
            for wide, narrow in _used(needed, allowed)
        )
    ]
    for node in (allowed, needed):
        ranges = _ranges(node)
        holes = [(one[1], other[0]) for one, other in pairwise(ranges)]
        excluded = [_point(axis, hole, "!=") for hole in holes]
        if 0 < len(holes) <= MAX_HOLES and all(excluded):
            outer = _range(axis, (ranges[0][0], ranges[-1][1]))
            options.append(((*outer, *(atom for atom in excluded if atom)),))
    return min(options, key=cost)


def _used(needed: Node, allowed: Node) -> Iterator[tuple[_Range, _Range]]:
    """Each allowed range that is needed, and the smallest range that holds what is needed of it."""
    for low, high in _ranges(allowed):
        inside = [one for one in _ranges(needed) if _meets(one, (low, high))]
        if inside:
            yield (low, high), (inside[0][0], inside[-1][1])


def _meets(one: _Range, other: _Range) -> bool:
    return (one[0] is None or other[1] is None or one[0] < other[1]) and (
        other[0] is None or one[1] is None or other[0] < one[1]
    )


def _choices(axis: Axis, wide: _Range, narrow: _Range) -> Iterator[Conjunction]:
    # Of equal words the first is taken: ">= 3.13.2" rather than "> 3.13.1".
    lows = sorted((wide[0], narrow[0]), key=lambda cut: cut is not None and cut[3] != FINAL)
    for low, high in product(lows, (wide[1], narrow[1])):
        yield _range(axis, (low, high))


def _range(axis: Axis, limits: _Range) -> Conjunction:
    point = _point(axis, limits, "==")
    if point:
        return (point,)
    low, high = limits
    return (*(() if low is None else _above(axis, low)), *(() if high is None else _below(axis, high)))


def _text(cut: Cut) -> str:
    major, minor, micro, kind, number = cut
    release = f"{major}.{minor}.{micro}" if micro else f"{major}.{minor}"
    return release if kind == FINAL else f"{release}{('a', 'b', 'rc')[kind]}{number}"


def _minor(major: int, minor: int) -> str:
    return f"{major}.{minor}" if minor else f"{major}"


def _is_minor(axis: Axis, cut: Cut) -> bool:
    return axis.variable == "python_full_version" and cut[2:] == (0, 0, 0)


def _above(axis: Axis, cut: Cut) -> Conjunction:
    major, minor, micro, kind, number = cut
    if _is_minor(axis, cut):
        return (spell("python_version", ">=", _minor(major, minor)),)
    if (kind, number) == (0, 0) and micro:  # everything after the release before
        return (spell(axis.variable, ">", _text((major, minor, micro - 1, FINAL, 0))),)
    if (kind, number) == (0, 0):
        return (spell(axis.variable, ">=", f"{major}.{minor}.dev0"),)
    return (spell(axis.variable, ">=", _text(cut)),)


def _below(axis: Axis, cut: Cut) -> Conjunction:
    major, minor, micro, kind, number = cut
    if _is_minor(axis, cut):
        return (spell("python_version", "<", _minor(major, minor)),)
    if kind == FINAL:  # "<" would leave out the pre-releases
        return (spell(axis.variable, "<=", _text(cut)), spell(axis.variable, "!=", _text(cut)))
    if (kind, number) == (0, 0):
        return (spell(axis.variable, "<", _text((major, minor, micro, FINAL, 0))),)
    return (spell(axis.variable, "<", _text(cut)),)


def _point(axis: Axis, limits: _Range, operator: str) -> str | None:
    """One comparison for a range that is a minor, a release with or without its pre-releases, or a pre-release."""
    low, high = limits
    if low is None or high is None:
        return None
    major, minor, micro, kind, number = low
    if _is_minor(axis, low) and high == (major, minor + 1, 0, 0, 0):
        return spell("python_version", operator, f"{major}.{minor}")
    if high == (major, minor, micro + 1, 0, 0) and kind == FINAL:
        return spell(axis.variable, operator, f"{major}.{minor}.{micro}")
    if high == (major, minor, micro + 1, 0, 0) and (kind, number) == (0, 0):
        return spell(axis.variable, operator, f"{major}.{minor}.{micro}.*")
    if kind != FINAL and high == (major, minor, micro, kind, number + 1):
        return spell(axis.variable, operator, _text(low))
    return None
