"""Classes of versions: what a few sets of versions do not tell apart is one version.

A solve over classes costs the same for a project of three versions and of three thousand. Its proofs are told in the
real versions again: the mask of classes becomes that of their members, and every step stays the resolution it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from .facts import ABSENT, Package
from .incompatibility import Derived, FromDependency, Incompatibility, nodes


class Classes:
    """The versions of each package that premises tell apart, numbered from 1 by their newest members."""

    def __init__(self, sets: Iterable[tuple[Package, int]], counts: Mapping[Package, int]) -> None:
        """``sets`` are those that have to be told apart; ``counts`` are the versions that each package has."""
        parts: dict[Package, list[int]] = {}
        for package, mask in sets:
            _split(parts, counts, package, mask)
        self._members = {package: [ABSENT, *sorted(masks)] for package, masks in parts.items()}

    def count(self, package: Package) -> int:
        """How many there are."""
        return len(self._members.get(package, (ABSENT,))) - 1

    def mask(self, package: Package, versions: int) -> int:
        """The classes that make up ``versions``."""
        return sum(1 << at for at, mask in enumerate(self._members[package]) if mask & versions)

    def versions(self, package: Package, mask: int) -> int:
        """The members of the classes in ``mask``."""
        members = self._members.get(package, [ABSENT])
        return sum(members[at] for at in range(mask.bit_length()) if mask >> at & 1)

    def expanded(self, conclusion: Incompatibility) -> Incompatibility:
        """The same proof over versions."""
        made: dict[int, Incompatibility] = {}
        for node in nodes(conclusion):
            cause = node.cause
            if isinstance(cause, Derived):
                cause = Derived(made[id(cause.left)], made[id(cause.right)])
            elif isinstance(cause, FromDependency):
                cause = replace(
                    cause,
                    versions=self.versions(cause.package, cause.versions),
                    admitted=self.versions(cause.dependency, cause.admitted),
                )
            terms = {package: self.versions(package, mask) for package, mask in node.terms.items()}
            made[id(node)] = Incompatibility(terms, cause)
        return made[id(conclusion)]


def _split(parts: dict[Package, list[int]], counts: Mapping[Package, int], package: Package, versions: int) -> None:
    every = (1 << counts[package] + 1) - 1 - ABSENT
    found = parts.get(package) or ([every] if every else [])
    parts[package] = [part for one in found for part in (one & versions, one & ~versions) if part]
