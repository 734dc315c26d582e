"""What is known of an index: facts that were parsed once, in memory, and beyond the process as records.

Facts are keyed by the cache partition and by the digest of what they were made of, so a page that is confirmed, or
comes again byte for byte, keeps its facts, and what one partition learned is never shown to another.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from dataclasses import replace

from transport.message import Index, Response

from ..provider.candidates import Project
from ..provider.outlook import Outlook
from ..provider.requirements import Metadata
from ..provider.views import Views
from .fact_store import FactStore, Records
from .facts import Facts
from .instants import Instants
from .page import File, ProjectPage
from .page_key import PageKey
from .selections import Selections

# Facts of a real closure of 600 projects come from 110 MB of pages and 85 MB of metadata.
MAX_PAGE_FACTS = 192 * 1024 * 1024
MAX_METADATA_FACTS = 64 * 1024 * 1024
VIEWS = 64 * 1024  # bytes, beside what a page was made of: releases that were unpacked, and pins
MAX_UNRECORDED = 100_000  # files; some 200 bytes each
MAX_INDEXES = 256  # whose partition is remembered; requests may name indexes of their own


class Known:
    """Projects by page, metadata by file."""

    def __init__(
        self,
        records: Records | None,
        instants: Instants,
        on_new: Callable[[ProjectPage, tuple[str, ...]], None] = lambda *_: None,
    ) -> None:
        """``records`` keep facts beyond the process; None: nothing does.

        ``on_new`` is told of each page that was not in memory, and whose eyes saw it: partition, index, name.
        """
        self._on_new = on_new
        self._views = Views()
        self._pages: Facts[Project] = Facts(MAX_PAGE_FACTS, self._part)
        self._metadata: Facts[Metadata] = Facts(MAX_METADATA_FACTS)
        self._records = records
        self._store = FactStore(records, instants) if records is not None else None
        self._is_trusting = True
        self._unrecorded: set[Hashable] = set()
        """Files of whose metadata there was no record: a first resolve asks for each several times."""
        self._partitions: dict[Index, str] = {}
        """Whose answers an index gives: what is learned of the files that its pages list is kept as theirs."""

    @staticmethod
    def _part(project: Project) -> None:
        if project.views is not None:
            project.views.drop([one for one in project.outlooks.values() if isinstance(one, Outlook)])

    def note(self, index: Index, partition: str) -> None:
        """A request to ``index`` that is made now is in ``partition``."""
        if index not in self._partitions:
            while len(self._partitions) >= MAX_INDEXES:
                del self._partitions[next(iter(self._partitions))]
        self._partitions[index] = partition

    def partition(self, index: Index) -> str | None:
        """The partition that was last noted of ``index``."""
        return self._partitions.get(index)

    def by_key(self, key: PageKey) -> Project | None:
        """The project of a key, if it is in memory or there is a record."""
        project = self._pages.get(key)
        if project is None and self._store is not None and self._is_trusting:
            found = self._store.page(*key.of_record)
            if found is not None:
                page, versions, weight = found
                of = key.name, key.index_name, key.index_url
                project = Project(*of, page, versions, kept=self._selections(key), views=self._views)
                self._pages.put(key, project, weight + VIEWS)
                self._on_new(page, (key.partition, key.index_url, key.name))
        return project

    def _selections(self, key: PageKey) -> Selections | None:
        return None if self._records is None or not self._is_trusting else Selections(self._records, key.of_record)

    def distrust(self) -> None:
        """Forget all pages, and believe no more records of pages: one of them proved damaged."""
        self._views = Views()
        self._pages = Facts(MAX_PAGE_FACTS, self._part)
        self._is_trusting = False

    def project(self, response: Response, name: str, index: Index) -> Project | None:
        """The project that was once made of the body of ``response``, whether or not the body is there."""
        if index not in self._partitions:
            self.note(index, response.partition)
        return self.by_key(PageKey.of(response, name, index))

    def keep_project(self, project: Project, response: Response, name: str, index: Index) -> Project:
        """Keep what was made of the body of ``response``, and return it as it is kept."""
        key = PageKey.of(response, name, index)
        is_kept = self._store is not None and may_keep(response, index, "api")
        kept = self._selections(key) if is_kept else None
        project = replace(project, kept=kept, views=self._views)
        self._pages.put(key, project, len(response.body) + VIEWS)
        self._on_new(project.page, (response.partition, index.url, name))
        if self._store is not None and is_kept:
            self._store.keep_page(project.page, project.versions, *key.of_record)
        return project

    def metadata(self, file: File, index: Index) -> Metadata | None:
        """The metadata of ``file``, which never changes under its hash."""
        key = (index, file.url, file.hashes)
        known = self._metadata.get(key)
        if known is not None or self._store is None or (partition := self._partitions.get(index)) is None:
            return known
        if (partition, key) in self._unrecorded:
            return None
        found = self._store.metadata(partition, file)
        if found is None:
            if len(self._unrecorded) >= MAX_UNRECORDED:
                self._unrecorded.clear()
            self._unrecorded.add((partition, key))
            return None
        known, weight = found
        self._metadata.put(key, known, weight)
        return known

    def keep_metadata(self, metadata: Metadata, weight: int, file: File, index: Index, until: float) -> None:
        """Keep the metadata of ``file``, beyond the process ``until`` then (see :func:`holds_until`)."""
        self._metadata.put((index, file.url, file.hashes), metadata, weight)
        partition = self._partitions.get(index)
        self._unrecorded.discard((partition, (index, file.url, file.hashes)))
        if until > 0.0 and self._store is not None and partition is not None:
            self._store.keep_metadata(metadata, partition, file, until)

    def reference(self, key: Hashable) -> Metadata | None:
        """The metadata of a direct reference, by what it was made of."""
        return self._metadata.get(key)

    def keep_reference(self, key: Hashable, metadata: Metadata, weight: int) -> None:
        """Keep the metadata of a direct reference, as long as the process lives."""
        self._metadata.put(key, metadata, weight)


def holds_until(response: Response, index: Index, *, is_proved: bool) -> float:
    """Until when what was read of ``response`` may be kept as what the index says of a file, monotonic seconds.

    What a hash of a page proved never changes; anything else holds as long as the response is fresh.
    """
    if not may_keep(response, index, "files"):
        return 0.0
    return math.inf if is_proved else response.fresh_until


def may_keep(response: Response, index: Index, what: str) -> bool:
    """Whether facts may outlive the process: not where the index, or the operator in its place, says ``no-store``.

    ``what`` is ``api`` for pages and ``files`` for what they list, as in the operator's settings.
    """
    said = index.cache_control.get(what) if index.cache_control else None
    return "no-store" not in (response.headers.get("cache-control", "") if said is None else said).lower()
