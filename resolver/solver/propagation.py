"""Unit propagation: draw every conclusion that one incompatibility alone allows.

The innermost loop of the solver. Where all terms of an incompatibility hold but one, that one must not; where all
hold, there is a conflict. Incompatibilities are looked at newest first: what was learned last is the likeliest to
matter (as in pub).
"""

from __future__ import annotations

from .incompatibility import Incompatibility
from .package_state import PackageState, Watch
from .partial_solution import PartialSolution
from .reason import Reason, incompatibility_of

CROWDED = 64  # watches; fewer are looked through faster than they are sorted out


class Overspent(Exception):
    """More was looked at than the limit allows."""


class Propagation:
    """The work list of packages whose mask changed."""

    __slots__ = ("_changed", "_limit", "_solution", "looked_at")

    def __init__(self, solution: PartialSolution, limit: int) -> None:
        self._solution = solution
        self._limit = limit
        self._changed: list[PackageState] = []
        self.looked_at = 0
        """Incompatibilities examined, ever: the measure of work."""

    def touch(self, state: PackageState) -> None:
        """Look at a package whose mask changed."""
        state.waiting += 1
        self._changed.append(state)

    def forget(self) -> None:
        """Empty the work list: what is left of it was taken back."""
        for state in self._changed:
            state.waiting = 0
        self._changed.clear()

    def spend(self, steps: int) -> None:
        """Count work that was done elsewhere.

        Raises:
            Overspent: it is beyond the limit.
        """
        self.looked_at += steps
        if self.looked_at > self._limit:
            raise Overspent

    @property
    def is_over(self) -> bool:
        """Whether there is nothing left to look at."""
        return not self._changed

    def run(self, pause_at: int) -> Incompatibility | None:  # noqa: C901, PLR0912, PLR0915 - one loop: calls are what costs
        """Return the first conflict, or None when nothing more follows, or :attr:`looked_at` is beyond ``pause_at``.

        Raises:
            Overspent: more was looked at than the limit allows.
        """
        changed = self._changed
        derive = self._solution.derive
        while changed and self.looked_at <= pause_at:
            state = changed.pop()
            state.waiting -= 1
            watches = state.active
            near: dict[Reason, Watch] | None = None
            is_crowded = len(watches) > CROWDED or watches is not state.watches
            if is_crowded:
                near = self._near(state)
                if near is not None:
                    watches = near
                else:
                    self._select(state)
                    watches = state.active
            self.looked_at += len(watches)
            if self.looked_at > self._limit:
                raise Overspent
            mask = state.mask
            for watch in reversed(watches.values()):
                both = mask & watch[0]
                if not both:
                    continue  # contradicted, as most are
                _, other, theirs, others, reason = watch
                if other is None:
                    target, left = (None, 0) if both == mask else (state, mask ^ both)
                    for one, term in others:
                        seen = one.mask
                        both = seen & term
                        if both != seen:
                            if target is not None or not both:
                                break  # two terms are open, or one is false
                            target, left = one, seen ^ both
                    else:
                        if target is None:
                            return incompatibility_of(reason)
                        derive(target, left, reason)
                        if target is state:
                            mask = left
                        if not target.waiting:
                            target.waiting = 1
                            changed.append(target)
                    continue
                seen = other.mask
                common = seen & theirs
                if both != mask:
                    if common != seen:
                        continue  # two terms are open
                    target, mask = state, mask ^ both
                    derive(state, mask, reason)
                elif not common:
                    continue  # contradicted
                elif common == seen:
                    return incompatibility_of(reason)
                else:
                    target = other
                    derive(other, seen ^ common, reason)
                if not target.waiting:
                    target.waiting = 1
                    changed.append(target)
            if near is not None:
                if len(near) > state.sifted_at:
                    state.sift(near)
            elif is_crowded:
                state.settle(self._solution.returns)
        return None

    def _near(self, state: PackageState) -> dict[Reason, Watch] | None:
        """The few watches that have to be looked at where nothing but this package changed, if that is known."""
        is_settled = state.settled == self._solution.returns and not self._changed
        return state.near if is_settled and state.mask & state.witness else None

    def _select(self, state: PackageState) -> None:
        """Leave out those of a package's many watches that cannot matter now.

        Selecting costs as much as looking at all of them. It comes after at least twice as many looks, which pay for
        it: so it is not counted. Nor does it come at every second time, because the levels at which a package comes up
        often alternate, and then only one of them gives a small selection that lasts.
        """
        solution = self._solution
        level = state.active_level
        if level > solution.level or solution.opened[level] != state.active_opened:
            state.active = state.watches
        count = len(state.watches)
        state.looked_at += len(state.active)
        if state.looked_at > state.patience * count:
            state.looked_at = 0
            state.patience = 5 - state.patience
            # Not up to the present level: its decision is the first to be taken back.
            level = max(solution.level - 1, 1)
            state.select_watches(level, solution.opened[level])
