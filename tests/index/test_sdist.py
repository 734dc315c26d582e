"""PKG-INFO out of sdists."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.index.archive import UnsafeArchive
from resolver.index.sdist import pkg_info_from_sdist

from .archives import make_tar, make_zip

NAME = "foo-1.0.tar.gz"
INFO = b"Metadata-Version: 2.2\nName: foo\nVersion: 1.0\n"
TOP = "foo-1.0/PKG-INFO"
KINDS = {"pax": tarfile.PAX_FORMAT, "gnu": tarfile.GNU_FORMAT, "ustar": tarfile.USTAR_FORMAT}


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_the_top_level_pkg_info_of_a_tar_is_found(kind: int) -> None:
    body = make_tar(
        (special("foo-1.0", tarfile.DIRTYPE), b""),
        ("foo-1.0/" + "d/" * 60 + "long.py", b"x" * 600_000),
        (special("foo-1.0/link", tarfile.SYMTYPE, "/etc/passwd"), b""),
        ("foo-1.0/foo.egg-info/PKG-INFO", b"other"),
        (TOP, INFO),
        ("foo-1.0/é" + "é" * (0 if kind == tarfile.USTAR_FORMAT else 200), b"last"),
        kind=kind,
    )
    assert pkg_info_from_sdist(body, NAME) == INFO


def test_the_top_level_pkg_info_of_a_zip_is_found() -> None:
    body = make_zip(("foo-1.0/a/PKG-INFO", b"other"), (TOP, INFO))
    assert pkg_info_from_sdist(body, "foo-1.0.zip") == INFO
    assert pkg_info_from_sdist(body, "Foo-1.0.0.zip") == INFO


def test_a_legacy_name_is_compared_with_the_directory_as_it_is() -> None:
    assert pkg_info_from_sdist(make_tar(("foo-1.0-rc1/PKG-INFO", INFO)), "foo-1.0-rc1.tar.gz") == INFO


def test_an_sdist_without_pkg_info_has_none() -> None:
    assert pkg_info_from_sdist(make_tar(("foo-1.0/setup.py", b"")), NAME) is None
    assert pkg_info_from_sdist(make_tar(), NAME) is None
    assert pkg_info_from_sdist(make_zip(("foo-1.0/setup.py", b"")), "foo-1.0.zip") is None


def pax_size() -> bytes:
    """A pax header whose size is not the tar header's: two readers would see different members."""
    info = tarfile.TarInfo(TOP)
    info.pax_headers = {"size": "0"}
    return make_tar((info, INFO))


def raw(*blocks: bytes) -> bytes:
    return gzip.compress(b"".join(blocks))


def header(name: str, size: bytes = b"0", kind: bytes = b"0") -> bytes:
    block = bytearray(tarfile.TarInfo(name).tobuf(tarfile.USTAR_FORMAT))
    block[124:136] = size.ljust(12, b"\0")
    block[156:157] = kind
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


UNSAFE = {
    "not gzip": (make_zip((TOP, INFO)), "not a gzip"),
    "truncated gzip": (make_tar((TOP, INFO))[:-12], "stops early|cannot be inflated"),
    "damaged gzip": (make_tar((TOP, INFO))[:40] + b"\xff" * 40, "inflated|early"),
    "suffix": (make_tar((TOP, INFO)) + make_zip((TOP, INFO)), "after the gzip"),
    "no tar": (gzip.compress(b"x" * 2000), "number|checksum"),
    "twice": (make_tar((TOP, INFO), (TOP, b"other")), "twice"),
    "dot twice": (make_tar((TOP, INFO), ("./" + TOP, b"other")), "twice"),
    "two tops": (make_tar((TOP, INFO), ("bar-1.0/PKG-INFO", b"other")), "several"),
    "other top": (make_tar(("bar-1.0/PKG-INFO", INFO)), "file name"),
    "link": (make_tar((special(TOP, tarfile.SYMTYPE, "/etc/passwd"), b"")), "in place of"),
    "hard link": (make_tar((special(TOP, tarfile.LNKTYPE, "x"), b"")), "in place of"),
    "too long": (make_tar((TOP, bytes((4 << 20) + 1))), "bytes"),
    "pax size": (pax_size(), "different sizes"),
    "sparse": (raw(header("x", kind=b"S"), bytes(1024)), "kind"),
    "negative size": (raw(header("x", b"-1"), bytes(1024)), "number"),
    "base-256 size": (raw(header("x", b"\x80" + bytes(10) + b"\1"), bytes(1024)), "number"),
    "size beyond the end": (raw(header("x", b"7777777"), bytes(1024)), "early"),
    "after the end": (raw(bytes(1024), header("x"), bytes(1024)), "after its end"),
    "long name too long": (raw(header("x", b"7777777", b"L"), bytes(1024)), "extended"),
    "global rename": (raw(header("x", b"%o" % 12, b"g"), b"12 path=abc\n".ljust(512, b"\0"), bytes(1024)), "renames"),
    "pax garbage": (raw(header("x", b"5", b"x"), b"99999".ljust(512, b"\0"), bytes(1024)), "malformed pax"),
}


@pytest.mark.parametrize(("body", "reason"), UNSAFE.values(), ids=UNSAFE.keys())
def test_an_unsafe_tar_is_refused_with_its_reason(body: bytes, reason: str) -> None:
    with pytest.raises(UnsafeArchive, match=reason):
        pkg_info_from_sdist(body, NAME)


def test_a_bomb_is_stepped_through_to_the_limit_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resolver.index.tar.MAX_INFLATED", 8 << 20)
    with pytest.raises(UnsafeArchive, match="more than"):
        pkg_info_from_sdist(make_tar(("foo-1.0/big", bytes(16 << 20)), (TOP, INFO)), NAME)


def test_a_name_that_is_no_sdists_is_refused() -> None:
    with pytest.raises(UnsafeArchive, match="file name"):
        pkg_info_from_sdist(b"", "foo-1.0.tar.bz2")


TAR = gzip.decompress(make_tar(("foo-1.0/a" + "b" * 120, b"1"), (TOP, INFO), kind=tarfile.GNU_FORMAT))
ZIP = make_zip((TOP, INFO))


@given(st.lists(st.tuples(st.integers(0, 4000), st.binary(max_size=3)), max_size=3))
def test_a_damaged_sdist_gives_what_tarfile_reads_or_an_error_of_ours(damage: list[tuple[int, bytes]]) -> None:
    changed = bytearray(TAR)
    for at, value in damage:
        changed[at : at + len(value)] = value
    try:
        found = pkg_info_from_sdist(gzip.compress(bytes(changed), 1), NAME)
    except UnsafeArchive:
        return
    if found is not None:
        with tarfile.open(fileobj=io.BytesIO(bytes(changed))) as archive:
            member = archive.extractfile(TOP)
            assert member is not None
            assert member.read() == found


@given(st.binary(max_size=100), st.integers(0, 10))
def test_any_bytes_are_no_sdist(body: bytes, keep: int) -> None:
    for whole, name in ((body, NAME), (body, "foo-1.0.zip"), (struct.pack("<3B", 31, 139, 8) + body, NAME)):
        try:
            assert pkg_info_from_sdist(ZIP[: keep * 10] + whole, name) is None
        except UnsafeArchive:
            continue
