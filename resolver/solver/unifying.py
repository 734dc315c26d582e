"""One fact is one leaf: a proof in which the same requirement occurs for some versions and again for more of them.

A fact grows while the search tries versions, and conclusions stay those of the narrower fact. In words these are
several facts that differ in their versions only. Here the widest takes the place of all, and every conclusion is drawn
anew: masks only grow, so each conclusion says at least what it said before.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import replace

from .facts import Package
from .incompatibility import Derived, FromDependency, FromExclusion, Incompatibility, Unavailable, nodes


def unified(conclusion: Incompatibility, counts: Mapping[Package, int]) -> Incompatibility:
    """Return the proof with one leaf for each requirement. ``counts`` are the versions that each package has."""
    versions: dict[Hashable, int] = {}
    leaves = 0
    for node in nodes(conclusion):
        key = _key(node)
        if key is not None:
            leaves += 1
            versions[key] = versions.get(key, 0) | _versions(node)
    if leaves == len(versions):
        return conclusion
    made: dict[int, Incompatibility] = {}
    of_facts: dict[Hashable, Incompatibility] = {}
    for node in nodes(conclusion):
        cause = node.cause
        key = _key(node)
        if key is not None:
            if key not in of_facts:
                of_facts[key] = _widest(node, versions[key])
            made[id(node)] = of_facts[key]
        elif isinstance(cause, Derived):
            left, right = made[id(cause.left)], made[id(cause.right)]
            made[id(node)] = _resolved(left, right, _pivot(node, cause), counts)
        else:
            made[id(node)] = node
    return made[id(conclusion)]


def _key(node: Incompatibility) -> Hashable | None:
    """What a leaf says, apart from the versions; None for anything else."""
    match node.cause:
        case FromDependency() as cause:
            return cause.package, cause.dependency, cause.admitted, cause.key, cause.source
        case FromExclusion() | Unavailable() as cause:
            (package,) = node.terms
            return package, cause
    return None


def _versions(node: Incompatibility) -> int:
    return node.cause.versions if isinstance(node.cause, FromDependency) else next(iter(node.terms.values()))


def _widest(node: Incompatibility, versions: int) -> Incompatibility:
    cause = node.cause
    if isinstance(cause, FromDependency):
        return Incompatibility({**node.terms, cause.package: versions}, replace(cause, versions=versions))
    return Incompatibility(dict.fromkeys(node.terms, versions), cause)


def _pivot(node: Incompatibility, cause: Derived) -> Package:
    """The package that the two causes were resolved on."""
    left, right = cause.left.terms, cause.right.terms
    for package in left:
        if package in right:
            rest = _rest(left, right, package)
            if node.terms in (rest, {**rest, package: left[package] | right[package]}):
                return package
    raise AssertionError("a derived incompatibility follows from its causes")


def _rest(left: Mapping[Package, int], right: Mapping[Package, int], pivot: Package) -> dict[Package, int]:
    return {one: left.get(one, -1) & right.get(one, -1) for one in (*left, *right) if one != pivot}


def _resolved(
    left: Incompatibility, right: Incompatibility, pivot: Package, counts: Mapping[Package, int]
) -> Incompatibility:
    if pivot not in left.terms or pivot not in right.terms:  # a wider cause leaves the other without a task
        return left if pivot not in left.terms else right
    terms = _rest(left.terms, right.terms, pivot)
    either = left.terms[pivot] | right.terms[pivot]
    if either != (1 << counts.get(pivot, 0) + 1) - 1:
        terms[pivot] = either
    ordered = {one: terms[one] for one in (*left.terms, *right.terms) if one in terms}
    return Incompatibility(ordered, Derived(left, right))
