"""A strict ZIP reader for the one member that is needed of an archive that strangers made (APPNOTE 6.3.10).

ZIP says everything twice, and readers differ in which copy they believe; what one of them checks, another installs.
So nothing is believed that is not said the same way everywhere it is said: the end record and its ZIP64 form, the
directory and the local header, the lengths and the places. Whatever is ambiguous is refused with its reason; what
is not needed is never inflated. Archives that the common build tools write pass.

Reading is over a :class:`Window`, so that the same code serves a whole file and one that is fetched in pieces.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

MAX_DIRECTORY = 16 << 20  # bytes; 65 535 entries of 256 bytes
MAX_ENTRIES = 65_535  # what a directory without ZIP64 can count
MAX_MEMBER = 4 << 20  # bytes inflated; as MAX_METADATA
MAX_COMPRESSED = MAX_MEMBER + (1 << 16)  # deflate never grows data by more than 5 bytes in 16 KiB

MAX_VERSION_NEEDED = 63  # the last that APPNOTE defines (§4.4.3)

_END = struct.Struct("<4s4H2LH")  # §4.3.16
_LOCATOR = struct.Struct("<4sLQL")  # §4.3.15
_END64 = struct.Struct("<4sQ2H2L4Q")  # §4.3.14
_ENTRY = struct.Struct("<4s6H3L5H2L")  # §4.3.12
_LOCAL = struct.Struct("<4s5H3L2H")  # §4.3.7
_U16, _U32 = 0xFFFF, 0xFFFFFFFF
MAX_TAIL = _END.size + _U16  # the end record with the longest comment

_DESCRIPTOR = 0x0008  # flag bit 3: sizes follow the data
_REFUSED_FLAGS = 0x0001 | 0x0020 | 0x0040 | 0x2000  # encrypted, patched, strongly encrypted, masked
_UTF8 = 0x0800
_STORED, _DEFLATED = 0, 8
_ZIP64, _UNICODE_PATH = 0x0001, 0x7075


class UnsafeArchive(ValueError):
    """The archive is malformed, ambiguous or beyond a limit; the text says how."""


class Missing(Exception):
    """The window lacks bytes; ``start`` and ``stop`` (exclusive) say which."""

    def __init__(self, start: int, stop: int) -> None:
        super().__init__(start, stop)
        self.start = start
        self.stop = stop


class Window:
    """The pieces that are known of a file of ``size`` bytes."""

    __slots__ = ("_pieces", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self._pieces: list[tuple[int, bytes]] = []

    def add(self, start: int, data: bytes) -> None:
        """Learn the bytes from ``start`` on."""
        self._pieces.append((start, data))

    def read(self, start: int, stop: int) -> bytes:
        """Return the bytes ``start`` to ``stop`` (exclusive).

        Raises:
            Missing: they are not all in one piece that is known.
            UnsafeArchive: they are outside the file.
        """
        if not 0 <= start <= stop <= self.size:
            raise UnsafeArchive("a record points outside the file")
        for at, data in self._pieces:
            if at <= start and stop <= at + len(data):
                return data[start - at : stop - at]
        raise Missing(start, stop)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the central directory, with the place where what follows it begins."""

    name: bytes
    flags: int
    method: int
    crc: int
    compressed: int
    size: int
    offset: int
    stop: int


def _find_end(window: Window, tail: int) -> tuple[int, bytes]:
    """Return the end record's position and its bytes; the record has to reach the end of the file exactly."""
    if window.size < _END.size:
        raise UnsafeArchive(f"{window.size} bytes are no ZIP archive")
    start = max(0, window.size - tail)
    data = window.read(start, window.size)
    at = data.rfind(b"PK\x05\x06")
    if at == -1:
        if start > 0 and tail < MAX_TAIL:
            return _find_end(window, MAX_TAIL)
        raise UnsafeArchive("not a ZIP archive: no end record")
    if len(data) - at < _END.size or _END.unpack_from(data, at)[7] != len(data) - at - _END.size:
        raise UnsafeArchive("bytes after the end record")
    return start + at, data[at : at + _END.size]


