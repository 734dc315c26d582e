"""METADATA out of wheels: what the standard library reads of honest ones, and nothing of the others."""

from __future__ import annotations

import io
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.index.archive import UnsafeArchive
from resolver.index.wheel import Found, NeedRange, NeedSuffix, WheelReader, metadata_from_wheel

from .archives import MEMBER, METADATA, NAME, make_wheel, make_zip

WHEELS = {
    f"{method}-{streamed}-{zip64}": make_wheel(method, streamed=streamed, zip64=zip64)
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    for streamed in (False, True)
    for zip64 in (False, True)
}


def read_by_ranges(body: bytes, filename: str = NAME, size: int | None = None) -> tuple[bytes, list[int]]:
    """Read as a client of an honest server does; the lengths of what was asked for."""
    reader, asked = WheelReader(filename, size), []
    while not isinstance(event := reader.next_event(), Found):
        start, stop = event.start if isinstance(event, NeedRange) else max(0, len(body) - event.length), len(body)
        stop = event.stop if isinstance(event, NeedRange) else stop
        asked.append(stop - start)
        reader.feed(start, len(body), body[start:stop])
    return event.metadata, asked


@pytest.mark.parametrize("body", WHEELS.values(), ids=WHEELS.keys())
def test_a_wheel_of_any_honest_writer_is_read_whole_or_by_ranges(body: bytes) -> None:
    assert metadata_from_wheel(body, NAME) == METADATA
    assert read_by_ranges(body) == (METADATA, [min(len(body), 16 << 10)])
    assert read_by_ranges(body, size=len(body))[0] == METADATA


def test_a_large_wheel_costs_its_tail_its_directory_and_its_metadata() -> None:
    filler = [(f"foo/{'x' * 200}{number}.py", b"") for number in range(300)]
    body = make_zip((MEMBER, METADATA), ("foo/big", bytes(200_000)), *filler, method=zipfile.ZIP_STORED)
    found, asked = read_by_ranges(body)
    assert found == METADATA
    assert len(asked) == 3
    assert sum(asked) < len(body) - 200_000 + (16 << 10)


def test_the_first_event_asks_for_a_suffix_or_for_the_tail_of_a_known_size() -> None:
    assert WheelReader(NAME).next_event() == NeedSuffix(16 << 10)
    assert WheelReader(NAME, 100_000).next_event() == NeedRange(100_000 - (16 << 10), 100_000)


def test_a_file_of_another_size_than_was_said_is_refused() -> None:
    body = make_wheel()
    with pytest.raises(UnsafeArchive, match="expected"):
        WheelReader(NAME, len(body) + 1).feed(0, len(body), body)


def test_a_server_that_sends_other_ranges_does_not_keep_the_reader_busy() -> None:
    reader = WheelReader(NAME, 100_000)
    for _ in range(6):
        assert isinstance(reader.next_event(), NeedRange)
        reader.feed(0, 100_000, b"x")
    with pytest.raises(UnsafeArchive, match="ranges"):
        reader.feed(0, 100_000, b"x")


def test_an_end_record_behind_a_comment_is_found() -> None:
    body = bytearray(make_wheel())
    struct.pack_into("<H", body, len(body) - 2, 30_000)
    body += b" " * 30_000
    assert metadata_from_wheel(bytes(body), NAME) == METADATA
    assert read_by_ranges(bytes(body))[0] == METADATA


def patched(at: Callable[[bytes], int], value: bytes, body: bytes | None = None) -> bytes:
    """Overwrite bytes of a wheel."""
    changed = bytearray(body or make_wheel())
    place = at(bytes(changed))
    changed[place : place + len(value)] = value
    return bytes(changed)


def local(offset: int) -> Callable[[bytes], int]:
    """Place in the local header of METADATA."""
    return lambda body: body.index(MEMBER.encode()) - 30 + offset


def central(offset: int) -> Callable[[bytes], int]:
    """Place in the directory entry of METADATA."""
    return lambda body: body.rindex(MEMBER.encode()) - 46 + offset


def end(offset: int) -> Callable[[bytes], int]:
    """Place in the end record."""
    return lambda body: len(body) - 22 + offset


def descriptor(body: bytes) -> int:
    """Place of the checksum after the content of METADATA."""
    return body.index(b"PK\x07\x08", body.index(MEMBER.encode())) + 4


def renamed(name: str) -> bytes:
    return make_zip((MEMBER, METADATA), (name, b"other"))


def with_unicode_path() -> bytes:
    info = zipfile.ZipInfo("foo/a")
    name = b"foo-1.0.dist-info/METADATA"
    info.extra = struct.pack("<HHBL", 0x7075, 5 + len(name), 1, zlib.crc32(b"foo/a")) + name
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(MEMBER, METADATA)
        archive.writestr(info, b"")
    return file.getvalue()


def duplicated() -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make_zip((MEMBER, METADATA), (MEMBER, b"other"))


