"""Does an existing lock still satisfy the inputs? Decided from the lock's own data, without an index.

Every requirement that applies somewhere must be met there by a version of the lock; constraints, overrides, excludes,
hashes and the Pythons of the query likewise, and the lock's own edges must lead to packages that are there. What a
lock does not record is not judged: the specifiers between its packages, in which environments one requires another,
and extras outside of the JSON form.

Targets are evaluated one by one; all environments at once as sets, so that no environment is forgotten.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from itertools import islice
from operator import and_, itemgetter, or_
from typing import Protocol

from packaging.markers import Marker
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from resolver.environment import markers
from resolver.environment.marker_text import to_marker
from resolver.environment.space import ALL, NOTHING, EnvironmentSet, from_marker, from_requires_python
from resolver.environment.target import Target
from resolver.inputs import LockContent, LockedVersion
from resolver.model import Query, Stated, Universal

from .address import redacted

MAX_FAULTS = 1000  # that many say that it is another lock
MAX_NAMESAKES = 32  # entries of one name, each compared with each; real universal locks have some ten

Where = Sequence[Marker | str | None]
"""Markers that hold together; None holds everywhere."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that the inputs ask for and the lock does not give."""

    target: str | None
    """The target's name; None in a universal query."""
    environment: str | None
    """A marker of the environments, for a universal query; None: in all of them."""
    requirement: str
    """What is not met, as it was stated; the lock's own words where they contradict each other."""
    detail: str


Spot = tuple[str | None, str | None]
"""(target, environment), as in :class:`Fault`."""


class _Places(Protocol):
    """Whom the inputs are for."""

    def uncovered(self, needed: Where, have: Sequence[Where] = (), extras: Sequence[str] = ()) -> Iterator[Spot]:
        """Yield where all of ``needed`` hold and none of ``have`` does."""
        ...

    def outside_python(self, specifier: str) -> Iterator[Spot]:
        """Yield where the Python is none of ``specifier``.

        Raises:
            ValueError: not a version specifier.
        """
        ...


class _Targets:
    def __init__(self, targets: Sequence[Target]) -> None:
        self._targets = targets

    def uncovered(self, needed: Where, have: Sequence[Where] = (), extras: Sequence[str] = ()) -> Iterator[Spot]:
        for target in self._targets:
            if _hold(needed, target, extras) and not any(_hold(one, target, extras) for one in have):
                yield target.name, None

    def outside_python(self, specifier: str) -> Iterator[Spot]:
        try:
            admitted = SpecifierSet(specifier)
        except InvalidSpecifier:
            raise ValueError(specifier) from None
        for target in self._targets:
            # An interpreter built from a checkout calls itself 3.13.1+.
            if not admitted.contains(Version(target.python.rstrip("+")), prereleases=True):
                yield target.name, None


def _hold(where: Where, target: Target, extras: Sequence[str]) -> bool:
    return all(
        marker is None
        or markers.evaluate(markers.parse_marker(marker) if isinstance(marker, str) else marker, target, extras)
        for marker in where
    )


class _Everywhere:
    def __init__(self, whole: EnvironmentSet) -> None:
        self._whole = whole

    def uncovered(self, needed: Where, have: Sequence[Where] = (), extras: Sequence[str] = ()) -> Iterator[Spot]:
        missing = self._whole & _space(needed, extras)
        for one in have:
            missing -= _space(one, extras)
        yield from self._spot(missing)

    def outside_python(self, specifier: str) -> Iterator[Spot]:
        yield from self._spot(self._whole - from_requires_python(specifier))

    def _spot(self, space: EnvironmentSet) -> Iterator[Spot]:
        if not space.is_empty():
            text = to_marker(space, assuming=self._whole)
            yield None, text and text.replace('"', "'")


def _space(where: Where, extras: Sequence[str]) -> EnvironmentSet:
    return reduce(and_, (_without_extras(from_marker(marker), extras) for marker in where), ALL)


def _without_extras(space: EnvironmentSet, extras: Sequence[str]) -> EnvironmentSet:
    """Where it holds without an extra or with any one of them: as a requirement is evaluated for a target."""
    if not space.mentions_extra:
        return space
    return reduce(or_, (space.without_extras((extra,)) for extra in extras), space.without_extras())


def satisfies(lock: LockContent, query: Query) -> tuple[Fault, ...]:
    """Return what of ``query`` the lock does not satisfy, in the order of the inputs; () when it is still good.

    There are :data:`MAX_FAULTS` of them at most.

    Raises:
        ValueError: the lock has more than :data:`MAX_NAMESAKES` entries of one name.
        RequirementError: a marker of the lock is none.
        SpecifierError: a Requires-Python is none.
        DiagramLimitError: the markers combine too much to be compared.
    """
    name, count = max(Counter(package.name for package in lock.packages).items(), key=itemgetter(1), default=("", 0))
    if count > MAX_NAMESAKES:
        raise ValueError(f"{count} entries of {name}; at most {MAX_NAMESAKES} are compared")
    places: _Places = _Targets(query.targets) if query.universal is None else _Everywhere(_whole(query.universal))
    return tuple(dict.fromkeys(islice(_Walk(lock, query, places).faults(), MAX_FAULTS)))


def _whole(universal: Universal) -> EnvironmentSet:
    stated = [from_marker(marker) for marker in universal.environments] or [ALL]
    return from_requires_python(universal.requires_python) & reduce(or_, stated, NOTHING)


