"""Standings beyond the process: which page an index gave for a name, and until when that holds.

A restart, or another process, so knows without asking what a process was told. A record belongs to a partition and to
everything else that a request depends on: settings that change make it another's.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import fields

import msgpack

from transport.message import Index

from .fact_store import LAYOUT, Records
from .instants import Instants
from .page_key import PageKey
from .simple import ACCEPT
from .standing import Page, Standing
from .standing import PageKey as AnyKey

_SECRET = frozenset({"credential", "client_key_password", "proxy"})  # the partition tells them apart


MAX_STANDINGS = 256  # indexes times partitions; requests may name indexes of their own


class Standings:
    """The standing of each index in each partition."""

    def __init__(self, records: Records | None, instants: Instants, terms: str) -> None:
        """``records`` keep standings beyond the process (None: nothing does), apart by ``terms``: see the gateway."""
        self._records = records
        self._instants = instants
        self._terms = terms
        self._standings: dict[tuple[Index, str], Standing] = {}

    def of(self, index: Index, partition: str) -> Standing:
        """The standing of ``index`` in ``partition``."""
        standing = self._standings.get((index, partition))
        if standing is None:
            while len(self._standings) >= MAX_STANDINGS:
                del self._standings[next(iter(self._standings))]
            standing = Standing()
            if self._records is not None:
                kept = _Kept(self._records, self._instants, index, partition, self._terms)
                standing = Standing(kept.recall, kept.keep)
            self._standings[index, partition] = standing
        return standing


class _Kept:
    """What was kept of one index in one partition."""

    def __init__(self, records: Records, instants: Instants, index: Index, partition: str, terms: str) -> None:
        """``terms``: what beside the index decides whom a request may reach, as text."""
        self._records = records
        self._instants = instants
        self._index = index
        self._partition = partition
        said = [f"{one.name}={_said(getattr(index, one.name))}" for one in fields(index) if one.name not in _SECRET]
        text = "\n".join((LAYOUT, ACCEPT, terms, *said))
        self._key = ("standing", partition, hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest())

    def recall(self, name: str) -> Page | None:
        """Return the page of ``name`` as it was kept, if that still holds."""
        record = self._records.get(*self._key, name)
        if record is None:
            return None
        try:
            until = self._instants.unpack(record)
            if not until:
                return None
            said = msgpack.unpackb(record[Instants.size :])
            return (None if said is None else self._page(name, *said)), until
        except (ValueError, TypeError, struct.error, msgpack.UnpackException):
            return None

    def _page(self, name: str, digest: str, url: str, content_type: str) -> PageKey:
        return PageKey(self._partition, digest, url, content_type, name, self._index.name, self._index.url)

    def keep(self, name: str, key: AnyKey | None, fresh_until: float) -> None:
        """Let others know that the page of ``name`` is ``key`` until ``fresh_until``, monotonic seconds; 0: no more."""
        said = None
        if isinstance(key, PageKey):
            said = [key.digest, key.url, key.content_type]
        self._records.put(self._instants.pack(fresh_until) + msgpack.packb(said), *self._key, name)


def _said(value: object) -> str:
    """Return a text that is the same for equal values in any process."""
    if isinstance(value, frozenset):
        return repr(sorted(value))
    return repr(sorted(value.items())) if isinstance(value, dict) else repr(value)
