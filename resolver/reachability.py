"""In which environments of a region a package is needed: markers along every path from the caller's requirements."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from .environment.region import Region, is_somewhere
from .environment.space import NOTHING, EnvironmentSet, from_marker
from .place_facts import Name, PlaceFacts
from .provider.requirements import Metadata
from .requirement import Requirement
from .solver import Package


async def reachability(
    facts: PlaceFacts, region: Region, decisions: Mapping[Package, int]
) -> dict[str, EnvironmentSet]:
    """The environments of ``region`` in which each decided project is needed; projects that none needs are absent.

    A fixpoint: sets only grow, and a package is looked at again when its own has grown, so that cycles end.
    """
    needed: dict[Name, EnvironmentSet] = {}
    todo: deque[Name] = deque()

    def reach(requirement: Requirement, where: EnvironmentSet) -> None:
        if not is_somewhere(where):
            return
        for package in ((requirement.name, None), *((requirement.name, extra) for extra in requirement.extras)):
            known = needed.get(package, NOTHING)
            if not where.implies(known):
                needed[package] = known | where
                todo.append(package)

    for stated in facts.stated():
        reach(stated.requirement, region.space & from_marker(stated.requirement.marker).without_extras())
    while todo:
        package = todo.popleft()
        name, extra = package
        metadata = await facts.metadata(name, decisions[name, None])
        assert isinstance(metadata, Metadata), "a decided version had metadata"
        taken = () if extra is None else (extra,)
        for requirement in facts.requirements_of(metadata, extra):
            reach(requirement, needed[package] & from_marker(requirement.marker).without_extras(taken))
    return {name: space for (name, extra), space in needed.items() if extra is None}
