"""Whom a lock is for: targets, or regions of environments. What differs between the two when a lock is built."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Protocol

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from resolver.environment.marker_text import to_marker
from resolver.environment.previews import previews, rounded
from resolver.environment.space import NOTHING, DiagramLimitError, EnvironmentSet, from_requires_python
from resolver.environment.tags import rank
from resolver.environment.wheel_space import from_tags
from resolver.errors import too_complex
from resolver.index.page import File
from resolver.model import Pin, RegionResolution, TargetResolution, Universal

from .distinction import between

Positions = Sequence[int]
"""Which of the places, by their order."""


class Places(Protocol):
    """The places of one lock."""

    @property
    def pins(self) -> Sequence[Mapping[str, Pin]]:
        """What was chosen in each place."""
        ...

    @property
    def environments(self) -> tuple[str, ...]:
        """The lock's ``environments``."""
        ...

    @property
    def regions(self) -> tuple[str, ...]:
        """Markers of the parts in which a universal lock was solved; () where there is one."""
        ...

    @property
    def identity(self) -> Hashable | None:
        """Of one place that is all the lock is for: equal ones make equal entries of equal pins. Else None."""
        ...

    def signature(self, name: str, positions: Positions) -> Hashable:
        """All that the places add to an entry: equal ones make equal entries of equal pins."""
        ...

    def requires_python(self, stated: str | None) -> str | None:
        """The lock's ``requires-python``; ``stated`` is the input's own."""
        ...

    def marker(self, name: str, positions: Positions) -> str | None:
        """A marker for a package of some places; None where it holds in the whole lock."""
        ...

    def uses(self, file: File, name: str, positions: Positions) -> bool:
        """Whether a wheel can be installed in any of the places."""
        ...

    def names(self, positions: Positions) -> tuple[str, ...]:
        """The names of the places."""
        ...

    def enforced(self, requires_python: str, name: str, positions: Positions) -> str | None:
        """Those specifiers of a Requires-Python that all the places satisfy; None where there are none."""
        ...


class Targets:
    """Concrete environments."""

    def __init__(self, resolutions: Sequence[TargetResolution]) -> None:
        """In the caller's order."""
        self._targets = [resolved.target for resolved in resolutions]
        self._distinction = between(self._targets)
        self.pins: Sequence[Mapping[str, Pin]] = [resolved.pins for resolved in resolutions]
        self.environments = tuple(dict.fromkeys(single_quoted(target.marker) for target in self._targets))
        self.regions: tuple[str, ...] = ()
        self._keys = tuple((target.name, target.key) for target in self._targets)
        only = self._targets[0] if len(self._targets) == 1 else None
        self.identity: Hashable | None = None if only is None else (only.name, only.key)

    def signature(self, name: str, positions: Positions) -> Hashable:
        """As :class:`Places` says."""
        del name
        return self._keys, tuple(positions)

    def requires_python(self, stated: str | None) -> str | None:
        """Return the caller's own where every target satisfies it, else the oldest target's minor."""
        if not self._targets:
            return stated
        pythons = [_version(target.python) for target in self._targets]
        if stated:
            try:
                specifiers = SpecifierSet(stated)
            except InvalidSpecifier:
                specifiers = SpecifierSet("<0")
            if all(specifiers.contains(python, prereleases=True) for python in pythons):
                return ",".join(sorted(str(one) for one in specifiers))
        oldest = min(pythons)
        minor = Version(f"{oldest.major}.{oldest.minor}")
        return f">={min(minor, oldest)}"  # 3.15.0b1 is older than 3.15

    def marker(self, name: str, positions: Positions) -> str | None:
        """True in exactly these targets."""
        del name
        return self._distinction.marker(sum(1 << position for position in positions))

    def uses(self, file: File, name: str, positions: Positions) -> bool:
        """Whether any of the targets supports one of its tags."""
        del name
        return file.tags is not None and any(
            rank(file.tags, self._targets[position]) is not None for position in positions
        )

    def names(self, positions: Positions) -> tuple[str, ...]:
        """As the caller named them."""
        return tuple(self._targets[position].name for position in positions)

    def enforced(self, requires_python: str, name: str, positions: Positions) -> str | None:
        """As :class:`Places` says."""
        del name
        return _enforced(requires_python, tuple(self._targets[position].python for position in positions))


