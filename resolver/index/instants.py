"""Instants that outlive the process: of the monotonic clock in memory, of the wall clock in a record."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable

SLACK = 60.0  # seconds by which a record may lie in the future before the clock counts as turned back

_PAIR = struct.Struct("<dd")


class Instants:
    """Turns one clock's time into the other's."""

    size = _PAIR.size
    """Bytes of a packed instant."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time) -> None:
        """``monotonic`` and ``wall`` tell seconds; the second since the epoch."""
        self.monotonic = monotonic
        self._wall = wall

    def pack(self, until: float) -> bytes:
        """Return a record of ``until``, an instant of the monotonic clock, and of when it was made."""
        now = self._wall()
        return _PAIR.pack(now, now + until - self.monotonic())

    def unpack(self, record: bytes) -> float:
        """Return the packed instant on the monotonic clock; 0 where it is past, or where nobody can know.

        Raises:
            struct.error: ``record`` does not begin with one.
        """
        made: float
        until: float
        made, until = _PAIR.unpack_from(record)
        now = self._wall()
        if not made - SLACK <= now < until:
            return 0.0
        return self.monotonic() + until - max(now, made)
