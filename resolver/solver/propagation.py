"""Unit propagation: draw every conclusion that one incompatibility alone allows.

The innermost loop of the solver. Where all terms of an incompatibility hold but one, that one must not; where all
hold, there is a conflict. Incompatibilities are looked at newest first: what was learned last is the likeliest to
matter (as in pub).
"""

from __future__ import annotations

from collections.abc import Callable

from .incompatibility import Incompatibility
from .package_state import PackageState, incompatibility_of
from .partial_solution import PartialSolution


class Propagation:
    """The work list of packages whose mask changed."""

    __slots__ = ("_limit", "_overspent", "_solution", "changed", "looked_at")

    def __init__(self, solution: PartialSolution, limit: int, overspent: Callable[[], Exception]) -> None:
        """``overspent`` makes the error to raise beyond ``limit``."""
        self._solution = solution
        self._limit = limit
        self._overspent = overspent
        self.changed: list[PackageState] = []
        self.looked_at = 0
        """Incompatibilities examined, ever: the measure of work."""

    def spend(self, steps: int) -> None:
        """Count work that was done elsewhere."""
        self.looked_at += steps
        if self.looked_at > self._limit:
            raise self._overspent()

    def run(self) -> Incompatibility | None:  # noqa: C901, PLR0912 - one loop: a call per incompatibility is what costs
        """Return the first conflict, or None when nothing more follows."""
        changed = self.changed
        derive = self._solution.derive
        while changed:
            state = changed.pop()
            mask = state.mask
            watches = state.watches
            self.spend(len(watches))
            for mine, other, theirs, others, reason in reversed(watches):
                if not mask & mine:
                    continue  # contradicted
                if other is None:
                    unit = self._unit(state, mine, others)
                    if unit is None:
                        continue
                    target, term = unit
                    if target is None:
                        return incompatibility_of(reason)
                elif mask & ~mine:
                    if other.mask & ~theirs:
                        continue  # two terms are open
                    target, term = state, mine
                else:
                    seen = other.mask
                    if not seen & theirs:
                        continue
                    if not seen & ~theirs:
                        return incompatibility_of(reason)
                    target, term = other, theirs
                derive(target, target.mask & ~term, reason)
                if target is state:
                    mask = state.mask
                if target not in changed:
                    changed.append(target)
        return None

    @staticmethod
    def _unit(
        state: PackageState, mine: int, others: tuple[tuple[PackageState, int], ...]
    ) -> tuple[PackageState | None, int] | None:
        """Find the only open term; (None, 0) where all hold, None where one is false or two are open."""
        unit: PackageState | None = None
        term = 0
        if state.mask & ~mine:
            unit, term = state, mine
        for other, theirs in others:
            seen = other.mask
            if seen & ~theirs:
                if unit is not None or not seen & theirs:
                    return None
                unit, term = other, theirs
        return unit, term
