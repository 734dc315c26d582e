"""Files that a page lists and its index does not have, for a while: in memory, and beyond the process as records."""

from __future__ import annotations

import struct
from collections.abc import Hashable
from contextlib import suppress

from transport.message import Index

from .fact_store import LAYOUT, Records, file_key
from .instants import Instants
from .page import File

# A page may list files that are not there. Who asks again so soon is told the same, unless the request wants all to be
# asked anew; a mirror that is late may have the file then.
ABSENT_FOR = 300.0  # seconds
MAX_ABSENT = 100_000  # some 200 bytes each


class Absences:
    """Until when a file need not be asked for."""

    def __init__(self, records: Records | None, instants: Instants) -> None:
        """``records`` keep absences beyond the process; None: nothing does."""
        self._records = records
        self._instants = instants
        self._until: dict[Hashable, float] = {}
        self.ended = 0
        """How often a file was found that still counted as absent: what rests on its absence holds no more."""

    def note(self, file: File, index: Index, partition: str | None) -> None:
        """``index`` did not have ``file`` just now; where ``partition`` is not known, only this process knows."""
        until = self._instants.monotonic() + ABSENT_FOR
        self._remember((partition, index, file.url, file.hashes), until)
        key = _record_key(file, index, partition)
        if self._records is not None and key is not None:
            self._records.put(self._instants.pack(until), *key)

    def end(self, file: File, index: Index, partition: str | None) -> None:
        """``index`` has ``file``: it was asked although the file may have counted as absent."""
        if self._until.get((partition, index, file.url, file.hashes), 0.0) <= self._instants.monotonic():
            return
        self.ended += 1
        self._remember((partition, index, file.url, file.hashes), 0.0)
        key = _record_key(file, index, partition)
        if self._records is not None and key is not None:
            self._records.put(self._instants.pack(0.0), *key)

    def until(self, file: File, index: Index, partition: str | None) -> float:
        """Until when the index lately did not have ``file``, on the monotonic clock; 0 where that is not known."""
        memory_key = (partition, index, file.url, file.hashes)
        found = self._until.get(memory_key)
        if found is not None or self._records is None:
            return found or 0.0
        key = _record_key(file, index, partition)
        record = None if key is None else self._records.get(*key)
        until = 0.0
        if record is not None:
            with suppress(struct.error):
                until = self._instants.unpack(record)
        self._remember(memory_key, until)  # that there is no record as well: a first resolve asks several times
        return until

    def _remember(self, key: Hashable, until: float) -> None:
        if len(self._until) >= MAX_ABSENT:
            self._until.clear()
        self._until[key] = until


def _record_key(file: File, index: Index, partition: str | None) -> tuple[str, ...] | None:
    said = index.cache_control.get("files") if index.cache_control else None
    if partition is None or "no-store" in (said or "").lower():
        return None
    key = file_key(file)
    return None if key is None else ("absent", LAYOUT, partition, *key)
