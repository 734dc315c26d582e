"""What a query allows and prefers for one package: its options, put together once per name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from packaging.markers import Marker
from packaging.version import InvalidVersion, Version

from ..environment.place import Place, applies, evaluate
from ..environment.region import Region
from ..index.filename import version_of
from ..index.page import File, Release
from ..model import Builds, Options, PackageOptions, Prerelease, Query, ResolutionMode, Stated
from .versions import exact_pin, mentions_prerelease

Chosen = tuple[str, bool]
"""A version that was chosen in another place, and whether the package was stated there."""

_EVERY = ":all:"
_NO_OPTIONS = PackageOptions()


@dataclass(frozen=True, slots=True)
class Filter:
    """Which files and versions may be candidates. Hashable: filtered releases are remembered by it."""

    wheels: bool = True
    sdists: bool = True
    exclude_newer: datetime | None = None
    yanked_pins: frozenset[Version] = frozenset()
    """Versions that the caller pinned exactly: these may be yanked (PEP 592)."""
    hashes: frozenset[frozenset[tuple[str, str]]] = frozenset()
    """Only files with one of each of these are candidates (hash-checking mode): each statement names its own."""
    prereleases: bool = True

    def admits_hashes(self, file: File) -> bool:
        """Whether ``file`` has the hashes that were asked for, if any were."""
        return not self.hashes or all(not given.isdisjoint(file.hashes) for given in self.hashes)

    def admits_yanked(self, release: Release) -> bool:
        """Whether ``release`` may be a candidate although it was yanked; ``==2`` pins 2.0 as well."""
        return bool(self.yanked_pins) and release.version in self.yanked_pins


@dataclass(frozen=True, slots=True)
class Order:
    """Which candidate is tried first."""

    lowest: bool = False
    stable_first: bool = True


def cutoff(options: Options, name: str) -> datetime | None:
    """From when on files of ``name`` do not count; None: all do."""
    own = options.packages.get(name, _NO_OPTIONS).exclude_newer
    if isinstance(own, datetime):
        return own
    return None if own is False else options.exclude_newer


class Policies:
    """The policies of one query for one place. Pure; every answer is computed once per name."""

    def __init__(
        self,
        query: Query,
        place: Place,
        earlier: Mapping[str, Sequence[str]],
        begun: Mapping[str, Chosen],
    ) -> None:
        """Say what is preferred besides what a lock had in the place itself, in this order; its other versions follow.

        Args:
            query: The query.
            place: The place.
            earlier: Versions in places that were resolved before, by name.
            begun: What was chosen for the region that the place is a part of, by name.
        """
        self._query = query
        self._earlier = earlier
        self._begun = begun
        self._direct: dict[str, list[Stated]] = {}
        self._pinned_elsewhere: dict[str, set[Version]] = {}
        """What is pinned in other environments of a universal lock: as in uv it may be yanked in all of them."""
        self._required = frozenset(stated.requirement.name for stated in query.requirements)
        """The projects of the caller's requirements, wherever these hold: an override alone requires nothing."""
        for stated in query.overrides:
            self._note(stated, place)
        overridden = {stated.requirement.name for stated in query.overrides}
        for stated in query.requirements:
            requirement = stated.requirement
            if requirement.name in overridden:
                continue
            if requirement.marker_text is None:
                self._direct.setdefault(requirement.name, []).append(stated)
            else:
                self._note(stated, place)
        self._constraints: dict[str, list[Stated]] = {}
        for stated in query.constraints:
            marker = stated.requirement.marker
            if marker is None or evaluate(marker, place):
                self._constraints.setdefault(stated.requirement.name, []).append(stated)
            else:
                self._note_elsewhere(stated, marker, place)
        self._kept: dict[str, list[str]] = {}
        self._elsewhere: dict[str, list[str]] = {}
        for preference in query.preferences:
            is_here = preference.marker is None or applies(preference.marker, place)
            versions = self._kept if is_here else self._elsewhere
            versions.setdefault(preference.name, []).append(preference.version)
        options = query.options
        self._is_plain = not (query.preferences or options.resolution is ResolutionMode.LOWEST_DIRECT)
        """Whether what was chosen before counts the same for all packages."""
        all_matter = options.resolution is ResolutionMode.LOWEST_DIRECT or options.prerelease is Prerelease.EXPLICIT
        self._named = frozenset().union(
            [name for name, stated in self._direct.items() if all_matter or any(map(_is_particular, stated))],
            *(self._constraints, self._pinned_elsewhere),
            *(options.packages, options.no_binary, options.only_binary),
        )

    def _note(self, stated: Stated, place: Place) -> None:
        marker = stated.requirement.marker
        if marker is None or evaluate(marker, place):
            self._direct.setdefault(stated.requirement.name, []).append(stated)
        else:
            self._note_elsewhere(stated, marker, place)

    def _note_elsewhere(self, stated: Stated, marker: Marker, place: Place) -> None:
        pin = exact_pin(stated.requirement.specifier)
        if pin is not None and isinstance(place, Region) and evaluate(marker, place.entire):
            self._pinned_elsewhere.setdefault(stated.requirement.name, set()).add(pin)

    def singles_out(self, name: str) -> bool:
        """Whether anything is said about ``name`` that may matter to it; all others have equal filters and orders."""
        return name in self._named

    def is_direct(self, name: str) -> bool:
        """Whether the caller stated a requirement on ``name`` that applies in the target."""
        return name in self._direct and name in self._required

    def constraints(self, name: str) -> tuple[Stated, ...]:
        """The constraints on ``name`` that apply in the target."""
        return tuple(self._constraints.get(name, ()))

    def index(self, name: str) -> str | None:
        """The index that ``name`` is pinned to, if any."""
        return self._query.options.packages.get(name, _NO_OPTIONS).index

    def filter(self, name: str, *, kept: Sequence[str] = ()) -> Filter:
        """What may be a candidate for ``name``; versions that are ``kept`` may be yanked."""
        options = self._query.options
        own = options.packages.get(name, _NO_OPTIONS)
        stated = [*self._direct.get(name, ()), *self._constraints.get(name, ())]
        pins = {pin for one in stated if (pin := exact_pin(one.requirement.specifier)) is not None}
        pins.update(self._pinned_elsewhere.get(name, ()))
        pins.update(version for text in kept if (version := version_of(text)) is not None)
        # Who names a file by its URL wants that file, however new it is, as in uv; the server's own floor holds.
        is_given = self._query.limits.newest is None and any(one.requirement.url is not None for one in stated)
        return Filter(
            wheels=not _is_listed(name, options.no_binary, options.only_binary),
            sdists=not _is_listed(name, options.only_binary, options.no_binary)
            and (own.builds or options.builds) is not Builds.NEVER,
            exclude_newer=None if is_given else cutoff(options, name),
            yanked_pins=frozenset(pins),
            hashes=frozenset(frozenset(one.hashes) for one in stated if one.hashes),
            prereleases=self._admits_prereleases(name, own.prerelease or options.prerelease),
        )

    def release_age(self, name: str) -> timedelta | None:
        """How old a release of ``name`` has to be; None where an instant limits it, or nothing does."""
        options = self._query.options
        own = options.packages.get(name, _NO_OPTIONS)
        return options.release_age if own.exclude_newer is None else own.release_age

    def order(self, name: str) -> Order:
        """Which candidate of ``name`` to try first."""
        options = self._query.options
        own = options.packages.get(name, _NO_OPTIONS)
        return Order(
            lowest=self._is_lowest(name),
            stable_first=(own.prerelease or options.prerelease) is not Prerelease.ALLOW,
        )

    def kept(self, name: str) -> tuple[str, ...]:
        """The versions of ``name`` that the earlier lock has."""
        return (*self._kept.get(name, ()), *self._elsewhere.get(name, ()))

    def preferred(self, name: str) -> tuple[str, ...]:
        """The versions of ``name`` that are tried before any other, in this order.

        Of several for other places each is the best that could be had there; the others follow where the best cannot
        be.
        """
        begun, earlier = self._begun.get(name), self._earlier.get(name, ())
        if self._is_plain and len(earlier) < 2:  # as of most names, in each of tens of parts
            if begun is None:
                return (earlier[0],) if earlier else ()
            return (begun[0], earlier[0]) if earlier and earlier[0] != begun[0] else (begun[0],)
        groups = [self._kept.get(name, ()), () if begun is None else begun[:1], earlier]
        if self._query.options.resolution is ResolutionMode.LOWEST_DIRECT:
            # Where a package is stated its lowest version was wanted, elsewhere the highest: neither is an example.
            # As in uv each place has what is lowest there.
            groups[1:] = [groups[1] if begun is not None and begun[1] == self.is_direct(name) else ()]
        groups.append(self._elsewhere.get(name, ()))
        highest_first = not self._is_lowest(name)
        # Most have one version, which every group names.
        return tuple(dict.fromkeys([one for group in groups for one in _by_precedence(group, highest_first)]))

    def _is_lowest(self, name: str) -> bool:
        mode = self._query.options.resolution
        return mode is ResolutionMode.LOWEST or (mode is ResolutionMode.LOWEST_DIRECT and self.is_direct(name))

    def _admits_prereleases(self, name: str, mode: Prerelease) -> bool:
        if mode is Prerelease.DISALLOW:
            return False
        if mode is Prerelease.EXPLICIT:
            stated = [*self._direct.get(name, ()), *self._constraints.get(name, ())]
            return any(mentions_prerelease(one.requirement.specifier) for one in stated)
        return True  # ALLOW, IF_NECESSARY, IF_NECESSARY_OR_EXPLICIT differ in the order only


def _is_particular(stated: Stated) -> bool:
    """Whether a requirement says which files or yanked versions may be candidates."""
    requirement = stated.requirement
    return bool(stated.hashes) or requirement.url is not None or exact_pin(requirement.specifier) is not None


def _is_listed(name: str, names: frozenset[str], opposite: frozenset[str]) -> bool:
    """Whether a list of projects names ``name``; ``:all:`` names those that the opposite list does not, as in pip."""
    return name in names or (_EVERY in names and name not in opposite)


def _by_precedence(versions: Sequence[str], highest_first: bool) -> Sequence[str]:  # noqa: FBT001
    return versions if len(versions) < 2 else sorted(versions, key=_precedence, reverse=highest_first)


@lru_cache(maxsize=16_384)  # versions that were chosen, some 200 bytes each
def _precedence(text: str) -> Version:
    try:
        return Version(text)
    except InvalidVersion:
        return Version("0")  # of an old lock; it is no candidate
