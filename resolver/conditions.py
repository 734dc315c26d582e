"""Where the requirements of a proof hold: in a region a requirement counts that holds somewhere in it.

So a proof for a region may speak of requirements that never meet. Where their conditions tell parts of the region
apart, the parts are solved for themselves; a proof whose requirements hold all over its region is true in all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import cast

from .environment.space import EnvironmentSet, from_marker
from .place_facts import PlaceFacts
from .provider.requirements import Metadata
from .remedies import stated_as
from .requirement import Requirement
from .solver import ROOT, FromDependency, FromExclusion, Incompatibility
from .tables import Name

MAX_VERSIONS = 5_000  # of one package whose requirements are looked at, some µs each


def conditions(facts: PlaceFacts, causes: Iterable[Incompatibility]) -> tuple[EnvironmentSet, ...]:
    """Where the requirements and constraints of a proof hold, each once; what holds everywhere is left out."""
    return tuple(dict.fromkeys(_conditions(facts, causes)))


def _conditions(facts: PlaceFacts, causes: Iterable[Incompatibility]) -> Iterator[EnvironmentSet]:
    for one in causes:
        cause = one.cause
        if isinstance(cause, FromExclusion) and cause.kind == "constraint":
            for package in one.terms:
                for stated in facts.policies.constraints(cast("Name", package)[0]):
                    yield from _condition(stated.requirement, None)
        elif isinstance(cause, FromDependency) and cause.package is ROOT:
            for stated in stated_as(facts, cause):
                yield from _condition(stated.requirement, None)
        elif isinstance(cause, FromDependency):
            required = cast("Name", cause.dependency)[0]
            for requirement, extra in _requirements(facts, cast("Name", cause.package), cause.versions):
                if requirement.name == required:
                    yield from _condition(requirement, extra)


def _requirements(facts: PlaceFacts, package: Name, versions: int) -> Iterator[tuple[Requirement, str | None]]:
    """What the versions of a bit set require, the newest first."""
    name, extra = package
    left = MAX_VERSIONS
    while versions and left:
        bit = versions.bit_length() - 1
        versions ^= 1 << bit
        left -= 1
        metadata = facts.ready_metadata(name, bit)
        if isinstance(metadata, Metadata):
            for requirement in facts.requirements_of(metadata, extra):
                yield requirement, extra


def _condition(requirement: Requirement, extra: str | None) -> Iterator[EnvironmentSet]:
    if requirement.marker is not None:
        yield from_marker(requirement.marker).without_extras(() if extra is None else (extra,))
