"""Pre-releases of Python beside the releases at which sets of environments are cut.

``python_version < "3.13"`` leaves out 3.13.0rc1 and ``Requires-Python: <3.13`` does not; what is said of such a Python
is free, for nobody locks for it (``region.is_somewhere``). A text that had to be exact there would read badly.
"""

from __future__ import annotations

from functools import lru_cache

from .axes import axis_of
from .diagram import Node, make, nodes_of
from .space import NOTHING, EnvironmentSet, from_marker, from_node, from_requires_python

MAX_CACHED = 16_384  # sets, some 300 bytes each

_PYTHON = axis_of("python_full_version")


@lru_cache(maxsize=MAX_CACHED)
def previews(space: EnvironmentSet) -> EnvironmentSet:
    """The environments whose Python is a pre-release of one that begins or ends a part of ``space``."""
    found = NOTHING
    for release in sorted(_releases(space.node)):
        found |= _previews_of(release)
    return found


@lru_cache(maxsize=MAX_CACHED)
def rounded(space: EnvironmentSet) -> EnvironmentSet:
    """The set that has the same final Pythons, and each pre-release with the release that it is of.

    How a lock's environments were divided shows in nothing else, so equal answers are equal texts.
    """
    return from_node(_Rounding().of(space.node))


class _Rounding:
    """One set; nodes are shared within a diagram, so what was answered is kept."""

    def __init__(self) -> None:
        self._found: dict[Node, Node] = {}

    def of(self, node: Node) -> Node:
        if not node.keys:
            return node
        found = self._found.get(node)
        if found is None:
            children = [self.of(child) for child in node.children]
            keys = node.keys
            if node.axis is _PYTHON:
                # What is said last of the Pythons that one release begins with is said of the release.
                after = {(*cut[:3], 0, 0): child for cut, child in zip(keys, children[1:], strict=True)}
                keys, children = tuple(after), [children[0], *after.values()]
            found = self._found[node] = make(node.axis, keys, children)
        return found


def _releases(node: Node) -> set[tuple[int, ...]]:
    return {cut[:3] for node in nodes_of(node) if node.axis is _PYTHON for cut in node.keys}


@lru_cache(maxsize=MAX_CACHED)
def _previews_of(release: tuple[int, ...]) -> EnvironmentSet:
    text = ".".join(map(str, release))
    return from_marker(f"python_full_version >= '{text}.dev0'") - from_requires_python(f">={text}")
