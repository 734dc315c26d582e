"""In which environments of a region a package is needed: markers along every path from the caller's requirements."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

from .environment.region import Region, is_somewhere
from .environment.space import NOTHING, DiagramLimitError, EnvironmentSet, bounded, from_marker
from .errors import too_complex
from .place_facts import PlaceFacts
from .provider.outlook import Need
from .provider.requirements import Metadata
from .segments import Breath
from .solver import Package
from .tables import Name

MAX_STEPS = 20_000  # of the environment algebra for one package, some 100 ms; real ones take some hundred


async def reachability(
    facts: PlaceFacts, region: Region, decisions: Mapping[Package, int]
) -> dict[str, EnvironmentSet]:
    """The environments of ``region`` in which each decided project is needed; projects that none needs are absent.

    A fixpoint: sets only grow, and a package is looked at again when its own has grown, so that cycles end.
    """
    breath = Breath()
    needed: dict[Name, EnvironmentSet] = {}
    todo: deque[Name] = deque()

    def reach(name: str, extras: Sequence[str], where: EnvironmentSet) -> None:
        if not is_somewhere(where):
            return
        for package in ((name, None), *((name, extra) for extra in extras)):
            known = needed.get(package, NOTHING)
            if not where.implies(known):
                needed[package] = known | where
                todo.append(package)

    for stated in facts.stated():
        requirement = stated.requirement
        reach(requirement.name, requirement.extras, region.space & from_marker(requirement.marker).without_extras())
    while todo:
        package = todo.popleft()
        name, extra = package
        await breath.take()
        needs = await _needs(facts, name, decisions[name, None], extra)
        try:
            with bounded(MAX_STEPS):
                for required, extras, where in needs:
                    reach(required, extras, needed[package] & where)
        except DiagramLimitError:
            raise too_complex((name,)) from None
    return {name: space for (name, extra), space in needed.items() if extra is None}


async def _needs(facts: PlaceFacts, name: str, bit: int, extra: str | None) -> Sequence[Need]:
    """What a decided version (or one extra of it) needs, and where its markers say so."""
    seen = facts.tables.outlook(name)
    found = seen.needs.get((bit, extra)) if facts.is_common else None
    if found is None:
        metadata = await facts.metadata(name, bit)
        assert isinstance(metadata, Metadata), "a decided version had metadata"
        taken = () if extra is None else (extra,)
        found = tuple(
            (one.name, one.extras, from_marker(one.marker).without_extras(taken))
            for one in facts.requirements_of(metadata, extra)
        )
        if facts.is_common:
            seen.needs[bit, extra] = found
    return found
