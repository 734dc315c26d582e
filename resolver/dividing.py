"""How what is required divides a region: by the caller's statements, and by a version that is being tried."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from .environment.place import Place
from .environment.region import Condition, Divided, Region, divide, divide_by, divide_by_required
from .environment.space import ALL
from .model import Universal
from .name import Name
from .provider.outlook import Outlook, Unavailable
from .requirement import Requirement
from .requirement_forms import condition_of

if TYPE_CHECKING:
    from .place_facts import PlaceFacts


def divide_by_statements(facts: PlaceFacts, region: Region) -> None:
    """Divide the region by the caller's requirements.

    Raises:
        Divided: they do.
    """
    conditional = facts.conditional()
    if not conditional:
        return
    found = _conditions(facts, [one.requirement for one in facts.stated() if one.requirement.name in conditional], None)
    try:
        divide(region, found)
    except Divided as division:
        division.by = tuple(dict.fromkeys(one.name for one in found if one.space is not ALL))
        raise


def divide_by_version(
    facts: PlaceFacts,
    region: Region,
    package: Name,
    bit: int,
    demanded: str | None,
    requirements: Sequence[Requirement],
) -> Unavailable | None:
    """Divide the region by what a version that is being tried demands; or say why it is no candidate there.

    Raises:
        Divided: the version, or what it requires, is for a part of the region.
    """
    name, extra = package
    outlook = facts.tables.outlook(name)
    release = facts.release(name, bit)
    lost = facts.missing(name, release)  # a page lists them, but nobody can install them
    files = [file for file in outlook.usable_files(bit) if file.filename not in lost]
    admitted = region.part_admitted({file.requires_python for file in files}) if files else region.space
    universal = facts.query.universal
    try:
        divide_by(region, admitted & region.part_admitted([demanded]))
        # A wheel that the caller names by URL is wanted wherever the caller says so.
        if files and universal is not None and required(universal) and facts.references.url(name) is None:
            marker = divide_by_required(region, required(universal), [file.tags for file in files])
            if marker is not None:
                return ("no-usable-file", f"has no wheels for {marker}")
        # Of itself it requires extras: what these require divides, wherever they are wanted.
        divide(region, _conditions(facts, [one for one in requirements if one.name != name], extra))
    except Divided as division:
        division.by = (name,)
        raise
    return None


def divides_nowhere(outlook: Outlook, place: Place, bit: int, demanded: str | None) -> bool:
    """Whether no Python that a version demands divides any region of the lock, where its requirements do not."""
    if not isinstance(place, Region):
        return True
    entire = place.entire
    files = {file.requires_python for file in outlook.usable_files(bit)}
    return all(entire.part_admitted(one) is entire.space for one in (files or {None}, {demanded}))


def required(universal: Universal) -> tuple[str, ...]:
    """The environments that each package has to be installable in: as in uv also those that are named at all."""
    return (*universal.required_environments, *universal.environments)


def divide_off(facts: PlaceFacts, requirement: Requirement, extra: str | None) -> None:
    """Divide a region by a requirement that nothing can meet: where it does not hold it is no reason to give up.

    Raises:
        Divided: it holds in a part of the region.
    """
    if isinstance(facts.place, Region):
        divide_by(facts.place, facts.place.space - condition_of(requirement, extra).space)


def _conditions(facts: PlaceFacts, requirements: Iterable[Requirement], extra: str | None) -> list[Condition]:
    """Where requirements hold, and where a constraint on what they require does as well."""
    found: list[Condition] = []
    for one in requirements:
        condition = condition_of(one, extra)
        found.append(condition)
        for stated in facts.policies.constraints(one.name):
            bound = condition_of(stated.requirement, None)
            found.append(Condition(one.name, condition.space & bound.space, bound.is_bounded))
    return found