WHEEL = make_wheel()
UNSAFE = {
    "empty": (b"", "no ZIP archive"),
    "html": (b"<html>" * 100, "no end record"),
    "prefix": (b"#!/bin/sh\n" + WHEEL, "bytes before"),
    "suffix": (WHEEL + b"x", "after the end record"),
    "two archives": (WHEEL + WHEEL, "bytes before"),
    "truncated": (WHEEL[:-30], "no end record"),
    "several disks": (patched(end(4), b"\1"), "disks"),
    "more entries than said": (patched(end(8), b"\2\0\2\0"), "longer or shorter"),
    "fewer entries than said": (patched(end(8), b"\4\0\4\0"), "longer or shorter"),
    "directory size": (patched(end(12), b"\1"), "between|before"),
    "zip64 missing": (patched(end(16), b"\xff\xff\xff\xff"), "ZIP64"),
    "encrypted": (patched(central(8), b"\1", patched(local(6), b"\1")), "encrypted"),
    "flags differ": (patched(local(6), b"\2"), "another name, method or flags"),
    "method differs": (patched(local(8), b"\0"), "another name, method or flags"),
    "method unknown": (patched(central(10), b"\x0c", patched(local(8), b"\x0c")), "compression method 12"),
    "name differs": (patched(local(30), b"F"), "another name"),
    "local size differs": (patched(local(22), b"\1"), "another size"),
    "local size zero": (patched(local(18), bytes(8)), "another size"),
    "checksum differs": (patched(central(16), bytes(4), patched(local(14), bytes(4))), "checksum"),
    "compressed size too long": (patched(central(20), b"\xff\xff"), "overlap"),
    "size too long": (patched(central(24), b"\xff\xff\x7f"), "at most"),
    "offset elsewhere": (patched(central(42), b"\1"), "overlap"),
    "duplicate": (duplicated(), "that of another"),
    "case": (renamed("foo-1.0.dist-info/metadata"), "several"),
    "backslash": (renamed("foo-1.0.dist-info\\METADATA"), "several"),
    "dot": (renamed("./foo-1.0.dist-info/METADATA"), "several"),
    "two distributions": (renamed("bar-1.0.dist-info/METADATA"), "several"),
    "no metadata": (make_zip(("foo/a", b"")), "without METADATA"),
    "no members": (make_zip(), "without METADATA"),
    "nested": (make_zip((f"x/{MEMBER}", METADATA)), "without METADATA"),
    "other project": (make_zip(("bar-1.0.dist-info/METADATA", METADATA)), "file name"),
    "other version": (make_zip(("foo-1.1.dist-info/METADATA", METADATA)), "file name"),
    "bomb": (make_zip((MEMBER, bytes(5 << 20))), "at most"),
    "unicode path": (with_unicode_path(), "Unicode path"),
    "descriptor": (
        patched(descriptor, b"\0\0\0\0", WHEELS["8-True-False"]),
        "descriptor",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("body", "reason"), UNSAFE.values(), ids=UNSAFE.keys())
def test_an_unsafe_wheel_is_refused_with_its_reason(body: bytes, reason: str) -> None:
    with pytest.raises(UnsafeArchive, match=reason):
        metadata_from_wheel(body, NAME)
    with pytest.raises(UnsafeArchive, match=reason):
        read_by_ranges(body)


def test_a_bomb_that_lies_about_its_size_is_not_inflated() -> None:
    body = make_zip((MEMBER, bytes(50 << 20)))
    small = struct.pack("<L", 1000)
    body = patched(central(24), small, patched(local(22), small, body))
    with pytest.raises(UnsafeArchive, match="longer or shorter"):
        metadata_from_wheel(body, NAME)


def test_entries_that_share_their_bytes_are_refused() -> None:
    """Overlap is how 57 KB declare 10 GB."""
    one = make_zip(("a", b"x" * 100), (MEMBER, METADATA), method=zipfile.ZIP_STORED)
    body = bytearray(one)
    struct.pack_into("<L", body, bytes(body).rindex(MEMBER.encode()) - 4, 0)
    with pytest.raises(UnsafeArchive, match="overlap"):
        metadata_from_wheel(bytes(body), NAME)


@pytest.mark.parametrize("name", ["foo.tar.gz", "foo-1.0.zip", "foo.whl", "", "\0"])
def test_a_name_that_is_no_wheels_is_refused(name: str) -> None:
    with pytest.raises(UnsafeArchive, match="file name"):
        WheelReader(name)


@given(
    st.sampled_from(list(WHEELS.values())),
    st.lists(st.tuples(st.integers(0, 10_000), st.binary(max_size=4)), max_size=4),
)
def test_a_damaged_wheel_gives_its_metadata_or_an_error_of_ours(body: bytes, damage: list[tuple[int, bytes]]) -> None:
    changed = bytearray(body)
    for place, value in damage:
        at = len(changed) - 1 - place % len(changed)
        changed[at : at + len(value)] = value
    try:
        found = metadata_from_wheel(bytes(changed), NAME)
    except UnsafeArchive:
        return
    assert found == METADATA
    with zipfile.ZipFile(io.BytesIO(bytes(changed))) as archive:
        assert archive.read(MEMBER) == found


@given(st.binary(max_size=120), st.booleans())
def test_any_bytes_are_no_wheel(body: bytes, is_tail: bool) -> None:  # noqa: FBT001
    with pytest.raises(UnsafeArchive):
        metadata_from_wheel(body + WHEEL[-22:] if is_tail else body, NAME)
