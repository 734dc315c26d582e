"""Facts for one place (a target, or a region): what the solver is told about projects, releases, requirements.

Lives here: the translation from requirements to the solver's dependencies (overrides, excludes, extras, direct
references), and the memo that the fetch-ahead shares. It decides nothing about versions.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager

from .environment.place import Place, evaluate, requires_python_admits
from .environment.region import Condition, Region, divide, divide_by, divide_by_required
from .environment.space import from_marker
from .errors import BadIndexResponse
from .evidence import Evidence
from .index.gateway import Missing
from .index.page import Release
from .model import Notice, Query, Stated
from .prefetch import FetchAhead
from .provider.candidates import Candidates, Filtering, Project, Selection, select
from .provider.policy import Order, Policies
from .provider.requirements import Metadata
from .provider.strategy import merge
from .provider.versions import VersionList, exact_pin
from .references import References
from .requirement import Requirement
from .session import Session
from .solver import Dependency, Exclusion

Unavailable = tuple[str, str]
"""(kind, detail): a version that turned out to be no candidate."""

Name = tuple[str, str | None]
"""(project, extra): what the solver calls a package."""


class ExtraTable(Candidates):
    """The same versions for an extra; the project's own table already says what is excluded."""

    __slots__ = ()

    def exclusions(self) -> Sequence[Exclusion]:
        """None: they are facts about the project, to which the extra is tied."""
        return ()


