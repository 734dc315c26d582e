"""Excluded versions between those that a requirement is about: first fill the gaps, then draw conclusions.

"a 1.0, 1.1 and 1.3 depend on c<2" and "a 1.2 was yanked" give "a>=1.0,<=1.3 depends on c<2", with which the argument
goes on. Without that step every conclusion carries the gaps along.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .facts import Package
from .incompatibility import ROOT, Derived, FromDependency, FromExclusion, Incompatibility, Unavailable, nodes
from .premises import Premise, Trials, premises
from .words import runs


def filled(conclusion: Incompatibility, trials: Trials) -> Incompatibility:
    """Return a proof from the same facts in which gaps are filled first, where there are any."""
    given = premises(conclusion)
    gaps: dict[Package, list[Premise]] = {}
    requirements: dict[Package, list[Premise]] = {}
    for one in given:
        if isinstance(one.cause, FromDependency):
            if one.package is not ROOT:
                requirements.setdefault(one.package, []).append(one)
        else:
            gaps.setdefault(one.package, []).append(one)
    for package, exclusions in gaps.items():
        about = requirements.get(package, [])
        if len(about) == 1:
            conclusion = _filled(conclusion, about[0], exclusions, trials)
    return conclusion


def _filled(
    conclusion: Incompatibility, requirement: Premise, exclusions: Sequence[Premise], trials: Trials
) -> Incompatibility:
    versions = requirement.versions
    for one in exclusions:
        versions |= one.versions
    cause = requirement.cause
    assert isinstance(cause, FromDependency)
    if runs(versions) >= runs(requirement.versions) or _is_filled(conclusion, requirement):
        return conclusion
    wider = Premise(requirement.package, versions, replace(cause, versions=versions))
    rest = [one for one in premises(conclusion) if one != requirement and one not in exclusions]
    proof = trials.solve([*rest, wider])
    return conclusion if proof is None else _with(proof, wider, requirement, exclusions)


def _is_filled(conclusion: Incompatibility, requirement: Premise) -> bool:
    """Whether the requirement is part of another gap's argument already; such parts stay as they are."""
    return requirement not in premises(conclusion)


def _with(
    proof: Incompatibility, wider: Premise, requirement: Premise, exclusions: Sequence[Premise]
) -> Incompatibility:
    """The proof with the argument for the wider requirement in place of the requirement itself."""
    made: dict[int, Incompatibility] = {}
    for node in nodes(proof):
        cause = node.cause
        if isinstance(cause, Derived):
            made[id(node)] = Incompatibility(node.terms, Derived(made[id(cause.left)], made[id(cause.right)]))
        elif isinstance(cause, FromDependency) and _says(cause, wider):
            made[id(node)] = _argument(node, requirement, exclusions)
        else:
            made[id(node)] = node
    return made[id(proof)]


def _says(cause: FromDependency, premise: Premise) -> bool:
    other = premise.cause
    assert isinstance(other, FromDependency)
    return (cause.package, cause.dependency, cause.admitted) == (other.package, other.dependency, other.admitted)


def _argument(leaf: Incompatibility, requirement: Premise, exclusions: Sequence[Premise]) -> Incompatibility:
    package, cause = requirement.package, requirement.cause
    assert isinstance(cause, FromDependency)
    spoken = leaf.terms[package]
    versions = requirement.versions & spoken
    found = Incompatibility({**leaf.terms, package: versions}, replace(cause, versions=versions))
    for one in exclusions:
        mask = one.versions & spoken
        if mask & ~found.terms[package]:
            assert isinstance(one.cause, FromExclusion | Unavailable)
            excluded = Incompatibility({package: mask}, one.cause)
            terms = {**found.terms, package: found.terms[package] | mask}
            found = Incompatibility(terms, Derived(found, excluded))
    return found
