"""A strict reader of gzipped tars (POSIX.1-2017 pax, ustar, and GNU's long names), for a few small members.

The tar is stepped through in pieces as it inflates, and nothing is written anywhere. Where the format says a thing
twice, both must agree: a size that two readers take differently makes them see different members.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

from .archive import UnsafeArchive

MAX_INFLATED = 512 << 20  # bytes that are stepped through; PKG-INFO may come last
MAX_MEMBERS = 200_000  # the largest real sdists have some 60 000
MAX_EXTENDED = 64 << 10  # bytes of a pax header or a long name

_BLOCK = 512
_PIECE = 256 << 10
_ZERO_BLOCK = bytes(_BLOCK)
_REGULAR = (b"0", b"\0", b"7")
_EMPTY = (b"1", b"2", b"3", b"4", b"5", b"6")  # links, devices, directories, FIFOs: no content follows


class _Inflated:
    """The inflated bytes of a gzip file, to be read or stepped over once."""

    def __init__(self, body: bytes) -> None:
        if body[:3] != b"\x1f\x8b\x08":
            raise UnsafeArchive("not a gzip file")
        self._inflater = zlib.decompressobj(16 + zlib.MAX_WBITS)
        self._input = memoryview(body)
        self._pending = b""
        self._buffer = b""
        self._at = 0
        self._total = 0

    def _more(self) -> bool:
        """Inflate another piece; false at the end."""
        inflater = self._inflater
        while not inflater.eof:
            if not self._pending:
                self._pending, self._input = bytes(self._input[:_PIECE]), self._input[_PIECE:]
                if not self._pending:
                    raise UnsafeArchive("a gzip file that stops early")
            try:
                piece = inflater.decompress(self._pending, _PIECE)
            except zlib.error:
                raise UnsafeArchive("a gzip file that cannot be inflated") from None
            self._pending = inflater.unconsumed_tail
            if piece:
                self._total += len(piece)
                if self._total > MAX_INFLATED:
                    raise UnsafeArchive(f"a tar of more than {MAX_INFLATED} bytes")
                self._buffer = self._buffer[self._at :] + piece
                self._at = 0
                return True
        if inflater.unused_data.strip(b"\0") or bytes(self._input).strip(b"\0"):  # padding is common, more is hidden
            raise UnsafeArchive("bytes after the gzip file")
        return False

    def read(self, length: int) -> bytes:
        """Return ``length`` bytes, fewer at the end."""
        while len(self._buffer) - self._at < length and self._more():
            pass
        data = self._buffer[self._at : self._at + length]
        self._at += len(data)
        return data

    def skip(self, length: int) -> None:
        """Step over ``length`` bytes."""
        while length > len(self._buffer) - self._at:
            length -= len(self._buffer) - self._at
            self._at = len(self._buffer)
            if not self._more():
                raise UnsafeArchive("a tar that stops early")
        self._at += length

    def is_blank(self) -> bool:
        """Whether only zeros are left; reads to the end, and so sees that the gzip file is whole."""
        blank = not self._buffer[self._at :].strip(b"\0")
        self._at = len(self._buffer)
        while blank and self._more():
            blank = not self._buffer[self._at :].strip(b"\0")
            self._at = len(self._buffer)
        return blank


def _number(field: bytes) -> int:
    """Read an octal number; GNU's base-256 numbers are for sizes beyond 8 GiB, which are refused anyway."""
    text = field.strip(b" \0")
    try:
        number = int(text, 8) if text.isdigit() else -1
    except ValueError:
        number = -1
    if text and number < 0:
        raise UnsafeArchive("a tar header with a malformed number")
    return max(number, 0)


def _pax(data: bytes) -> dict[bytes, bytes]:
    """Read the records of a pax extended header: length, key, value, line feed."""
    found: dict[bytes, bytes] = {}
    at = 0
    while at < len(data):
        space = data.find(b" ", at, at + 8)
        if space == -1 or not data[at:space].isdigit():
            raise UnsafeArchive("a malformed pax header")
        stop = at + int(data[at:space])
        key, equals, value = data[space + 1 : stop - 1].partition(b"=")
        if stop <= space or stop > len(data) or data[stop - 1 : stop] != b"\n" or not equals or key in found:
            raise UnsafeArchive("a malformed pax header")
        found[key] = value
        at = stop
    return found


