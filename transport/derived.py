"""What was made of bodies, on disk: small records by key, shared by processes, safe to kill, never believed unproved.

``derived/<name>.seg`` are segments, to which records are only ever appended: ``LWD1``, a 16-byte key, the length of the
value, a CRC-32 of key and value, the value. One process writes to a segment, and holds a lock on it as long as it
lives; the next one goes on in the segments of the dead. All processes read all segments. Where records lie is kept in
memory: headers are walked over when a segment is opened, and again when it has grown and a key is not known.

Nothing is synced and no record is changed, so eviction deletes whole segments, the oldest first, and whatever is wrong
with a record, the answer is that there is none: its owner makes it anew. Reads are quick (one ``pread`` and a checksum)
and happen right where they are asked for; a disk that is slow is left alone for a while. Writes trail in a thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import struct
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from hashlib import blake2b
from pathlib import Path

from .trail import Trail

log = logging.getLogger("transport.derived")

MAGIC = b"LWD1"  # change it with the layout: strangers' segments end at their first record
HEADER = struct.Struct("<4s16sII")
MAX_RECORD = 64 * 1024 * 1024
SEGMENT = 32 * 1024 * 1024  # bytes after which a new segment is begun; deleting one loses as much
MAX_TRAILING = 128 * 1024 * 1024  # bytes that wait for the disk
PIECES = 64  # that are written at once: one large copy of all would be the most memory that a worker ever takes
UNMADE = 16 * 1024  # bytes that a value counts for before it is made
MAX_INDEXED = 200_000  # records of a process; some 200 bytes each
SLOW_READ = 0.02  # seconds; a page cache takes a thousandth of it, a network disk more
LEFT_ALONE = 30.0  # seconds for which a slow disk is not asked
AT_ONCE = 256  # records that stop waiting in one pass of the event loop
LOOK_AGAIN = 0.05  # seconds between two looks at what other processes have written


Value = bytes | Callable[[], bytes]
"""A record's value, or what makes it, the same each time."""
Part = Callable[[int, int], bytes]
"""Reads the bytes of a record from one position up to another, unproved; fewer where they are not there."""


def _made(value: Value) -> bytes:
    return value if isinstance(value, bytes) else value()


def _size(value: Value) -> int:
    return len(value) if isinstance(value, bytes) else UNMADE


class _Segment:
    """One file, open for reading."""

    __slots__ = ("descriptor", "seen")

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.seen = 0
        """Up to where its headers were read."""

    def part(self, first: int, start: int, end: int) -> bytes:
        """The bytes from ``start`` to ``end``, counted from ``first``; fewer, or none, where they are not there."""
        try:
            return os.pread(self.descriptor, end - start, first + start)
        except OSError:
            return b""

    def close(self) -> None:
        descriptor, self.descriptor = self.descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __del__(self) -> None:
        """A deleted segment lives until the last who reads parts of it is gone."""
        self.close()


