"""Requests that were understood before, by a digest of their bytes: the same bytes need not be read again.

What a request means depends on its own bytes, the server's settings and its indexes. What it means at a certain moment
only is not remembered. Whether there is an answer to it, and whether that still holds, is not known here.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from transport.message import Index

from .identity import Identity

MAX_REQUESTS = 10_000  # some kilobyte each


@dataclass(frozen=True, slots=True)
class Understood:
    """What is left of a request when it has been read: enough to find the answer to it, and to say it."""

    identity: Identity
    indexes: tuple[Index, ...]
    """Those that it asks."""
    outputs: tuple[str, ...]
    server: tuple[Index, ...]
    """The server's own, as they were: with another secret they are others."""


class Recall:
    """The most recently used requests."""

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, Understood] = OrderedDict()

    def get(self, seen: bytes, server: tuple[Index, ...]) -> Understood | None:
        """What the request with the digest ``seen`` means, if the server's indexes are what they were."""
        found = self._kept.get(seen)
        if found is None or found.server is not server:
            return None
        self._kept.move_to_end(seen)
        return found

    def put(self, seen: bytes, understood: Understood) -> None:
        """Remember a request."""
        self._kept[seen] = understood
        if len(self._kept) > MAX_REQUESTS:
            self._kept.popitem(last=False)
