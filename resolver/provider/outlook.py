"""How a project looks from one place under one policy: its table, its evidence, and what its versions declare.

Most requests look at a project as an earlier one did. What they saw from their
:class:`~.standpoint.Standpoint` stays with the project as an :class:`Outlook`, so that it lives exactly as long as the
page it was made from, and a warm resolve makes nothing twice. An outlook holds nothing that depends on other
projects, on the rest of the request, or on what an index failed to answer.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..environment.place import Place
from ..index.page import File, Release
from ..model import Edge, Pin, Stated
from ..solver import Dependency, Exclusion
from .candidates import Candidates, Project, select_or_recall
from .evidence import speakers, usable_files
from .policy import Filter
from .selection import Needs
from .standpoint import Standpoint
from .versions import VersionList

MAX_OUTLOOKS = 64  # of a project that does not stay in memory
MAX_PINS = 256  # per project, some kilobytes each with what locks wrote of them
BARE, ENTRY, PIN = 1_500, 400, 2_000  # bytes of an outlook: by itself, and for each thing that it has

Unavailable = tuple[str, str]
"""(kind, detail): a version that turned out to be no candidate."""


class Outlook:
    """One project from one standpoint. Facts only; every value is computed once and never changes."""

    __slots__ = (
        "_selection",
        "declared",
        "edges",
        "needs",
        "pins",
        "seen",
        "standpoint",
        "table",
        "undated",
        "undivided",
        "unremarkable",
    )

    def __init__(self, project: Project, seen_from: Standpoint) -> None:
        self.standpoint = seen_from
        selection = self._selection = select_or_recall(project, seen_from.place, seen_from.filter)
        bounds = _constrain(project.versions, seen_from.constraints)
        self.table = Candidates(project, project.versions, selection, seen_from.order, bounds)
        self.declared: dict[tuple[int, str | None], list[Dependency] | Unavailable] = {}
        """(version, extra) → what it declares to a query that replaces and leaves out nothing."""
        self.undivided = selection.undivided
        """Of :attr:`declared_everywhere` what divides no region, whatever part of the lock it is."""
        self.edges: dict[tuple[int, str | None], Sequence[Edge]] = {}
        """The same as edges of a lock."""
        self.needs: dict[tuple[int, str | None], Needs] = {}
        """The same, by where it is needed."""
        self.pins: dict[tuple[int, tuple[str, ...]], Pin] = {}
        """(version, extras) → the pin of it in such a query, without who requires it."""
        self.unremarkable: dict[tuple[int, tuple[str, ...]], Pin] = {}
        """Those of which there is nothing to tell."""
        self.undated = selection.undated.bit_count()
        """How many releases were left out for want of an upload time."""
        self.seen = selection.seen
        """Of these, the first and the last sighting that is known."""

    def weigh(self) -> int:
        """Roughly how many bytes it takes; what it has in common with others is counted for each."""
        chosen = self._selection
        entries = len(self.declared) + len(self.edges) + len(self.needs) + len(self.unremarkable)
        entries += len(chosen.speakers) + len(chosen.declared)
        masks = (len(chosen.exclusions) + 2) * (self.table.count // 8 + ENTRY // 2)
        return BARE + masks + ENTRY * entries + PIN * (len(self.pins) + len(chosen.pins))

    def part(self) -> None:
        """Leave the project, with what its filter left if no other outlook has it."""
        project = self.table.project
        assert project is not None
        if project.outlooks.get(self.standpoint) is self:
            del project.outlooks[self.standpoint]
        others = (one._selection for one in project.outlooks.values() if isinstance(one, Outlook))  # noqa: SLF001
        if not any(one is self._selection for one in others):
            for key in [key for key, one in project.selections.items() if one is self._selection]:
                del project.selections[key]

    def told(self, bit: int, extra: str | None) -> list[Dependency] | Unavailable | None:
        """What a version (or an extra of it) declares, as far as an earlier solve found it out."""
        found = self.undivided.get((bit, extra))  # most is there
        return self.declared.get((bit, extra)) if found is None else found

    def files(self, bit: int) -> tuple[File, ...]:
        """The files whose metadata stands for a version, best first."""
        found = self._selection.speakers.get(bit)
        if found is None:
            found = self._selection.speakers[bit] = tuple(speakers(*self._release(bit)))
        return found

    def usable_files(self, bit: int) -> tuple[File, ...]:
        """The files of a version that may be installed somewhere in the place."""
        found = self._selection.usable_files.get(bit)
        if found is None:
            found = self._selection.usable_files[bit] = tuple(usable_files(*self._release(bit)))
        return found

    def _release(self, bit: int) -> tuple[Release, Place, Filter]:
        assert self.table.project is not None
        return self.table.project.release(bit), self.standpoint.place, self.standpoint.filter

    @property
    def declared_everywhere(self) -> dict[tuple[int, str | None], list[Dependency]]:
        """Of :attr:`declared` what no marker decides: places that the same files fit have it in common."""
        return self._selection.declared

    @property
    def needs_everywhere(self) -> dict[tuple[int, str | None], Needs]:
        """Of :attr:`needs` what no marker decides, likewise."""
        return self._selection.needs

    @property
    def pins_everywhere(self) -> dict[tuple[int, tuple[str, ...]], Pin]:
        """Of :attr:`pins` those whose requirements no marker decides, likewise."""
        return self._selection.pins

    def keep_pin(self, bit: int, extras: tuple[str, ...], pin: Pin) -> Pin:
        """Keep ``pin``, or the equal one that was made from another standpoint: what locks wrote of it serves both."""
        project = self.table.project
        assert project is not None
        content = (bit, extras, tuple(map(id, pin.wheels)), id(pin.sdist), pin.requires)
        if len(project.pins) >= MAX_PINS:
            project.pins.clear()
        same = project.pins.setdefault(content, pin)
        if not isinstance(same, Pin) or same != pin:
            same = project.pins[content] = pin
        self.pins[bit, extras] = same
        return same

    def knows_files(self, bit: int) -> bool:
        """Whether :meth:`files` has the answer at hand; else it unpacks the files of the version."""
        return bit in self._selection.speakers


def outlook(project: Project, seen_from: Standpoint) -> Outlook:
    """The outlook on ``project`` from a standpoint."""
    found = known_outlook(project, seen_from)
    if found is not None:
        return found
    known, views = project.outlooks, project.views
    made = Outlook(project, seen_from)
    if views is None and len(known) >= MAX_OUTLOOKS:
        known.clear()
    known[seen_from] = made
    if views is not None:
        views.note(made)
    return made


def known_outlook(project: Project, seen_from: Standpoint) -> Outlook | None:
    """The same if it was made before."""
    found = project.outlooks.get(seen_from)
    if not isinstance(found, Outlook):
        return None
    if project.views is not None:
        project.views.use(found)
    return found


def _constrain(versions: VersionList, constraints: Sequence[Stated]) -> list[Exclusion]:
    """A constraint is a fact about the package it names: it excludes versions without requiring the package."""
    every = (1 << (versions.count + 1)) - 2
    return [
        Exclusion(excluded, "constraint", f"{stated.requirement.text} ({stated.origin})")
        for stated in constraints
        if (excluded := every & ~versions.mask(stated.requirement.specifier))
    ]
