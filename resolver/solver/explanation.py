"""Why there is no solution: as data first, as prose last.

The proof is the derivation graph below the final incompatibility. Its external facts alone forbid a solution, which
the tests verify by solving with nothing else (``tests/properties/test_solver.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from .facts import Package, VersionTable
from .incompatibility import (
    ROOT,
    Derived,
    FromDependency,
    FromExclusion,
    Incompatibility,
    NoVersions,
    Unavailable,
    nodes,
)
from .prose import Prose
from .words import Note, Rank, Words, no_note, no_rank

MAX_DEPTH: Final = 12
"""Nesting of the tree; deeper parts are given as their external facts. JSON readers limit depth, often to 32 of
their levels, of which one here takes two."""

MAX_NODES: Final = 500  # of the tree: some 100 KB of JSON


@dataclass(frozen=True, slots=True)
class Explanation:
    """The same proof for readers, for programs, and for whoever wants to know where to look."""

    text: str
    derivation: Mapping[str, object]
    """``{"conclusion": str, "causes": [fact | nested derivation, ...]}`` as in the API."""
    packages: tuple[str, ...]
    """The packages that the proof speaks of, in the order in which it does."""


def explain(
    incompatibility: Incompatibility,
    tables: Mapping[Package, VersionTable],
    label: Callable[[Package], str],
    note: Note = no_note,
    rank: Rank = no_rank,
) -> Explanation:
    """Explain the incompatibility of an :class:`~resolver.solver.Unsolvable`.

    Args:
        incompatibility: the conclusion.
        tables: of the packages that the solver knew; where one is missing, its versions are not told apart.
        label: what to call a package.
        note: what to say behind a requirement, with a space before it: where it is stated, or where it holds.
        rank: how early the caller speaks of a package, in a statement or anywhere.
    """
    words = Words(tables, label, note, rank)
    named: dict[str, None] = {}
    for node in nodes(incompatibility):
        if isinstance(node.cause, FromDependency):
            words.learn(node.cause)
        elif isinstance(node.cause, FromExclusion | Unavailable):
            words.learn_exclusion(next(iter(node.terms)))
        if not isinstance(node.cause, Derived):
            for package in node.terms:
                if package is not ROOT:
                    named[label(package)] = None
    return Explanation(Prose(incompatibility, words).text(), _Tree(incompatibility, words).build(), tuple(named))


class _Tree:
    """The derivation as nested data.

    Linear chains are one level: their facts in the order of the argument. A part that is used twice is spelled out
    the first time and named by its conclusion after that.
    """

    def __init__(self, conclusion: Incompatibility, words: Words) -> None:
        self._conclusion = conclusion
        self._words = words
        self._seen: set[int] = set()
        self._left = MAX_NODES

    def build(self) -> dict[str, object]:
        return self._derivation(self._conclusion, 0)

    def _derivation(self, node: Incompatibility, depth: int) -> dict[str, object]:
        causes: list[dict[str, object]] = []
        for part in _chain(node):
            if self._left <= 0:
                break
            self._left -= 1
            if not isinstance(part.cause, Derived):
                causes.append(self._fact(part))
            elif id(part) in self._seen:
                causes.append({"conclusion": self._words.conclusion(part), "causes": []})
            elif depth < MAX_DEPTH:
                self._seen.add(id(part))
                causes.append(self._derivation(part, depth + 1))
            else:
                facts = [one for one in nodes(part) if not isinstance(one.cause, Derived)][: self._left]
                self._left -= len(facts)
                causes += map(self._fact, facts)
        return {"conclusion": self._words.conclusion(node), "causes": causes}

    def _fact(self, node: Incompatibility) -> dict[str, object]:
        words, cause = self._words, node.cause
        match cause:
            case FromDependency():
                return {
                    "kind": "dependency",
                    "package": words.name(cause.package),
                    "versions": words.versions(cause.package, cause.versions),
                    "requires": words.requirement(cause.dependency, cause.admitted, cause.key),
                    "source": cause.source or None,
                }
            case FromExclusion() | Unavailable():
                ((package, mask),) = node.terms.items()
                kind, detail = cause.kind, cause.detail
            case NoVersions():
                ((package, mask),) = node.terms.items()
                kind, detail = "no-versions", words.phrase(node)
                return {"kind": kind, "package": words.name(package), "versions": str(cause.key), "detail": detail}
            case _:
                raise TypeError("a derived incompatibility is no fact")
        return {
            "kind": kind,
            "package": words.name(package),
            "versions": words.versions(package, mask),
            "detail": detail,
        }


def _chain(node: Incompatibility) -> list[Incompatibility]:
    """The causes of ``node`` with those causes replaced that are themselves one fact and one more conclusion."""
    parts: list[Incompatibility] = []
    while isinstance(node.cause, Derived):
        left, right = node.cause.left, node.cause.right
        if isinstance(left.cause, Derived) and isinstance(right.cause, Derived):
            parts += (right, left)
            break
        derived, external = (left, right) if isinstance(left.cause, Derived) else (right, left)
        parts.append(external)
        node = derived
    else:
        parts.append(node)
    parts.reverse()
    return parts
