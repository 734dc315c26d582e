"""From a checked request to a :class:`resolver.model.Query`: the server's policy and indexes come in here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from resolver.environment.region import is_somewhere
from resolver.environment.space import DiagramLimitError, EnvironmentSet, from_marker, from_requires_python
from resolver.environment.target import Target, TargetError, make_target
from resolver.errors import Fault, InvalidQuery, Place
from resolver.inputs import Inputs, LockContent, preferences, read_inputs, read_lock
from resolver.model import Budget, Notice, Options, PackageOptions, Prerelease, Query, Universal
from resolver.requirement import RequirementError
from resolver.specifier import SpecifierError
from transport.message import Index

from .policy import Policy, names
from .problems import invalid
from .schema import LockRequest, TargetModel, UniversalModel, problem

DEFAULT_PLATFORM = "linux"  # where most builds run; the answer names it


@dataclass(frozen=True, slots=True)
class Asked:
    """A query, and which of its instants were ages: the same request a second later is the same request."""

    query: Query
    ages: Mapping[str, timedelta] = field(default_factory=dict)
    """Package name, ``""`` for the query's own → age."""
    at: datetime | None = None
    """When it was asked: what ages are counted from; None where there is none."""
    notices: tuple[Notice, ...] = ()
    """What reading the request gave cause to warn about."""


@dataclass(slots=True)
class _Reader:
    """Reads one request and collects what is wrong with it."""

    request: LockRequest
    indexes: Sequence[Index]
    policy: Policy
    faults: list[Fault] = field(default_factory=list)
    ages: dict[str, timedelta] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)

    def _fault(self, pointer: str, detail: str) -> None:
        self.faults.append(Fault(Place(pointer=pointer), detail))

    def targets(self) -> tuple[Target, ...]:
        found: dict[str, Target] = {}
        for at, model in enumerate(self.request.targets or ()):
            target = self._target(f"/targets/{at}", model)
            if target is not None and found.setdefault(target.name, target) is not target:
                self._fault(f"/targets/{at}/name", f"two targets are called {target.name!r}")
        return tuple(found.values())

    def universal(self) -> Universal:
        """All environments; ``requires_python`` is empty where the request does not say it."""
        model = self.request.universal or UniversalModel()
        try:
            from_requires_python(model.requires_python or "")
        except SpecifierError as error:
            self._fault("/universal/requires_python", str(error))
        for key, texts in (
            ("environments", model.environments),
            ("required_environments", model.required_environments),
        ):
            for at, text in enumerate(texts):
                try:
                    space = from_marker(text)
                except (RequirementError, DiagramLimitError) as error:
                    self._fault(f"/universal/{key}/{at}", f"not a marker: {error}")
                    continue
                if space.mentions_extra:
                    self._fault(f"/universal/{key}/{at}", "an environment cannot depend on extras")
                elif space.is_empty():
                    self._fault(f"/universal/{key}/{at}", "there is no such environment")
        return Universal(model.requires_python or "", tuple(model.environments), tuple(model.required_environments))

    def _target(self, pointer: str, model: TargetModel) -> Target | None:
        if model.python is None and model.markers is None:
            self._fault(f"{pointer}/python", "a target needs a python version, such as 3.13")
            return None
        platform = model.platform
        if platform is None and model.tags is None:
            platform = DEFAULT_PLATFORM
        name = model.name or "-".join(part for part in (model.python, platform) if part) or "target"
        try:
            return make_target(
                name=name,
                python=model.python,
                platform=platform,
                implementation=model.implementation or "cpython",
                tags=model.tags,
                markers=model.markers,
            )
        except TargetError as error:
            self._fault(pointer, str(error))
            return None

    def chosen_indexes(self) -> tuple[Index, ...]:
        if self.request.indexes is None:
            return tuple(self.indexes)
        known = {index.name: index for index in self.indexes}
        for index in self.indexes:
            if index.default:
                known.setdefault("default", index)
        found: dict[str, Index] = {}
        for at, reference in enumerate(self.request.indexes):
            if isinstance(reference, str):
                if reference not in known:
                    self._fault(f"/indexes/{at}", f"no index is called {reference!r}; known: {names(self.indexes)}")
                    continue
                index = known[reference]
            elif reference.name in known:
                self._fault(f"/indexes/{at}/name", f"the server has an index called {reference.name!r} already")
                continue
            else:
                try:
                    index = self.policy.index(reference.name, reference.url, explicit=reference.explicit)
                except ValueError as error:
                    self._fault(f"/indexes/{at}/url", str(error))
                    continue
            if found.setdefault(index.name, index) is not index:
                self._fault(f"/indexes/{at}", f"{index.name!r} is named twice")
        return tuple(found.values())

    def _cutoff(self, key: str, text: str | None, *, is_lifted: bool = False) -> datetime | None:
        cutoff = self.policy.cutoff(text, is_lifted=is_lifted)
        if cutoff is None:
            return None
        if cutoff.is_floor and (text is not None or is_lifted):
            detail = "the request would admit younger releases than policy.min_release_age of the server, which holds"
            self.notices.append(Notice("release-age-floor", detail, package=key or None))
        if cutoff.age is not None:
            self.ages[key] = cutoff.age
        return cutoff.instant

    def options(self, indexes: Sequence[Index]) -> Options:
        asked = self.request.options
        known = {index.name for index in indexes} | {"default" for index in indexes if index.default}
        default = next((index.name for index in indexes if index.default), "default")
        packages: dict[str, PackageOptions] = {}
        for name, one in asked.packages.items():
            index = one.index
            if index is not None and index not in known:
                self._fault(
                    f"/options/packages/{name}/index", f"no index of the request is called {index!r}: {names(indexes)}"
                )
            elif index == "default" and index not in {each.name for each in indexes}:
                index = default
            newer: datetime | bool | None = None
            if one.exclude_newer is False:
                newer = self._cutoff(name, None, is_lifted=True) or False
            elif one.exclude_newer is not None:
                newer = self._cutoff(name, one.exclude_newer)
            builds = None if one.builds is None else self.policy.builds(one.builds)
            packages[name] = PackageOptions(index, one.prerelease, newer, builds, self.ages.get(name))
        exclude_newer = self._cutoff("", asked.exclude_newer)
        return Options(
            resolution=asked.resolution,
            prerelease=asked.prerelease,
            fork_strategy=asked.fork_strategy,
            index_strategy=self.policy.index_strategy(asked.index_strategy),
            exclude_newer=exclude_newer,
            builds=self.policy.builds(asked.builds),
            no_binary=frozenset(asked.no_binary),
            only_binary=frozenset(asked.only_binary),
            no_deps=asked.no_deps,
            packages=packages,
            release_age=self.ages.get(""),
        )

    def inputs(self) -> Inputs | None:
        request = self.request
        if request.requirements is None and not request.files:
            self._fault("/requirements", "nothing to lock: give requirements or files")
            return None
        return read_inputs(
            requirements=request.requirements or (),
            files=request.files,
            roots=request.roots or (),
            constraints=request.constraints,
            overrides=request.overrides,
            excludes=request.excludes,
            extras=request.extras,
            groups=request.groups,
        )

    def earlier_lock(self) -> LockContent | None:
        return None if self.request.lock is None else read_lock(self.request.lock.content)


