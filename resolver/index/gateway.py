"""The one door between packages and bytes: asks the transport, parses, and keeps what was parsed.

The transport's cache keeps bytes; the gateway keeps *facts*, keyed by the cache partition and the digest of the
body they came from, so that a warm request parses nothing. What one partition learned is never shown to another.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import time
from collections.abc import Awaitable, Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TypeVar
from urllib.parse import quote, unquote, urlsplit

from transport.fetch import Fetcher
from transport.message import CacheStatus, Index, Kind, Request, Response
from transport.turns import Turns

from ..errors import BadIndexResponse, HashMismatch, IndexFailure
from ..model import Stats
from ..provider.candidates import Project
from ..provider.requirements import Metadata, read
from .absences import Absences
from .archive import UnsafeArchive
from .closures import Closures
from .fact_store import Records
from .filename import FilenameError, parse_filename
from .instants import Instants
from .known import Known, holds_until
from .metadata import MalformedMetadata, parse_metadata
from .page import File, ProjectPage
from .page_key import PageKey
from .reading import HERE, Reader
from .sdist import pkg_info_from_sdist, static_metadata
from .sightings import Ledger
from .simple import ACCEPT, MalformedPage
from .standing import Reliance, Standing
from .standings import Standings
from .wheel import metadata_from_wheel
from .wheel_tail import NotThere, WholeFileNeeded, read_tail

T = TypeVar("T")

# Reading an archive or metadata of this size, or such requirements, takes some milliseconds: worth a hand-over.
AT_ONCE, READ_IN_THREAD, WORTH = 256 * 1024, 64 * 1024, 100  # bytes; characters, of which each text is worth so many
# A direct reference is downloaded whole, for its hash goes into the lock.
MAX_REFERENCE = 512 * 1024 * 1024
MAX_SDIST = 64 * 1024 * 1024  # an sdist is read for its PKG-INFO only


class Missing(IndexFailure):
    """The index lists a file (or the caller names a URL) that is not there: 404 or 410."""


class Gateway:
    """Projects and metadata, by name and by file. Long-lived, shared by all requests of a process."""

    def __init__(
        self,
        fetcher: Fetcher,
        turns: Turns | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        ledger: Ledger | None = None,
        records: Records | None = None,
        wall: Callable[[], float] = time.time,
        terms: str = "",
        reader: Reader | None = None,
    ) -> None:
        """``fetcher`` is the whole transport stack; ``turns`` are those it computes in, too; ``monotonic`` its clock.

        ``ledger`` knows when files without an upload time were first seen; without one, nobody does. ``records`` keep
        facts beyond the process, and by the ``wall`` clock how long pages are fresh; under other ``terms``, which say
        in any words what beside an index decides whom a request may reach, those of pages are not believed.

        Large pages are read by the ``reader`` (None: here) in one thread: a second one would but take turns with it.
        """
        self._fetcher = fetcher
        self._reader = reader or HERE
        self.turns = turns or Turns()
        self._parser = ThreadPoolExecutor(max_workers=1, thread_name_prefix="parse")
        instants = Instants(monotonic, wall)
        self._known = Known(records, instants, self._note)
        self._standings = Standings(records, instants, terms)
        self.absences = Absences(records, instants)
        self.closures = Closures(fetcher.partition, records)
        self._ledger = ledger
        self._noting: dict[int, asyncio.Future[None]] = {}
        self.monotonic = monotonic

    async def standing(self, index: Index) -> Standing:
        """What is known of ``index``, as whoever asks for it now would see it.

        Raises:
            TransportError: who we are to the index cannot be said.
        """
        partition = await self._fetcher.partition(index)
        self._known.note(index, partition)
        return self._standings.of(index, partition)

    async def holds(self, indexes: Sequence[Index], reliance: Reliance) -> bool:
        """Whether the pages that an answer rests on are what ``indexes`` would show us now, as whoever we are to them.

        Raises:
            TransportError: who we are to an index cannot be said.
        """
        if not reliance.holds(self.monotonic()):
            return False
        return reliance.standings <= {await self.standing(index) for index in indexes}

    def known_project(self, key: Hashable, *, dated: bool = False) -> Project | None:
        """The project that a :class:`Standing` has the key of; None where it was dropped to make room.

        ``dated``: None as well where :meth:`project` would have to wait for first sightings.
        """
        project = self._known.by_key(key) if isinstance(key, PageKey) else None
        return None if dated and project is not None and id(project.page) in self._noting else project

    def distrust(self) -> None:
        """Make all projects anew, from bytes: a fact that was kept proved damaged."""
        self._known.distrust()

    async def project(
        self, name: str, index: Index, *, stats: Stats, refresh: bool = False, dated: bool = False
    ) -> Project | None:
        """The project page of ``name`` on ``index``; None for a clean 404 (or 410).

        ``dated``: wait until it is known when the files that give no upload time were first seen.

        Raises:
            TransportError: no answer.
            BadIndexResponse: an answer that is no project page.
        """
        request = Request(
            *(f"{index.url}{quote(name)}/", index, Kind.PAGE, (("accept", ACCEPT),)),
            refresh=refresh,
            known=lambda stored: self._known.project(stored, name, index) is not None,
        )
        response = await self._fetch(request, stats)
        self._note_age(response, name, index, stats)
        self.closures.note(response, index)
        standing = self._standings.of(index, response.partition)
        if response.status in (404, 410) or response.status in index.ignore_error_codes:
            standing.note(name, None, response.fresh_until)
            return None
        self._expect(response, 200, index, name)
        project = self._known.project(response, name, index)
        if project is None:
            if not response.has_body:  # another's flight, and the facts were dropped meanwhile
                response = await self._fetch(replace(request, known=None, refresh=False), stats)
                self._expect(response, 200, index, name)
            parsed = await self._read_page(response, name, index)
            project = self._known.project(response, name, index)  # another may have been quicker
            if project is None:
                project = self._known.keep_project(parsed, response, name, index)
        standing.note(name, PageKey.of(response, name, index), response.fresh_until)
        noting = self._noting.get(id(project.page))
        if dated and noting is not None:
            await asyncio.shield(noting)
        return project

    def _note(self, page: ProjectPage, view: tuple[str, ...]) -> None:
        """Have the ledger note the files of a page that is new to us, beside the resolve that asked for it."""
        if self._ledger is None or page.sightings is None:
            return
        noting = asyncio.ensure_future(self._ledger.note(view, page.undated, page.sightings.tell))
        self._noting[id(page)] = noting
        noting.add_done_callback(lambda _: self._noting.pop(id(page)))

    async def metadata(
        self, name: str, file: File, index: Index, until_wanted: Callable[[], Awaitable[None]], *, stats: Stats
    ) -> Metadata:
        """The core metadata of ``file``: its ``.metadata``, else the wheel's tail, the whole wheel, or a static sdist.

        ``until_wanted`` is awaited where the ``.metadata`` is listed but not there, before the wheel is asked for.

        Raises:
            TransportError: no answer.
            Missing: the index does not have the file.
            HashMismatch: the ``.metadata`` file is not the promised one.
            BadIndexResponse: the file holds no usable metadata.
        """
        # A file never changes under its hash, and its name and index say whose it is: no need to ask the transport.
        if (known := self.known_metadata(file, index)) is not None:
            stats.cache_hits += 1
            return known
        try:
            if not file.is_wheel:
                body, until = await self._pkg_info(name, file, index, stats)
            elif file.core_metadata is not None:
                body, until = await self._metadata_file(name, file, index, until_wanted, stats)
            else:
                body, until = await self._wheel_metadata(name, file, index, stats)
        except Missing:
            self.absences.note(file, index, self._known.partition(index))
            raise
        found = await self._read_metadata(body, file, index, name)
        if found.core.name != name:
            detail = f"{file.filename} on index {index.name!r} holds the metadata of {found.core.name!r}"
            raise BadIndexResponse(detail, index=index.name, package=name)
        if not file.is_wheel and not static_metadata(found.core):
            detail = f"{file.filename} states its dependencies only when it is built, which this service does not do"
            raise BadIndexResponse(detail, index=index.name, package=name)
        self._known.keep_metadata(found, len(body), file, index, until)
        self.absences.end(file, index, self._known.partition(index))
        return found

    def known_metadata(self, file: File, index: Index) -> Metadata | None:
        """What :meth:`metadata` would return at once; None where it would have to ask or to parse."""
        return self._known.metadata(file, index)

    def absent_until(self, file: File, index: Index) -> float:
        """Until when :meth:`metadata` need not be tried, because the index lately did not have ``file``: monotonic."""
        return self.absences.until(file, index, self._known.partition(index))

    async def reference(
        self, url: str, index: Index, hashes: tuple[tuple[str, str], ...], *, stats: Stats
    ) -> tuple[File, Metadata]:
        """The file of a direct reference and its metadata. ``hashes`` are those the caller gave: one must match.

        Raises:
            TransportError, Missing, HashMismatch, BadIndexResponse: as for :meth:`metadata`.
        """
        filename = unquote(urlsplit(url).path.rsplit("/", 1)[-1])
        name = filename.partition("-")[0]
        build, tags = _tags(filename, index)
        promised = [digest for algorithm, digest in hashes if algorithm == "sha256"]
        sha256 = promised[0] if len(promised) == 1 == len(hashes) else None  # of several, any may be the right one
        request = Request(url, index, Kind.FILE, max_bytes=MAX_REFERENCE, sha256=sha256)
        response = await self._fetch(request, stats)
        self._expect(response, 200, index, name, filename)
        digests = {("sha256", response.digest)}
        for algorithm in {algorithm for algorithm, _ in hashes} & {"sha384", "sha512", "blake2b"}:
            digests.add((algorithm, hashlib.new(algorithm, response.body).hexdigest()))
        if hashes and not digests.intersection(hashes):
            raise HashMismatch.of(filename, hashes, tuple(digests), index.name, name)
        key = (response.partition, response.digest, filename)
        found = self._known.reference(key)
        if found is None:
            look = metadata_from_wheel if filename.endswith(".whl") else pkg_info_from_sdist
            body = await self._parse(response.body, lambda: look(response.body, filename), index, name)
            if body is None:
                raise BadIndexResponse(f"{filename} holds no static metadata", index=index.name, package=name)
            found = await self._read_metadata(body, None, index, filename)
            if tags is None and not static_metadata(found.core):
                detail = f"{filename} states its dependencies only when it is built, which this service does not do"
                raise BadIndexResponse(detail, index=index.name, package=name)
            self._known.keep_reference(key, found, len(body))
        self._note_age(response, found.core.name, index, stats)
        file = File(
            filename=filename,
            url=url,
            hashes=(("sha256", response.digest),),
            tags=tags,
            build=build,
            size=len(response.body),
            requires_python=found.core.requires_python,
        )
        return file, found

    # -- bytes -------------------------------------------------------------------

    async def _fetch(self, request: Request, stats: Stats) -> Response:
        response = await self._fetcher.fetch(request)
        if response.cache in (CacheStatus.HIT, CacheStatus.STALE):
            stats.cache_hits += 1
        if response.cache is not CacheStatus.JOINED:
            stats.requests += response.requests
        return response

    @staticmethod
    def _note_age(response: Response, name: str, index: Index, stats: Stats) -> None:
        """Note a stale copy of what may change; a file that was listed with its hash has not changed."""
        if response.cache is CacheStatus.STALE:
            stats.stale[name, index.name] = response.age

    @staticmethod
    def _expect(response: Response, status: int, index: Index, name: str, what: str = "its page") -> None:
        if response.status == status:
            return
        if response.status in (404, 410):
            raise Missing(f"{what} is not on index {index.name!r}", index=index.name, package=name)
        detail = f"index {index.name!r} answered {response.status} for {what} of {name!r}"
        raise BadIndexResponse(detail, index=index.name, package=name)

    async def _metadata_file(
        self, name: str, file: File, index: Index, until_wanted: Callable[[], Awaitable[None]], stats: Stats
    ) -> tuple[bytes, float]:
        """The ``.metadata`` file, and until when it holds (see :func:`.known.holds_until`); so the next two."""
        promised = dict(file.core_metadata or ())
        request = Request(f"{file.url}.metadata", index, Kind.METADATA, sha256=promised.get("sha256"))
        response = await self._fetch(request, stats)
        if response.status in (404, 410):
            await until_wanted()
            return await self._wheel_metadata(name, file, index, stats)
        self._expect(response, 200, index, name, f"{file.filename}.metadata")
        sha256 = promised.get("sha256")
        if sha256 is not None:
            if sha256 != response.digest:
                found = (("sha256", sha256),), (("sha256", response.digest),)
                raise HashMismatch.of(f"{file.filename}.metadata", *found, index.name, name)
        else:
            for algorithm, digest in promised.items():
                if algorithm in hashlib.algorithms_guaranteed and not algorithm.startswith("shake"):
                    actual = hashlib.new(algorithm, response.body).hexdigest()
                    if actual != digest:
                        found = (((algorithm, digest),), ((algorithm, actual),))
                        raise HashMismatch.of(f"{file.filename}.metadata", *found, index.name, name)
        return response.body, holds_until(response, index, is_proved=sha256 is not None)

    async def _wheel_metadata(self, name: str, file: File, index: Index, stats: Stats) -> tuple[bytes, float]:
        until = math.inf

        async def fetch_range(value: str) -> Response:
            nonlocal until
            response = await self._fetch(Request(file.url, index, Kind.RANGE, (("range", value),)), stats)
            until = min(until, holds_until(response, index, is_proved=False))
            return response

        try:
            return await read_tail(file.filename, fetch_range), until
        except NotThere:
            raise Missing(f"{file.filename} is not on index {index.name!r}", index=index.name, package=name) from None
        except WholeFileNeeded:
            response = await self._fetch(_file_request(file, index, MAX_REFERENCE), stats)
            self._expect(response, 200, index, name, file.filename)
            is_proved = self._verify(response, file, index, name)
            body = response.body
            body = await self._parse(body, partial(metadata_from_wheel, body, file.filename), index, name)
            return body, holds_until(response, index, is_proved=is_proved)
        except UnsafeArchive as error:
            raise BadIndexResponse(f"{file.filename}: {error}", index=index.name, package=name) from None

    async def _pkg_info(self, name: str, file: File, index: Index, stats: Stats) -> tuple[bytes, float]:
        response = await self._fetch(_file_request(file, index, MAX_SDIST), stats)
        self._expect(response, 200, index, name, file.filename)
        is_proved = self._verify(response, file, index, name)
        body = await self._parse(response.body, lambda: pkg_info_from_sdist(response.body, file.filename), index, name)
        if body is None:
            raise BadIndexResponse(f"{file.filename} has no PKG-INFO", index=index.name, package=name)
        return body, holds_until(response, index, is_proved=is_proved)

    @staticmethod
    def _verify(response: Response, file: File, index: Index, name: str) -> bool:
        """Check the hash that the page gives; return whether it gives one that was checked."""
        promised = dict(file.hashes).get("sha256")
        if promised is not None and promised != response.digest:
            found = (("sha256", promised),), (("sha256", response.digest),)
            raise HashMismatch.of(file.filename, *found, index.name, name)
        return promised is not None

    # -- parsing -----------------------------------------------------------------

    async def _read_page(self, response: Response, name: str, index: Index) -> Project:
        body, limit = response.body, self._reader.at_once
        read = (self._reader if len(body) > limit else HERE).read
        args = body, response.headers.get("content-type", ""), response.url, name
        page, versions = await self._parse(body, lambda: read(*args), index, name, limit)
        return Project(name, index.name, index.url, page, versions)

    async def _parse(self, body: bytes, parse: Callable[[], T], index: Index, name: str, limit: int = AT_ONCE) -> T:
        try:
            if len(body) > limit:
                return await self._beside(parse)
            async with self.turns:
                return parse()
        except (MalformedPage, MalformedMetadata, UnsafeArchive) as error:
            detail = f"index {index.name!r} sent something unusable for {name!r}: {error}"
            raise BadIndexResponse(detail, index=index.name, package=name) from None

    async def _read_metadata(self, body: bytes, file: File | None, index: Index, name: str) -> Metadata:
        await self.turns.moment()
        try:
            core = parse_metadata(body) if len(body) <= AT_ONCE else await self._beside(parse_metadata, body)
        except MalformedMetadata as error:
            detail = f"the metadata of {name if file is None else file.filename}: {error}"
            raise BadIndexResponse(detail, index=index.name, package=name) from None
        is_short = sum([len(text) + WORTH for text in core.requires_dist]) <= READ_IN_THREAD
        return read(core) if is_short else await self._beside(read, core)

    async def _beside(self, work: Callable[..., T], *args: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._parser, partial(work, *args))


def _file_request(file: File, index: Index, max_bytes: int) -> Request:
    """With the listed hash, so that other bytes are not kept: they would be the answer of the next hour, too."""
    return Request(file.url, index, Kind.FILE, max_bytes=max_bytes, sha256=dict(file.hashes).get("sha256"))


def _tags(filename: str, index: Index) -> tuple[str | None, str | None]:
    """The build tag and the tag set of a file name; (None, None) for an sdist."""
    try:
        parsed = parse_filename(filename)
    except FilenameError as error:
        raise BadIndexResponse(f"{filename[:120]!r} is no wheel or sdist: {error}", index=index.name) from None
    return parsed.build, parsed.tags
