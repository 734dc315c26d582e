"""Which marker is true in some targets of a lock and false in the others.

The targets are finitely many, so a marker is a mask: bit *i* says whether it is true in target *i*. Atoms
(``sys_platform == 'linux'``) are evaluated once by ``packaging``; the answer is the first that fits of: an atom,
two atoms joined, a disjunction of conjunctions found greedily. The last one exists whenever the targets can be told
apart at all. What is returned was evaluated again as a whole, in each target.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain, combinations

from resolver.environment.target import Target
from resolver.requirement import parse

from .errors import IndistinguishableTargets

# In the order in which a reader of a lock would use them. platform_release and platform_version are left out: they
# name a kernel build, and an environment that is the target in all but that would get no package at all.
_VARIABLES = (
    "sys_platform",
    "platform_machine",
    "python_version",
    "implementation_name",
    "platform_python_implementation",
    "platform_system",
    "os_name",
    "python_full_version",
    "implementation_version",
)
# A lock's environment is "3.13, from 3.13.1 on": an installer's 3.13.7 must find its packages too. Patch releases are
# therefore told apart by ranges; minor releases are named, for an environment names its own.
_OPERATORS = {
    "python_version": ("==", "<", ">=", "!="),
    "python_full_version": ("<", ">="),
    "implementation_version": ("<", ">="),
}
_EQUALITY = ("==", "!=")
_QUOTABLE = re.compile(r"[A-Za-z0-9._+ -]+")


@dataclass(frozen=True, slots=True)
class _Atom:
    text: str
    variable: str
    mask: int


class Distinction:
    """Markers between the targets of one lock. Build it with :func:`between`, which remembers."""

    def __init__(self, names: tuple[str, ...], environments: tuple[Mapping[str, str], ...], known: str) -> None:
        self._names = names
        self._environments = environments
        self._known = known
        self._all = (1 << len(names)) - 1
        self._found: dict[int, str | None] = {self._all: None}

    def marker(self, mask: int) -> str | None:
        """Return the marker that is true in exactly the targets of ``mask``; None where that is all of them.

        Raises:
            IndistinguishableTargets: a target inside has the markers of one outside.
        """
        if mask not in self._found:
            text = self._single(mask) or self._pair(mask) or self._general(mask)
            if self._evaluate(text) != mask:
                raise AssertionError(f"{text!r} does not select the targets {mask:b}")
            self._found[mask] = text
        return self._found[mask]

    def _evaluate(self, text: str) -> int:
        marker = parse(f"x ; {text}").marker
        if marker is None:
            raise AssertionError(f"{text!r} is no marker")
        return sum(marker.evaluate(dict(env)) << i for i, env in enumerate(self._environments))

    @cached_property
    def _atoms(self) -> tuple[_Atom, ...]:
        """The atoms in order of preference, one per variable and mask."""
        found: dict[tuple[str, int], _Atom] = {}
        # What the lock's ``environments`` pin down holds for every environment they admit, not only for the
        # one that was resolved: variables that they mention come first.
        mentioned = sorted(_VARIABLES, key=lambda name: re.search(rf"\b{name}\b", self._known) is None)
        for variable in mentioned:
            values = sorted({env.get(variable, "") for env in self._environments})
            for operator in _OPERATORS.get(variable, _EQUALITY):
                for value in values:
                    if _QUOTABLE.fullmatch(value):
                        text = f"{variable} {operator} '{value}'"
                        mask = self._evaluate(text)
                        if mask not in (0, self._all):
                            found.setdefault((variable, mask), _Atom(text, variable, mask))
        return tuple(found.values())

    @cached_property
    def _distinct(self) -> tuple[_Atom, ...]:
        """The first atom of each mask: another one would add nothing to a marker of several variables."""
        by_mask: dict[int, _Atom] = {}
        for atom in self._atoms:
            by_mask.setdefault(atom.mask, atom)
        return tuple(by_mask.values())

    def _single(self, mask: int) -> str | None:
        return next((atom.text for atom in self._atoms if atom.mask == mask), None)

    def _pair(self, mask: int) -> str | None:
        alike = (pair for pair in combinations(self._atoms, 2) if pair[0].variable == pair[1].variable)
        for first, second in chain(alike, combinations(self._distinct, 2)):
            if first.mask & second.mask == mask:
                return f"{first.text} and {second.text}"
            if first.mask | second.mask == mask:
                return f"{first.text} or {second.text}"
        return None

    def _general(self, mask: int) -> str:
        terms: list[str] = []
        uncovered = mask
        while uncovered:
            position = (uncovered & -uncovered).bit_length() - 1
            term, covered = self._conjunction(position, mask)
            terms.append(" and ".join(term))
            uncovered &= ~covered
        if len(terms) == 1:
            return terms[0]
        return " or ".join(f"({term})" if " and " in term else term for term in terms)

    def _conjunction(self, position: int, mask: int) -> tuple[list[str], int]:
        """Atoms that are all true in target ``position`` and together false outside ``mask``."""
        outside = self._all & ~mask
        covered = self._all
        term: list[str] = []
        usable = [atom for atom in self._distinct if atom.mask >> position & 1]
        while covered & outside:
            # Exclude most; among equals keep most of the wanted targets, so that few terms are needed.
            best = min(
                usable,
                key=lambda atom: (
                    (atom.mask & covered & outside).bit_count(),
                    -(atom.mask & covered & mask).bit_count(),
                ),
                default=None,
            )
            if best is None or not covered & outside & ~best.mask:
                other = (covered & outside).bit_length() - 1
                raise IndistinguishableTargets(self._names[position], self._names[other])
            term.append(best.text)
            covered &= best.mask
        return term, covered


@lru_cache(maxsize=1024)
def _between(names: tuple[str, ...], environments: tuple[tuple[tuple[str, str], ...], ...], known: str) -> Distinction:
    return Distinction(names, tuple(dict(env) for env in environments), known)


def between(targets: Sequence[Target]) -> Distinction:
    """Return the distinction between ``targets``, in their order; equal targets share one."""
    return _between(
        tuple(target.name for target in targets),
        tuple(tuple(sorted(target.markers.items())) for target in targets),
        "\n".join(target.marker for target in targets),
    )
