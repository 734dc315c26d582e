"""In which environments of a region a package is needed: markers along every path from the caller's requirements."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from .environment.region import Region, is_somewhere
from .environment.space import DiagramLimitError, EnvironmentSet, bounded
from .errors import too_complex
from .name import Name, names_of
from .place_facts import PlaceFacts
from .provider.outlook import Needs
from .provider.requirements import Metadata
from .requirement_forms import condition_of
from .segments import Breath
from .solver import Package

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
    for stated in facts.stated():
        one = stated.requirement
        with _bounded(one.name):
            where = whole & condition_of(one, None).space
        for package in names_of(one.name, one.extras):
            if where is not whole:
                partly.append((package, where))
            elif package not in needed:
                needed[package] = whole
                everywhere.append(package)
    while everywhere:
        await breath.take()
        needs = await _needs(facts, region, everywhere.pop(), decisions)
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
        with _bounded(package[0]):
            if not is_somewhere(where) or (known is not None and where.implies(known)):
                continue
            needed[package] = where = where if known is None else known | where
        needs = await _needs(facts, region, package, decisions)
        partly.extend([(other, where) for other in needs.always])
        with _bounded(package[0]):
            partly.extend([(other, where & there) for other, there in needs.sometimes])
    return needed


@contextmanager
def _bounded(name: str) -> Iterator[None]:
    try:
        with bounded(MAX_STEPS):
            yield
    except DiagramLimitError:
        raise too_complex((name,)) from None


async def _needs(facts: PlaceFacts, region: Region, package: Name, decisions: Mapping[Package, int]) -> Needs:
    """What a decided version (or one extra of it) needs, and where its markers say so."""
    name, extra = package
    key = decisions[name, None], extra
    seen = facts.tables.outlook(name)
    found = seen.needs.get(key) if facts.is_common else None
    if found is None:
        metadata = await facts.metadata(name, key[0])
        assert isinstance(metadata, Metadata), "a decided version had metadata"
        everywhere = metadata.everywhere(extra) if facts.is_common else None
        if everywhere is not None:
            named = [other for one in everywhere for other in names_of(one.name, one.extras)]
            found = seen.needs[key] = Needs(tuple(dict.fromkeys(named)), ())
            return found
        always: dict[Name, None] = {}
        sometimes: list[tuple[Name, EnvironmentSet]] = []
        with _bounded(name):
            for one in facts.requirements_of(metadata, extra):
                where = region.space & condition_of(one, extra).space
                for other in names_of(one.name, one.extras):
                    if where is region.space:
                        always[other] = None
                    else:
                        sometimes.append((other, where))
        found = Needs(tuple(always), tuple([pair for pair in sometimes if pair[0] not in always]))
        if facts.is_common:
            seen.needs[key] = found
    return found