class PlaceFacts:
    """Everything known for one place of one query."""

    def __init__(self, query: Query, place: Place, policies: Policies, session: Session, notices: list[Notice]) -> None:
        """``notices`` is appended to."""
        self.query = query
        self.place = place
        self.policies = policies
        self.session = session
        self.notices = notices
        self.ahead = FetchAhead(self, session.start)
        self.references = References(query, place, session)
        self._tables: dict[str, asyncio.Task[Candidates]] = {}
        self._evidence = Evidence(place, policies)
        self._missing: dict[tuple[str, str], tuple[str, ...]] = {}
        self._extra_tables: dict[str, ExtraTable] = {}
        self._extras_of: defaultdict[str, set[str]] = defaultdict(set)
        self._stated: list[Stated] | None = None
        self._overrides: dict[str, list[Requirement]] = {}
        for stated in query.overrides:
            self._overrides.setdefault(stated.requirement.name, []).append(stated.requirement)

    @property
    def turns(self) -> AbstractAsyncContextManager[None]:
        """Those of the session."""
        return self.session.turns

    async def open(self) -> None:
        """Resolve direct references, and start to fetch what the caller stated."""
        await self.references.open()
        for stated in self.stated():
            self.ahead.require(stated.requirement)

    def stated(self) -> list[Stated]:
        """The caller's requirements that apply in the place, after overrides and excludes."""
        if self._stated is None:
            self._stated = self._find_stated()
        return self._stated

    def _find_stated(self) -> list[Stated]:
        applied: list[Stated] = []
        replaced: set[str] = set()
        for stated in self.query.requirements:
            requirement = stated.requirement
            if requirement.name in self.query.excludes or not self._applies(requirement):
                continue
            if requirement.name not in self._overrides:
                applied.append(stated)
            elif requirement.name not in replaced:
                replaced.add(requirement.name)
                applied += [one for one in self.query.overrides if one.requirement.name == requirement.name]
        return [one for one in applied if self._applies(one.requirement)]

    def _applies(self, requirement: Requirement) -> bool:
        return requirement.marker is None or evaluate(requirement.marker, self.place)

    def root(self) -> list[Dependency]:
        """The dependencies of the query itself.

        Raises:
            Divided: the place is a region, and the requirements divide it.
        """
        if isinstance(self.place, Region):
            divide(self.place, self._conditions([stated.requirement for stated in self.stated()], None))
        dependencies: list[Dependency] = []
        for stated in self.stated():
            dependencies += self._dependencies_on(stated.requirement, stated.origin)
        return dependencies

    def _dependencies_on(self, requirement: Requirement, source: str) -> list[Dependency]:
        exact = exact_pin(requirement.specifier) is not None or requirement.url is not None
        packages: list[Name] = [(requirement.name, None), *((requirement.name, extra) for extra in requirement.extras)]
        return [Dependency(package, requirement.specifier, source, is_exact=exact) for package in packages]

    # -- tables ------------------------------------------------------------------

    async def package_table(self, package: Name) -> Candidates:
        """The solver's table for a project or an extra of it."""
        table = await self.table(package[0])
        if package[1] is None:
            return table
        self._extras_of[package[0]].add(package[1])
        extra = self._extra_tables.get(package[0])
        if extra is None:
            extra = self._extra_tables[package[0]] = table.copy_as(ExtraTable)
        return extra

    async def table(self, name: str) -> Candidates:
        """Candidates of ``name``."""
        task = self._tables.get(name)
        if task is None:
            task = self._tables[name] = self.session.start(self._make_table(name))
        return await asyncio.shield(task)

    def known_table(self, package: Name) -> Candidates:
        """The table of a package whose table was made before."""
        return self._tables[package[0]].result()

    async def _make_table(self, name: str) -> Candidates:
        referenced = self.references.project(name)
        if referenced is not None:
            projects: tuple[Project, ...] = (referenced,)
        else:
            projects = await asyncio.shield(self.session.projects(name, self.policies.index(name)))
        async with self.session.turns:
            return self._table_of(name, self._one(name, projects))

    def _one(self, name: str, projects: tuple[Project, ...]) -> Project | None:
        """The pages of ``name`` as one project; None where there is no page."""
        if len(projects) < 2:
            return projects[0] if projects else None
        filtering = Filtering(self.place, self.policies.filter(name))
        strategy = self.query.options.index_strategy
        return merge(projects, strategy, lambda release: filtering.fault(release) is None)

    def _table_of(self, name: str, project: Project | None) -> Candidates:
        order = self.policies.order(name)
        constraints = self.policies.constraints(name)
        if project is None:
            nothing = VersionList(())
            where = "in the index it is pinned to" if self.policies.index(name) else "in any index"
            missing = Exclusion(0, "not-found", f"was not found {where}")
            return Candidates(None, nothing, Selection(0, (missing,), 0), Order())
        selection = select(project, self.place, self.policies.filter(name))
        return Candidates(project, project.versions, selection, order, _constrain(project.versions, constraints))

    # -- metadata ----------------------------------------------------------------

    async def metadata_of(self, name: str, bit: int) -> Metadata | None:
        """For the fetch-ahead: the metadata of a version, None where there is none to be had."""
        found = await self.metadata(name, bit)
        return found if isinstance(found, Metadata) else None

    async def metadata(self, name: str, bit: int) -> Metadata | Unavailable:
        """The metadata of a version, or why the version is no candidate after all."""
        known = self.references.metadata(name)
        if known is not None:
            return known
        project = (await self.table(name)).project
        assert project is not None, "a name without a project has no versions to ask about"
        release, source = project.release(bit), project.source(bit)
        gone: list[str] = []
        if not self._evidence.is_known(name, release):
            async with self.session.turns:  # files are unpacked, and fifty versions may be looked at in one go
                self._evidence.of(name, release)
        for file in self._evidence.of(name, release):
            try:
                found = await asyncio.shield(self.session.metadata(source, file))
            except Missing:
                gone.append(file.filename)  # listed, but not there: another file of the version may be
                self._missing[name, release.text] = tuple(gone)
                continue
            except BadIndexResponse as error:
                return ("invalid-metadata", error.detail)
            if found.unreadable:
                return ("invalid-metadata", f"its requirement {found.unreadable[0]}")
            return found
        if gone:
            return ("no-usable-file", f"the index lists {gone[0]} but does not have it")
        return ("no-build", "its metadata can only be learned by building its source distribution")

    def missing(self, name: str, release: Release) -> tuple[str, ...]:
        """The files of ``release`` that were asked for and are not there, although its page lists them."""
        return self._missing.get((name, release.text), ())

    def note_unavailable(self, package: Name, bit: int) -> None:
        """Tell of a version that was passed over because its files are not there."""
        name, project = package[0], self.known_table(package).project
        if project is not None:
            release, index = project.release(bit), project.source(bit).index_name
            for filename in self.missing(name, release):
                detail = f"{name} {release.text} was passed over: the index lists {filename} but does not have it"
                self.notices.append(Notice("file-missing", detail, name, index))

    # -- dependencies ------------------------------------------------------------

    def requirements_of(self, metadata: Metadata, extra: str | None) -> Iterable[Requirement]:
        """The requirements that a release (or one extra of it) has in the target, after overrides and excludes."""
        if self.query.options.no_deps:
            return ()
        active = metadata.active(self.place, extra)
        if not self._overrides and not self.query.excludes:
            return active
        effective: list[Requirement] = []
        for requirement in active:
            if requirement.name in self.query.excludes:
                continue
            replacement = self._overrides.get(requirement.name)
            if replacement is None:
                effective.append(requirement)
            else:
                effective += [one for one in replacement if self._applies(one) and one not in effective]
        return effective

    async def dependencies(self, package: Name, bit: int) -> list[Dependency] | Unavailable:
        """What one version of a package depends on, in the solver's terms."""
        return self._dependencies(package, bit, await self.metadata(package[0], bit))

    def known_dependencies(self, package: Name, bit: int) -> list[Dependency] | Unavailable | None:
        """The same where nothing has to be waited for; None where something has."""
        name = package[0]
        known = self.references.metadata(name)
        if known is None:
            project = self.known_table(package).project
            assert project is not None
            files = self._evidence.of(name, project.release(bit))
            known = self.session.known_metadata(project.source(bit), files[0]) if files else None
        if known is None or known.unreadable:
            return None
        return self._dependencies(package, bit, known)

    def _dependencies(self, package: Name, bit: int, found: Metadata | Unavailable) -> list[Dependency] | Unavailable:
        name, extra = package
        if not isinstance(found, Metadata):
            return found
        demanded = found.core.requires_python
        if demanded is not None and not requires_python_admits(demanded, self.place):
            return ("requires-python", demanded)  # pages need not say what the metadata says
        requirements = tuple(self.requirements_of(found, extra))
        if isinstance(self.place, Region):
            fault = self._divide(self.place, package, bit, demanded, requirements)
            if fault is not None:
                return fault
        dependencies: list[Dependency] = []
        if extra is not None:
            dependencies.append(Dependency((name, None), bit, "", is_exact=True))
        for requirement in requirements:
            if requirement.url is not None and not self.references.covers(requirement):
                return (
                    "direct-reference",
                    f"requires {requirement.name} by URL, and only your own requirements may do that",
                )
            self.ahead.require(requirement)
            if requirement.name == name and not requirement.extras:
                table = self.known_table(package)
                if not table.mask(requirement.specifier) & (1 << bit):
                    return ("self-dependency", f"requires {requirement.text}, which it is not")
                continue
            wanted = self._dependencies_on(requirement, requirement.text)
            dependencies += [one for one in wanted if one.package != package]
        return dependencies

    def _divide(
        self, region: Region, package: Name, bit: int, demanded: str | None, requirements: Sequence[Requirement]
    ) -> Unavailable | None:
        """Divide the region by what a version that is being tried demands; or say why it is no candidate there."""
        name, extra = package
        project = self.known_table(package).project
        assert project is not None
        release = project.release(bit)
        files = self._evidence.usable_files(name, release)
        admitted = region.part_admitted(file.requires_python for file in files) if files else region.space
        divide_by(region, admitted & region.part_admitted([demanded]))
        universal = self.query.universal
        # A wheel that the caller names by URL is wanted wherever the caller says so.
        if universal is not None and self.references.url(name) is None:
            marker = divide_by_required(region, universal.required_environments, [file.tags for file in files])
            if marker is not None:
                return ("no-usable-file", f"has no wheels for {marker}")
        divide(region, self._conditions(requirements, extra))
        return None

    def _conditions(self, requirements: Iterable[Requirement], extra: str | None) -> list[Condition]:
        """Where requirements hold, and where a constraint on what they require does as well."""
        found: list[Condition] = []
        for one in requirements:
            condition = self._condition(one, extra)
            found.append(condition)
            for stated in self.policies.constraints(one.name):
                bound = self._condition(stated.requirement, None)
                found.append(Condition(one.name, condition.space & bound.space, bound.is_bounded))
        return found

    @staticmethod
    def _condition(requirement: Requirement, extra: str | None) -> Condition:
        taken = () if extra is None else (extra,)
        is_bounded = any(one.lstrip().startswith(("<", "==", "~=")) for one in requirement.specifier.split(","))
        return Condition(requirement.name, from_marker(requirement.marker).without_extras(taken), is_bounded)

    def version_text(self, package: Name, bit: int) -> str:
        """The version of a bit."""
        return self.known_table(package).versions.texts[bit - 1]

    def explanation_tables(self) -> dict[Name, Candidates]:
        """Every table made so far, by what the solver calls its package."""
        made = {name: task.result() for name, task in self._tables.items() if _ok(task)}
        return {(name, extra): table for name, table in made.items() for extra in (None, *self._extras_of[name])}


def _ok(task: asyncio.Task[Candidates]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None


def _constrain(versions: VersionList, constraints: Sequence[Stated]) -> list[Exclusion]:
    """A constraint is a fact about the package it names: it excludes versions without requiring the package."""
    every = (1 << (versions.count + 1)) - 2
    return [
        Exclusion(excluded, "constraint", f"{stated.requirement.text} ({stated.origin})")
        for stated in constraints
        if (excluded := every & ~versions.mask(stated.requirement.specifier))
    ]
