"""What is known of an index without asking it: which pages are fresh, and for how long.

The transport says with each page until when the same request would get the same answer. Until then a resolve need
not even ask the transport: that is what makes a warm resolve a matter of dictionary look-ups. A standing belongs to
one index as one partition sees it; a credential that changes has another one.
"""

from __future__ import annotations

from collections.abc import Hashable

MAX_NAMES = 200_000  # per index and partition: some 20 MB; a farm asks for some thousands


class Standing:
    """The pages of one index in one partition, by project name."""

    __slots__ = ("_pages",)

    def __init__(self) -> None:
        self._pages: dict[str, tuple[Hashable | None, float]] = {}

    def note(self, name: str, key: Hashable | None, fresh_until: float) -> None:
        """The page of ``name`` is the fact ``key`` (None: there is none) until ``fresh_until``, monotonic seconds."""
        if fresh_until <= 0.0:
            self._pages.pop(name, None)
            return
        if len(self._pages) >= MAX_NAMES:
            self._pages.clear()
        self._pages[name] = (key, fresh_until)

    def get(self, name: str, now: float) -> tuple[Hashable | None, float] | None:
        """The key of the page of ``name`` and until when it holds; None where the index has to be asked."""
        found = self._pages.get(name)
        return found if found is not None and found[1] > now else None
