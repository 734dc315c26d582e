"""Direct references: requirements that name a file by URL instead of a version by specifier (PEP 508, ``name @ url``).

A reference replaces the index for its project. Only the caller's own statements may make one: a package that pulls
in another by URL would decide where its users download from.
"""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from packaging.version import Version

from transport.errors import TransportError
from transport.message import Index

from .environment.place import Place as Where
from .environment.place import evaluate
from .errors import Fault, IndexFailure, InvalidQuery
from .index.gateway import Missing
from .index.page import ProjectPage, Release
from .model import Query, Stated
from .provider.candidates import Project
from .provider.requirements import Metadata
from .provider.versions import VersionList
from .requirement import Requirement
from .session import Session


def without_fragment(url: str) -> str:
    """The URL that is fetched and locked."""
    return url.partition("#")[0]


class References:
    """The direct references of one query in one place."""

    def __init__(self, query: Query, place: Where, session: Session) -> None:
        """Collect them; nothing is fetched before :meth:`open`."""
        self._query = query
        self._session = session
        self._stated: dict[str, list[Stated]] = {}
        replaced = {stated.requirement.name for stated in query.overrides}
        required = (stated for stated in query.requirements if stated.requirement.name not in replaced)
        for stated in (*required, *query.constraints, *query.overrides):
            requirement = stated.requirement
            if requirement.url is not None and (requirement.marker is None or evaluate(requirement.marker, place)):
                self._stated.setdefault(requirement.name, []).append(stated)
        self._projects: dict[str, Project] = {}
        self._metadata: dict[str, Metadata] = {}

    async def open(self) -> None:
        """Fetch every referenced file.

        Raises:
            InvalidQuery: two references of one project differ, or the file is not the project's.
            IndexFailure: a file cannot be fetched.
        """
        faults: list[Fault] = []
        for name, stated in self._stated.items():
            urls = {without_fragment(one.requirement.url or "") for one in stated}
            if len(urls) > 1:
                faults += [
                    Fault(one.place, f"{name} is requested from {len(urls)} different URLs; keep one of them")
                    for one in stated
                ]
        if faults:
            raise InvalidQuery(tuple(faults), is_requirement=True)
        await asyncio.gather(*(self._fetch(name, stated[0]) for name, stated in self._stated.items()))

    async def _fetch(self, name: str, stated: Stated) -> None:
        url = without_fragment(stated.requirement.url or "")
        index = self._index_for(url)
        hashes = tuple(sorted({one for each in self._stated[name] for one in each.hashes}))
        try:
            file, metadata = await self._session.reference(url, index, hashes)
        except Missing:
            fault = Fault(stated.place, f"there is no file at the URL of {name}; check the address")
            raise InvalidQuery((fault,), is_requirement=True) from None
        except TransportError as error:
            raise IndexFailure(f"{name} cannot be fetched: {error.text}", index=index.name, package=name) from error
        if metadata.core.name != name:
            fault = Fault(stated.place, f"the file at the URL of {name} is of the project {metadata.core.name}")
            raise InvalidQuery((fault,), is_requirement=True)
        version = Version(metadata.core.version)
        signature = frozenset({(file.tags, file.requires_python, False)})
        release = Release(
            version,
            str(version),
            (file,) if file.is_wheel else (),
            None if file.is_wheel else file,
            signature,
        )
        self._projects[name] = Project(
            name, index.name, "", ProjectPage(name, url, (release,)), VersionList.of((version,))
        )
        self._metadata[name] = metadata

    def _index_for(self, url: str) -> Index:
        """The index whose file ``url`` is, for its credentials; none's, where that is not certain.

        It is the one with the longest path that leads to ``url``; else the only one on that origin, whose files may
        lie elsewhere. Of several on one origin none is guessed at: each could have another's password to lose.
        """
        origin = _origin(url)
        on_origin = [index for index in self._query.indexes if _origin(index.url) == origin]
        above = [index for index in on_origin if urlsplit(url).path.startswith(_root(index))]
        if above:
            return max(above, key=lambda index: len(_root(index)))
        if len(on_origin) == 1:
            return on_origin[0]
        scheme, authority = urlsplit(url)[:2]
        return Index(name="direct reference", url=f"{scheme}://{authority}/", configured=False)

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._stated)

    def project(self, name: str) -> Project | None:
        """The one-version project of a referenced name."""
        return self._projects.get(name)

    def metadata(self, name: str) -> Metadata | None:
        """The metadata of a referenced name."""
        return self._metadata.get(name)

    def url(self, name: str) -> str | None:
        """The reference to write into the lock."""
        project = self._projects.get(name)
        return None if project is None else project.page.url

    def covers(self, requirement: Requirement) -> bool:
        """Whether the caller stated the same reference that a package requires."""
        return requirement.url is not None and self.url(requirement.name) == without_fragment(requirement.url)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port; an explicit default port is the same as none."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _root(index: Index) -> str:
    """The path below which an index keeps its pages and mostly its files; it ends in a slash."""
    path = urlsplit(index.url).path
    return path.removesuffix("simple/").removesuffix("+") if path.endswith(("/simple/", "/+simple/")) else path
