"""The words of a resolve: what is asked (:class:`Query`) and what is answered (:class:`Resolution`, :class:`Lock`).

Everything is frozen; nothing here does anything. Pydantic models of the API become a Query in ``service.schema``;
a Resolution becomes a Lock in ``resolver.lock.build``; a Lock becomes documents in ``resolver.lock``.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from transport.message import Index

from .environment.space import EnvironmentSet
from .environment.target import Target
from .errors import Place
from .index.page import File
from .index.standing import Reliance
from .requirement import Requirement
from .solver.solver import MAX_STEPS

T = TypeVar("T")


class ResolutionMode(StrEnum):
    """Which version is tried first (uv's words)."""

    HIGHEST = "highest"
    LOWEST = "lowest"
    LOWEST_DIRECT = "lowest-direct"


class Prerelease(StrEnum):
    """When pre-releases are candidates (uv's words and meanings)."""

    DISALLOW = "disallow"
    ALLOW = "allow"
    IF_NECESSARY = "if-necessary"
    EXPLICIT = "explicit"
    IF_NECESSARY_OR_EXPLICIT = "if-necessary-or-explicit"


class Builds(StrEnum):
    """What may be learned from an sdist."""

    NEVER = "never"
    STATIC = "static"


class IndexStrategy(StrEnum):
    """How several indexes answer for one name (uv's words)."""

    FIRST_INDEX = "first-index"
    UNSAFE_FIRST_MATCH = "unsafe-first-match"
    UNSAFE_BEST_MATCH = "unsafe-best-match"


class ForkStrategy(StrEnum):
    """How a universal resolution trades versions against forks (uv's words)."""

    REQUIRES_PYTHON = "requires-python"
    FEWEST = "fewest"


@dataclass(frozen=True, slots=True)
class PackageOptions:
    """Options of one package; None: the query's own."""

    index: str | None = None
    prerelease: Prerelease | None = None
    exclude_newer: datetime | bool | None = None
    """An instant; False: no limit for this package."""
    builds: Builds | None = None
    release_age: timedelta | None = None
    """How long ago ``exclude_newer`` is, where the caller spoke of an age or the server demands one."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to choose."""

    resolution: ResolutionMode = ResolutionMode.HIGHEST
    prerelease: Prerelease = Prerelease.IF_NECESSARY
    fork_strategy: ForkStrategy = ForkStrategy.REQUIRES_PYTHON
    index_strategy: IndexStrategy = IndexStrategy.FIRST_INDEX
    exclude_newer: datetime | None = None
    builds: Builds = Builds.STATIC
    no_binary: frozenset[str] = frozenset()
    """Normalised names, or ``:all:``: wheels of these are not candidates."""
    only_binary: frozenset[str] = frozenset()
    """Normalised names, or ``:all:``: sdists of these are not candidates."""
    no_deps: bool = False
    packages: Mapping[str, PackageOptions] = field(default_factory=dict, hash=False)
    release_age: timedelta | None = None
    """How long ago ``exclude_newer`` is, where the caller spoke of an age or the server demands one."""


@dataclass(frozen=True, slots=True)
class Stated:
    """A requirement as the caller stated it."""

    requirement: Requirement
    origin: str
    """``requirements.in:2`` or ``pyproject.toml (extra: dev)``: shown as ``via`` and in derivations."""
    place: Place
    hashes: tuple[tuple[str, str], ...] = ()
    """(algorithm, hex): when any is given, only files with one of them are candidates (hash-checking mode)."""


@dataclass(frozen=True, slots=True)
class Preference:
    """A version to keep where it is still possible: from a lock, or from another target of the same query."""

    name: str
    version: str
    hashes: tuple[tuple[str, str], ...] = ()
    marker: str | None = None
    """Where the lock had it; None: everywhere."""


@dataclass(frozen=True, slots=True)
class Universal:
    """All environments that these admit."""

    requires_python: str
    environments: tuple[str, ...] = ()
    required_environments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Budget:
    """What a resolve may cost."""

    seconds: float = 60.0
    decisions: int = 200_000
    steps: int = MAX_STEPS
    """Incompatibilities looked at in one solve."""
    packages: int = 5_000
    """Of which the answer could have one; the largest real locks have some thousand."""
    candidates: int = 500_000
    """Versions of the projects that were looked at; those of 600 real projects are some 60,000."""
    requests: int = 20_000
    """To indexes, retries and redirects included; the first lock of 600 projects takes some 1,500."""
    suggestions: float = 5.0
    """Seconds that may be spent on finding out what would help where there is no solution; 0: do not look."""


@dataclass(frozen=True, slots=True)
class PolicyLimits:
    """What the server's policy leaves to the caller: no suggestion goes beyond it."""

    newest: datetime | None = None
    """Files that were uploaded later never count; None: there is no such floor under their age."""
    builds: Builds = Builds.STATIC


@dataclass(frozen=True, slots=True)
class Query:
    """One validated request. Exactly one of ``targets`` and ``universal`` is given."""

    requirements: tuple[Stated, ...]
    indexes: tuple[Index, ...]
    targets: tuple[Target, ...] = ()
    universal: Universal | None = None
    constraints: tuple[Stated, ...] = ()
    overrides: tuple[Stated, ...] = ()
    excludes: frozenset[str] = frozenset()
    options: Options = Options()
    preferences: tuple[Preference, ...] = ()
    """Of the previous lock, those that ``upgrade`` releases left out."""
    regions: tuple[str, ...] = ()
    """Markers of the parts in which the previous lock was solved, where it was for the same environments."""
    previous: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    """name → versions of the previous lock, for ``changes``."""
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    requires_python: str | None = None
    """``[project] requires-python`` of the input, if it has one."""
    budget: Budget = Budget()
    limits: PolicyLimits = PolicyLimits()
    refresh: bool = False


@dataclass(frozen=True, slots=True)
class Edge:
    """A dependency that applies in the environment of a resolution."""

    name: str
    extras: tuple[str, ...]
    marker: str | None
    """The requirement's own marker text; None where it has none."""
    specifier: str = ""
    """PEP 440 specifiers of the requirement, after overrides: what ``lock.check`` holds the chosen version against."""
    extra: str | None = None
    """The extra of the requiring project that it belongs to; None where it needs none."""


class Memo(dict[Hashable, Any]):
    """What was worked out from a value and stays with all copies that share it. Compared and hashed by identity."""

    __slots__ = ()
    LIMIT = 128  # what requests choose (names of targets, regions) is in the keys, so they could be endless

    def keep(self, key: Hashable, value: T) -> T:
        """Hold ``value``, which can be worked out again, and return it."""
        if len(self) >= self.LIMIT:
            self.clear()
        self[key] = value
        return value

    def __hash__(self) -> int:  # type: ignore[override]
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other


@dataclass(frozen=True)  # no slots: a lock copies hundreds of these, and a dictionary is copied in one step
class Pin:
    """One chosen version, with the evidence."""

    name: str
    version: str
    index: str | None
    """Name of the index that the files come from; None for a direct reference."""
    index_url: str | None
    wheels: tuple[File, ...]
    """Every wheel that policy admits, of a target's pin those that it can install; ``lock.build`` keeps those that an
    environment of the lock can use."""
    sdist: File | None
    requires_python: str | None
    """Of the core metadata, else of the chosen file."""
    extras: tuple[str, ...]
    requires: tuple[Edge, ...]
    via: tuple[str, ...]
    """Sorted: origins of the statements and names of the packages that require it."""
    is_direct: bool
    """Stated by the caller."""
    reference: str | None = None
    """URL of a direct reference, without userinfo."""
    yanked: str | None = None
    memo: Memo = field(default_factory=Memo, init=False, repr=False, compare=False, hash=False)
    """What was worked out from all but ``via`` and ``is_direct``; the locks of later requests find it there."""

    def required_by(self, via: tuple[str, ...], *, is_direct: bool) -> Pin:
        """The same pin, required by others."""
        copy = object.__new__(Pin)
        copy.__dict__.update(self.__dict__, via=via, is_direct=is_direct)
        return copy


@dataclass(frozen=True, slots=True)
class TargetResolution:
    """The pins for one target, by name."""

    target: Target
    pins: Mapping[str, Pin]


@dataclass(frozen=True, slots=True, eq=False)
class RegionResolution:
    """The pins for one part of a universal resolution's environments, by name. Later queries may share it."""

    space: EnvironmentSet
    pins: Mapping[str, Pin]
    """``via`` may name the caller's statements only: the pins that require a pin are here as well."""
    needed: Mapping[str, EnvironmentSet]
    """Where in ``space`` each of them is needed."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the caller should know although there is a lock."""

    code: str
    detail: str
    package: str | None = None
    index: str | None = None


@dataclass(slots=True)
class Stats:
    """What a resolve cost; seconds are wall time."""

    fetch: float = 0.0
    solve: float = 0.0
    render: float = 0.0
    projects: int = 0
    metadata: int = 0
    decisions: int = 0
    conflicts: int = 0
    requests: int = 0
    cache_hits: int = 0
    slowest: list[tuple[str, float]] = field(default_factory=list)
    """(package, milliseconds), at most five."""
    stale: dict[tuple[str, str], float] = field(default_factory=dict)
    """(package, index) → seconds: the age of a page (or referenced file) that its index did not confirm."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """The answer of the driver."""

    query: Query
    targets: tuple[TargetResolution, ...]
    warnings: tuple[Notice, ...] = ()
    stats: Stats = field(default_factory=Stats)
    regions: tuple[RegionResolution, ...] = ()
    """Of a universal resolution; disjoint. ``targets`` is empty then."""
    reliance: Reliance | None = None
    """The pages that it rests on; None: it has to be made anew each time."""


@dataclass(frozen=True, slots=True)
class LockedDependency:
    """An edge of the lock's graph; ``version`` is given where the lock holds several of that name."""

    name: str
    marker: str | None = None
    version: str | None = None


@dataclass(frozen=True)  # no slots, as of Pin
class LockedPackage:
    """One package entry of a lock."""

    name: str
    version: str
    marker: str | None
    """None: in every environment of the lock."""
    extras: tuple[str, ...]
    direct: bool
    targets: tuple[str, ...]
    index: str | None
    index_url: str | None
    requires_python: str | None
    requires: tuple[LockedDependency, ...]
    via: tuple[str, ...]
    wheels: tuple[File, ...]
    sdist: File | None
    reference: str | None
    flags: tuple[str, ...]
    """Of ``yanked``, ``prerelease``, ``sdist-only``, ``no-upload-time``."""
    enforced_python: str | None = None
    """The specifiers of ``requires_python`` that every target satisfies: what an installer may be told to enforce.
    Upper bounds are no reason to reject a candidate, so a pin may violate one, and PEP 751 has installers fail then."""
    memo: Memo = field(default_factory=Memo, init=False, repr=False, compare=False, hash=False)
    """What was written of all but ``via`` and ``direct``: the fragments that documents are put together from."""

    @property
    def files(self) -> tuple[File, ...]:
        """The wheels, and the sdist if there is one."""
        return self.wheels if self.sdist is None else (*self.wheels, self.sdist)

    def required_by(self, via: tuple[str, ...], *, direct: bool) -> LockedPackage:
        """The same entry, required by others."""
        copy = object.__new__(LockedPackage)
        copy.__dict__.update(self.__dict__, via=via, direct=direct)
        return copy


@dataclass(frozen=True, slots=True)
class Change:
    """A package whose version differs from the previous lock's."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Changes:
    """Against the previous lock; (name, version) pairs, sorted."""

    added: tuple[tuple[str, str], ...] = ()
    removed: tuple[tuple[str, str], ...] = ()
    changed: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Lock:
    """A finished lock: ordered, deterministic, free of credentials."""

    requires_python: str | None
    environments: tuple[str, ...]
    packages: tuple[LockedPackage, ...]
    """Sorted by name, then version."""
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    changes: Changes = Changes()
    warnings: tuple[Notice, ...] = ()
    regions: tuple[str, ...] = ()
    """Markers of the parts in which a universal lock was solved, in their order; () where it was one."""
    stated: tuple[str, ...] = ()
    """The canonical texts of the requirements, for headers and digests."""