class Derived:
    """A directory of derived records, as one process uses it."""

    def __init__(self, directory: Path, max_bytes: int) -> None:
        """Use ``directory`` / ``derived`` (made if missing).

        Raises:
            OSError: it cannot be made or read.
        """
        self._directory = directory / "derived"
        self._max_bytes = max_bytes
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._segments: dict[str, _Segment] = {}
        self._places: dict[bytes, tuple[_Segment, int, int]] = {}
        self._writer = ThreadPoolExecutor(1, "transport-derived")
        self._waiting: dict[tuple[str, ...], Value] = {}
        self._written: dict[tuple[str, ...], Callable[[Part], None]] = {}
        """Whom to tell when it is."""
        self._trailing = 0
        self._task: asyncio.Future[None] | None = None
        self._trail = Trail()
        self._own: tuple[int, int] | None = None
        self._is_broken = self._was_slow = False
        self._slow_until = self._looked = float("-inf")
        self._look()

    def get(self, *key: str) -> bytes | None:
        """Return the record of ``key``; None where there is none, or none that can be proved."""
        waiting = self._waiting.get(key)
        if waiting is not None:
            return _made(waiting)
        started = time.monotonic()
        if started < self._slow_until:
            return None
        if not self._places and started - self._looked <= LOOK_AGAIN:
            return None  # thousands ask in vain while the first facts are made
        name = _name(key)
        place = self._places.get(name)
        if place is None and started - self._looked > LOOK_AGAIN:
            self._look()
            place = self._places.get(name)
        found = None if place is None else self._read(name, *place)
        ended = time.monotonic()
        was_slow, self._was_slow = self._was_slow, ended - started > SLOW_READ
        if was_slow and self._was_slow:  # once may be a processor that was busy with others
            self._slow_until = ended + LEFT_ALONE
        return found

    def open(self, *key: str) -> Part | None:
        """Return what reads parts, from one byte up to another, of the record of ``key``, which it does not prove.

        The parts can be read as long as it is held. None where there is no such record.
        """
        waiting = self._waiting.get(key)
        if waiting is not None:
            value = _made(waiting)
            return lambda start, end: value[start:end]
        return self._part(key)

    def _part(self, key: tuple[str, ...]) -> Part | None:
        place = self._places.get(_name(key))
        return None if place is None else partial(place[0].part, place[1] + HEADER.size)

    def put(self, value: Value, *key: str, then: Callable[[Part], None] | None = None) -> None:
        """Keep ``value`` under ``key``, behind the caller; a disk that cannot is gone on without.

        What makes a value, the same each time, is called when the value is written, in a thread, or is asked for.
        ``then`` is called on the event loop once it is written, with what reads parts of it as :meth:`open` says.
        """
        size = _size(value)
        if self._is_broken or self._trailing + size > MAX_TRAILING or size > MAX_RECORD:
            return
        self._waiting[key] = value
        self._written.pop(key, None)
        if then is not None:
            self._written[key] = then
        self._trailing += size
        self._trail.add()
        if self._trailing > MAX_TRAILING * 3 // 4:
            self._trail.hurry()
        if self._task is None:
            self._task = asyncio.ensure_future(self._drain())

    async def close(self) -> None:
        """Let the disk have what waits for it."""
        self._trail.close()
        while self._task is not None:
            await self._task
        self._writer.shutdown(wait=True)
        if self._own is not None:
            os.close(self._own[0])
        for segment in self._segments.values():
            segment.close()
        self._segments.clear()
        self._places.clear()

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting and not self._is_broken:
                await self._trail.quiet()
                batch = list(self._waiting.items())
                try:
                    await loop.run_in_executor(self._writer, self._append, batch)
                except OSError as error:
                    self._is_broken = True
                    log.warning("derived facts cannot be written, going on without: %s", type(error).__name__)
                self._look()  # before they stop waiting: there is no moment at which they are not to be had
                for number, (key, value) in enumerate(batch, 1):
                    if number % AT_ONCE == 0:
                        await asyncio.sleep(0)
                    if self._waiting.get(key) is value:
                        del self._waiting[key]
                        then = self._written.pop(key, None)
                        part = None if then is None else self._part(key)
                        if then is not None and part is not None:
                            then(part)
                self._trailing = sum(map(_size, self._waiting.values()))  # counted anew: some were put again meanwhile
        finally:
            self._task = None

    # -- reading -----------------------------------------------------------------

    def _read(self, name: bytes, segment: _Segment, start: int, length: int) -> bytes | None:
        record = segment.part(start, 0, HEADER.size + length)
        try:
            magic, key, size, checksum = HEADER.unpack_from(record)
        except struct.error:
            magic, key, size, checksum = b"", b"", 0, 0
        value = record[HEADER.size :]
        if (magic, key, size) == (MAGIC, name, len(value)) and zlib.crc32(value, zlib.crc32(name)) == checksum:
            return value
        self._places.pop(name, None)
        return None

    def _look(self) -> None:
        """Find new segments, forget deleted ones, and read the headers that were added."""
        self._looked = time.monotonic()
        try:
            names = {path.name for path in self._directory.iterdir() if path.suffix == ".seg"}
        except OSError:
            return
        for name in self._segments.keys() - names:
            gone = self._segments.pop(name)
            self._places = {key: place for key, place in self._places.items() if place[0] is not gone}
        for name in sorted(names):
            segment = self._segments.get(name)
            if segment is None:
                with contextlib.suppress(OSError):
                    segment = self._segments[name] = _Segment(os.open(self._directory / name, os.O_RDONLY))
            if segment is not None:
                with contextlib.suppress(OSError):
                    self._walk(segment)

    def _walk(self, segment: _Segment) -> None:
        end = os.fstat(segment.descriptor).st_size
        while segment.seen + HEADER.size <= end:
            magic, key, length, _ = HEADER.unpack(os.pread(segment.descriptor, HEADER.size, segment.seen))
            after = segment.seen + HEADER.size + length
            if magic != MAGIC or after > end:
                return  # damaged, or not written yet: what follows has no place
            if len(self._places) >= MAX_INDEXED:
                self._places.clear()
            self._places[key] = (segment, segment.seen, length)
            segment.seen = after

    # -- writing, in a thread ----------------------------------------------------

    def _append(self, batch: list[tuple[tuple[str, ...], Value]]) -> None:
        pieces: list[bytes] = []
        for key, given in batch:
            value = _made(given)
            if len(value) > MAX_RECORD:
                continue
            name = _name(key)
            pieces += (HEADER.pack(MAGIC, name, len(value), zlib.crc32(value, zlib.crc32(name))), value)
        if self._own is None or self._own[1] > SEGMENT or not os.fstat(self._own[0]).st_nlink:
            self._begin()
        assert self._own is not None
        descriptor, size = self._own
        for start in range(0, len(pieces), PIECES):
            some = pieces[start : start + PIECES]
            length = sum(map(len, some))
            written = os.writev(descriptor, some)
            rest = memoryview(b"".join(some))[written:] if written < length else b""
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            size += length
        self._own = descriptor, size

    def _begin(self) -> None:
        """Go on in a segment of the dead that has room, or in a new one; keep all of them below the cap."""
        if self._own is not None:
            os.close(self._own[0])
            self._own = None
        self._sweep()
        for path in sorted(self._directory.glob("*.seg")):
            with contextlib.suppress(OSError):
                if path.stat().st_size < SEGMENT and self._take(path, os.O_RDWR | os.O_APPEND):
                    return
        if not self._take(self._directory / f"{os.urandom(8).hex()}.seg", os.O_RDWR | os.O_APPEND | os.O_CREAT):
            raise OSError("a new segment is locked")

    def _take(self, path: Path, flags: int) -> bool:
        """Lock the segment and write to it from now on, if nobody else does and it is whole."""
        descriptor = os.open(path, flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            status = os.fstat(descriptor)
            if status.st_nlink and status.st_size == _whole_until(descriptor):
                self._own = descriptor, status.st_size
                return True
        except OSError:
            pass
        os.close(descriptor)
        return False

    def _sweep(self) -> None:
        """Delete the oldest segments while all together exceed the cap."""
        found: list[tuple[float, int, Path]] = []
        for path in self._directory.glob("*.seg"):
            with contextlib.suppress(OSError):
                status = path.stat()
                found.append((status.st_mtime, status.st_size, path))
        total = sum(size for _, size, _ in found)
        for _, size, path in sorted(found, key=lambda one: one[0]):
            if total + SEGMENT <= self._max_bytes:
                break
            with contextlib.suppress(OSError):
                path.unlink()
            total -= size


def _whole_until(descriptor: int) -> int:
    """Return where the last whole record of a segment ends."""
    end, at = os.fstat(descriptor).st_size, 0
    while at + HEADER.size <= end:
        magic, _, length, _ = HEADER.unpack(os.pread(descriptor, HEADER.size, at))
        if magic != MAGIC or at + HEADER.size + length > end:
            break
        at += HEADER.size + length
    return at


def _name(key: tuple[str, ...]) -> bytes:
    text = "".join([f"{len(part)}:{part}" for part in key])
    return blake2b(text.encode("utf-8", "surrogateescape"), digest_size=16).digest()