class _Header:
    """One header block."""

    __slots__ = ("kind", "name", "size")

    def __init__(self, block: bytes) -> None:
        if len(block) != _BLOCK:
            raise UnsafeArchive("a tar that stops early")
        if sum(block) - sum(block[148:156]) + 8 * 32 != _number(block[148:156]):
            raise UnsafeArchive("a tar header whose checksum is wrong")
        self.kind = block[156:157]
        self.size = _number(block[124:136])
        self.name = block[:100].partition(b"\0")[0]
        if block[257:263] == b"ustar\0":  # GNU's own magic has other things where the prefix is
            prefix = block[345:500].partition(b"\0")[0]
            self.name = prefix + b"/" + self.name if prefix else self.name


class _Names:
    """What extended headers say about the next member, until it comes."""

    def __init__(self) -> None:
        self.long_name: bytes | None = None
        self.pax: dict[bytes, bytes] = {}

    def learn(self, kind: bytes, data: bytes) -> None:
        if kind == b"L":
            self.long_name = data.rstrip(b"\0")
        elif kind == b"x":
            self.pax = _pax(data)
            if any(key.startswith(b"GNU.sparse") for key in self.pax):
                raise UnsafeArchive("a sparse member")
        elif kind == b"g" and {b"path", b"size"} & _pax(data).keys():
            raise UnsafeArchive("a global pax header that renames members")

    def apply(self, header: _Header) -> bytes:
        """Return the member's name, and forget."""
        size = self.pax.get(b"size")
        if size is not None and (not size.isdigit() or len(size) > 12 or int(size) != header.size):
            raise UnsafeArchive("a pax header and a tar header with different sizes")
        names = {name for name in (self.pax.get(b"path"), self.long_name) if name is not None}
        if len(names) > 1:
            raise UnsafeArchive("a pax header and a long name that differ")
        self.long_name, self.pax = None, {}
        return names.pop() if names else header.name


def read_members(body: bytes, wanted: Callable[[bytes], bool], limit: int) -> dict[bytes, bytes]:
    """Return the regular files of a tar whose names (without ``./``) are ``wanted``, of ``limit`` bytes each at most.

    Raises:
        UnsafeArchive: it is no gzipped tar, or malformed, ambiguous or beyond a limit; or a wanted name comes twice,
            or is not a regular file's.
    """
    inflated = _Inflated(body)
    names = _Names()
    found: dict[bytes, bytes] = {}
    for _ in range(MAX_MEMBERS):
        block = inflated.read(_BLOCK)
        if block in (b"", _ZERO_BLOCK):
            if not inflated.is_blank():
                raise UnsafeArchive("a tar with something after its end")
            return found
        header = _Header(block)
        if header.kind in (b"x", b"g", b"L", b"K"):
            if header.size > MAX_EXTENDED:
                raise UnsafeArchive(f"an extended tar header of {header.size} bytes")
            names.learn(header.kind, inflated.read(header.size))
            inflated.skip(-header.size % _BLOCK)
            continue
        name = names.apply(header).removeprefix(b"./")
        if header.kind in _EMPTY:
            if wanted(name) or (header.size and header.kind != b"1"):  # old writers give a hard link its file's size
                raise UnsafeArchive("a link, device or directory with content, or in place of a file that is needed")
            continue
        if header.kind not in _REGULAR:
            raise UnsafeArchive("a tar member of a kind that is not read")
        if not wanted(name):
            inflated.skip(header.size + -header.size % _BLOCK)
            continue
        if header.size > limit or name in found:
            raise UnsafeArchive(f"a file that is needed comes twice, or has more than {limit} bytes")
        found[name] = inflated.read(header.size)
        if len(found[name]) != header.size:
            raise UnsafeArchive("a tar that stops early")
        inflated.skip(-header.size % _BLOCK)
    raise UnsafeArchive(f"a tar of more than {MAX_MEMBERS} members")
