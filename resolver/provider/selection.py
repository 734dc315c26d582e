"""What a filter leaves of a project for one place."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from ..environment.place import Place
from ..environment.space import EnvironmentSet
from ..index.page import File
from ..model import Pin
from ..name import Name
from ..solver import Dependency, Exclusion
from .policy import Filter


class KeptSelections(Protocol):
    """Selections of one project that outlive the process; for the event loop only."""

    def recall(self, place: Place, allowed: Filter) -> Selection | None:
        """What an earlier process found, or None."""
        ...

    def keep(self, place: Place, allowed: Filter, selection: Selection) -> None:
        """Let later processes know what was found."""
        ...


@dataclass(frozen=True, slots=True)
class Needs:
    """What a version (or an extra of it) needs in a region."""

    always: tuple[Name, ...]
    """Wherever in the region it is needed itself."""
    sometimes: tuple[tuple[Name, EnvironmentSet], ...]
    """In these environments of the region."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What a filter leaves of a project for one target."""

    usable: int
    exclusions: tuple[Exclusion, ...]
    undated: int
    """Releases that were excluded for want of an upload time: seen first too late, or nobody knows when."""
    seen: tuple[datetime, datetime] | None = None
    """Of ``undated``, the first and the last sighting that is known."""
    usable_files: dict[int, tuple[File, ...]] = field(default_factory=dict, repr=False, compare=False)
    """By version: the files that may be installed there. See :mod:`.outlook`, which alone reads and writes them."""
    speakers: dict[int, tuple[File, ...]] = field(default_factory=dict, repr=False, compare=False)
    """Likewise, those whose metadata stands for it."""
    declared: dict[tuple[int, str | None], list[Dependency]] = field(default_factory=dict, repr=False, compare=False)
    """Likewise, (version, extra) → what it declares wherever this is left, as no marker decides it."""
    undivided: dict[tuple[int, str | None], list[Dependency]] = field(default_factory=dict, repr=False, compare=False)
    """Likewise, of that what divides no region either."""
    needs: dict[tuple[int, str | None], Needs] = field(default_factory=dict, repr=False, compare=False)
    """Likewise, (version, extra) → the same by where it is needed."""
    pins: dict[tuple[int, tuple[str, ...]], Pin] = field(default_factory=dict, repr=False, compare=False)
    """Likewise, (version, extras) → the pin of it."""
