"""Sets of terms that cannot hold at once, and the closed family of causes.

The vocabulary is that of Natalie Weizenbaum's PubGrub ("PubGrub: Next-Generation Version Solving", 2018, and pub's
``solver.md``). A term is a mask over the package's universe, so that signed terms are not needed: the negation of
``m`` is ``universe & ~m``.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from .facts import Package


class _Root:
    """The caller's own requirements, as a package with one version."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "ROOT"


ROOT: Package = _Root()


@dataclass(frozen=True, slots=True)
class FromDependency:
    """``versions`` of ``package`` depend on ``dependency``, of which ``admitted`` satisfies the requirement."""

    package: Package
    versions: int
    dependency: Package
    admitted: int
    key: Hashable
    source: str


@dataclass(frozen=True, slots=True)
class FromExclusion:
    """A fact of the version table."""

    kind: str
    detail: str


@dataclass(frozen=True, slots=True)
class Unavailable:
    """A fact that was learned when the version was tried, e.g. that its metadata is invalid."""

    kind: str
    detail: str


@dataclass(frozen=True, slots=True)
class NoVersions:
    """No version is admitted by ``key``."""

    key: Hashable


@dataclass(frozen=True, slots=True)
class Derived:
    """What follows from two incompatibilities."""

    left: Incompatibility
    right: Incompatibility


Cause: TypeAlias = FromDependency | FromExclusion | Unavailable | NoVersions | Derived


@dataclass(frozen=True, slots=True, eq=False)
class Incompatibility:
    """Not all of these terms at once. Compared by identity: it is a node of the derivation graph.

    A node takes some 450 bytes with two terms, and 80 more for each further one, as long as the packages have less
    than 60 versions; beyond that each term's mask costs a byte for 7.5 versions.
    """

    terms: Mapping[Package, int]
    cause: Cause


def resolved(left: Incompatibility, right: Incompatibility, pivot: Package, universe: int) -> Incompatibility:
    """Combine two incompatibilities that cannot both spare ``pivot``, of which there is ``universe``."""
    terms = dict(left.terms)
    for package, mask in right.terms.items():
        if package in terms:
            terms[package] &= mask
        else:
            terms[package] = mask
    either = left.terms[pivot] | right.terms[pivot]
    if either == universe:
        del terms[pivot]
    else:
        terms[pivot] = either
    return Incompatibility(terms, Derived(left, right))


def nodes(conclusion: Incompatibility) -> Iterator[Incompatibility]:
    """Every incompatibility of the derivation graph once, causes before what follows from them."""
    seen: set[int] = set()
    stack = [(conclusion, False)]  # not recursive: proofs of hard conflicts are thousands deep
    while stack:
        node, is_expanded = stack.pop()
        if is_expanded:
            yield node
        elif id(node) not in seen:
            seen.add(id(node))
            stack.append((node, True))
            if isinstance(node.cause, Derived):
                stack.extend(((node.cause.right, False), (node.cause.left, False)))


def reasons(conclusion: Incompatibility) -> tuple[Incompatibility, ...]:
    """The external facts that a conclusion follows from. They alone forbid a solution."""
    return tuple(node for node in nodes(conclusion) if not isinstance(node.cause, Derived))
