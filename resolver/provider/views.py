"""How much of what was seen of projects stays in memory: what was used least recently goes first.

A page is looked at from many places, under many filters and constraints, and what was seen of it is larger than the
page by and by. What goes is made again when it is needed, in some 350 µs: farms whose questions do not fit pay twice.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable
from typing import Protocol

MAX_VIEWS = 64 * 1024 * 1024  # bytes; what thirty questions of up to 300 packages, a third universal, keep using
RIPE = 512  # views that were made since: by then a view has mostly what it will have


class View(Protocol):
    """What was seen of a project from one standpoint; it grows while it is used."""

    def weigh(self) -> int:
        """Roughly how many bytes it takes."""
        ...

    def part(self) -> None:
        """Leave the project."""
        ...


class Views:
    """Views of the projects that stay in memory."""

    def __init__(self, max_bytes: int = MAX_VIEWS) -> None:
        """``max_bytes`` bounds the sum of weights."""
        self._max_bytes = max_bytes
        self._kept: OrderedDict[View, int] = OrderedDict()
        self._young: deque[View] = deque()
        self.bytes = 0

    def note(self, view: View) -> None:
        """Keep a new view, and let those go that were used least recently, beyond the bound."""
        self._put(view)
        self._young.append(view)
        if len(self._young) > RIPE and (ripe := self._young.popleft()) in self._kept:
            self._put(ripe)
        while self.bytes > self._max_bytes and len(self._kept) > 1:
            oldest, weight = self._kept.popitem(last=False)
            self.bytes -= weight
            oldest.part()

    def _put(self, view: View) -> None:
        weight = view.weigh()
        self.bytes += weight - self._kept.get(view, 0)
        self._kept[view] = weight

    def use(self, view: View) -> None:
        """A view that was noted is used again."""
        if view in self._kept:
            self._kept.move_to_end(view)

    def drop(self, views: Iterable[View]) -> None:
        """Forget the views of a project that goes."""
        for view in views:
            self.bytes -= self._kept.pop(view, 0)

    def __len__(self) -> int:
        return len(self._kept)
