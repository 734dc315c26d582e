"""A layer that is made when the first request gets to it: a process that asks nobody goes without."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from .hop import Hop, Sender
from .message import Response


class Closable(Sender, Protocol):
    """A layer that holds something."""

    async def close(self) -> None:
        """Let go of it."""
        ...


class Late:
    """Stands where the layer will be."""

    def __init__(self, make: Callable[[], Closable]) -> None:
        """``make`` is called once, for the first request."""
        self._make = make
        self._inner: Closable | None = None

    async def fetch(self, hop: Hop) -> Response:
        """Answer as the layer does."""
        if self._inner is None:
            self._inner = self._make()
        return await self._inner.fetch(hop)

    async def close(self) -> None:
        """Close the layer, if there is one."""
        if self._inner is not None:
            await self._inner.close()
