"""Shorter proofs: fewer facts, and facts that say the same of many versions at once.

A search reports every fact that it met on its way to the conclusion. Most proofs have shorter siblings, which are found
by solving again with parts of the reported facts alone (``premises``). The invariant: whatever is returned is derived
from the given facts or from weaker ones, so it proves as much (``tests/properties/test_solver.py``).

The work is bounded by counts, never by a clock: the same conflict is always told in the same words.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from .conflict import either
from .facts import Package, VersionTable
from .filling import filled
from .incompatibility import ROOT, FromDependency, Incompatibility
from .premises import Admitted, Premise, Trials, premises

MAX_PREMISES: Final = 600
"""Proofs with more that cannot be told at once are not shortened: nobody reads them, and trials would take long."""
MAX_WORK: Final = 200_000
"""Incompatibilities looked at and facts told in all trials together: some 200 ms."""


def shortened(conclusion: Incompatibility, tables: Mapping[Package, VersionTable]) -> Incompatibility:
    """Return a proof of the same from as few facts as some tries find."""
    given = _by_kind(premises(conclusion))
    if len(given) < 2:
        return conclusion
    trials = Trials(given, tables, MAX_WORK)
    # Proofs of thousands of facts are mostly those of a project whose versions all require alike.
    shortest = trials.solve([_union(group) for group in _groups(given)])
    if shortest is None:
        if len(given) > MAX_PREMISES:
            return conclusion
        shortest = _merged(trials.solve(given) or conclusion, trials)
    shortest = min((_pruned(shortest, trials, is_reversed=is_reversed) for is_reversed in (False, True)), key=_length)
    return filled(shortest, trials)


def _by_kind(given: Sequence[Premise]) -> list[Premise]:
    """Tell at once what is wrong with several versions of a package in the same way."""
    found: dict[Hashable, Premise] = {}
    for one in given:
        cause = one.cause
        if isinstance(cause, FromDependency) or cause.kind == "constraint":
            found[one] = one
            continue
        key = (one.package, type(cause), cause.kind)
        if key in found:
            before = found[key].cause
            assert not isinstance(before, FromDependency)
            cause = replace(before, detail=either(before.detail, cause.detail))
            found[key] = Premise(one.package, one.versions | found[key].versions, cause)
        else:
            found[key] = one
    return list(found.values())


def _length(conclusion: Incompatibility) -> int:
    return len(premises(conclusion))


def _pruned(conclusion: Incompatibility, trials: Trials, *, is_reversed: bool) -> Incompatibility:
    """Leave out one fact after the other, as long as the rest proves as much.

    What the caller stated is left out first: fewer culprits are more to a reader than shorter chains.
    """
    needed: set[Premise] = set()
    while True:
        given = premises(conclusion)
        doubtful = [one for one in given if one not in needed]
        if not doubtful:
            return conclusion
        if is_reversed:
            doubtful.reverse()
        premise = min(doubtful, key=lambda one: one.package is not ROOT)
        proof = trials.solve([one for one in given if one != premise])
        if proof is None:
            needed.add(premise)
        else:
            conclusion = proof


def _merged(conclusion: Incompatibility, trials: Trials) -> Incompatibility:
    """Say at once what versions of a package require of another, where what they have in common is enough.

    ``boto 1.1`` needs ``core 1.1``, ``1.2`` needs ``1.2``, and so on: that all versions of boto need some version of
    core is often all that the proof takes.
    """
    given = premises(conclusion)
    for group in _groups(given):
        waiting = group
        while len(waiting) > 1:
            # All, else half as many, and so on: most groups are told in one piece or not at all.
            count = len(waiting)
            while count > 1:
                together = waiting[:count]
                proof = trials.solve([*(one for one in given if one not in together), _union(together)])
                if proof is not None:
                    conclusion, given = proof, premises(proof)
                    break
                count = (count + 1) // 2 if count > 2 else 1
            waiting = waiting[count:]
    return conclusion


def _groups(given: Sequence[Premise]) -> list[list[Premise]]:
    """What a package requires of another, by ascending version; whatever else there is alone."""
    groups: dict[Hashable, list[Premise]] = {}
    for one in given:
        cause = one.cause
        if isinstance(cause, FromDependency) and one.package is not ROOT and cause.admitted:
            groups.setdefault((one.package, cause.dependency), []).append(one)
        else:
            groups[one] = [one]
    return [sorted(group, key=lambda one: one.versions & -one.versions) for group in groups.values()]


def _union(group: Sequence[Premise]) -> Premise:
    """What the facts of a group have in common."""
    if len(group) == 1:
        return group[0]
    versions = admitted = 0
    causes = [one.cause for one in group if isinstance(one.cause, FromDependency)]
    for cause in causes:
        versions |= cause.versions
        admitted |= cause.admitted
    merged = replace(causes[0], versions=versions, admitted=admitted)
    if any((cause.key, cause.admitted) != (merged.key, causes[0].admitted) for cause in causes):
        merged = replace(merged, key=Admitted(admitted), source="")
    return Premise(merged.package, versions, merged)
