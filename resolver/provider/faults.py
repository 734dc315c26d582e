"""Why files and releases are no candidates: the kinds of faults, and which of several is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from . import dating, mismatch

NO_FILE, PYTHON, YANKED, TOO_NEW, PRERELEASE, HASHES, NO_BUILD = (
    "no-usable-file",
    "requires-python",
    "yanked",
    "excluded-newer",
    "prerelease",
    "hash",
    "no-build",
)

Fault: TypeAlias = tuple[str, str] | None
"""(kind, detail)."""

# Of a release's several faults the one is told that comes closest to having worked; its remedy is the shortest.
_NEARNESS = (YANKED, TOO_NEW, HASHES, PYTHON, NO_FILE, NO_BUILD)


def worst(faults: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """The fault to tell of a release, of those of its files."""
    kinds = {kind for kind, _ in faults}
    if kinds == {NO_BUILD}:
        return faults[0]
    nearest = min(kinds - {NO_BUILD} or kinds, key=_NEARNESS.index)
    if nearest == NO_FILE:
        return (NO_FILE, mismatch.nearest({detail for kind, detail in faults if kind == NO_FILE}))
    found = {detail for kind, detail in faults if kind == nearest}
    return (nearest, listed(dating.told(found) if nearest == TOO_NEW else sorted(found)))


def listed(details: Sequence[str]) -> str:
    """The first of several details in one text."""
    return ", ".join(details[:6])
