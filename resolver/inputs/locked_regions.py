"""Where an earlier lock has its versions: markers of its entries, and of the parts in which it was solved.

Read as leniently as the rest of the lock: a marker that cannot be read says nothing.
"""

from __future__ import annotations

from ..environment.space import DiagramLimitError, from_marker
from ..requirement import RequirementError
from .locked_graph import texts

MAX_REGIONS = 500  # as many as a universal lock may have


def readable(marker: str | None) -> str | None:
    """Return a marker that denotes a set of environments, None where it does not."""
    try:
        return None if marker is None or from_marker(marker).mentions_extra else marker
    except (RequirementError, DiagramLimitError):
        return None


def regions(values: object) -> tuple[str, ...]:
    """Return the markers of a list; () where one of them is none, for the others would not do without it."""
    markers = texts(values)
    if len(markers) > MAX_REGIONS or any(readable(marker) is None for marker in markers):
        return ()
    return markers
