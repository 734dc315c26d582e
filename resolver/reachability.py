"""In which environments of a region a package is needed: markers along every path from the caller's requirements."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeVar

from .algebra import work_out
from .environment.region import Region, is_somewhere
from .environment.space import DiagramLimitError, EnvironmentSet
from .errors import too_complex
from .name import Name, names_of
from .place_facts import PlaceFacts
from .provider.requirements import Metadata
from .provider.selection import Needs
from .requirement import Requirement
from .requirement_forms import condition_of
from .segments import Breath
from .solver import Package

T = TypeVar("T")
MAX_STEPS = 20_000  # of the environment algebra for one package, some 100 ms; real ones take some hundred


async def reachability(
    facts: PlaceFacts, region: Region, decisions: Mapping[Package, int]
) -> dict[Name, EnvironmentSet]:
    """The environments of ``region`` in which each decided package is needed; those that none needs are absent.

    Most are needed in all of it, along paths without markers. For the others it is a fixpoint: sets only grow, and a
    package is looked at again when its own has grown, so that cycles end.
    """
    breath = Breath()
    whole = region.space
    needed: dict[Name, EnvironmentSet] = {}
    everywhere: list[Name] = []
    partly: deque[tuple[Name, EnvironmentSet]] = deque()
    for package, where in await _stated(facts, whole):
        if where is not whole:
            partly.append((package, where))
        elif package not in needed:
            needed[package] = whole
            everywhere.append(package)
    while everywhere:
        package = everywhere.pop()
        await breath.take()
        needs = await _needs_of(facts, region, package, decisions)
        for package in needs.always:
            if package not in needed:
                needed[package] = whole
                everywhere.append(package)
        partly.extend(needs.sometimes)
    while partly:
        package, where = partly.popleft()
        known = needed.get(package)
        if known is whole:
            continue
        await breath.take()
        grown = await _within(package[0], partial(_grown, known, where))
        if grown is None:
            continue
        needed[package] = grown
        needs = await _needs_of(facts, region, package, decisions)
        partly.extend([(other, grown) for other in needs.always])
        if needs.sometimes:
            partly.extend(await _within(package[0], partial(_parts, grown, needs)))
    return needed


async def _stated(facts: PlaceFacts, whole: EnvironmentSet) -> list[tuple[Name, EnvironmentSet]]:
    """What the caller requires, and where."""
    found: list[tuple[Name, EnvironmentSet]] = []
    for stated in facts.stated():
        one, where = stated.requirement, whole
        if one.marker_text is not None:
            where = await _within(one.name, partial(_part, whole, one))
        found += [(package, where) for package in names_of(one.name, one.extras)]
    return found


async def _within(name: str, work: Callable[[], T]) -> T:
    try:
        return await work_out(work, MAX_STEPS)
    except DiagramLimitError:
        raise too_complex((name,)) from None


def _part(whole: EnvironmentSet, one: Requirement, extra: str | None = None) -> EnvironmentSet:
    """Where a requirement holds."""
    return whole & condition_of(one, extra).space


def _grown(known: EnvironmentSet | None, where: EnvironmentSet) -> EnvironmentSet | None:
    """Where a package is needed that was ``known`` to be needed, and is so in ``where``; None: as before."""
    if not is_somewhere(where) or (known is not None and where.implies(known)):
        return None
    return where if known is None else known | where


def _parts(where: EnvironmentSet, needs: Needs) -> list[tuple[Name, EnvironmentSet]]:
    return [(other, where & there) for other, there in needs.sometimes]


async def _needs_of(facts: PlaceFacts, region: Region, package: Name, decisions: Mapping[Package, int]) -> Needs:
    """What a decided version (or one extra of it) needs, and where its markers say so."""
    name, extra = package
    key = decisions[name, None], extra
    seen = facts.tables.outlook(name)
    found = (seen.needs.get(key) or seen.needs_everywhere.get(key)) if facts.is_common else None
    if found is not None:
        return found
    metadata = await facts.metadata(name, key[0])
    assert isinstance(metadata, Metadata), "a decided version had metadata"
    everywhere = metadata.common(region, extra) if facts.is_common else None
    if everywhere is not None:
        named = [other for one in everywhere for other in names_of(one.name, one.extras)]
        found = seen.needs_everywhere[key] = Needs(tuple(dict.fromkeys(named)), ())
        return found
    found = await _within(name, partial(_needs, facts, region, metadata, extra))
    if facts.is_common:
        seen.needs[key] = found
    return found


def _needs(facts: PlaceFacts, region: Region, metadata: Metadata, extra: str | None) -> Needs:
    always: dict[Name, None] = {}
    sometimes: list[tuple[Name, EnvironmentSet]] = []
    for one in facts.requirements_of(metadata, extra):
        where = _part(region.space, one, extra)
        for other in names_of(one.name, one.extras):
            if where is region.space:
                always[other] = None
            else:
                sometimes.append((other, where))
    return Needs(tuple(always), tuple([pair for pair in sometimes if pair[0] not in always]))
