"""Facts as records that outlive the process: pages and metadata, so that a restart parses nothing twice.

Pure: what keeps the records is passed in. A record belongs to a partition and to the digest of the bytes that it was
made of (or, for metadata, to the hash that a page promised), and to the version of its layout; one that cannot be
read is none.
"""

from __future__ import annotations

import math
import struct
import sys
from array import array
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any, Protocol, TypeAlias, overload
from zlib import crc32

import msgpack

from ..provider.requirements import Metadata
from ..provider.versions import VersionList
from ..requirement import remembered
from .instants import Instants
from .packed import Key, PackedReleases, Rows, shared
from .page import CoreMetadata, File, ProjectPage
from .release import Signature
from .sightings import Sightings

# Change it with the layout, whenever a parser begins to read the same bytes in another way, and whenever a filter finds
# something else of the same page, if only in other words.
LAYOUT = f"4-{sys.byteorder}"

MAX_TOGETHER = 4096  # bytes of rows that are kept with their page: more are read release by release

Part: TypeAlias = Callable[[int, int], bytes]
"""Reads the bytes of a record from one position up to another."""

UNREADABLE = (ValueError, TypeError, LookupError, RecursionError, msgpack.UnpackException)
"""What a record raises that is not what was kept."""


class Records(Protocol):
    """Keeps small records by key, or loses them."""

    def get(self, *key: str) -> bytes | None:
        """Return the record of ``key``, byte for byte as it was put; None where there is none (any more)."""
        ...

    def put(self, value: bytes | Callable[[], bytes], *key: str, then: Callable[[Part], None] | None = None) -> None:
        """Keep ``value`` under ``key`` if possible: or what makes it, perhaps later and in another thread.

        ``then`` is called once it is kept, if it is, with what :meth:`open` returns.
        """
        ...

    def open(self, *key: str) -> Part | None:
        """Return what reads the bytes of a record from one position up to another, unproved, as long as it is held."""
        ...


class LostFactsError(Exception):
    """A part of a record was there when the rest of it was read, and is not now: who asked has to begin anew."""


class FactStore:
    """The facts of an index, as records."""

    def __init__(self, records: Records, instants: Instants) -> None:
        self._records = records
        self._instants = instants

    def page(self, *key: str) -> tuple[ProjectPage, VersionList, int] | None:
        """Return a page, its versions, and their weight in bytes."""
        record = self._records.get("page", LAYOUT, *key)
        if record is None:
            return None
        try:
            return *unpack_page(record, lambda: self._records.open("rows", LAYOUT, *key)), len(record)
        except UNREADABLE:
            return None

    def keep_page(self, page: ProjectPage, versions: VersionList, *key: str) -> None:
        """Keep ``page``, which a parser made of the bytes that ``key`` names."""
        if not isinstance(page.releases, PackedReleases):
            return
        rows = page.releases.parts[1]
        if not isinstance(rows, bytes):
            return  # it was read here
        # An undated page has all its files looked at; and what is short is read in one go.
        is_apart = page.sightings is None and len(rows) > MAX_TOGETHER
        if not is_apart:
            self._records.put(partial(pack_page, page, page.releases, versions, rows, None), "page", LAYOUT, *key)
            return
        sums = _Sums(rows, page.releases.parts[2])
        self._records.put(partial(pack_page, page, page.releases, versions, None, sums), "page", LAYOUT, *key)
        self._records.put(rows, "rows", LAYOUT, *key, then=partial(_let_go, page.releases, sums))

    def metadata(self, partition: str, file: File) -> tuple[Metadata, int] | None:
        """Return the metadata of ``file``, and their weight in bytes."""
        key = file_key(file)
        if key is None:
            return None
        record = self._records.get("metadata", LAYOUT, partition, *key)
        if record is None:
            record = self._records.get("unproved", LAYOUT, partition, *key)
            if record is None:
                return None
            try:
                until = self._instants.unpack(record)
            except struct.error:
                return None
            if not until:
                return None
            record = record[Instants.size :]
        try:
            return _unpack_metadata(record), len(record)
        except UNREADABLE:
            return None

    def keep_metadata(self, metadata: Metadata, partition: str, file: File, until: float = math.inf) -> None:
        """Keep the metadata of ``file``: for good where a hash that its page gives proved them, else ``until`` then."""
        key = file_key(file)
        if key is None:
            return
        if until == math.inf:
            self._records.put(partial(_pack_metadata, metadata), "metadata", LAYOUT, partition, *key)
        else:
            self._records.put(
                self._instants.pack(until) + _pack_metadata(metadata), "unproved", LAYOUT, partition, *key
            )


def file_key(file: File) -> tuple[str, str] | None:
    """Return what records know a file by: it never changes under its hash. Without one there is no key."""
    if not file.hashes:
        return None
    hashes = ",".join([f"{algorithm}={digest}" for algorithm, digest in (*file.hashes, *(file.core_metadata or ()))])
    return file.url, hashes