def _directory_span(window: Window, tail: int) -> tuple[int, int, int]:
    """Return start and stop of the central directory, and how many entries it has."""
    end_at, record = _find_end(window, tail)
    _, disk, directory_disk, here, total, size, offset, _ = _END.unpack(record)
    if disk or directory_disk or here != total:
        raise UnsafeArchive("an archive of several disks")
    stop = end_at
    has_locator = end_at >= _LOCATOR.size + _END64.size and window.read(end_at - 20, end_at - 16) == b"PK\x06\x07"
    if has_locator:
        _, locator_disk, end64_at, disks = _LOCATOR.unpack(window.read(end_at - 20, end_at))
        stop = end_at - _LOCATOR.size - _END64.size
        if locator_disk or disks > 1 or end64_at != stop:
            raise UnsafeArchive("the ZIP64 end record is not where its locator says, or has unknown parts")
        found = _END64.unpack(window.read(stop, stop + _END64.size))
        signature, length, _, _, disk64, directory_disk64, here64, total64, size64, offset64 = found
        if signature != b"PK\x06\x06" or length != _END64.size - 12 or disk64 or directory_disk64 or here64 != total64:
            raise UnsafeArchive("a malformed ZIP64 end record")
        # The plain record may say "see ZIP64"; where it says something itself, both must say the same.
        for plain, wide, marker in ((total, total64, _U16), (size, size64, _U32), (offset, offset64, _U32)):
            if plain not in (wide, marker):
                raise UnsafeArchive("the two end records contradict each other")
        total, size, offset = total64, size64, offset64
    elif _U32 in (size, offset):
        raise UnsafeArchive("a ZIP64 end record is announced and missing")
    if total > MAX_ENTRIES:
        raise UnsafeArchive(f"{total} entries; at most {MAX_ENTRIES} are read")
    if size > MAX_DIRECTORY:
        raise UnsafeArchive(f"a directory of {size} bytes; at most {MAX_DIRECTORY} are read")
    if offset + size != stop:
        raise UnsafeArchive("bytes before the archive, or between its directory and its end")
    return offset, stop, total