class _Walk:
    def __init__(self, lock: LockContent, query: Query, places: _Places) -> None:
        self._lock = lock
        self._query = query
        self._places = places
        self._packages: dict[str, list[LockedVersion]] = {}
        for package in lock.packages:
            self._packages.setdefault(package.name, []).append(package)
        self._overrides: dict[str, list[Stated]] = {}
        for stated in query.overrides:
            self._overrides.setdefault(stated.requirement.name, []).append(stated)

    def faults(self) -> Iterator[Fault]:
        yield from self._admission()
        yield from self._selection()
        demanded: dict[Stated, None] = {}
        for stated in self._query.requirements:
            name = stated.requirement.name
            if name in self._query.excludes:
                continue
            if name not in self._overrides:
                yield from self._requirement(stated, (stated.requirement.marker,))
            elif markers.belongs_to(stated.requirement.marker_text, None):
                demanded.update(dict.fromkeys(self._overrides[name]))
        for one in demanded:  # an override takes the place of all that is stated, markers too
            yield from self._requirement(one, (one.requirement.marker,))
        for stated in (*self._query.constraints, *self._query.overrides):
            yield from self._limit(stated)
        if not self._query.options.no_deps:
            yield from self._edges()

    def _admission(self) -> Iterator[Fault]:
        python = self._lock.requires_python
        if python:
            for target, environment in self._places.outside_python(python):
                yield Fault(target, environment, "requires-python", f"the lock is for Python {python} only")
        if self._lock.environments:
            # The lock's own environments are markers without extras.
            for target, environment in self._places.uncovered((), [(one,) for one in self._lock.environments]):
                yield Fault(target, environment, "environments", "none of the lock's environments is this one")

    def _selection(self) -> Iterator[Fault]:
        for name, packages in self._packages.items():
            for at, one in enumerate(packages):
                for other in packages[:at]:
                    for target, environment in self._uncovered((other.marker, one.marker)):
                        detail = f"the lock has both {_title(other)} and {_title(one)} here"
                        yield Fault(target, environment, name, detail)
            if name in self._query.excludes:
                for package in packages:
                    for target, environment in self._uncovered((package.marker,)):
                        yield Fault(
                            target, environment, name, f"{name} is excluded, and the lock has {_title(package)}"
                        )

    def _uncovered(self, needed: Where, have: Sequence[Where] = ()) -> Iterator[Spot]:
        """As the places say; markers of packages may name the extras of the project (PEP 751)."""
        return self._places.uncovered(needed, have, self._query.extras)

    def _requirement(self, stated: Stated, where: Where) -> Iterator[Fault]:
        packages = self._packages.get(stated.requirement.name, [])
        for target, environment in self._uncovered(where, [(package.marker,) for package in packages]):
            yield Fault(target, environment, _shown(stated), f"{_asked(stated)}: the lock does not have it")
        yield from self._mismatches(stated, where)

    def _limit(self, stated: Stated) -> Iterator[Fault]:
        yield from self._mismatches(stated, (stated.requirement.marker,))

    def _mismatches(self, stated: Stated, where: Where) -> Iterator[Fault]:
        """Yield where a version of the lock is not what ``stated`` admits."""
        for package in self._packages.get(stated.requirement.name, ()):
            reason = _mismatch(stated, package)
            if reason is not None:
                for target, environment in self._uncovered((*where, package.marker)):
                    yield Fault(target, environment, _shown(stated), f"{_asked(stated)}: {reason}")

    def _edges(self) -> Iterator[Fault]:
        for package in self._lock.packages:
            for edge in package.requires:
                if edge.name == package.name or edge.name in self._query.excludes:
                    continue
                found = [
                    one
                    for one in self._packages.get(edge.name, ())
                    if edge.version is None or one.version == edge.version
                ]
                # An edge may be idle in some environments (PEP 751 has no markers of edges, and one of an extra that
                # is asked for in one place only has none either), but it leads to something somewhere.
                if found:
                    continue
                where = (package.marker, edge.marker)
                for target, environment in self._places.uncovered(where, (), package.extras or ()):
                    detail = f"{_title(package)} requires {edge.name}, which the lock does not have"
                    yield Fault(target, environment, edge.name, detail)


def _title(package: LockedVersion) -> str:
    return f"{package.name} {package.version}"


def _shown(stated: Stated) -> str:
    """Return the requirement without a password."""
    requirement = stated.requirement
    return requirement.text.replace(requirement.url, redacted(requirement.url)) if requirement.url else requirement.text


def _asked(stated: Stated) -> str:
    return f"{stated.origin} asks for {_shown(stated)}"


def _mismatch(stated: Stated, package: LockedVersion) -> str | None:
    requirement = stated.requirement
    if requirement.url is not None:
        if not any(_same_file(requirement.url, url) for url in package.urls):
            return f"the lock has {_title(package)} from another place"
    elif requirement.specifier and not _admits(requirement.specifier, package.version):
        return f"the lock has {_title(package)}"
    if package.extras is not None:
        lacking = [extra for extra in requirement.extras if extra not in package.extras]
        if lacking:
            return f"the lock has {_title(package)} without {', '.join(lacking)}"
    if stated.hashes and package.hashes and set(stated.hashes).isdisjoint(package.hashes):
        return f"no file of {_title(package)} in the lock has one of the hashes that are asked for"
    return None


def _same_file(stated: str, locked: str) -> bool:
    """Compare URLs by what they name: a password is none of the lock's, and a fragment none of the server's."""
    return redacted(stated).partition("#")[0] == redacted(locked).partition("#")[0]


@lru_cache(maxsize=65_536)
def _admits(specifier: str, version: str) -> bool:
    """Whether PEP 440 admits ``version``; whether pre-releases are welcome was decided when it was locked."""
    return SpecifierSet(specifier).contains(Version(version), prereleases=True)