def pack_mask(mask: int) -> bytes:
    """Return a set of versions as records have it."""
    return mask.to_bytes((mask.bit_length() + 7) // 8, "little")


def unpack_mask(packed: bytes) -> int:
    """Return what :func:`pack_mask` packed."""
    return int.from_bytes(packed, "little")


class _Sums:
    """The checksums of the rows of each release, found out once: where the page's record is made, in a thread."""

    def __init__(self, rows: bytes, ends: array[int]) -> None:
        self._rows: bytes | None = rows
        self._ends = ends
        self.found: array[int] | None = None
        """None: not yet."""

    def find(self) -> array[int]:
        """Find them out, if need be."""
        rows = self._rows
        if self.found is None and rows is not None:
            view = memoryview(rows)
            self.found = array("I", [crc32(view[start:end]) for start, end in pairwise((0, *self._ends))])
        self._rows = None
        assert self.found is not None
        return self.found


def _let_go(releases: PackedReleases, sums: _Sums, part: Part) -> None:
    """Read the rows of a page from where they are kept, from now on: most are never looked at again."""
    if sums.found is not None:
        releases.read_rows(_rows(part, releases.parts[2], sums.found))


def pack_page(
    page: ProjectPage, releases: PackedReleases, versions: VersionList, rows: bytes | None, sums: _Sums | None
) -> bytes:
    """Pack a page; its ``rows`` may lie elsewhere (None): then their checksums, ``sums``, are here."""
    keys: dict[Key, int] = {}
    signatures = [sorted(keys.setdefault(key, len(keys)) for key in signature) for signature in releases.signatures]
    runs, _, ends = releases.parts
    early = versions.prereleases
    packed: bytes = msgpack.packb(
        [
            *(page.name, page.url, [list(one) for one in page.skipped], page.skipped_count, page.status),
            *("\n".join(releases.texts), pack_mask(early)),
            *(msgpack.packb([list(key) for key in keys]), msgpack.packb(signatures)),
            *(len(signatures), runs.tobytes(), ends.tobytes(), rows),
            *(page.sightings is not None, None if sums is None else sums.find().tobytes()),
        ]
    )
    return packed


def unpack_page(record: bytes, open_rows: Callable[[], Part | None]) -> tuple[ProjectPage, VersionList]:
    """Return what was packed; ``open_rows`` gives what reads the rows, where they lie elsewhere.

    Raises:
        one of :data:`UNREADABLE`: the record is none.
    """
    fields: list[Any] = msgpack.unpackb(record)
    name, url, skipped, skipped_count, status, texts, early, keys, signatures, *rest = fields
    variety, runs, ends, rows, is_undated, sums = rest
    spellings = tuple(texts.split("\n")) if texts else ()
    # what was seen when is the ledger's to tell: it may know more by now
    sightings = Sightings() if is_undated else None
    limits = array("I", ends)
    if rows is None:
        part = open_rows()
        if part is None:
            raise LookupError("the rows of a page are gone")
        rows = _rows(part, limits, array("I", sums))
    releases = PackedReleases(
        spellings,
        _Signatures(keys, signatures, variety),
        array("I", runs),
        rows,
        limits,
        sightings,
    )
    page = ProjectPage(
        name,
        url,
        releases,
        tuple([(file, reason) for file, reason in skipped]),
        skipped_count,
        status,
        sightings,
    )
    return page, VersionList(spellings, unpack_mask(early))


class _Signatures(Sequence[Signature]):
    """The signatures of a page, each made when it is asked for: most requests ask for that of one release."""

    __slots__ = ("_count", "_packed", "_parts")

    def __init__(self, keys: bytes, signatures: bytes, count: int) -> None:
        self._packed = keys, signatures
        self._count = count
        self._parts: tuple[list[Any], list[list[int]]] | None = None

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, at: int) -> Signature: ...

    @overload
    def __getitem__(self, at: slice) -> tuple[Signature, ...]: ...

    def __getitem__(self, at: int | slice) -> Signature | tuple[Signature, ...]:
        if self._parts is None:
            self._parts = msgpack.unpackb(self._packed[0], use_list=False), msgpack.unpackb(self._packed[1])
        if isinstance(at, slice):
            return tuple([self[one] for one in range(self._count)[at]])
        keys, signatures = self._parts
        return shared([keys[one] for one in signatures[at]])


def _rows(part: Part, ends: array[int], sums: array[int]) -> Rows:
    """Return what reads the rows of a release, and proves them."""

    def read(place: int) -> bytes:
        found = part(ends[place - 1] if place else 0, ends[place])
        if crc32(found) != sums[place]:
            raise LostFactsError
        return found

    return read


def _pack_metadata(metadata: Metadata) -> bytes:
    core = metadata.core
    packed: bytes = msgpack.packb(
        [
            *(core.name, core.version, core.requires_python, core.metadata_version),
            *(sorted(core.provides_extra), sorted(core.dynamic), list(core.requires_dist), list(metadata.unreadable)),
            [[one.name, one.extras, one.specifier, one.url, one.marker_text, one.text] for one in metadata.requires],
        ]
    )
    return packed


def _unpack_metadata(record: bytes) -> Metadata:
    fields: list[Any] = msgpack.unpackb(record)
    name, version, requires_python, metadata_version, extras, dynamic, lines, unreadable, requires = fields
    core = CoreMetadata(
        name=name,
        version=version,
        requires_dist=tuple(lines),
        requires_python=requires_python and sys.intern(requires_python),
        provides_extra=frozenset(extras),
        metadata_version=metadata_version,
        dynamic=frozenset(dynamic),
    )
    made = [
        remembered(name, tuple(extras), specifier, url, marker, text)
        for name, extras, specifier, url, marker, text in requires
    ]
    return Metadata(core, tuple(made), tuple(unreadable))
