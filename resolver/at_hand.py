"""What one place's facts can tell a solver at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .name import name_of
from .place_facts import PlaceFacts
from .provider.candidates import Candidates
from .provider.outlook import Unavailable as Declined
from .segments import Segments
from .solver import Dependency, Interrupted, Package, Solver, Unavailable


class AtHand:
    """Answers the solver where nothing has to be awaited, as long as the segment lasts.

    What is known may have to be made first: tables of a new place, what a release requires of it, or all of it after a
    restart. That takes up to some milliseconds each, and a solver asks for dozens of them between two decisions.
    """

    def __init__(self, facts: PlaceFacts, solver: Solver, segments: Segments) -> None:
        self._facts = facts
        self._solver = solver
        self._segments = segments
        self._declared: dict[str, Mapping[tuple[int, str | None], Sequence[Dependency] | Declined]] = {}
        """What solves found out from the same standpoints, as far as it was looked at."""
        self._declares_as_ever = facts.declares_as_ever
        self.is_late = False
        """Whether the solver goes without an answer only because others shall have their turn."""

    def versions(self, package: Package) -> Candidates | None:
        """The table of a package."""
        if self._segments.is_over:
            self.is_late = True
            return None
        return self._facts.tables.ready(name_of(package))

    def dependencies(self, package: Package, version: int) -> Sequence[Dependency] | Unavailable | None:
        """What a version depends on, or why it is none."""
        if self._segments.is_over:
            self.is_late = True
            return None
        facts, name = self._facts, name_of(package)
        if self._declares_as_ever and not facts.ahead.is_awake:
            known = self._declared.get(name[0])
            if known is None:
                known = self._declared[name[0]] = facts.tables.outlook(name[0]).declared
            declared = known.get((version, name[1]))
            if isinstance(declared, list):
                facts.ahead.pass_by(name, version, declared)
                return declared
        if facts.ahead.is_awake:
            facts.ahead.tried(name, version, facts.tables.known(name), self._solver.positive(package))
        else:
            facts.ahead.count(name, version)
        found = facts.ready_dependencies(name, version)
        if found is None or isinstance(found, list):
            return found
        facts.note_unavailable(name, version, found)
        return Unavailable(*found)


class Foreknown:
    """Tells what earlier solves found out; nobody relies on a page because of it."""

    def __init__(self, facts: PlaceFacts, segments: Segments) -> None:
        self._facts = facts
        self._segments = segments
        self._outlooks = facts.tables.outlooks if facts.declares_as_ever else None

    def table(self, package: Package) -> Candidates | None:
        """The table of a package, where no index has to be asked.

        Raises:
            Interrupted: it may have to be made, and the segment is over.
        """
        if self._segments.is_over:
            raise Interrupted
        return self._facts.tables.foreseen(name_of(package))

    def declared(self, package: Package, version: int) -> Sequence[Dependency] | None:
        """What a version depends on, if a solve has tried it from the same standpoint."""
        name, extra = name_of(package)
        if self._outlooks is None:
            found = self._facts.declared((name, extra), version)
        else:
            found = self._outlooks[name].told(version, extra)
        return found if isinstance(found, list) else None
