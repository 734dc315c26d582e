"""Responses in memory: least recently used, bounded by bytes."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from .freshness import OURS, Policy, Terms, assess
from .message import Kind
from .storage import Key, Stored

OVERHEAD = 2048  # headers, keys and objects around a body, roughly, in bytes
MAX_SHARE = 8  # no single body takes more than this fraction (1/8) of the memory


@dataclass(slots=True)
class Record:
    """One stored response, perhaps with its body, and what was worked out about it."""

    stored: Stored
    body: bytes | None
    """None: the disk has it."""
    loaded: float
    """Monotonic seconds at which ``resident`` was true."""
    resident: float
    """Seconds between the response and ``loaded``."""
    terms: dict[tuple[Kind, str | None, float | None], Terms] = field(default_factory=dict)

    def terms_for(self, kind: Kind, override: str | None, stale_if_error: float | None, policy: Policy = OURS) -> Terms:
        """Return the terms under which a request may use this record; worked out once for each kind of asker.

        ``policy`` is the cache's and never changes.
        """
        key = (kind, override, stale_if_error)
        terms = self.terms.get(key)
        if terms is None:
            stored = self.stored
            terms = assess(
                stored.status,
                stored.headers,
                kind=kind,
                request_time=stored.request_time,
                response_time=stored.response_time,
                override=override,
                stale_if_error=stale_if_error,
                policy=policy,
            )
            self.terms[key] = terms
        return terms

    def age(self, terms: Terms, now: float) -> float:
        """RFC 9111 §4.2.3 current_age at ``now`` on the monotonic clock."""
        return terms.initial_age + self.resident + (now - self.loaded)


class Memory:
    """Keys to the variants stored under them."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._kept: OrderedDict[Key, list[Record]] = OrderedDict()
        self._size = 0

    @property
    def size(self) -> int:
        """Bytes held, roughly."""
        return self._size

    def get(self, key: Key) -> list[Record] | None:
        """Return the variants under ``key`` and mark them as used."""
        records = self._kept.get(key)
        if records is not None:
            self._kept.move_to_end(key)
        return records

    def put(self, key: Key, records: list[Record]) -> None:
        """Hold ``records`` under ``key`` in place of what was there."""
        self.drop(key)
        size = _size(records)
        if not records or size > self._max_bytes // MAX_SHARE:
            return
        self._kept[key] = records
        self._size += size
        while self._size > self._max_bytes:
            _, oldest = self._kept.popitem(last=False)
            self._size -= _size(oldest)

    def drop(self, key: Key) -> None:
        """Forget ``key``."""
        old = self._kept.pop(key, None)
        if old is not None:
            self._size -= _size(old)


def _size(records: list[Record]) -> int:
    return sum(len(record.body or b"") + OVERHEAD for record in records)
