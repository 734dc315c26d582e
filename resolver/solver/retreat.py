"""When to give up versions one after the other without the machinery around each.

A hub of a thousand versions is tried from the newest on, and each is rejected: it requires what is ruled out already,
or it leads to versions of one other package that do. Nothing else comes of it: all that a step leaves behind is a
version less, facts in force, what was learned, and some counts. :class:`.way_down.WayDown` takes such steps alone. What
is asked for and in which order, what is decided, learned and counted is what the search would do, but for the work that
it spares; whatever a step might touch beyond that ends the retreat, and the search takes the step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from .asking import Asking
from .conflict import Lesson
from .facts import Dependency
from .incompatibility import Incompatibility, Unavailable
from .package_state import PackageState
from .source import Source
from .trail import Search
from .way_down import WayDown

TRIED: Final = 8  # versions of a package that were in force before: a few are given up in every other search
STEPS: Final = 512  # at a time, some milliseconds
PATIENCE: Final = 64  # versions that are tried, at most, between two attempts in vain


class Retreat:
    """The retreats of one solve."""

    __slots__ = ("_asking", "_patience", "_search", "_wait", "_way", "conflicts", "decisions", "learned", "trial")

    def __init__(self, search: Search, asking: Asking) -> None:
        self._search = search
        self._asking = asking
        self.trial: tuple[PackageState, int] | None = None
        """What is being tried."""
        self._wait = 0
        self._patience = 1
        self._way: WayDown | None = None
        self.conflicts = self.decisions = 0
        """Of the last one."""
        self.learned: tuple[Lesson, Incompatibility] | None = None
        """What its last step taught, and of which conflict, where that is still to be applied."""

    def is_due(self, state: PackageState) -> bool:
        """Whether to try it with a package whose next version is chosen."""
        if state.base is not None or state.enforced.bit_count() < TRIED or not self._search.solution.has_backtracked:
            return False
        self._wait -= 1
        return self._wait < 0

    def go(self, state: PackageState, source: Source | None, most: int) -> bool:
        """Give up versions, with no more than ``most`` decisions. Return whether any was.

        What the source raises comes out, with the versions decided that the search would have decided by then.
        """
        tracker = self._search.tracker
        way = self._way
        if way is None or not way.goes_on(state):
            way = self._way = WayDown(self._search, state)

        def ask(one: PackageState, version: int) -> Sequence[Dependency] | Unavailable | None:
            self.trial = one, version
            return self._asking.declared(one, version, source)

        way.begin(ask)
        steps = 0
        try:
            if way.is_open:
                while steps < STEPS and way.decisions < most and way.step():
                    steps += 1
                    if way.learned is not None or tracker.rejected or tracker.culprits:
                        self._way = None
                        break
        finally:
            way.end()
            self.decisions, self.conflicts, self.learned = way.decisions, way.conflicts, way.learned
        self.trial = None
        self._search.propagation.spend(way.work)
        if steps or way.lacks_facts:
            self._patience = self._wait = 0
        else:
            self._patience = self._wait = min(2 * self._patience + 1, PATIENCE)
        return steps > 0

    def close(self) -> None:
        """Let go of what refers to states."""
        self._way = self.trial = None
