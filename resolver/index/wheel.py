"""The METADATA of a wheel, from as few of its bytes as possible (PEP 427: read from the end).

What lives here: which bytes are needed next. What does not: fetching them. A :class:`WheelReader` is asked for its
next event, as h11's connections are, and fed what the network brought, in whatever pieces:

    reader = WheelReader(filename, size)
    while not isinstance(event := reader.next_event(), Found):
        ...  # fetch event's range; a server that ignores ranges answers with the whole file, which does too
        reader.feed(start, total, data)

Invariant: the answer depends on the file only, never on how it was cut into pieces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .archive import Entry, Missing, UnsafeArchive, Window, read_directory, read_member
from .filename import FilenameError, normalised, parse_filename, version_of

FIRST_TAIL = 16 << 10  # bytes; holds directory and METADATA of most wheels, whose writers put .dist-info last
MAX_ROUNDS = 6  # tail, longer tail, ZIP64 record, directory, member, and one to spare


@dataclass(frozen=True, slots=True)
class NeedSuffix:
    """The last ``length`` bytes (``Range: bytes=-length``); a shorter file is sent whole."""

    length: int


@dataclass(frozen=True, slots=True)
class NeedRange:
    """The bytes from ``start`` to ``stop``, exclusive (``Range: bytes=start-(stop-1)``)."""

    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Found:
    """The content of METADATA: the end."""

    metadata: bytes


class WheelReader:
    """Finds METADATA in a wheel that is fetched in pieces."""

    def __init__(self, filename: str, size: int | None = None) -> None:
        """``filename`` says whose metadata it has to be; ``size`` in bytes, where the index gives it.

        Raises:
            UnsafeArchive: ``filename`` is no wheel's.
        """
        self._filename = filename
        self._distribution = _distribution(filename)
        self._window = Window(size) if size is not None else None
        self._entries: tuple[Entry, ...] | None = None
        self._rounds = 0

    def next_event(self) -> NeedSuffix | NeedRange | Found:
        """Return what is needed next, or what was found.

        Raises:
            UnsafeArchive: the wheel cannot be trusted, or has no metadata of its own name and version.
        """
        if self._window is None:
            return NeedSuffix(FIRST_TAIL)
        try:
            if self._entries is None:
                self._entries = read_directory(self._window, FIRST_TAIL)
            return Found(read_member(self._window, _metadata_entry(self._entries, self._distribution)))
        except Missing as missing:
            return NeedRange(missing.start, missing.stop)

    def feed(self, start: int, total: int, data: bytes) -> None:
        """Take bytes that were fetched: ``data`` begins at ``start`` of a file of ``total`` bytes.

        Raises:
            UnsafeArchive: the file has another size than was said before, or the pieces do not help.
        """
        if self._window is None:
            self._window = Window(total)
        if total != self._window.size or not 0 <= start <= start + len(data) <= total:
            raise UnsafeArchive(f"a file of {self._window.size} bytes was expected, and {total} came")
        self._rounds += 1
        if self._rounds > MAX_ROUNDS:
            raise UnsafeArchive("the ranges that the server sends are not those that were asked for")
        self._window.add(start, data)


def metadata_from_wheel(body: bytes, filename: str) -> bytes:
    """Return the METADATA of a wheel that is in memory as a whole.

    Raises:
        UnsafeArchive: the wheel cannot be trusted, or has no metadata of its own name and version.
    """
    reader = WheelReader(filename, len(body))
    reader.feed(0, len(body), body)
    event = reader.next_event()
    assert isinstance(event, Found)  # nothing can be missing of a whole file
    return event.metadata


def _distribution(filename: str) -> tuple[str, object]:
    try:
        parsed = parse_filename(filename)
    except FilenameError as error:
        raise UnsafeArchive(f"not a wheel's file name: {error}") from None
    if parsed.tags is None:
        raise UnsafeArchive("not a wheel's file name")
    return parsed.name, parsed.version


def _metadata_entry(entries: Sequence[Entry], distribution: tuple[str, object]) -> Entry:
    """Find the one ``NAME-VERSION.dist-info/METADATA`` at the top level.

    File systems and installers fold case and slashes: what one of them could take for a second METADATA is one.
    """
    candidates = []
    for entry in entries:
        path = [part for part in entry.name.replace(b"\\", b"/").lower().split(b"/") if part not in (b"", b".")]
        if len(path) == 2 and path[1] == b"metadata" and path[0].endswith(b".dist-info"):
            candidates.append(entry)
    if not candidates:
        raise UnsafeArchive("a wheel without METADATA")
    if len(candidates) > 1:
        raise UnsafeArchive("a wheel with several METADATA files")
    entry = candidates[0]
    directory, _, member = entry.name.decode("utf-8", "replace").partition("/")
    name, _, version = directory.removesuffix(".dist-info").rpartition("-")
    if member != "METADATA" or (normalised(name), version_of(version)) != distribution:
        raise UnsafeArchive("a wheel whose .dist-info is not that of its file name")
    return entry
