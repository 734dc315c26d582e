"""All that is known and assumed of one package, in one mutable object.

The solver's loops run over these: an attribute costs less than a dictionary of tuples. ``mask`` is always
``assumptions[-1].mask & known`` (or ``known`` alone), see :meth:`PartialSolution.check`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Mapping, Sequence
from operator import itemgetter
from typing import TypeAlias

from .facts import ABSENT, Dependency, Exclusion, Package, VersionTable
from .incompatibility import Unavailable
from .priority import Urgency
from .reason import Fact, Reason

Assumption: TypeAlias = tuple[int, int, int, Reason | None]
"""(mask that is left, position in the order of all assumptions, decision level, reason; None: a decision)."""

_LEVEL = itemgetter(2)
SIFTED = 32  # watches; to leave them out costs some ten looks at one

Watch: TypeAlias = tuple[int, "PackageState | None", int, "tuple[tuple[PackageState, int], ...]", Reason]
"""An incompatibility as one of its packages sees it: (my mask, other package and its mask, or None and 0 if there
are several others, those, reason)."""


class PackageState:
    """One package of one solve."""

    __slots__ = (
        "active",
        "active_level",
        "active_opened",
        "affected",
        "assumptions",
        "base",
        "culprit",
        "decided",
        "declared",
        "enforced",
        "facts",
        "known",
        "looked_at",
        "mask",
        "named_by",
        "near",
        "order",
        "package",
        "patience",
        "queued",
        "rank",
        "settled",
        "sifted_at",
        "table",
        "tiebreak",
        "unary",
        "universe",
        "urgency",
        "waiting",
        "watches",
        "witness",
    )

    def __init__(self, package: Package) -> None:
        self.package = package
        self.base: PackageState | None = None
        """What an extra is an extra of. Both share the base's place in the order: ``base or self``."""
        self.table: VersionTable | None = None
        self.universe = 1
        self.known = 1
        """What no fact about this package alone forbids: true at every decision level."""
        self.mask = 1
        """What facts and assumptions leave."""
        self.assumptions: list[Assumption] = []
        self.decided = 0
        self.waiting = 0
        """How often the state is in the work list of propagation."""
        self.named_by: PackageState | None = None
        """During the descent: whose dependencies named the package last."""
        self.watches: dict[Reason, Watch]
        """By what they are about, the newest last: what is news again moves to the end in constant time."""
        self.active: dict[Reason, Watch]
        """Those that are looked at; ``watches`` itself, unless there are many."""
        self.active_level = 0
        self.active_opened = 0
        """Where ``active`` is a selection: up to which level's assumptions, and which opening of it."""
        self.looked_at = 0
        """How many of them, since a selection was made; and after how many looks at all the next one is due."""
        self.patience = 2
        self.near: dict[Reason, Watch] | None = None
        """Those of ``active`` that hold for ``witness``, a version, or are news: as long as the version is possible,
        nothing is forgotten and no other package changes, nothing follows from the rest."""
        self.witness = 0
        self.sifted_at = 0
        """How many may be near before those are left out again that are no news any more."""
        self.settled = -1
        """How often assumptions had been forgotten when all of ``active`` were looked at last."""
        self.unary: list[Exclusion | Reason] = []
        """Why bits are missing in ``known``."""
        self.declared: dict[int, Sequence[Dependency] | Unavailable] = {}
        """What the driver said of each version, inert until the version is tried."""
        self.enforced = 0
        """Versions that were tried: what is declared of them is in force."""
        self.facts: dict[Hashable, Fact]
        """The facts in force by what they say, so that equal ones of several versions become one."""
        self.order = -1
        self.urgency = Urgency.UNSPECIFIED
        self.tiebreak = -1
        self.rank = 0
        self.queued = -1
        self.affected = 0
        self.culprit = 0

    def arm(self) -> None:
        """Make room for what is needed once something went wrong; before, every state would carry it in vain."""
        self.named_by = None
        self.watches = self.active = {}
        self.facts = {}

    def forget(self, *, is_armed: bool) -> None:
        """Let go of what refers to other states: cycles are costly to collect."""
        if is_armed:
            self.watches.clear()
            self.active.clear()
            self.facts.clear()
        self.near = self.named_by = None
        self.assumptions.clear()
        self.unary.clear()

    def attach(self, table: VersionTable) -> None:
        """Learn the versions. Nothing follows from them before something depends on the package."""
        self.table = table
        self.universe = known = (2 << table.count) - 1
        exclusions = table.exclusions()
        if exclusions:
            for exclusion in exclusions:
                known &= ~exclusion.mask
            self.unary += exclusions
        self.known = self.mask = known

    def watch(self, reason: Reason, watch: Watch) -> None:
        """Look at an incompatibility from now on; it is the newest."""
        self.watches[reason] = watch
        if self.active is not self.watches:
            self.active[reason] = watch
        if self.near is not None:
            self.near[reason] = watch

    def unwatch(self, reason: Reason) -> None:
        """Look at it no more, if it was looked at."""
        self.watches.pop(reason, None)
        if self.active is not self.watches:
            self.active.pop(reason, None)
        if self.near is not None:
            self.near.pop(reason, None)

    def mask_at(self, level: int) -> int:
        """What is left by assumptions up to a level: ``mask`` is a part of it until that level is taken back."""
        made = bisect_right(self.assumptions, level, key=_LEVEL)
        return self.assumptions[made - 1][0] & self.known if made else self.known

    def select_watches(self, level: int, opened: int) -> None:
        """Leave out watches that are contradicted until ``level``, the ``opened``-th to be opened, is taken back."""
        mask = self.mask_at(level)
        masks: dict[PackageState, int] = {}  # mostly one other package is in all of them
        selected: dict[Reason, Watch] = {}
        for reason, watch in self.watches.items():
            mine, other, theirs, _, _ = watch
            if not mine & mask:
                continue
            if other is not None:
                left = masks.get(other)
                if left is None:
                    left = masks[other] = other.mask_at(level)
                if not left & theirs:
                    continue
            selected[reason] = watch
        if level == 1:  # which is never taken back
            self.watches = self.active = selected
        elif len(selected) < len(self.active):
            self.active, self.active_level, self.active_opened = selected, level, opened

    def settle(self, returns: int) -> None:
        """All of ``active`` were looked at. At the second time in a row find out which need be the next time.

        Versions are given up one after the other: the one that is last to go is a witness that most facts, which are
        about other versions, cannot come to bear.
        """
        self.near = None
        if self.settled == returns and self.mask & ~ABSENT and self.table is not None:
            self.witness = 1 << self._last()
            self.sift(self.active)
        self.settled = returns

    def sift(self, watches: Mapping[Reason, Watch]) -> None:
        """Keep near those of ``watches`` that hold for the witness."""
        witness = self.witness
        near = {reason: watch for reason, watch in watches.items() if watch[0] & witness}
        self.near = near
        self.sifted_at = 2 * len(near) + SIFTED

    def _last(self) -> int:
        """The version at the other end than the one that is tried next."""
        mask, table = self.mask & ~ABSENT, self.table
        assert table is not None
        highest = mask.bit_length() - 1
        return (mask & -mask).bit_length() - 1 if table.choose(mask) == highest else highest
