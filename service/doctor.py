"""``/v1/indexes/{name}/doctor``: what an index supports, how it lets us in, how fast it is, and what to change.

An examination goes the road first (name, address, handshake), then asks at most :data:`MAX_REQUESTS` times, with a
transport of its own: nothing comes from a cache, and nothing is retried.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any

import orjson

from resolver.index.page import File, ProjectPage
from resolver.index.simple import ACCEPT, MalformedPage, parse_page
from transport.errors import CredentialMissing, TransportError, Unauthorized
from transport.fetch import Fetcher
from transport.message import Authenticate, CacheStatus, Index, Kind, Request, Response
from transport.road import Step, survey
from transport.settings import TransportSettings
from transport.stack import RequestRecord, open_stack

from .prescription import advise
from .problems import from_error, to_document

MAX_REQUESTS = 12
MAX_SECONDS = 45.0  # all in all: a client waits for it
STEP_SECONDS = 5.0  # a step that takes longer has failed anyone who waits for a lock
FIRST_GUESS = "pip"  # what nearly every index has that has public projects at all
MAX_LISTING = 8 * 1024 * 1024  # the list of a private index; that of a large public one is not worth its size
MAX_AT_ONCE = 2  # an examination is for a person; nobody should be able to make a load test of it
TIMED = 2
_ANCHOR = re.compile(rb"<a\s[^>]*>\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*</a>", re.IGNORECASE)


@dataclass(slots=True)
class Report:
    """What was found."""

    index: Index
    project: str | None = None
    steps: list[Step] = field(default_factory=list)
    supports: dict[str, bool | None] = field(default_factory=dict)
    """None: it could not be found out."""
    authenticated: bool = False
    anonymous: str | None = None
    """What somebody without our credential gets: ``refused``, ``same``, ``other``; None: not asked."""
    missing_status: int | None = None
    """The answer to a name that does not exist."""
    milliseconds: list[float] = field(default_factory=list)
    """Of pages, the first one with a new connection."""
    requests: int = 0
    seconds: float = 0.0
    problem: dict[str, object] | None = None
    is_corrupt: bool = False

    def add(self, name: str, detail: str, *, is_ok: bool = True, seconds: float = 0.0) -> None:
        """Note a step."""
        self.steps.append(Step(name, is_ok, detail, seconds))

    def to_json(self) -> dict[str, Any]:
        """Return the answer of the API."""
        index = self.index
        return {
            "index": index.name,
            "url": index.url,
            "ok": self.problem is None and all(step.is_ok for step in self.steps),
            "project": self.project,
            "steps": [
                {
                    "name": step.name,
                    "ok": step.is_ok,
                    "detail": step.detail,
                    "ms": round(step.seconds * 1000, 1),
                    **({"facts": dict(step.facts)} if step.facts else {}),
                }
                for step in self.steps
            ],
            "authentication": {
                "policy": index.authenticate.value,
                "sent": self.authenticated,
                "anonymous": self.anonymous,
            },
            "supports": dict(self.supports),
            "missing_status": self.missing_status,
            "timing": {
                "first_ms": self.milliseconds[0] if self.milliseconds else None,
                "median_ms": round(median(self.milliseconds[1:]), 1) if self.milliseconds[1:] else None,
            },
            "advice": advise(
                index,
                self.supports,
                steps=self.steps,
                anonymous=self.anonymous,
                missing_status=self.missing_status,
                median_ms=median(self.milliseconds[1:]) if self.milliseconds[1:] else None,
                has_project=self.project is not None,
            ),
            "requests": self.requests,
            "seconds": round(self.seconds, 3),
            "problem": self.problem,
            "integrity": not self.is_corrupt,
        }


class Doctor:
    """Examines configured indexes."""

    def __init__(self, settings: TransportSettings) -> None:
        self._settings = replace(
            settings,
            cache_dir=None,
            retries=0,
            connect=min(settings.connect, STEP_SECONDS),
            first_byte=min(settings.first_byte, 2 * STEP_SECONDS),
        )
        self._turns = asyncio.Semaphore(MAX_AT_ONCE)

    async def examine(self, index: Index, project: str | None = None) -> Report:
        """Examine ``index``. ``project`` is one that it has; None: guess one."""
        async with self._turns:
            return await self._examine(index, project)

    async def _examine(self, index: Index, project: str | None) -> Report:
        report, records, started = Report(index), list[RequestRecord](), time.monotonic()
        try:
            async with asyncio.timeout(MAX_SECONDS):
                report.steps += await survey(
                    index, patience=STEP_SECONDS, deny_private=self._settings.private_addresses == "deny"
                )
                async with open_stack(self._settings, on_request=records.append) as fetcher:
                    await _Examination(report, fetcher, records).run(project)
        except TimeoutError:
            report.add("time", f"the examination was ended after {MAX_SECONDS:.0f} s", is_ok=False)
        except TransportError as error:
            name = "credential" if isinstance(error, CredentialMissing | Unauthorized) else "page"
            report.add(name, error.text, is_ok=False)
            report.problem = to_document(from_error(error))
        report.requests = sum(record.requests for record in records)
        report.seconds = time.monotonic() - started
        return report


class _Examination:
    """The questions, in order."""

    def __init__(self, report: Report, fetcher: Fetcher, records: list[RequestRecord]) -> None:
        self._report = report
        self._fetcher = fetcher
        self._records = records
        self._index = report.index

    async def run(self, project: str | None) -> None:
        """Ask them.

        Raises:
            TransportError: the index does not give its first page.
        """
        report = self._report
        name, response = await self._first_page(project)
        if response is None:
            report.add("page", f"there is no project {name}" if name else "no project is known to look at", is_ok=False)
            return
        report.project = name
        elsewhere = [one.url for one in self._records if one.hop]
        if elsewhere:
            report.add("redirect", f"pages come from {elsewhere[-1].split('/simple')[0]}")
        try:
            page = parse_page(response.body, response.headers.get("content-type"), response.url, name)
        except MalformedPage as error:
            report.add("page", str(error), is_ok=False)
            return
        report.add("page", f"{name}: {len(page.releases)} releases in {len(response.body)} bytes")
        self._look_at(response, page)
        questions: tuple[Callable[[], Awaitable[None]], ...] = (
            lambda: self._revalidate(name, response),
            lambda: self._metadata(page),
            lambda: self._range(page),
            self._missing,
            lambda: self._anonymous(name, response),
            *[lambda: self._time(name)] * TIMED,
        )
        for question in questions:
            if sum(record.requests for record in self._records) >= MAX_REQUESTS - 1:
                break  # redirects cost requests, too
            try:
                await question()
            except TransportError as error:
                report.add("later request", error.text, is_ok=False)

    async def _first_page(self, project: str | None) -> tuple[str, Response | None]:
        name = project or FIRST_GUESS
        response = await self._page(name)
        if response.status == 404 and project is None:
            name = await self._listed() or ""
            response = await self._page(name) if name else response
        return name, response if response.status == 200 else None

    async def _page(self, name: str, index: Index | None = None, *, is_timed: bool = True) -> Response:
        index = index or self._index
        started = time.monotonic()
        request = Request(f"{index.url}{name}/", index, Kind.PAGE, (("accept", ACCEPT),), refresh=True)
        response = await self._fetcher.fetch(request)
        if index is self._index:
            self._report.authenticated = self._records[-1].authenticated or self._report.authenticated
            if response.status == 200 and is_timed:
                self._report.milliseconds.append(round((time.monotonic() - started) * 1000, 1))
        return response

    async def _listed(self) -> str | None:
        """Return the first name of the index's own list of projects, where it has one that can be read."""
        request = Request(
            self._index.url, self._index, Kind.PAGE, (("accept", ACCEPT),), refresh=True, max_bytes=MAX_LISTING
        )
        try:
            response = await self._fetcher.fetch(request)
        except TransportError as error:
            self._report.add("listing", error.text)
            return None
        if response.status != 200:
            return None
        if "json" in response.headers.get("content-type", ""):
            try:
                projects = orjson.loads(response.body)["projects"]
                name = next((str(one["name"]) for one in projects), None)
            except (orjson.JSONDecodeError, KeyError, TypeError):
                return None
        else:
            found = _ANCHOR.search(response.body)
            name = found[1].decode("ascii") if found is not None else None
        return None if name is None else re.sub(r"[-_.]+", "-", name).lower()

    def _look_at(self, response: Response, page: ProjectPage) -> None:
        """Read off the first page what it tells by itself."""
        files = _files(page)
        headers, wheels = response.headers, [file for file in files if file.is_wheel]
        self._report.supports |= {
            "json": "json" in headers.get("content-type", ""),
            "gzip": bool(headers.get("content-encoding")),
            "validators": "etag" in headers or "last-modified" in headers,
            "hashes": all(any(name == "sha256" for name, _ in file.hashes) for file in files) if files else None,
            "upload_times": all(file.upload_time for file in files) if files else None,
            "sizes": all(file.size is not None for file in files) if files else None,
            "core_metadata": any(file.core_metadata is not None for file in wheels) if wheels else None,
        }

    async def _revalidate(self, name: str, first: Response) -> None:
        again = await self._page(name)
        self._report.supports["not_modified"] = again.cache is CacheStatus.REVALIDATED
        if again.digest != first.digest:
            self._report.add("same page twice", "the index answered differently; are there replicas that differ?")

    async def _metadata(self, page: ProjectPage) -> None:
        file = next((one for one in _files(page) if one.core_metadata is not None), None)
        if file is None:
            return
        response = await self._fetcher.fetch(Request(f"{file.url}.metadata", self._index, Kind.METADATA))
        promised = dict(file.core_metadata or ()).get("sha256")
        if response.status != 200:
            self._report.supports["core_metadata"] = False
            self._report.add("metadata", f"{file.filename}.metadata is announced and answers {response.status}")
        elif promised not in {None, response.digest}:
            self._report.is_corrupt = True
            detail = f"{file.filename}.metadata is not what the page promises: {promised}, got {response.digest}"
            self._report.add("metadata", detail, is_ok=False)
        else:
            self._report.add("metadata", f"{file.filename}.metadata has {len(response.body)} bytes")

    async def _range(self, page: ProjectPage) -> None:
        file = next((one for one in reversed(_files(page)) if one.is_wheel), None)
        if file is None:
            return
        request = Request(file.url, self._index, Kind.RANGE, (("range", "bytes=-512"),), max_bytes=MAX_LISTING)
        response = await self._fetcher.fetch(request)
        self._report.supports["ranges"] = response.status == 206 and len(response.body) <= 512

    async def _missing(self) -> None:
        name = f"lockwright-doctor-{secrets.token_hex(4)}"
        try:
            self._report.missing_status = (await self._page(name, is_timed=False)).status
        except TransportError as error:
            self._report.missing_status = error.status

    async def _anonymous(self, name: str, first: Response) -> None:
        if not self._report.authenticated:
            return
        stranger = replace(self._index, credential=None, authenticate=Authenticate.NEVER)
        try:
            response = await self._page(name, stranger)
        except Unauthorized:
            self._report.anonymous = "refused"
            return
        if response.status == 200:
            self._report.anonymous = "same" if response.digest == first.digest else "other"
        else:
            self._report.anonymous = "refused"

    async def _time(self, name: str) -> None:
        await self._page(name)


def _files(page: ProjectPage) -> list[File]:
    """Return the files of the newest release that has a wheel, else of the newest."""
    for release in reversed(page.releases):
        if release.wheels:
            return list(release.wheels)
    newest = page.releases[-1:] or ()
    return [release.sdist for release in newest if release.sdist is not None]
