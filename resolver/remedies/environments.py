"""Other environments to lock for: another Python, or one environment less."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ..environment.target import Target
from ..errors import Place
from ..model import Query, Universal
from ..name import Name
from ..place_facts import PlaceFacts
from ..provider.candidates import Candidates
from ..provider.faults import NO_FILE, PYTHON
from ..solver import Incompatibility, Unavailable
from .culprits import Culprit
from .interpreters import other_python, other_requires_python
from .remedy import Edit, Effort, Remedy


def required_environments(query: Query, reasons: Sequence[Incompatibility]) -> Iterator[Remedy]:
    """The required environments that a release has no wheels for, and those that the lock is for."""
    if query.universal is None:
        return
    details = {reason.cause.detail for reason in reasons if isinstance(reason.cause, Unavailable)}
    required, named = query.universal.required_environments, query.universal.environments
    for at, marker in enumerate(required):
        if f"has no wheels for {marker}" in details and marker not in named:
            left = replace(query.universal, required_environments=_without(required, marker))
            place = Place(pointer=f"/universal/required_environments/{at}")
            yield _less("required-environment", f"do without wheels for {marker}", place, marker, left)
    for at, marker in enumerate(named):
        if f"has no wheels for {marker}" in details and len(named) > 1:
            left = replace(query.universal, environments=_without(named, marker))
            place = Place(pointer=f"/universal/environments/{at}")
            yield _less("environment", f"lock for fewer environments, without {marker}", place, marker, left)


def _without(markers: Sequence[str], left_out: str) -> tuple[str, ...]:
    return tuple(one for one in markers if one != left_out)


def _less(kind: str, detail: str, place: Place, marker: str, left: Universal) -> Remedy:
    def change(query: Query) -> Query:
        return replace(query, universal=left)

    return Remedy(Effort.ENVIRONMENT, kind, detail, (Edit(place, marker, None),), change)


def pythons(facts: PlaceFacts, tables: Mapping[Name, Candidates], culprits: Mapping[str, Culprit]) -> Iterator[Remedy]:
    """The nearest other Python that would admit some version that was excluded for the Python there is."""
    query, place = facts.query, facts.place
    for name, culprit in culprits.items():
        table = tables.get((name, None))
        mask = culprit.kinds.get(PYTHON, 0) | culprit.kinds.get(NO_FILE, 0)
        mask = mask & culprit.wanted or mask
        if table is None or table.project is None or not mask:
            continue
        releases = [table.project.release(bit) for bit in table.versions.select(mask)]
        if query.universal is not None:
            before = query.universal.requires_python
            admitted = other_requires_python(before, releases)
            if admitted is not None:
                yield _universal_python(before, admitted)
            continue
        at = next(number for number, target in enumerate(query.targets) if target is place)
        other = other_python(query.targets[at], releases)
        if other is not None:
            before = _shown(query.targets[at].python)
            after = _shown(other.python)
            edit = Edit(Place(pointer=f"/targets/{at}/python"), before, after)
            detail = f"lock for Python {after} instead of {before}"

            def change(query: Query, at: int = at, other: Target = other) -> Query:
                return replace(query, targets=(*query.targets[:at], other, *query.targets[at + 1 :]))

            yield Remedy(Effort.ENVIRONMENT, PYTHON, detail, (edit,), change)


def _shown(python: str) -> str:
    """``3.13`` means ``3.13.0``; which of the two the caller wrote nobody knows any more."""
    return python.removesuffix(".0") if python.count(".") > 1 else python


def _universal_python(before: str, after: str) -> Remedy:
    def change(query: Query) -> Query:
        assert query.universal is not None
        return replace(query, universal=replace(query.universal, requires_python=after))

    edit = Edit(Place(pointer="/universal/requires_python"), before, after)
    return Remedy(Effort.ENVIRONMENT, PYTHON, f"lock for Python {after} instead of {before}", (edit,), change)
