"""What is known of an index without asking it: which pages are fresh, and for how long.

The transport says with each page until when the same request would get the same answer. Until then a resolve need
not even ask the transport: that is what makes a warm resolve a matter of dictionary look-ups. A standing belongs to
one index as one partition sees it; a credential that changes has another one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping
from datetime import timedelta

MAX_NAMES = 200_000  # per index and partition: some 20 MB; a farm asks for some thousands
SAME = 1.0  # seconds: how long a page is fresh is computed anew each time, from its age

PageKey = Hashable
"""Which fact a page is, as the gateway keeps facts; None: the index does not know the name."""


Page = tuple[PageKey | None, float]
"""A page's key, and until when it is the page: monotonic seconds."""


class Standing:
    """The pages of one index in one partition, by project name."""

    __slots__ = ("_keep", "_pages", "_recall", "changes")

    def __init__(
        self,
        recall: Callable[[str], Page | None] = lambda _: None,
        keep: Callable[[str, PageKey | None, float], None] = lambda *_: None,
    ) -> None:
        """``recall`` tells what other processes, or an earlier one, knew of a page; ``keep`` lets them know."""
        self._recall = recall
        self._keep = keep
        self._pages: dict[str, Page] = {}
        self.changes = 0
        """How often a page has become another one, or was no longer fresh when it was asked for."""

    def note(self, name: str, key: PageKey | None, fresh_until: float) -> None:
        """The page of ``name`` is the fact ``key`` until ``fresh_until``, monotonic seconds; 0: only just now."""
        known = self._pages.get(name) or self._recall(name)
        self._take(name, key, fresh_until)
        kept, until = known or (None, 0.0)
        if abs(until - fresh_until) > SAME or (fresh_until > 0.0 and kept != key):
            self._keep(name, key, fresh_until)

    def _take(self, name: str, key: PageKey | None, fresh_until: float) -> None:
        if len(self._pages) >= MAX_NAMES:
            self._pages.clear()
            self.changes += 1
        known = self._pages.get(name)
        if known is not None and (known[0] != key or fresh_until <= 0.0):
            self.changes += 1
        self._pages[name] = (key, fresh_until)

    def get(self, name: str, now: float) -> Page | None:
        """The key of the page of ``name`` and until when it holds; None where the index has to be asked."""
        found = self._pages.get(name)
        if found is None or found[1] <= now:
            found = self._recall(name)
            if found is None or found[1] <= now:
                return None
            self._take(name, *found)
        return found


class Reliance:
    """What an answer rests on: pages, as they stood when they were read. It holds as long as they stand so.

    Files are not among it: they never change under their hash.
    """

    __slots__ = ("_changes", "_expires", "_pages", "_stands", "_until", "admits_more_after", "standings")

    def __init__(
        self,
        pages: Mapping[tuple[Standing, str], PageKey | None],
        expires: float = math.inf,
        admits_more_after: timedelta | None = None,
        stands: Callable[[], bool] = lambda: True,
    ) -> None:
        """``expires`` is when it no longer holds in any case, monotonic seconds; ``stands``: if it does before that."""
        self._stands = stands
        self.admits_more_after = admits_more_after
        """How long after the question its ages admit files that they did not; None: never, of these pages."""
        self._pages = pages
        self._expires = expires
        self._until = -math.inf
        self._changes: dict[Standing, int] = {}
        self.standings = frozenset(standing for standing, _ in pages)
        """Those whose pages it rests on."""

    def holds(self, now: float) -> bool:
        """Whether every page stands as it did and is fresh. All are looked at only after something has changed."""
        if now >= self._expires or not self._stands():
            return False
        if now < self._until and all(standing.changes == seen for standing, seen in self._changes.items()):
            return True
        until = math.inf
        for (standing, name), key in self._pages.items():
            found = standing.get(name, now)
            if found is None or found[0] != key:
                return False
            until = min(until, found[1])
        self._until = until
        self._changes = {standing: standing.changes for standing in self.standings}
        return True