def _extras(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Walk an extra field (§4.5.1)."""
    at = 0
    while at < len(data):
        if len(data) - at < 4:
            raise UnsafeArchive("a malformed extra field")
        kind, length = struct.unpack_from("<2H", data, at)
        at += 4
        if length > len(data) - at:
            raise UnsafeArchive("a malformed extra field")
        yield kind, data[at : at + length]
        at += length


def _widen(name: bytes, extra: bytes, values: tuple[int, ...]) -> tuple[int, ...]:
    """Replace the saturated ones of ``values`` by those of the ZIP64 extra field, which must hold exactly these."""
    wide: bytes | None = None
    for kind, data in _extras(extra):
        if kind == _ZIP64:
            if wide is not None:
                raise UnsafeArchive("two ZIP64 extra fields")
            wide = data
        elif kind == _UNICODE_PATH and data[5:] != name:  # §4.6.9: a second name, which only some readers use
            raise UnsafeArchive("a Unicode path that differs from the name")
    missing = [value == _U32 for value in values]
    if wide is None:
        if any(missing):
            raise UnsafeArchive("a ZIP64 extra field is announced and missing")
        return values
    if len(wide) != 8 * sum(missing):
        raise UnsafeArchive("a ZIP64 extra field of the wrong length")
    found = iter(struct.unpack(f"<{sum(missing)}Q", wide))
    return tuple(next(found) if is_missing else value for value, is_missing in zip(values, missing, strict=True))


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def read_directory(window: Window, tail: int = MAX_TAIL) -> tuple[Entry, ...]:
    """Read the central directory, in the order of the file. ``tail``: how far from the end to look at first.

    Raises:
        Missing: more bytes are needed.
        UnsafeArchive: it is malformed, ambiguous or too large.
    """
    start, stop, total = _directory_span(window, tail)
    data = window.read(start, stop)
    found: list[tuple[int, int, Entry]] = []  # offset, least length, entry
    names: set[bytes] = set()
    at = 0
    while at < len(data):
        if len(data) - at < _ENTRY.size or len(found) == total:
            raise UnsafeArchive("a directory that is longer or shorter than its entries")
        fields = _ENTRY.unpack_from(data, at)
        signature, _, needed, flags, method, _, _, crc, compressed, size, name_length, extra_length = fields[:12]
        comment_length, disk, _, _, offset = fields[12:]
        at += _ENTRY.size
        name, extra = data[at : at + name_length], data[at + name_length : at + name_length + extra_length]
        at += name_length + extra_length + comment_length
        if signature != b"PK\x01\x02" or at > len(data) or disk:
            raise UnsafeArchive("a malformed directory entry")
        if not name or b"\0" in name or name in names:
            raise UnsafeArchive("an entry without a name, with a zero byte in it, or with that of another")
        if needed & 0xFF > MAX_VERSION_NEEDED or (flags & _UTF8 and not _is_utf8(name)):
            raise UnsafeArchive("an entry of an unknown version, or whose name is not the UTF-8 that it claims to be")
        names.add(name)
        size, compressed, offset = _widen(name, extra, (size, compressed, offset))
        least = _LOCAL.size + name_length + compressed
        found.append((offset, least, Entry(name, flags, method, crc, compressed, size, offset, 0)))
    if len(found) != total:
        raise UnsafeArchive("a directory that is longer or shorter than its entries")
    return _placed(found, start)


def _placed(found: list[tuple[int, int, Entry]], directory: int) -> tuple[Entry, ...]:
    """Order entries by place, and refuse those that overlap or leave the start of the file to something else."""
    found.sort(key=lambda one: one[0])
    if found and found[0][0] != 0:
        raise UnsafeArchive("bytes before the first entry")
    if not found and directory != 0:
        raise UnsafeArchive("bytes before the directory of an empty archive")
    entries = []
    for number, (offset, least, entry) in enumerate(found):
        stop = found[number + 1][0] if number + 1 < len(found) else directory
        if offset + least > stop:
            raise UnsafeArchive("entries that overlap")
        entries.append(
            Entry(entry.name, entry.flags, entry.method, entry.crc, entry.compressed, entry.size, offset, stop)
        )
    return tuple(entries)


def read_member(window: Window, entry: Entry, limit: int = MAX_MEMBER) -> bytes:
    """Return the content of ``entry``, which may have at most ``limit`` bytes.

    Raises:
        Missing: more bytes are needed.
        UnsafeArchive: the entry is not what the directory says, or cannot be read.
    """
    if entry.flags & _REFUSED_FLAGS:
        raise UnsafeArchive("an encrypted or patched entry")
    if entry.method not in (_STORED, _DEFLATED):
        raise UnsafeArchive(f"compression method {entry.method}; only stored and deflated are read")
    if entry.size > limit or entry.compressed > MAX_COMPRESSED:
        raise UnsafeArchive(f"a member of {max(entry.size, entry.compressed)} bytes; at most {limit} are read")
    if entry.stop - entry.offset > MAX_COMPRESSED + 4 * _U16:
        raise UnsafeArchive("unexplained bytes after an entry")
    data = window.read(entry.offset, entry.stop)
    content, rest = _check_local(data, entry)
    _check_descriptor(rest, entry)
    if entry.method == _DEFLATED:
        content = _inflate(content, entry.size)
    if len(content) != entry.size or zlib.crc32(content) != entry.crc:
        raise UnsafeArchive("content whose length or checksum is not the directory's")
    return content


def _check_local(data: bytes, entry: Entry) -> tuple[bytes, bytes]:
    """Hold the local header against the directory; return the compressed content and what follows it."""
    signature, _, flags, method, _, _, crc, compressed, size, name_length, extra_length = _LOCAL.unpack_from(data)
    begin = _LOCAL.size + name_length + extra_length
    name = data[_LOCAL.size : _LOCAL.size + name_length]
    if signature != b"PK\x03\x04" or begin + entry.compressed > len(data):
        raise UnsafeArchive("no local header where the directory says")
    if (name, flags, method) != (entry.name, entry.flags, entry.method):
        raise UnsafeArchive("a local header with another name, method or flags than the directory")
    size, compressed = _widen(name, data[_LOCAL.size + name_length : begin], (size, compressed))
    stated, expected = (crc, compressed, size), (entry.crc, entry.compressed, entry.size)
    # With a descriptor the header may say nothing yet (§4.4.4); what it says must still be true.
    unsaid = flags & _DESCRIPTOR and all(a in (0, b) for a, b in zip(stated, expected, strict=True))
    if stated != expected and not unsaid:
        raise UnsafeArchive("a local header with another size or checksum than the directory")
    return data[begin : begin + entry.compressed], data[begin + entry.compressed :]


def _check_descriptor(rest: bytes, entry: Entry) -> None:
    """Check what lies between an entry's content and the next entry: nothing, or its data descriptor (§4.3.9)."""
    if not entry.flags & _DESCRIPTOR:
        if rest:
            raise UnsafeArchive("unexplained bytes after an entry")
        return
    values = (entry.crc, entry.compressed, entry.size)
    allowed = {struct.pack("<LQQ", *values)}
    if entry.compressed <= _U32 and entry.size <= _U32:
        allowed.add(struct.pack("<3L", *values))
    if rest.removeprefix(b"PK\x07\x08") not in allowed and rest not in allowed:
        raise UnsafeArchive("a data descriptor that contradicts the directory, or none")


def _inflate(content: bytes, size: int) -> bytes:
    """Inflate exactly ``content`` into at most ``size`` bytes: one byte more is asked for, to see an excess."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflated = inflater.decompress(content, size + 1)
    except zlib.error:
        raise UnsafeArchive("content that cannot be inflated") from None
    if len(inflated) > size or not inflater.eof or inflater.unused_data or inflater.unconsumed_tail:
        raise UnsafeArchive("content that is longer or shorter than the directory says")
    return inflated
