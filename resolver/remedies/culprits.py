"""What the reasons of a proof say of each project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..name import Name
from ..provider.candidates import Candidates
from ..solver import ROOT, FromDependency, FromExclusion, Incompatibility, Unavailable


@dataclass(slots=True)
class Culprit:
    """What the reasons say of one project."""

    kinds: dict[str, int]
    """Kind of exclusion → versions."""
    wanted: int = -1
    """Versions that the requirements in the proof have in common, where they have any."""


def culprits_of(reasons: Sequence[Incompatibility], tables: Mapping[Name, Candidates]) -> dict[str, Culprit]:
    """The projects that a proof speaks of, in its order."""
    found: dict[str, Culprit] = {}
    for reason in reasons:
        for package in reason.terms:
            if package is not ROOT:
                found.setdefault(project_of(package), Culprit({}))
        match reason.cause:
            case FromExclusion(kind, _) | Unavailable(kind, _):
                ((package, mask),) = reason.terms.items()
                kinds = found[project_of(package)].kinds
                kinds[kind] = kinds.get(kind, 0) | mask
            case FromDependency() as cause if cause.admitted & found[project_of(cause.dependency)].wanted:
                found[project_of(cause.dependency)].wanted &= cause.admitted
    # A version that several reasons exclude is told of once; what else is against it counts, too.
    for name, culprit in found.items():
        table = tables.get((name, None))
        for exclusion in table.exclusions() if table is not None else ():
            mask = exclusion.mask & culprit.wanted
            if mask and exclusion.kind in culprit.kinds:
                culprit.kinds[exclusion.kind] |= mask
    return found


def project_of(package: object) -> str:
    """The project of one of the solver's packages, which may be an extra of it."""
    assert isinstance(package, tuple)
    name, _ = package
    assert isinstance(name, str)
    return name
