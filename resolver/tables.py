"""The tables of one place: what its solver is told about the versions of each project, and what they were made from."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from .environment.place import Place
from .model import Query
from .name import Name, name_of
from .provider.candidates import MAX_AT_ONCE, Candidates, Filtering, Project, keep_selection, select, takes_long
from .provider.cutoffs import put_down
from .provider.outlook import Outlook, known_outlook, outlook
from .provider.policy import Order, Policies
from .provider.selection import Selection
from .provider.standpoint import Standpoint, Standpoints
from .provider.strategy import merge
from .provider.versions import VersionList
from .references import References
from .segments import Breath, Pace
from .session import Session
from .solver import Dependency, Exclusion, Package

BEGUN_AT_ONCE = 128  # tables in one pass of the event loop, some 30 µs each before they first wait


class ExtraTable(Candidates):
    """The same versions for an extra; the project's own table already says what is excluded."""

    __slots__ = ()

    def exclusions(self) -> Sequence[Exclusion]:
        """None: they are facts about the project, to which the extra is tied."""
        return ()


class Tables:
    """Made once per project, and shared by its extras."""

    def __init__(
        self,
        query: Query,
        place: Place,
        policies: Policies,
        session: Session,
        references: References,
        on_wait: Callable[[], None],
    ) -> None:
        """``on_wait`` is called whenever an index has to be asked."""
        self.standpoints = Standpoints(policies, place)
        self._policies = policies
        self._query = query
        self._place = place
        self._session = session
        self._references = references
        self._on_wait = on_wait
        self._is_plain = not (query.preferences or query.options.packages or references)
        """Whether nothing is said of projects but by the caller's statements."""
        self._outlooks: dict[str, Outlook] = {}
        self._tables: dict[str, Candidates] = {}
        self._making: dict[str, asyncio.Task[None]] = {}
        session.at_end(self._making.clear)  # what was cancelled refers to where it waited, and that to us
        self._extra_tables: dict[str, ExtraTable] = {}
        self._extras_of: defaultdict[str, set[str]] = defaultdict(set)

    def ready(self, package: Name) -> Candidates | None:
        """The solver's table for a project or an extra of it; None where an index has to be asked."""
        table = self.foreseen(package)
        self._rely(*package)
        return table

    def foreseen(self, package: Name) -> Candidates | None:
        """The same where it is only looked at: the answer may do without it."""
        name, extra = package
        table = self._tables.get(name) or self.ready_project(name)
        if table is None or extra is None:
            return table
        tied = self._extra_tables.get(name)
        if tied is None:
            tied = self._extra_tables[name] = table.copy_as(ExtraTable)
        return tied

    def rely_on(self, packages: Iterable[Name]) -> None:
        """The answer has these packages, or might have had them."""
        for name, extra in packages:
            self._rely(name, extra)

    def _rely(self, name: str, extra: str | None) -> None:
        if extra is not None:
            self._extras_of[name].add(extra)
        self._session.rely_on(name, None if self._is_plain else self._policies.index(name))

    async def of_package(self, package: Name) -> Candidates:
        """The same, once it is there."""
        await self.of(package[0])
        table = self.ready(package)
        assert table is not None
        return table

    async def of_packages(self, packages: Iterable[Package]) -> dict[Package, Candidates]:
        """The same of many, which are begun in several passes of the event loop."""
        pace = Pace(BEGUN_AT_ONCE)
        making: dict[Package, asyncio.Task[Candidates]] = {}
        for package in packages:
            await pace.keep()
            making[package] = self._session.start(self.of_package(name_of(package)))
        return dict(zip(making, await asyncio.gather(*making.values()), strict=True))

    def ready_project(self, name: str) -> Candidates | None:
        """Candidates of ``name``; None where an index has to be asked."""
        table = self._tables.get(name)
        if table is not None:
            return table
        sole = self._session.sole_project(name) if self._is_plain else None
        if sole is not None:  # as of most names of a lock: this is where a warm solve spends its time
            seen_from = self.standpoints.of(name)
            if seen_from.filter.exclude_newer is None:
                seen = known_outlook(sole, seen_from)
                if seen is not None or not self._takes_long(name, sole):
                    return self._see(name, seen or outlook(sole, seen_from))
        referenced = self._references.project(name)
        if referenced is not None:
            return self._look_at(name, (referenced,))
        projects = self._session.known_projects(name, self._policies.index(name))
        if projects is None or any(self._takes_long(name, one) for one in projects):
            return None
        return self._look_at(name, projects)

    async def of(self, name: str) -> Candidates:
        """Candidates of ``name``."""
        found = self.ready_project(name)
        if found is None:
            self._on_wait()
            task = self._making.get(name)
            if task is None:
                task = self._making[name] = self._session.start(self._fetch(name))
            await asyncio.shield(task)
            found = self.known((name, None))
        return found

    async def cut(self, dependencies: Sequence[Dependency]) -> None:
        """Find the sets of versions that many dependencies admit, in turns: the solver would find all in one go."""
        tables = await self.of_packages(dict.fromkeys(one.package for one in dependencies))
        breath = Breath()
        for one in dependencies:
            tables[one.package].mask(one.key)
            await breath.take()

    def known(self, package: Name) -> Candidates:
        """The table of a package whose table was made before."""
        return self._tables[package[0]]

    def made(self, name: str) -> Candidates | None:
        """The table of a project; None where it was not made yet."""
        return self._tables.get(name)

    def outlook(self, name: str) -> Outlook:
        """The outlook on a project that exists and whose table was made before."""
        return self._outlooks[name]

    @property
    def outlooks(self) -> Mapping[str, Outlook]:
        """All outlooks so far, by name."""
        return self._outlooks

    async def _fetch(self, name: str) -> None:
        projects = await asyncio.shield(self._session.projects(name, self._policies.index(name)))
        for project in projects:
            if self._takes_long(name, project):
                question = project, self._place, self._standpoint(name, project).filter
                keep_selection(*question, await asyncio.to_thread(select, *question))
        async with self._session.turns:
            self._look_at(name, projects)

    def _look_at(self, name: str, projects: tuple[Project, ...]) -> Candidates:
        project = self._one(name, projects)
        if project is None:
            where = "in the index it is pinned to" if self._policies.index(name) else "in any index"
            if not self._query.indexes:
                where = "(no index is configured: name one in [[index]], PIP_INDEX_URL or UV_DEFAULT_INDEX)"
            missing = Exclusion(0, "not-found", f"was not found {where}")
            table = self._tables[name] = Candidates(None, VersionList(()), Selection(0, (missing,), 0), Order())
            return table
        return self._see(name, outlook(project, self._standpoint(name, project)))

    def _see(self, name: str, seen: Outlook) -> Candidates:
        self._outlooks[name] = seen
        table, policies = seen.table, self._policies
        preferred = policies.preferred(name)
        if preferred:
            table = table.preferring(preferred, () if self._is_plain else policies.kept(name))
        self._tables[name] = table
        return table

    def _standpoint(self, name: str, project: Project) -> Standpoint:
        opted_in = [version for version in self._policies.kept(name) if _is_yanked(project, version)]
        seen_from = self.standpoints.of(name, opted_in)
        if not project.sources and not self._references.project(name):
            seen_from, later = put_down(seen_from, project)
            if later is not None and self._policies.release_age(name) is not None:
                self._session.note_change(name, later)
        return seen_from

    def _takes_long(self, name: str, project: Project) -> bool:
        if project.versions.count * 11 <= MAX_AT_ONCE:  # nothing of it takes long
            return False
        return takes_long(project, self._place, self._standpoint(name, project).filter)

    def _one(self, name: str, projects: tuple[Project, ...]) -> Project | None:
        """The pages of ``name`` as one project; None where there is no page."""
        if len(projects) < 2:
            return projects[0] if projects else None
        filtering = Filtering(self._place, self.standpoints.of(name).filter)
        strategy = self._query.options.index_strategy
        return merge(projects, strategy, lambda release: filtering.fault(release) is None)

    def by_package(self) -> dict[Name, Candidates]:
        """Every table made so far, by what the solver calls its package."""
        return {
            (name, extra): table for name, table in self._tables.items() for extra in (None, *self._extras_of[name])
        }


def _is_yanked(project: Project, version: str) -> bool:
    bit = project.versions.exact(version)
    return bit is not None and any(is_yanked for _, _, is_yanked in project.release(bit).signature)
