"""Sets of environments: what a marker or a Requires-Python denotes.

A marker is a set of environments, so markers are compared as sets: equal, disjoint, implied. Sets are decision
diagrams (``diagram``) over the axes that occur (``axes``), always within the environments that can be (``theory``).
Equal sets are one object, and what was asked before is looked up, so a resolve may ask as often as it likes.

What lives here: the sets, how they are made, and how they are divided. Their text is ``marker_text``'s.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from weakref import WeakValueDictionary

from packaging.markers import Marker
from packaging.utils import canonicalize_name

from .axes import FINAL, Cut, axis_of, flag_is_set, is_extra
from .comparison import environments_of, from_first, versions_of
from .diagram import NO, YES, DiagramLimitError, Node, bounded, join, locate, meet, minus, support, values
from .expression import Expression, parse_expression, parse_marker
from .theory import CONSISTENT

__all__ = [
    "ALL",
    "NOTHING",
    "DiagramLimitError",
    "EnvironmentSet",
    "admits_final_python",
    "bounded",
    "from_marker",
    "from_node",
    "from_requires_python",
    "from_requires_python_floor",
    "partition",
    "python_bounds",
    "python_span",
    "pythons_of",
    "split",
]

MAX_CACHED = 65_536  # marker texts whose set is remembered, some 500 bytes each

_LOCK = threading.Lock()
_sets: WeakValueDictionary[Node, EnvironmentSet] = WeakValueDictionary()


class EnvironmentSet:
    """A set of environments and extras. Made by functions and operators only; equality is identity.

    Operators raise :class:`DiagramLimitError` when the answer would take too many steps to describe.
    """

    __slots__ = ("__weakref__", "node")

    def __init__(self, node: Node) -> None:
        self.node = node

    def __and__(self, other: EnvironmentSet) -> EnvironmentSet:
        return _set_of(meet(self.node, other.node))

    def __or__(self, other: EnvironmentSet) -> EnvironmentSet:
        return _set_of(join(self.node, other.node))

    def __sub__(self, other: EnvironmentSet) -> EnvironmentSet:
        return _set_of(minus(self.node, other.node))

    def __invert__(self) -> EnvironmentSet:
        return _set_of(minus(CONSISTENT, self.node))

    def __repr__(self) -> str:
        from .marker_text import to_marker  # noqa: PLC0415 - the words are made of sets

        try:
            return f"<EnvironmentSet {to_marker(self) or 'of all'}>"
        except DiagramLimitError:  # whoever prints a set has another problem already
            return "<EnvironmentSet, complex>"

    def is_empty(self) -> bool:
        """No environment is in it."""
        return self.node is NO

    def is_all(self) -> bool:
        """Every environment is in it."""
        return self.node is CONSISTENT

    def is_disjoint(self, other: EnvironmentSet) -> bool:
        """No environment is in both."""
        return meet(self.node, other.node) is NO

    def implies(self, other: EnvironmentSet) -> bool:
        """Every environment of this set is in ``other``."""
        return minus(self.node, other.node) is NO

    def contains(self, markers: Mapping[str, str], extras: Collection[str] = ()) -> bool:
        """Whether an environment, all eleven variables given, is in the set while ``extras`` are taken together.

        One that cannot be (``theory``) is in no set.
        """
        return locate(self.node, markers, {str(canonicalize_name(extra)) for extra in extras})

    def without_extras(self, taken: Collection[str] = ()) -> EnvironmentSet:
        """The environments that are left once the extras in ``taken`` are known to be taken, and no others."""
        node = self.node
        if not is_extra(node.axis):
            return self
        extras = {str(canonicalize_name(extra)) for extra in taken}
        while is_extra(node.axis):  # extras are the first axes
            node = node.children[0 if flag_is_set(node.axis, {}, extras) else 1]
        return _set_of(node)

    @property
    def mentions_extra(self) -> bool:
        """Whether the set depends on an extra."""
        return is_extra(self.node.axis)

    @property
    def variables(self) -> frozenset[str]:
        """The marker variables that the set depends on, those bound to them by the theory included."""
        return frozenset(axis.variable for axis in support(self.node))


def _set_of(node: Node) -> EnvironmentSet:
    found = _sets.get(node)
    if found is None:
        with _LOCK:
            found = _sets.get(node)
            if found is None:
                found = _sets[node] = EnvironmentSet(node)
    return found


def from_node(node: Node) -> EnvironmentSet:
    """The environments that can be of those that a diagram admits."""
    return _set_of(meet(CONSISTENT, node))


ALL = _set_of(CONSISTENT)
"""Every environment."""
NOTHING = _set_of(NO)
"""None."""


def from_marker(marker: Marker | str | None) -> EnvironmentSet:
    """The environments in which a marker holds; None holds in all. A repeated text costs a look-up.

    Raises:
        RequirementError: the text is no marker, or beyond a limit.
        DiagramLimitError: it combines too much.
    """
    return ALL if marker is None else _from_text(str(marker))


@lru_cache(maxsize=MAX_CACHED)
def _from_text(text: str) -> EnvironmentSet:
    with bounded():
        node = _fold(parse_expression(str(parse_marker(text))))
        return ALL if node is None else _set_of(meet(CONSISTENT, node))


def _fold(expression: Expression) -> Node | None:
    """None where nothing in it has a meaning: it is read as if it were not written."""
    if isinstance(expression, str):
        return environments_of(expression)
    members = [node for node in map(_fold, expression.members) if node is not None]
    if not members:
        return None
    combine = meet if expression.operator == "and" else join
    whole = members[0]
    for node in members[1:]:
        whole = combine(whole, node)
    return whole


@lru_cache(maxsize=MAX_CACHED)
def from_requires_python(specifier: str) -> EnvironmentSet:
    """The environments whose Python the specifiers admit; pre-releases by their order alone (PEP 440).

    Raises:
        SpecifierError: not a version specifier.
    """
    return _set_of(meet(CONSISTENT, versions_of(specifier)))


@lru_cache(maxsize=MAX_CACHED)
def from_requires_python_floor(specifier: str) -> EnvironmentSet:
    """As :func:`from_requires_python` from the first admitted version on: upper bounds and gaps are ignored.

    For the Requires-Python of packages, as in uv: an upper bound there is a guess about the future, and obeying it
    makes a resolver go back to releases that had not guessed yet.

    Raises:
        SpecifierError: not a version specifier.
    """
    return _set_of(meet(CONSISTENT, from_first(specifier)))


def split(space: EnvironmentSet, pieces: Iterable[EnvironmentSet]) -> list[EnvironmentSet]:
    """The part of ``space`` in each piece and in no earlier one, then what no piece covers; empty parts left out."""
    parts = []
    for piece in pieces:
        parts.append(space & piece)
        space -= piece
    return [part for part in (*parts, space) if not part.is_empty()]


def partition(spaces: Sequence[EnvironmentSet], within: EnvironmentSet = ALL) -> list[EnvironmentSet]:
    """The fewest disjoint sets that cover ``within`` and lie each inside or outside of every one of ``spaces``.

    The order follows ``spaces``. Their number may be exponential in ``spaces``: bound what is passed.
    """
    blocks = [] if within.is_empty() else [within]
    for space in dict.fromkeys(spaces):
        blocks = [part for block in blocks for part in split(block, (space,))]
    return blocks


def python_bounds(space: EnvironmentSet) -> tuple[str | None, str | None]:
    """The first Python version of a set and the first beyond it, as PEP 440 text; None where it is open.

    At a minor boundary the text is that minor (``3.10``), although its pre-releases are on the upper side.

    Raises:
        ValueError: the set is empty.
    """
    if space.is_empty():
        raise ValueError("an empty set of environments has no Python versions")
    node = values(space.node, axis_of("python_full_version"))
    if node is YES:
        return None, None
    low = None if node.children[0] is YES else _bound_text(node.keys[0])
    high = None if node.children[-1] is YES else _bound_text(node.keys[-1])
    return low, high


def pythons_of(space: EnvironmentSet) -> EnvironmentSet:
    """All environments with a Python that some environment of ``space`` has."""
    return _set_of(meet(CONSISTENT, values(space.node, axis_of("python_full_version"))))


def python_span(space: EnvironmentSet) -> tuple[Cut, Cut | None] | None:
    """The first Python of a set and the first beyond it (None: there is no end); None where there are gaps."""
    node = values(space.node, axis_of("python_full_version"))
    if node is YES:
        return (0, 0, 0, 0, 0), None
    match [child is YES for child in node.children]:
        case [False, True]:
            return node.keys[0], None
        case [True, False]:
            return (0, 0, 0, 0, 0), node.keys[0]
        case [False, True, False]:
            return node.keys[0], node.keys[1]
    return None


def _bound_text(cut: Cut) -> str:
    major, minor, micro, kind, number = cut
    release = f"{major}.{minor}.{micro}" if micro else f"{major}.{minor}"
    return (
        release if kind == FINAL or (kind, number) == (0, 0) else f"{release}{'abr'[kind]}{'c' * (kind == 2)}{number}"
    )


def admits_final_python(space: EnvironmentSet) -> bool:
    """Whether the set has a Python that is no pre-release.

    Where siblings say ``< 3.13`` and ``>= 3.13``, PEP 440 leaves the pre-releases of 3.13 to neither; such a rest is
    nobody's environment.
    """
    node = values(space.node, axis_of("python_full_version"))
    if node is YES or node is NO:
        return node is YES
    for index, child in enumerate(node.children):
        if child is NO:
            continue
        low = node.keys[index - 1] if index else (0, 0, 0, 0, 0)
        first_final = (*low[:3], FINAL, 0)
        if index == len(node.keys) or first_final < node.keys[index]:
            return True
    return False
