"""Pre-releases of Python beside the releases at which sets of environments are cut.

``python_version < "3.13"`` leaves out 3.13.0rc1 and ``Requires-Python: <3.13`` does not; what is said of such a Python
is free, for nobody locks for it (``region.is_somewhere``). A text that had to be exact there would read badly.
"""

from __future__ import annotations

from functools import lru_cache

from .axes import axis_of
from .diagram import Node, nodes_of
from .space import NOTHING, EnvironmentSet, from_marker, from_requires_python

MAX_CACHED = 16_384  # sets, some 300 bytes each


@lru_cache(maxsize=MAX_CACHED)
def previews(space: EnvironmentSet) -> EnvironmentSet:
    """The environments whose Python is a pre-release of one that begins or ends a part of ``space``."""
    found = NOTHING
    for release in sorted(_releases(space.node)):
        found |= _previews_of(release)
    return found


def _releases(node: Node) -> set[tuple[int, ...]]:
    axis = axis_of("python_full_version")
    return {cut[:3] for node in nodes_of(node) if node.axis is axis for cut in node.keys}


@lru_cache(maxsize=MAX_CACHED)
def _previews_of(release: tuple[int, ...]) -> EnvironmentSet:
    text = ".".join(map(str, release))
    return from_marker(f"python_full_version >= '{text}.dev0'") - from_requires_python(f">={text}")
