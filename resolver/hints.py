"""Hints after an explanation: what the caller could change about the versions that were no candidates.

A hint says which option would admit a version. It promises nothing about the rest of the solve.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from .environment.place import Place
from .environment.target import Target
from .provider import mismatch
from .provider.candidates import (
    NO_BUILD,
    NO_FILE,
    PRERELEASE,
    PYTHON,
    TOO_NEW,
    YANKED,
    Candidates,
)
from .solver import Exclusion

MAX_HINTS = 5  # beyond it the explanation itself is the better reading


def hints(
    names: Sequence[str],
    tables: Mapping[str, Candidates],
    place: Place,
    wanted: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> tuple[str, ...]:
    """Hints for the packages ``names`` of an explanation, at most one for each kind of exclusion of each package.

    ``wanted`` holds the caller's own specifiers by project: versions beyond them are of no use.
    """
    found: list[str] = []
    for name in dict.fromkeys(name.partition("[")[0] for name in names):
        table = tables.get(name)
        if table is None:
            continue
        newest: dict[str, Exclusion] = {}
        fit = -1
        for specifier in wanted.get(name, ()):
            fit &= table.mask(specifier)
        for exclusion in (replace(one, mask=one.mask & fit) for one in table.exclusions()):
            known = newest.get(exclusion.kind)
            if exclusion.mask and (known is None or exclusion.mask > known.mask):
                newest[exclusion.kind] = exclusion
        found += filter(None, (_hint(name, table, one, place) for one in newest.values()))
    return tuple(found[:MAX_HINTS])


def _hint(name: str, table: Candidates, exclusion: Exclusion, place: Place) -> str | None:
    bit = exclusion.mask.bit_length() - 1
    version = table.versions.texts[bit - 1]
    match exclusion.kind:
        case kind if kind == YANKED:
            return f"{name} {version} was yanked; pin it exactly ({name}=={version}) to use it all the same"
        case kind if kind == PRERELEASE:
            return f"{name} {version} is a pre-release; allow it with prerelease = allow, for this package or for all"
        case kind if kind == TOO_NEW:
            return (
                f"{name} {version} was uploaded {exclusion.detail or 'at an unknown time'}; exclude_newer leaves it out"
            )
        case kind if kind == PYTHON:
            return f"{name} {version} needs Python {exclusion.detail}; the lock is for {_python(place)}"
        case kind if kind == NO_BUILD:
            return (
                f"{name} {version} is a source distribution only; builds and only_binary decide whether it may be used"
            )
        case kind if kind == NO_FILE and table.project is not None:
            tags = [file.tags for file in table.project.release(bit).wheels if file.tags is not None]
            if tags and "Python" in exclusion.detail:
                return f"{name} {version} has wheels for these interpreters only: {mismatch.interpreters(tags)}"
            if tags:
                return f"{name} {version} has wheels for these platforms only: {mismatch.platforms(tags)}"
    return None


def _python(place: Place) -> str:
    return f"Python {place.python}" if isinstance(place, Target) else place.name
