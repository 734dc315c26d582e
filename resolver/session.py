"""What one resolve has asked so far: each page and each metadata file once, whatever asks for it.

A page is read once per resolve, so that one resolve sees one snapshot of it. Everything that was started for a
resolve ends with it: :meth:`Session.close` cancels what is still under way.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from transport.errors import TransportError, Unauthorized
from transport.message import Index

from .absent_names import AbsentNames
from .closure import closures
from .errors import BudgetExhausted, Fault, IndexFailure, InvalidQuery, Place
from .fallbacks import Fallbacks, FileKey
from .index.gateway import Gateway, Missing
from .index.page import File
from .index.standing import Page, PageKey, Reliance, Standing
from .model import IndexStrategy, Pin, Query, Stats
from .provider.candidates import Project
from .provider.policy import cutoff
from .provider.requirements import Metadata
from .spending import Spending
from .tasks import Tasks


class Session:
    """The asynchronous memo of one resolve."""

    def __init__(self, query: Query, gateway: Gateway, stats: Stats) -> None:
        """``stats`` is counted up as the session goes."""
        self._query = query
        self._gateway = gateway
        self._stats = stats
        self._spending = Spending(query.budget, stats)
        self._max_packages = query.budget.packages
        self._by_name = {index.name: index for index in query.indexes}
        self._order = tuple(index for index in query.indexes if not index.explicit)
        self._order_names = [index.name for index in self._order]
        self._projects: dict[tuple[str, str | None], asyncio.Task[tuple[Project, ...]]] = {}
        self._metadata: dict[FileKey, asyncio.Task[Metadata]] = {}
        self._fallbacks = Fallbacks()
        self._tasks = Tasks()
        self.start = self._tasks.start
        self.at_end = self._tasks.at_end
        self._standings: dict[str, Standing] = {}
        self._known: dict[tuple[str, str | None], tuple[Project, ...]] = {}
        self._sole: dict[str, Project] = {}
        self._stood: dict[tuple[str, str], PageKey | None] = {}
        """(index, name) → the page that was read; absent where it held for this resolve only."""
        self._relied: dict[tuple[str, str | None], None] = {}
        self._expires = math.inf
        self._changes: dict[str, timedelta] = {}
        self._absent_until = math.inf
        """Until when files count as absent that this resolve itself asked for in vain."""
        self._now = gateway.monotonic()
        self._absences_ended = gateway.absences.ended
        self.turns = gateway.turns
        self.slowest: list[tuple[str, float]] = []
        self.contested: tuple[str, ...] = ()
        """The projects that most conflicts of a long search were about, the worst first."""
        self.allowance: int | None = None
        """How many facts more may be asked for; None: as many as it takes."""
        self._has_waited = False
        """Whether something had to be asked for."""
        self._absent_names = AbsentNames({one.requirement.name for one in (*query.requirements, *query.overrides)})
        stated = (one.requirement for one in query.requirements)
        self._roots = sorted({(one.name, *sorted(one.extras)) for one in stated})
        self._referenced: dict[tuple[str, str, tuple[tuple[str, str], ...]], asyncio.Task[tuple[File, Metadata]]] = {}

    def _spend(self, name: str) -> None:
        if self.allowance is not None:
            self.allowance -= 1
            if self.allowance < 0:
                raise BudgetExhausted(f"no more facts may be asked for; the next is about {name}", (name,), {})

    async def begin(self) -> None:
        """Look up what is known of the indexes: what is fresh now is fresh for this resolve."""
        if self._query.refresh:
            return
        for index in self._query.indexes:
            try:
                self._standings[index.name] = await self._gateway.standing(index)
            except TransportError:
                continue  # whoever asks the index will hear it, too

    async def recall(self) -> set[str]:
        """The names that earlier resolves of the same roots asked about. The first time only: then they are known."""
        if self._has_waited:
            return set()
        self._has_waited = True
        try:
            return await self._gateway.closures.recall(self._query.indexes, self._where(), self._roots)
        except TransportError:
            return set()  # whoever asks the index will hear it, too

    async def remember(self, resolutions: Sequence[Mapping[str, Pin]]) -> None:
        """Remember for later resolves what this one asked about, and which names came with each root in the end."""
        if not self._has_waited:
            return
        names = {name for name, _ in self._relied}
        found = await closures(self._roots, resolutions)
        with suppress(TransportError):
            await self._gateway.closures.keep(self._query.indexes, self._where(), names, found)

    def _where(self) -> str:
        """For which environments the query is: others need other names."""
        return "universal" if self._query.universal else ",".join(sorted(one.key for one in self._query.targets))

    def known_projects(self, name: str, pinned_index: str | None) -> tuple[Project, ...] | None:
        """What :meth:`projects` would find, where no index has to be asked; else None."""
        key = (name, pinned_index)
        known = self._known.get(key)
        if known is None:
            task = self._projects.get(key)
            if task is None:
                known = self._find_known(name, pinned_index)
            elif task.done() and not task.cancelled() and task.exception() is None:
                known = task.result()
            if known is not None:
                self._known[key] = known
        return known

    def sole_project(self, name: str) -> Project | None:
        """Of :meth:`known_projects`, where ``name`` is pinned to no index, if it is one."""
        sole = self._sole.get(name)
        if sole is None:
            known = self.known_projects(name, None)
            if known is None or len(known) != 1:
                return None
            sole = self._sole[name] = known[0]
        return sole

    def _find_known(self, name: str, pinned_index: str | None) -> tuple[Project, ...] | None:
        if pinned_index is not None:
            order: Iterable[str] = (pinned_index,)
        elif self._query.options.index_strategy is IndexStrategy.FIRST_INDEX:
            order = self._order_names
        else:
            return None
        for index in order:
            found = self._stands(name, index, self._now)
            if found is None:
                return None
            self._stats.cache_hits += 1
            page = self._stood[index, name] = found[0]
            if page is not None:
                project = self._gateway.known_project(page, dated=self._is_dated(name))
                if project is None:
                    return None
                self._stats.projects += 1
                self._spending.look_at(name, project.versions.count)
                return (project,)
        return () if self._order and pinned_index is None and self._absent_names.believe(name) else None

    def doubt(self) -> bool:
        """Ask for every name from now on that no index had; False: each was asked for as it is."""
        believed = self._absent_names.doubt()
        for name in believed:
            del self._known[name, None]
        return bool(believed)

    def _stands(self, name: str, index: str, now: float) -> Page | None:
        """What is known of the page of ``name`` on an index, and until when; None where it has to be asked."""
        standing = self._standings.get(index)
        return None if standing is None else standing.get(name, now)

    def _is_absent(self, name: str, index: Index) -> bool:
        """Whether ``index`` lately did not have ``name``, and may be passed over for the next one."""
        found = self._stands(name, index.name, self._now)
        if found is None or found[0] is not None:
            return False
        self._stood[index.name, name] = None
        return True

    async def close(self) -> None:
        """End what still runs beside the resolve."""
        await self._tasks.end()
        for tasks in (self._projects, self._metadata, self._referenced):
            tasks.clear()  # what failed refers to whoever waited for it, and these to us

    def projects(self, name: str, pinned_index: str | None) -> asyncio.Task[tuple[Project, ...]]:
        """The pages of ``name`` that count, by the priority of their indexes; none where no index knows the name.

        It is one page at most, unless the query asks for a strategy that merges indexes.
        """
        key = (name, pinned_index)
        task = self._projects.get(key)
        if task is None or _was_spared(task):
            task = self._projects[key] = self.start(self._find(name, pinned_index))
        return task

    async def _find(self, name: str, pinned_index: str | None) -> tuple[Project, ...]:
        self._spend(name)
        if pinned_index is not None:
            index = self._by_name.get(pinned_index)
            if index is None:
                known = ", ".join(sorted(self._by_name)) or "none"
                place = Place(pointer=f"/options/packages/{name}/index")
                detail = f"there is no index named {pinned_index!r}; known indexes: {known}"
                raise InvalidQuery((Fault(place, detail),))
            project = await self._page(name, index)
            return () if project is None else (project,)
        if self._query.options.index_strategy is not IndexStrategy.FIRST_INDEX:
            return await self._find_everywhere(name)
        # First index: the one that answers for a name owns it. Merging versions of several indexes would let anyone who
        # can publish on the public one replace a private package (dependency confusion).
        passed_over = [index for index in self._order if self._is_absent(name, index)]
        asked = [index for index in self._order if index not in passed_over]
        for index in (*asked, *passed_over):
            project = await self._page(name, index)
            if project is not None:
                return (project,)
        return ()

    async def _find_everywhere(self, name: str) -> tuple[Project, ...]:
        """Ask all indexes at once. One that fails, fails the whole: without it the answer would be another."""
        pages = [self.start(self._page(name, index)) for index in self._order]
        if pages:
            await asyncio.wait(pages)
        found = [page.result() for page in pages]
        return tuple(project for project in found if project is not None)

    async def _page(self, name: str, index: Index) -> Project | None:
        """The page of ``name`` on ``index``; None for a clean 404 or 410, or what the operator says means the same."""
        await self.turns.moment()
        self._spending.ask(name)
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            project = await self._gateway.project(
                name,
                index,
                stats=self._stats,
                refresh=self._query.refresh,
                dated=self._is_dated(name),
            )
        except TransportError as error:
            if error.status in index.ignore_error_codes:
                return None
            refused = isinstance(error, Unauthorized)
            raise IndexFailure.unanswered(name, index.name, error.text, is_refusal=refused) from error
        found = self._stands(name, index.name, self._gateway.monotonic())
        if found is not None:
            self._stood[index.name, name] = found[0]
        self._stats.projects += 1
        if project is not None:
            self._spending.look_at(name, project.versions.count)
        self._note(name, loop.time() - started)
        return project

    def rely_on(self, name: str, pinned_index: str | None) -> None:
        """Note that the answer depends on the pages of ``name``: what is only fetched ahead is none of it.

        Raises:
            BudgetExhausted: it depends on too many.
        """
        self._relied[name, pinned_index] = None
        if len(self._relied) > self._max_packages:
            raise self._spending.too_many([one for one, _ in self._relied])

    def note_change(self, name: str, later: timedelta) -> None:
        """Note that the same age, counted from ``later``, admits more files of ``name``."""
        self._changes[name] = later

    @property
    def relied(self) -> Iterable[tuple[str, str | None]]:
        """What :meth:`rely_on` was told."""
        return self._relied

    @property
    def now(self) -> float:
        """When the resolve began, monotonic seconds."""
        return self._now

    @property
    def holds_until(self) -> float:
        """Until when all that was answered holds, if the pages do: files that are absent may come."""
        return min(self._expires, self._absent_until)

    @property
    def stands(self) -> Callable[[], bool]:
        """Tells whether every file that counted as absent still does; until when is for :attr:`holds_until` to say."""
        if self.holds_until == math.inf:
            return lambda: True
        gateway, ended = self._gateway, self._absences_ended
        return lambda: gateway.absences.ended == ended

    def expire_at(self, until: float) -> None:
        """The answer rests on something that holds so long only."""
        self._expires = min(self._expires, until)

    def reliance(self) -> Reliance | None:
        """What the answer rests on; None where something would have to be asked for again each time."""
        if self._query.options.index_strategy is not IndexStrategy.FIRST_INDEX:
            return None
        pages: dict[tuple[Standing, str], PageKey | None] = {}
        for name, pinned_index in self._relied:
            for index in self._order if pinned_index is None else (self._by_name[pinned_index],):
                standing = self._standings.get(index.name)
                if standing is None or (index.name, name) not in self._stood:
                    return None
                page = pages[standing, name] = self._stood[index.name, name]
                if page is not None:
                    break
        changes = [self._changes[name] for name, _ in self._relied if name in self._changes]
        return Reliance(pages, self.holds_until, min(changes, default=None), self.stands)

    def _is_dated(self, name: str) -> bool:
        """Whether it matters when files of ``name`` were uploaded."""
        return cutoff(self._query.options, name) is not None

    def metadata(self, project: Project, file: File, *, is_guess: bool = False) -> asyncio.Task[Metadata]:
        """The metadata of ``file``, a wheel or an sdist of ``project``; of a guess, see :class:`.Fallbacks`."""
        key = (project.index_name, project.name, file.filename)
        if not is_guess:
            self._fallbacks.want(key)
        task = self._metadata.get(key)
        if task is None or _was_spared(task):
            task = self._metadata[key] = self.start(self._read(project, file))
        return task

    def known_metadata(self, project: Project, file: File) -> Metadata | None:
        """The metadata of ``file`` if it is there already, without waiting."""
        task = self._metadata.get((project.index_name, project.name, file.filename))
        if task is None:
            return self._gateway.known_metadata(file, self.index_of(project))
        return task.result() if task.done() and not task.cancelled() and task.exception() is None else None

    def is_absent(self, project: Project, file: File) -> bool:
        """Whether it is known without asking that the index does not have ``file``, which it lists."""
        task = self._metadata.get((project.index_name, project.name, file.filename))
        if task is None:
            until = 0.0 if self._query.refresh else self._gateway.absent_until(file, self.index_of(project))
            if until > self._now:
                self.expire_at(until)
            return until > self._now
        if not (task.done() and not task.cancelled() and isinstance(task.exception(), Missing)):
            return False
        self._absent_until = min(self._absent_until, self._gateway.absent_until(file, self.index_of(project)))
        return True

    def index_of(self, project: Project) -> Index:
        """The index whose page ``project`` is."""
        return self._by_name[project.index_name]

    async def _read(self, project: Project, file: File) -> Metadata:
        self._spend(project.name)
        index = self.index_of(project)
        await self.turns.moment()
        self._spending.ask(project.name)
        loop = asyncio.get_running_loop()
        started = loop.time()

        async def until_wanted() -> None:
            nonlocal started
            asked = loop.time()
            await self._fallbacks.until_wanted((project.index_name, project.name, file.filename))
            started += loop.time() - asked  # nobody waited for it meanwhile

        try:
            metadata = await self._gateway.metadata(project.name, file, index, until_wanted, stats=self._stats)
        except TransportError as error:
            refused = isinstance(error, Unauthorized)
            raise IndexFailure.unanswered(project.name, index.name, error.text, is_refusal=refused) from error
        self._stats.metadata += 1
        self._note(project.name, loop.time() - started)
        return metadata

    async def reference(self, url: str, index: Index, hashes: tuple[tuple[str, str], ...]) -> tuple[File, Metadata]:
        """The file at ``url`` of a direct reference, and its metadata."""
        self._expires = 0.0  # what is there may be another file the next time
        key = (url, index.name, hashes)
        task = self._referenced.get(key)
        if task is None:
            task = self._referenced[key] = self.start(self._gateway.reference(url, index, hashes, stats=self._stats))
        return await asyncio.shield(task)

    def _note(self, name: str, seconds: float) -> None:
        # Enough for "what was slow": the five slowest of what took more than a millisecond.
        if seconds > 0.001:
            self.slowest.append((name, seconds * 1000))
            if len(self.slowest) > 64:  # trim now and then
                self.slowest = sorted(self.slowest, key=lambda item: -item[1])[:5]


def _was_spared(task: asyncio.Task[Any]) -> bool:
    """Whether something was not asked for, because the allowance of that time was spent."""
    return task.done() and not task.cancelled() and isinstance(task.exception(), BudgetExhausted)