def to_query(
    request: LockRequest,
    *,
    indexes: Sequence[Index],
    policy: Policy,
    max_seconds: float,
    default_requires_python: str,
    refresh: bool = False,
) -> Asked:
    """Return the query of ``request``.

    Raises:
        Problem: ``invalid-request`` or ``requirement-invalid`` with every fault; ``policy-denied``.
    """
    if request.targets is not None and request.universal is not None:
        raise invalid("/universal", "targets and universal exclude each other; give one of them")
    reader = _Reader(request, indexes, policy)
    targets = reader.targets()
    universal = reader.universal() if request.targets is None else None
    chosen = reader.chosen_indexes()
    options = reader.options(chosen)
    if request.budget.seconds > max_seconds:
        reader._fault("/budget/seconds", f"this server spends {max_seconds:g} seconds at most")  # noqa: SLF001
    inputs: Inputs | None = None
    earlier: LockContent | None = None
    is_requirement = not reader.faults
    try:
        inputs = reader.inputs()
        earlier = reader.earlier_lock()
    except InvalidQuery as error:
        if not reader.faults:
            raise
        reader.faults += error.faults
        is_requirement = False
    if reader.faults or inputs is None:
        raise problem(reader.faults, "requirement-invalid" if is_requirement and inputs else "invalid-request")
    if universal is not None:
        universal = _with_python(universal, inputs.requires_python, default_requires_python)
    query = Query(
        requirements=inputs.requirements,
        indexes=chosen,
        targets=targets,
        universal=universal,
        constraints=inputs.constraints,
        overrides=inputs.overrides,
        excludes=inputs.excludes,
        options=_with_files(options, inputs, request),
        preferences=() if earlier is None else preferences(earlier, request.upgrade),
        regions=() if earlier is None or request.upgrade is True else earlier.regions,
        previous={} if earlier is None else earlier.versions,
        extras=inputs.extras,
        groups=inputs.groups,
        requires_python=inputs.requires_python,
        budget=Budget(float(request.budget.seconds), request.budget.decisions),
        limits=policy.limits,
        refresh=refresh,
    )
    notices = (*reader.notices, *inputs.warnings, *_hints(inputs))
    return Asked(query, reader.ages, policy.now if reader.ages else None, notices)


def _with_python(universal: Universal, stated: str | None, default: str) -> Universal:
    """The Pythons of a universal lock: as requested, else as the project says, else the server's default.

    Raises:
        Problem: ``invalid-request`` where no environment is left: a lock for none would seem to be one for all.
    """
    pythons = universal.requires_python or stated or default
    admitted = from_requires_python(pythons)
    if not is_somewhere(admitted):
        whose = "" if universal.requires_python else " of the project" if stated else " of the server's settings"
        raise invalid("/universal/requires_python", f"no final Python satisfies {pythons!r}{whose}; widen it")
    faults = [
        Fault(Place(pointer=f"/universal/environments/{at}"), f"no environment of Python {pythons} is meant by it")
        for at, marker in enumerate(universal.environments)
        if not _is_for_someone(admitted, marker)
    ]
    if faults:
        raise problem(faults)
    return replace(universal, requires_python=pythons)


def _is_for_someone(admitted: EnvironmentSet, marker: str) -> bool:
    try:
        return is_somewhere(admitted & from_marker(marker))
    except DiagramLimitError:
        return True  # where it is too complex the resolve says so, off the event loop


def _with_files(options: Options, inputs: Inputs, request: LockRequest) -> Options:
    """Apply the option lines of the files; what the request says itself is stronger."""
    prerelease = options.prerelease
    if inputs.prerelease_allowed and "prerelease" not in request.options.given:
        prerelease = Prerelease.ALLOW
    return replace(
        options,
        prerelease=prerelease,
        no_binary=options.no_binary | inputs.no_binary,
        only_binary=options.only_binary | inputs.only_binary,
    )


def _hints(inputs: Inputs) -> list[Notice]:
    """Say which index lines of files were left out: the indexes are the server's, or those the request names."""
    return [Notice("index-option-ignored", f"{hint}: indexes are named in the request") for hint in inputs.index_hints]
