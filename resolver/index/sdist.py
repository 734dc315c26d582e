"""The PKG-INFO of an sdist, read in memory: nothing is extracted, nothing is run (PEP 517, 625, 643)."""

from __future__ import annotations

from .archive import UnsafeArchive, Window, read_directory, read_member
from .filename import FilenameError, normalised, parse_filename, sdist_stem, version_of
from .metadata import MAX_METADATA
from .page import CoreMetadata
from .tar import read_members

_DEPENDENCIES = frozenset({"requires-dist", "requires-python", "provides-extra"})


def pkg_info_from_sdist(body: bytes, filename: str) -> bytes | None:
    """Return ``NAME-VERSION/PKG-INFO`` of a ``.tar.gz`` or ``.zip``; None where the sdist has none.

    The kind of archive is what the name says, and the bytes have to agree from the first to the last: what is a zip
    to one reader and a tar to another is refused.

    Raises:
        UnsafeArchive: the archive is malformed, ambiguous or beyond a limit; it has several PKG-INFO at that level,
            or its directory is not that of its file name.
    """
    stem = sdist_stem(filename)
    if stem is None:
        raise UnsafeArchive("not an sdist's file name")
    if filename[-4:].lower() == ".zip":
        window = Window(len(body))
        window.add(0, body)
        entries = [entry for entry in read_directory(window) if _is_pkg_info(entry.name)]
        found = {entry.name: read_member(window, entry) for entry in entries[:2]}
    else:
        found = read_members(body, _is_pkg_info, MAX_METADATA)
    if not found:
        return None
    if len(found) > 1:
        raise UnsafeArchive("an sdist with several PKG-INFO files at its top")
    ((path, content),) = found.items()
    _check_top(path.partition(b"/")[0].decode("utf-8", "replace"), stem, filename)
    return content


def _is_pkg_info(path: bytes) -> bool:
    return path.count(b"/") == 1 and path.endswith(b"/PKG-INFO")


def _check_top(top: str, stem: str, filename: str) -> None:
    """The top-level directory has to be the file name's, whatever the spelling of name and version."""
    if top == stem:
        return
    try:
        parsed = parse_filename(filename)
    except FilenameError as error:
        raise UnsafeArchive(f"not an sdist's file name: {error}") from None
    name, _, version = top.rpartition("-")
    if (normalised(name), version_of(version)) != (parsed.name, parsed.version):
        raise UnsafeArchive("an sdist whose top-level directory is not that of its file name")


def static_metadata(meta: CoreMetadata) -> bool:
    """Whether an sdist's metadata holds for every wheel built from it, as far as a resolver needs it (PEP 643)."""
    major, _, minor = meta.metadata_version.partition(".")
    if not (major.isdecimal() and minor.isdecimal() and len(meta.metadata_version) <= 8):
        return False
    return (int(major), int(minor)) >= (2, 2) and not _DEPENDENCIES & meta.dynamic
