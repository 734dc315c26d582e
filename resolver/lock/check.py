"""The independent walk: is this lock what the query asked for, in each of its targets?

It uses ``packaging`` and nothing of the solver, the provider or the marker algebra, so that an error there cannot
hide itself here. The one thing shared is the parser of requirements, for ``packaging`` must parse under one lock.
Every evaluation is remembered by its texts: a lock like the last one costs dictionary look-ups.

With ``requires_dist`` the walk follows the raw metadata; without, the edges that the pins carry: then an edge that
was never recorded is not missed, and only tests and audits can afford to notice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import NamedTuple

from packaging.tags import parse_tag

from resolver.environment.expression import UNDEFINED
from resolver.environment.markers import belongs_to
from resolver.environment.target import Target
from resolver.index.page import File
from resolver.model import Lock, LockedPackage, Pin, Query, Resolution, Stated, TargetResolution
from resolver.requirement import Requirement, parse

from .check_regions import check_regions, lacking_hashes, with_hashes
from .specifiers import contains, old_enough

RequiresDist = Mapping[tuple[str, str], Sequence[str]]
"""(name, version) → the ``Requires-Dist`` of its core metadata; it has every package of the lock."""

_MAX_REMEMBERED = 100_000  # evaluations of a marker in a target; some 20 MB
_holds: dict[tuple[str, str, str], bool] = {}


def check(lock: Lock, resolution: Resolution, requires_dist: RequiresDist | None = None) -> tuple[str, ...]:
    """Return what is wrong with ``lock``, as sentences that begin with the target's name; () when it is sound.

    Per target: the lock admits it; every name is selected once, and exactly the pins are; each has a file that can be
    installed there, with a hash the caller approved; walking from the caller's requirements meets every package,
    and every version satisfies each specifier and constraint on the way. A universal lock is walked in a sample of its
    environments (``check_regions``).
    """
    if resolution.query.universal is not None:
        return check_regions(lock, resolution, resolution.query.universal)
    return tuple(
        f"{resolved.target.name}: {fault}"
        for resolved in resolution.targets
        for fault in _Walk(lock, resolution.query, resolved, requires_dist).faults()
    )


class _Demand(NamedTuple):
    name: str
    extras: tuple[str, ...]
    specifier: str
    by: str


class _Walk:
    def __init__(
        self, lock: Lock, query: Query, resolved: TargetResolution, requires_dist: RequiresDist | None
    ) -> None:
        self._lock = lock
        self._query = query
        self._target = resolved.target
        self._pins = resolved.pins
        self._requires_dist = requires_dist
        self._selected: dict[str, LockedPackage] = {}
        self._overrides: dict[str, list[Requirement]] = {}
        for stated in query.overrides:
            self._overrides.setdefault(stated.requirement.name, []).append(stated.requirement)

    def faults(self) -> Iterator[str]:
        yield from self._admission()
        yield from self._selection()
        yield from self._files()
        yield from self._constraints()
        yield from self._reach()

    def _admission(self) -> Iterator[str]:
        python = self._target.python.rstrip("+")  # an interpreter built from a checkout calls itself 3.13.1+
        if self._lock.requires_python and not contains(self._lock.requires_python, python):
            yield f"Python {self._target.python} is not {self._lock.requires_python}, which the lock requires"
        environments = self._lock.environments
        if environments and not any(_marker_holds(marker, self._target) for marker in environments):
            yield "none of the lock's environments admits it"

    def _selection(self) -> Iterator[str]:
        for package in self._lock.packages:
            selects = package.marker is None or _marker_holds(package.marker, self._target)
            if selects != (self._target.name in package.targets):
                yield f"the marker of {_title(package)} contradicts its list of targets"
            if not selects:
                continue
            other = self._selected.setdefault(package.name, package)
            if other is not package:
                yield f"both {_title(other)} and {_title(package)} are selected"
        for name, pin in self._pins.items():
            found = self._selected.get(name)
            if found is None:
                yield f"{name} {pin.version} was chosen and is not selected"
            elif (found.version, found.reference) != (pin.version, pin.reference):
                yield f"{name} {pin.version} was chosen and {_title(found)} is selected"
        for name in self._selected.keys() - self._pins.keys():
            yield f"{_title(self._selected[name])} is selected and was not chosen"

    def _files(self) -> Iterator[str]:
        hashed = list(self._applying(with_hashes(self._query)))
        for package in self._selected.values():
            usable = (package.reference or file.tags is None or _fits(file, self._target) for file in package.files)
            if not any(usable):
                yield f"{_title(package)} has no file that can be installed"
            if package.requires_python and not old_enough(package.requires_python, self._target.python):
                yield f"{_title(package)} requires Python {package.requires_python}"
            for stated in hashed:
                if stated.requirement.name == package.name:
                    yield from lacking_hashes(stated, package)

    def _constraints(self) -> Iterator[str]:
        for stated in self._applying(self._query.constraints):
            package = self._selected.get(stated.requirement.name)
            if package is not None and not contains(stated.requirement.specifier, package.version):
                yield f"{_title(package)} violates the constraint {stated.requirement.specifier} of {stated.origin}"

    def _applying(self, statements: Iterable[Stated]) -> Iterator[Stated]:
        return (stated for stated in statements if self._applies(stated.requirement))

    def _applies(self, requirement: Requirement, extra: str = "") -> bool:
        return requirement.marker_text is None or _marker_holds(requirement.marker_text, self._target, extra)

    def _effective(self, requirement: Requirement, by: str, extra: str = "") -> Iterator[_Demand]:
        """What ``requirement`` demands here once excludes and overrides had their say."""
        if requirement.name in self._query.excludes:
            return
        replacement = self._overrides.get(requirement.name)
        if replacement is None:
            if self._applies(requirement, extra):
                yield _Demand(requirement.name, requirement.extras, requirement.specifier, by)
        elif belongs_to(requirement.marker_text, extra or None):
            for one in replacement:  # in place of the marker, too
                if self._applies(one):
                    yield _Demand(one.name, one.extras, one.specifier, by)

    def _reach(self) -> Iterator[str]:
        todo = [
            demand
            for stated in self._query.requirements
            for demand in self._effective(stated.requirement, stated.origin)
        ]
        met: set[tuple[str, str]] = set()
        while todo:
            demand = todo.pop()
            package = self._selected.get(demand.name)
            if package is None:
                yield f"{demand.by} requires {demand.name}, which is not selected"
                continue
            if not contains(demand.specifier, package.version):
                yield f"{demand.by} requires {demand.name}{demand.specifier}, and {_title(package)} is selected"
            for extra in ("", *demand.extras):
                if (demand.name, extra) not in met:
                    met.add((demand.name, extra))
                    todo.extend(self._demands(package, extra))
        for name in sorted(self._selected.keys() - {name for name, _ in met}):
            yield f"nothing requires {_title(self._selected[name])}"
        yield from self._idle_edges()

    def _demands(self, package: LockedPackage, extra: str) -> Iterator[_Demand]:
        if self._query.options.no_deps:
            return
        if self._requires_dist is not None:
            by = _title(package)
            for text in self._requires_dist[package.name, package.version]:
                requirement = parse(text)
                # PEP 508: an extra adds to what is required without it.
                if extra == "" or not self._applies(requirement):
                    yield from self._effective(requirement, by, extra)
        elif extra == "" and package.name in self._pins:  # a pin's edges are those of all its extras
            yield from _demands_of(self._pins[package.name])

    def _idle_edges(self) -> Iterator[str]:
        for pin in self._pins.values():
            for edge in pin.requires:
                if edge.marker is not None and not self._edge_holds(edge.marker, pin):
                    yield f"{pin.name} {pin.version} requires {edge.name} only if {edge.marker}"

    def _edge_holds(self, marker: str, pin: Pin) -> bool:
        return any(_marker_holds(marker, self._target, extra) for extra in ("", *pin.extras))


def _demands_of(pin: Pin) -> Sequence[_Demand]:
    """What the edges of a pin demand: every lock that has the pin is checked for the same."""
    found: Sequence[_Demand] | None = pin.memo.get("demands")
    if found is None:
        by = f"{pin.name} {pin.version}"
        demands = [_Demand(edge.name, edge.extras, edge.specifier, by) for edge in pin.requires]
        found = pin.memo.keep("demands", tuple(demands))
    return found


def _title(package: LockedPackage) -> str:
    return f"{package.name} {package.version}"


def _marker_holds(text: str, target: Target, extra: str = "") -> bool:
    key = (target.key, text, extra)
    found = _holds.get(key)
    if found is None:
        marker = parse(f"x ; {text}").marker
        extras: frozenset[str] = frozenset({extra} if extra else ())
        environment: dict[str, str | AbstractSet[str]] = {**target.markers, "extra": extra, "extras": extras}
        environment["dependency_groups"] = frozenset()
        try:
            found = marker is None or marker.evaluate(environment)
        except UNDEFINED:
            found = True  # ``sys_platform ~= "linux"`` says nothing, so it leaves out nothing
        if len(_holds) >= _MAX_REMEMBERED:
            _holds.clear()
        _holds[key] = found
    return found


@lru_cache(maxsize=16_384)
def _tags(compressed: str) -> frozenset[str]:
    return frozenset(str(tag) for tag in parse_tag(compressed))


def _fits(file: File, target: Target) -> bool:
    return file.tags is not None and any(tag in target.tags for tag in _tags(file.tags))
