"""Parsed facts, kept in memory and bounded by the bytes they were parsed from."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Facts(Generic[T]):
    """A least-recently-used map whose entries carry a weight in bytes."""

    def __init__(self, max_bytes: int, on_drop: Callable[[T], None] = lambda _: None) -> None:
        """``max_bytes`` bounds the sum of weights; ``on_drop`` is told what is kept no longer."""
        self._max_bytes = max_bytes
        self._on_drop = on_drop
        self._entries: OrderedDict[Hashable, tuple[T, int]] = OrderedDict()
        self.bytes = 0

    def get(self, key: Hashable) -> T | None:
        """The fact for ``key``, now the most recently used; None when it is not known (any more)."""
        found = self._entries.get(key)
        if found is None:
            return None
        self._entries.move_to_end(key)
        return found[0]

    def put(self, key: Hashable, fact: T, weight: int) -> None:
        """Keep ``fact``, and drop the least recently used beyond the bound."""
        old = self._entries.pop(key, None)
        if old is not None:
            self.bytes -= old[1]
            if old[0] is not fact:
                self._on_drop(old[0])
        self._entries[key] = (fact, weight)
        self.bytes += weight
        while self.bytes > self._max_bytes and len(self._entries) > 1:
            _, (oldest, dropped) = self._entries.popitem(last=False)
            self.bytes -= dropped
            self._on_drop(oldest)

    def __len__(self) -> int:
        return len(self._entries)
