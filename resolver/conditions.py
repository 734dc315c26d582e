"""Where the requirements of a proof hold: in a region a requirement counts that holds somewhere in it.

So a proof for a region may speak of requirements that never meet. Where their conditions tell parts of the region
apart, the parts are solved for themselves; a proof whose requirements hold all over its region is true in all of it.
With ``fork_strategy = fewest`` a version that part of a region's Pythons cannot have is no candidate in any of it: that
is a wish, so what such versions demand of Python comes last among the conditions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress

from .environment.space import EnvironmentSet, from_requires_python_floor
from .name import Name, name_of
from .place_facts import PlaceFacts
from .provider.requirements import Metadata
from .remedies import stated_as
from .requirement import Requirement
from .requirement_forms import condition_of
from .solver import ROOT, FromDependency, FromExclusion, Incompatibility, Unavailable
from .specifier import SpecifierError

MAX_VERSIONS = 5_000  # of one package whose requirements are looked at, some µs each


def conditions(facts: PlaceFacts, causes: Iterable[Incompatibility]) -> tuple[EnvironmentSet, ...]:
    """Where the requirements and constraints of a proof hold, each once; what holds everywhere is left out."""
    known = list(causes)
    return tuple(dict.fromkeys((*_conditions(facts, known), *_pythons(facts, known))))


def _conditions(facts: PlaceFacts, causes: Iterable[Incompatibility]) -> Iterator[EnvironmentSet]:
    for one in causes:
        cause = one.cause
        if isinstance(cause, FromExclusion) and cause.kind == "constraint":
            for package in one.terms:
                for stated in facts.policies.constraints(name_of(package)[0]):
                    yield from _condition(stated.requirement, None)
        elif isinstance(cause, FromDependency) and cause.package is ROOT:
            for stated in stated_as(facts, cause):
                yield from _condition(stated.requirement, None)
        elif isinstance(cause, FromDependency):
            required = name_of(cause.dependency)[0]
            for requirement, extra in _requirements(facts, name_of(cause.package), cause.versions):
                if requirement.name == required:
                    yield from _condition(requirement, extra)


def _pythons(facts: PlaceFacts, causes: Iterable[Incompatibility]) -> Iterator[EnvironmentSet]:
    """The Pythons from the first on that versions of a proof admit, which were left out because of it."""
    for one in causes:
        if isinstance(one.cause, FromExclusion | Unavailable) and one.cause.kind == "requires-python":
            ((package, versions),) = one.terms.items()
            name, _ = name_of(package)
            for bit in _newest(versions):
                release, metadata = facts.release(name, bit), facts.ready_metadata(name, bit)
                demanded = {file.requires_python for file in release.files}
                demanded.add(metadata.core.requires_python if isinstance(metadata, Metadata) else None)
                for specifier in sorted(filter(None, demanded)):
                    with suppress(SpecifierError):
                        yield from_requires_python_floor(specifier)


def _newest(versions: int) -> Iterator[int]:
    """The bits of a set, from the newest version on, as far as they are looked at."""
    left = MAX_VERSIONS
    while versions and left:
        bit = versions.bit_length() - 1
        versions ^= 1 << bit
        left -= 1
        yield bit


def _requirements(facts: PlaceFacts, package: Name, versions: int) -> Iterator[tuple[Requirement, str | None]]:
    """What the versions of a bit set require, the newest first."""
    name, extra = package
    for bit in _newest(versions):
        metadata = facts.ready_metadata(name, bit)
        if isinstance(metadata, Metadata):
            for requirement in facts.requirements_of(metadata, extra):
                yield requirement, extra


def _condition(requirement: Requirement, extra: str | None) -> Iterator[EnvironmentSet]:
    if requirement.marker is not None:
        yield condition_of(requirement, extra).space
