"""Who reads project pages: this process, or another one that has the time.

A page of five thousand files takes some 20 ms to read, and as long as Python reads it nothing else runs in the process.
A resolver that is given a :class:`Reader` elsewhere only unpacks what that one made of the page: a record, as the store
of facts keeps it.
"""

from __future__ import annotations

from typing import Protocol

from ..provider.versions import VersionList
from .fact_store import pack_page, unpack_page
from .packed import PackedReleases
from .page import ProjectPage
from .simple import parse_page


class Reader(Protocol):
    """Reads pages; called in threads."""

    at_once: int
    """Bytes of a page that is read on the event loop: less work than to have it done."""

    def read(self, body: bytes, content_type: str, url: str, name: str) -> tuple[ProjectPage, VersionList]:
        """Do as :func:`.simple.parse_page` does, and list the versions.

        Raises:
            MalformedPage: what came is no page of the project.
        """
        ...


class Here:
    """Reads them in the thread that asks."""

    at_once = 256 * 1024  # some milliseconds

    def read(self, body: bytes, content_type: str, url: str, name: str) -> tuple[ProjectPage, VersionList]:
        """Read a page."""
        page = parse_page(body, content_type, url, name)
        return page, VersionList(page.texts)  # sorted by version, equal ones joined


HERE = Here()


def read_packed(body: bytes, content_type: str, url: str, name: str) -> bytes:
    """Read a page for somebody else, who then calls :func:`unpacked`.

    Raises:
        MalformedPage: as :meth:`Reader.read` does.
    """
    page, versions = HERE.read(body, content_type, url, name)
    releases = page.releases
    assert isinstance(releases, PackedReleases)
    rows = releases.parts[1]
    assert isinstance(rows, bytes), "a parser has all rows at hand"
    return pack_page(page, releases, versions, rows, None)


def unpacked(record: bytes) -> tuple[ProjectPage, VersionList]:
    """Return what :func:`read_packed` read."""
    return unpack_page(record, lambda: None)
