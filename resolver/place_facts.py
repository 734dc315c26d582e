"""Facts for one place (a target, or a region): what the solver is told about projects, releases, requirements.

Lives here: the translation from requirements to the solver's dependencies (overrides, excludes, extras, direct
references), and the memo of one solve. It decides nothing about versions. What is at hand is answered at once
(``ready_*``); only what is not is awaited, and the first time that happens the fetch-ahead wakes up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from functools import partial

from .algebra import STEPS_AT_ONCE, within, work_out
from .dividing import divide_by_statements, divide_by_version, divide_off, divides_nowhere, required
from .environment.markers import belongs_to
from .environment.place import Place, evaluate, requires_python_admits
from .environment.region import Region
from .environment.space import DiagramLimitError
from .errors import BadIndexResponse
from .index.gateway import Missing
from .index.page import File, Release
from .model import Notice, Query, Stated
from .name import Name, name_of
from .prefetch import FetchAhead
from .provider.candidates import Candidates, Project
from .provider.outlook import Unavailable
from .provider.policy import Chosen, Policies
from .provider.requirements import Metadata
from .references import References
from .requirement import Requirement
from .requirement_forms import dependencies_on
from .segments import Breath
from .session import Session
from .solver import Dependency
from .tables import Tables

# Of the environment algebra for what one release requires: half a second of it in a thread. The largest real release
# takes some 20,000.
MAX_STEPS = 100_000
MAX_STATED = 50_000  # for all that the caller states: some hundred markers of thirty take 10,000
STEPS_AHEAD = 2_000  # of a guess


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
        session.at_end(self.ahead.close)
        self.references = References(query, place, session)
        self.tables = Tables(query, place, policies, session, self.references, self.ahead.wake)
        self._shared: dict[tuple[int, ...], list[Dependency]] = {}
        """By the identity of what is in them: many versions in a row declare the same."""
        self._missing: dict[tuple[str, str], tuple[str, ...]] = {}
        self._stated: list[Stated] | None = None
        self._overrides: dict[str, list[Requirement]] = {}
        for stated in query.overrides:
            self._overrides.setdefault(stated.requirement.name, []).append(stated.requirement)
        self.is_common = not (query.overrides or query.excludes or query.options.no_deps or self.references)
        """Whether what a version requires depends on nothing but the standpoint."""
        is_region = isinstance(place, Region)
        self._needs_wheels = is_region and query.universal is not None and bool(required(query.universal))
        """Whether versions divide the region by what they have wheels for."""
        self._dividing: frozenset[str] = frozenset(
            stated.requirement.name
            for stated in query.constraints
            if is_region and stated.requirement.marker_text is not None
        )
        """What constraints divide the region where it is required; one without a marker holds where the requirement
        does."""

    async def moment(self) -> None:
        """For the fetch-ahead: a moment to compute."""
        await self.session.turns.moment()

    async def table(self, name: str) -> Candidates:
        """For the fetch-ahead: candidates of a project."""
        return await self.tables.of(name)

    def ready_table(self, name: str) -> Candidates | None:
        """For the fetch-ahead: the same if it was made before."""
        return self.tables.made(name)

    async def remembered(self) -> list[str]:
        """For the fetch-ahead: names that will have to be asked for if all is as it was."""
        unknown: list[str] = []
        breath = Breath()
        for name in sorted(await self.session.recall()):
            await breath.take()
            if self.tables.ready_project(name) is None:
                unknown.append(name)
        return unknown

    async def open(self) -> None:
        """Resolve direct references, and find out which of the caller's requirements apply.

        Raises:
            Divided: the place is a region, and the requirements divide it.
        """
        await self.references.open()
        if isinstance(self.place, Region):
            await work_out(partial(divide_by_statements, self, self.place), MAX_STATED)

    def stated(self) -> list[Stated]:
        """The caller's requirements that apply in the place, after overrides and excludes."""
        if self._stated is None:
            self._stated = self._find_stated()
        return self._stated

    def conditional(self) -> frozenset[str]:
        """The names of which the caller states something that holds in some environments only."""
        return self._dividing | {
            one.requirement.name for one in self.stated() if one.requirement.marker_text is not None
        }

    def _find_stated(self) -> list[Stated]:
        applied: list[Stated] = []
        replaced: set[str] = set()
        for stated in self.query.requirements:
            requirement = stated.requirement
            if requirement.name in self.query.excludes:
                continue
            if requirement.name not in self._overrides:
                applied.append(stated)
            elif requirement.name not in replaced and belongs_to(requirement.marker_text, None):
                replaced.add(requirement.name)
                applied += [one for one in self.query.overrides if one.requirement.name == requirement.name]
        return [one for one in applied if self._applies(one.requirement)]

    def _applies(self, requirement: Requirement) -> bool:
        if requirement.marker_text is None:  # most: their marker is not looked up
            return True
        return requirement.marker is None or evaluate(requirement.marker, self.place)

    def root(self) -> list[Dependency]:
        """The dependencies of the query itself."""
        dependencies: list[Dependency] = []
        for stated in self.stated():
            dependencies += dependencies_on(stated.requirement, stated.origin)
        self.ahead.note("", 0, dependencies)
        return dependencies

    # -- metadata ----------------------------------------------------------------

    async def metadata_of(self, name: str, bit: int, *, is_guess: bool) -> Metadata | None:
        """For the fetch-ahead: the metadata of a version, None where there is none to be had."""
        found = await self.metadata(name, bit, is_guess=is_guess)
        return found if isinstance(found, Metadata) else None

    async def metadata(self, name: str, bit: int, *, is_guess: bool = False) -> Metadata | Unavailable:
        """The metadata of a version, or why the version is no candidate after all; of a guess, when it is needed."""
        await self.tables.of(name)
        if self.references.metadata(name) is None and not self.tables.outlook(name).knows_files(bit):
            await self.session.turns.moment()  # files are unpacked, and fifty versions may be looked at in one go
            self.tables.outlook(name).files(bit)
        found = self.ready_metadata(name, bit)
        while found is None:
            try:
                await asyncio.shield(self.session.metadata(*self._awaited(name, bit), is_guess=is_guess))
            except Missing:
                pass  # listed, but not there: another file of the version may be
            except BadIndexResponse as error:
                return ("invalid-metadata", error.detail)
            found = self.ready_metadata(name, bit)
        return found

    def ready_metadata(self, name: str, bit: int) -> Metadata | Unavailable | None:
        """The same of a project whose table was made, where nothing has to be waited for; else None."""
        known = self.references.metadata(name)
        if known is not None:
            return known
        seen = self.tables.outlook(name)
        project = seen.table.project
        assert project is not None, "a name without a project has no versions to ask about"
        source = project.source(bit)
        gone: list[str] = []
        for file in seen.files(bit):
            known = self.session.known_metadata(source, file)
            if known is not None:
                if known.unreadable:
                    return ("invalid-metadata", f"its requirement {known.unreadable[0]}")
                return known
            if not self.session.is_absent(source, file):
                return None
            gone.append(file.filename)
            self._missing[name, project.release(bit).text] = tuple(gone)
        if gone:
            return ("no-usable-file", f"is listed but the index does not have its files ({gone[0]})")
        return ("no-build", "its metadata can only be learned by building its source distribution")

    def _awaited(self, name: str, bit: int) -> tuple[Project, File]:
        """The file of a version that has to be asked for next."""
        seen = self.tables.outlook(name)
        project = seen.table.project
        assert project is not None
        source = project.source(bit)
        return source, next(file for file in seen.files(bit) if not self.session.is_absent(source, file))

    def missing(self, name: str, release: Release) -> tuple[str, ...]:
        """The files of ``release`` that were asked for and are not there, although its page lists them."""
        return self._missing.get((name, release.text), ())

    @property
    def has_all_files(self) -> bool:
        """Whether no file was found to be missing."""
        return not self._missing

    def note_unavailable(self, package: Name, bit: int, why: Unavailable) -> None:
        """Tell of a version that was passed over because its files are not there, or cannot be understood."""
        name, project = package[0], self.tables.known(package).project
        if project is not None:
            release, index = project.release(bit), project.source(bit).index_name
            for filename in self.missing(name, release):
                detail = f"{name} {release.text} was passed over: the index lists {filename} but does not have it"
                self.notices.append(Notice("file-missing", detail, name, index))
            kind, fault = why
            if kind == "invalid-metadata":
                self.notices.append(Notice(kind, f"{name} {release.text} was passed over: {fault}", name, index))

    # -- dependencies ------------------------------------------------------------

    def requirements_of(self, metadata: Metadata, extra: str | None) -> Iterable[Requirement]:
        """The requirements that a release (or one extra of it) has in the target, after overrides and excludes."""
        if self.query.options.no_deps:
            return ()
        active = metadata.active(self.place, extra)
        if not self._overrides and not self.query.excludes:
            return active
        applying = set(active)
        effective: list[Requirement] = []
        for requirement in metadata.requires:
            if requirement.name in self.query.excludes:
                continue
            replacement = self._overrides.get(requirement.name)
            if replacement is None:
                if requirement in applying:
                    effective.append(requirement)
            # An override takes the place of the whole requirement, its marker too; only the extra stays, as in uv.
            elif belongs_to(requirement.marker_text, extra):
                effective += [one for one in replacement if self._applies(one) and one not in effective]
        return effective

    async def requirements_ahead(self, metadata: Metadata, extra: str | None) -> Iterable[Requirement]:
        """For the fetch-ahead: requirements that apply, as long as they are soon found."""
        find = partial(self.requirements_of, metadata, extra)
        try:
            if metadata.is_large(self.place, extra):
                return await asyncio.to_thread(within, STEPS_AHEAD, find)
            await self.session.turns.moment()  # an extra of a project with some hundred requirements takes milliseconds
            return await work_out(find, STEPS_AHEAD)
        except DiagramLimitError:
            return ()

    async def dependencies(self, package: Name, bit: int) -> list[Dependency] | Unavailable:
        """What one version of a package depends on, in the solver's terms."""
        found = self.ready_dependencies(package, bit)
        if found is None:
            self.ahead.look()
            metadata = await self.metadata(package[0], bit)
            found = self._dependencies_at_once(package, bit, metadata)
            if found is None:
                found = await asyncio.to_thread(self._dependencies_in_full, package, bit, metadata)
                if isinstance(found, list):
                    await self.tables.cut(found)
            self._declare(package, bit, found)
        return found

    def ready_dependencies(self, package: Name, bit: int) -> list[Dependency] | Unavailable | None:
        """The same where nothing has to be waited for; None where something has."""
        name = package[0]
        found = self.declared(package, bit)
        if found is not None:
            if isinstance(found, list):
                self.ahead.note(name, bit, found)
            return found
        known = self.ready_metadata(name, bit)
        if known is None:
            return None
        found = self._dependencies_at_once(package, bit, known)
        if found is not None:
            self._declare(package, bit, found)
        return found

    def _dependencies_at_once(
        self, package: Name, bit: int, found: Metadata | Unavailable
    ) -> list[Dependency] | Unavailable | None:
        """What :meth:`dependencies` says; None where it takes more than the event loop can be held for."""
        if isinstance(found, Metadata) and found.is_large(self.place, package[1]):
            return None
        try:
            return within(STEPS_AT_ONCE, partial(self._dependencies, package, bit, found))
        except DiagramLimitError:
            return None

    def _dependencies_in_full(
        self, package: Name, bit: int, found: Metadata | Unavailable
    ) -> list[Dependency] | Unavailable:
        try:
            return within(MAX_STEPS, partial(self._dependencies, package, bit, found))
        except DiagramLimitError as error:
            return ("invalid-metadata", str(error))

    @property
    def declares_as_ever(self) -> bool:
        """Whether :meth:`declared` depends on nothing but the outlook."""
        return self.is_common and not self._needs_wheels and not self._dividing

    def declared(self, package: Name, bit: int) -> list[Dependency] | Unavailable | None:
        """The same as far as an earlier solve found it out, and this one would find the same."""
        if not self.is_common or self._needs_wheels:
            return None
        found = self.tables.outlook(package[0]).told(bit, package[1])
        if self._dividing and not (isinstance(found, list) and self._dividing.isdisjoint(map(_project, found))):
            return None
        return found

    def _declare(self, package: Name, bit: int, found: list[Dependency] | Unavailable) -> None:
        name, extra = package
        if isinstance(found, list):
            self.ahead.note(name, bit, found)
            if self.is_common and not self.missing(name, self.release(name, bit)):
                self.tables.outlook(name).declared[bit, extra] = found

    def release(self, name: str, bit: int) -> Release:
        """The release of a version of a project whose table was made."""
        project = self.tables.outlook(name).table.project
        assert project is not None
        return project.release(bit)

    def _dependencies(self, package: Name, bit: int, found: Metadata | Unavailable) -> list[Dependency] | Unavailable:
        name, extra = package
        if not isinstance(found, Metadata):
            return found
        demanded = found.core.requires_python
        if demanded is not None and not requires_python_admits(demanded, self.place):
            return ("requires-python", demanded)  # pages need not say what the metadata says
        requirements = tuple(self.requirements_of(found, extra))
        is_everywhere = (
            self.declares_as_ever
            and found.common(self.place, extra) is not None
            and not self.missing(name, self.release(name, bit))
        )
        if isinstance(self.place, Region):
            dividing = () if is_everywhere else requirements
            fault = divide_by_version(self, self.place, package, bit, demanded, dividing)
            if fault is not None:
                return fault
        seen = self.tables.outlook(name)
        everywhere = seen.declared_everywhere if is_everywhere else {}
        if (known := everywhere.get((bit, extra))) is not None:
            return known
        dependencies: list[Dependency] = []
        if extra is not None:
            dependencies.append(Dependency((name, None), bit, "", is_exact=True))
        for requirement in requirements:
            if requirement.url is not None and not self.references.covers(requirement):
                divide_off(self, requirement, extra)
                return (
                    "direct-reference",
                    f"requires {requirement.name} by URL, which only your own requirements may do",
                )
            if requirement.name == name and not requirement.extras:
                table = self.tables.known(package)
                if not table.mask(requirement.specifier) & (1 << bit):
                    divide_off(self, requirement, extra)
                    return ("self-dependency", f"requires {requirement.text}, which it is not")
                continue
            wanted = dependencies_on(requirement, requirement.text)
            dependencies += [one for one in wanted if one.package != package]
        everywhere[bit, extra] = dependencies = self._shared.setdefault(tuple(map(id, dependencies)), dependencies)
        if is_everywhere and divides_nowhere(seen, self.place, bit, demanded):
            seen.undivided[bit, extra] = dependencies
        return dependencies

    def version_text(self, package: Name, bit: int) -> str:
        """The version of a bit."""
        return self.tables.known(package).versions.texts[bit - 1]

    def chosen(self, decisions: Mapping[Name, int]) -> dict[str, Chosen]:
        """Decided versions as preferences for another place, by name."""
        return {
            package[0]: (self.version_text(package, bit), self.policies.is_direct(package[0]))
            for package, bit in decisions.items()
            if package[1] is None
        }


def _project(dependency: Dependency) -> str:
    return name_of(dependency.package)[0]
