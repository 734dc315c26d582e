"""What a conflict teaches: conflict resolution of PubGrub over masks.

Starting from an incompatibility that the partial solution satisfies, replace the latest assumption that makes it so
by that assumption's own reason, until what is left would have been false one or more levels earlier. Two rules
differ from pub's ``solver.md``:

- A term that facts about its package alone satisfy is resolved away at once. Such facts hold at every level, so that
  an incompatibility that keeps the term is only weaker to read.
- Level 1, the root and what follows from it, is resolved only when nothing else is left: "a and b are
  incompatible" stays true for other roots and reads shorter than its consequence for this one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from .facts import Exclusion, Package
from .incompatibility import ROOT, Derived, FromDependency, FromExclusion, Incompatibility, resolved
from .package_state import Assumption, PackageState
from .reason import Reason, incompatibility_of

MAX_DETAILS: Final = 3
"""Details of one kind that are told of one package: the tags of fifty old wheels explain no more than three."""

MAX_BRACKETS: Final = 8
"""What is said within so many brackets is told apart: an index may give a reason of a million."""

_TERM_STEPS: Final = 20
"""A term of a derived incompatibility counts as so many steps: it stays in memory, with some 200 bytes of its share
of the node. The default budget is thus spent before proofs take 200 MB."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """``incompatibility`` holds at ``level`` but for the term on ``state``, and at every level until ``latest``."""

    incompatibility: Incompatibility
    state: PackageState
    level: int
    latest: int


@dataclass(frozen=True, slots=True)
class _Satisfier:
    """The latest assumption that an incompatibility needs to be satisfied."""

    state: PackageState
    level: int
    reason: Reason | None
    earlier_level: int
    """Where the rest of the incompatibility was satisfied already."""


class Analysis:
    """Conflict resolution for one solve."""

    def __init__(
        self,
        states: Mapping[Package, PackageState],
        note: Callable[[PackageState, Incompatibility], None],
        spend: Callable[[int], None],
    ) -> None:
        """``note`` hears of every step, for the priorities; ``spend`` counts the work and may raise."""
        self._states = states
        self._note = note
        self._spend = spend

    def learn(self, conflict: Incompatibility) -> Lesson | Incompatibility:
        """Return what to learn and where to go back to, or the proof that there is no solution."""
        current = self._without_known(conflict)
        while not _is_final(current):
            satisfier = self._satisfier(current)
            if satisfier.reason is None or satisfier.earlier_level < satisfier.level:
                self._note(satisfier.state, current)
                return Lesson(current, satisfier.state, satisfier.earlier_level, satisfier.level - 1)
            cause = incompatibility_of(satisfier.reason)
            current = self._without_known(self._resolve(current, cause, satisfier.state))
            self._note(satisfier.state, current)
        return current

    def _satisfier(self, incompatibility: Incompatibility) -> _Satisfier:
        latest: PackageState | None = None
        latest_at = latest_position = latest_level = -1
        earlier_level = 1  # the root is never taken back
        for package, mask in incompatibility.terms.items():
            state = self._states[package]
            assumptions = state.assumptions
            at = first_within(assumptions, state.known & ~mask, len(assumptions) - 1)
            _, position, level, _ = assumptions[at]
            if position > latest_position:
                earlier_level = max(earlier_level, latest_level)
                latest, latest_at, latest_position, latest_level = state, at, position, level
            else:
                earlier_level = max(earlier_level, level)
        assert latest is not None
        reason = latest.assumptions[latest_at][3]
        # The assumption may satisfy its term only together with earlier ones on the same package. Where it needs
        # none, the first counts all the same, as in pubgrub-rs: fewer packages that were found to be required are
        # forgotten again, and the course is uv's.
        difference = 0
        if reason is not None:
            admitted = latest.universe & ~incompatibility_of(reason).terms[latest.package]
            difference = admitted & latest.known & ~incompatibility.terms[latest.package]
        at = first_within(latest.assumptions, difference, latest_at)
        earlier_level = max(earlier_level, latest.assumptions[at][2])
        return _Satisfier(latest, latest_level, reason, earlier_level)

    def _resolve(self, left: Incompatibility, right: Incompatibility, pivot: PackageState) -> Incompatibility:
        """Combine two incompatibilities that cannot both spare ``pivot``."""
        made = resolved(left, right, pivot.package, pivot.universe)
        self._spend(len(made.terms) * _TERM_STEPS)
        return made

    def _without_known(self, incompatibility: Incompatibility) -> Incompatibility:
        """Resolve away the terms that facts about their package alone satisfy."""
        for package, mask in incompatibility.terms.items():
            state = self._states[package]
            if not state.known & ~mask:
                for fact in covering(state, state.universe & ~mask):
                    incompatibility = self._resolve(incompatibility, fact, state)
        return incompatibility


def first_within(assumptions: Sequence[Assumption], outside: int, at: int) -> int:
    """The first assumption that leaves nothing of ``outside``, given that the one ``at`` does not."""
    first = 0
    while first < at:  # masks only shrink from one to the next
        middle = (first + at) // 2
        if assumptions[middle][0] & outside:
            first = middle + 1
        else:
            at = middle
    return at


def covering(state: PackageState, missing: int) -> list[Incompatibility]:
    """Facts about a package alone that together forbid the versions ``missing``; those of one kind as one."""
    excluded: dict[tuple[str, str], Exclusion] = {}
    found: list[Incompatibility] = []
    for reason in state.unary:
        if isinstance(reason, Exclusion):
            mask, kind, detail = reason.mask & missing, reason.kind, reason.detail
            if mask:
                missing &= ~mask
                # Each constraint is a statement of its own, which can be changed by itself.
                key = (kind, detail if kind == "constraint" else "")
                same = excluded.get(key)
                if same is not None:
                    mask |= same.mask
                    detail = either(same.detail, detail)
                excluded[key] = Exclusion(mask, kind, detail)
            continue
        versions = reason.terms[state.package] if isinstance(reason, Incompatibility) else reason.versions
        if versions & missing:
            found.append(_narrowed(incompatibility_of(reason), state.package, missing))
            missing &= ~versions
    found.extend(
        Incompatibility({state.package: one.mask}, FromExclusion(one.kind, one.detail)) for one in excluded.values()
    )
    return found


def either(details: str, detail: str) -> str:
    """Put several details of one kind into one, as long as a reader wants to see them."""
    before = after = ""
    for _ in range(MAX_BRACKETS):
        head, bracket, inside = detail.partition(" (")
        if not (bracket and details.startswith(head + bracket) and detail.endswith(")") and details.endswith(")")):
            break
        before, after = before + head + bracket, after + ")"
        details, detail = details[len(head + bracket) : -1], inside[:-1]
    return f"{before}{_listed(details, detail)}{after}"


def _listed(details: str, detail: str) -> str:
    known = details.split(" or ")
    if not details:
        return detail
    if detail.replace(" ", "") in [one.replace(" ", "") for one in known] or details.endswith("…"):
        return details
    return f"{details} or {detail if len(known) < MAX_DETAILS else '…'}"


def _narrowed(fact: Incompatibility, package: Package, mask: int) -> Incompatibility:
    """Restrict what a fact says to some versions, so that a proof speaks of no others."""
    cause, versions = fact.cause, fact.terms[package] & mask
    if versions == fact.terms[package] or isinstance(cause, Derived):
        return fact
    if isinstance(cause, FromDependency):
        cause = replace(cause, versions=versions)
    return Incompatibility({package: versions}, cause)


def _is_final(incompatibility: Incompatibility) -> bool:
    """Nothing but the root is left to blame."""
    terms = incompatibility.terms
    return not terms or (len(terms) == 1 and ROOT in terms)