class Regions:
    """Parts of all the environments that a universal lock is for."""

    def __init__(self, universal: Universal, resolutions: Sequence[RegionResolution]) -> None:
        """``resolutions`` are disjoint."""
        self._universal = universal
        self._resolutions = resolutions
        self._whole = rounded(_union(one.space for one in resolutions))
        self.pins: Sequence[Mapping[str, Pin]] = [resolved.pins for resolved in resolutions]
        self.environments = tuple(single_quoted(marker) for marker in universal.environments)
        self.identity: Hashable | None = None
        self.regions: tuple[str, ...] = ()
        if len(resolutions) > 1:
            with suppress(DiagramLimitError):  # without them the next lock begins with one part
                self.regions = self._texts([rounded(one.space) for one in resolutions])

    def _texts(self, spaces: Sequence[EnvironmentSet]) -> tuple[str, ...]:
        texts = (to_marker(space, assuming=self._whole - previews(self._whole) - previews(space)) for space in spaces)
        return tuple(single_quoted(text) for text in texts if text is not None)

    def _space(self, name: str, positions: Positions) -> EnvironmentSet:
        """The environments of final Pythons that need the package: for others nothing was solved."""
        return _final(tuple([self._resolutions[position].needed[name] for position in positions]))

    def signature(self, name: str, positions: Positions) -> Hashable:
        """As :class:`Places` says."""
        return self._space(name, positions), self._whole

    def requires_python(self, stated: str | None) -> str | None:
        """What the caller asked the lock for."""
        del stated
        return self._universal.requires_python or None

    def marker(self, name: str, positions: Positions) -> str | None:
        """Where the package is needed, said under the assumption of the lock's own environments.

        Raises:
            BudgetExhausted: no marker of bearable length says it.
        """
        try:
            return next(iter(self._texts([self._space(name, positions)])), None)
        except DiagramLimitError:
            raise too_complex((name,)) from None

    def uses(self, file: File, name: str, positions: Positions) -> bool:
        """Whether the wheel's environments meet those that need the package."""
        return file.tags is not None and not from_tags(file.tags).is_disjoint(self._space(name, positions))

    def names(self, positions: Positions) -> tuple[str, ...]:
        """Regions have none."""
        del positions
        return ()

    def enforced(self, requires_python: str, name: str, positions: Positions) -> str | None:
        """As :class:`Places` says."""
        space = self._space(name, positions)
        try:
            kept = [str(one) for one in SpecifierSet(requires_python) if space.implies(from_requires_python(str(one)))]
        except ValueError:  # of old metadata: ``>=2.7.*``
            return None
        return ",".join(sorted(kept)) or None


@lru_cache(maxsize=16_384)  # of the places that need a package; some 300 bytes each
def _final(spaces: tuple[EnvironmentSet, ...]) -> EnvironmentSet:
    space = rounded(_union(spaces))
    return space - previews(space)


def _union(spaces: Iterable[EnvironmentSet]) -> EnvironmentSet:
    whole = NOTHING
    for space in spaces:
        whole |= space
    return whole


@lru_cache(maxsize=16_384)  # the texts of Requires-Python in a large index, for a few targets
def _enforced(requires_python: str, pythons: tuple[str, ...]) -> str | None:
    try:
        specifiers = SpecifierSet(requires_python)
    except InvalidSpecifier:
        return None  # of old metadata: ``>=2.7.*``
    versions = [_version(python) for python in pythons]
    kept = [str(one) for one in specifiers if all(one.contains(version, prereleases=True) for version in versions)]
    return ",".join(sorted(kept)) or None


def _version(python: str) -> Version:
    return Version(python.rstrip("+"))  # an interpreter built from a checkout calls itself 3.13.1+


@lru_cache(maxsize=16_384)
def single_quoted(marker: str) -> str:
    """Respell a marker so that JSON and TOML need no escapes, where its values allow that."""
    return marker if "'" in marker else marker.replace('"', "'")
