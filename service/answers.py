"""Finished answers by question: served again while the index content that they rest on stands.

Nothing here knows HTTP or time as clients see it: an answer is good exactly as long as every page it was made from is
fresh and the same (RFC 9111 §4.2), or has been confirmed since. Where an age limits upload times (``exclude_newer =
"P7D"``) it is also good only as long as the age admits no other files than it did.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta

from resolver.index.standing import Reliance

from .rendering import Rendered

MAX_ANSWERS = 2_000
MAX_BYTES = 32 * 1024 * 1024  # of documents and texts; some 250 locks of a hundred packages


@dataclass(frozen=True, slots=True)
class Finished:
    """A lock, and what it rests on."""

    rendered: Rendered
    reliance: Reliance
    asked_at: datetime | None = None
    """When, where an age is part of the question."""

    def admits_the_same(self, now: Callable[[], datetime]) -> bool:
        """Whether ages that are counted from ``now`` admit the files that they admitted."""
        if self.asked_at is None:
            return True
        passed, allowed = now() - self.asked_at, self.reliance.admits_more_after
        return timedelta(0) <= passed and (allowed is None or passed < allowed)


class Answers:
    """The most recently used ones."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, Finished] = OrderedDict()
        self._bytes = 0

    def get(self, key: Hashable) -> Finished | None:
        """The answer to ``key``; whether it still holds is for its reliance to say."""
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def put(self, key: Hashable, finished: Finished) -> None:
        """Keep an answer, in place of what was kept under ``key``."""
        self.drop(key)
        self._kept[key] = finished
        self._bytes += finished.rendered.size
        while len(self._kept) > MAX_ANSWERS or (self._bytes > MAX_BYTES and len(self._kept) > 1):
            self.drop(next(iter(self._kept)))

    def drop(self, key: Hashable) -> None:
        """Forget what was kept under ``key``."""
        old = self._kept.pop(key, None)
        if old is not None:
            self._bytes -= old.rendered.size
