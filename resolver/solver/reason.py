"""What is in force of what was declared, and what was learned, before a proof needs it as an incompatibility.

Most of it never becomes part of a proof. So nodes of the derivation graph are made when they are asked for, of what
was known when the conclusion was drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from .facts import Dependency
from .incompatibility import (
    Derived,
    FromDependency,
    FromExclusion,
    Incompatibility,
    NoVersions,
    Unavailable,
    resolved,
)

if TYPE_CHECKING:
    from .package_state import PackageState


class Fact:
    """An external incompatibility before a proof needs it, cheap to make and still growing.

    Equal statements of further versions of the same package widen ``versions``; whatever was concluded from the
    narrower fact stays true. ``other`` is None, or ``admitted`` is 0, where the fact is about ``state`` alone.
    """

    __slots__ = ("_extents", "admitted", "cause", "other", "state", "versions")

    def __init__(
        self,
        state: PackageState,
        versions: int,
        cause: Dependency | Unavailable,
        other: PackageState | None,
        admitted: int,
    ) -> None:
        self.state = state
        self.versions = versions
        self.cause = cause
        self.other = other
        self.admitted = admitted
        self._extents: dict[int, Extent] | None = None

    def widen(self, versions: int, cause: Dependency | Unavailable) -> None:
        """The same holds of other versions, if in other words."""
        self.versions |= versions
        told = self.cause
        if cause is told:
            return
        if isinstance(cause, Dependency) and isinstance(told, Dependency):
            is_same_key, is_same_source = cause.key == told.key, cause.source == told.source
            if not (is_same_key and is_same_source) and (told.key is not None or told.source):
                self.cause = Dependency(
                    told.package, told.key if is_same_key else None, told.source if is_same_source else ""
                )

    def at(self, versions: int, cause: Dependency | Unavailable) -> Extent:
        """What the fact said when it was about these versions."""
        extent = self._extents.get(versions) if self._extents is not None else None
        if extent is None:
            self._extents = self._extents or {}
            extent = self._extents[versions] = Extent(self, versions, cause)
        return extent

    def incompatibility(self) -> Incompatibility:
        """The node of the derivation graph."""
        return self.at(self.versions, self.cause).incompatibility()


class Late:
    """What is an incompatibility as soon as a proof needs it."""

    __slots__ = ("_made",)

    def __init__(self) -> None:
        self._made: Incompatibility | None = None

    def incompatibility(self) -> Incompatibility:
        """The node of the derivation graph."""
        made = self._made
        if made is None:
            made = self._made = self._make()
        return made

    def _make(self) -> Incompatibility:
        raise NotImplementedError


class Extent(Late):
    """What a fact said at some time: it may have grown since."""

    __slots__ = ("_admitted", "_cause", "_other", "_state", "versions")

    def __init__(self, fact: Fact, versions: int, cause: Dependency | Unavailable) -> None:
        super().__init__()
        self._state = fact.state  # not the fact, which refers to what it said last
        self._other = fact.other
        self._admitted = fact.admitted
        self._cause = cause
        self.versions = versions

    def _make(self) -> Incompatibility:
        package, other, admitted = self._state.package, self._other, self._admitted
        versions, cause = self.versions, self._cause
        if isinstance(cause, Unavailable):
            return Incompatibility({package: versions}, cause)
        assert other is not None
        stated = FromDependency(package, versions, other.package, admitted, cause.key, cause.source)
        if other is self._state:
            return Incompatibility({package: versions}, stated)
        forbidden = other.universe & ~admitted
        dependency = Incompatibility({package: versions, other.package: forbidden}, stated)
        if admitted:
            return dependency
        # Nothing is admitted: the term on the other package is its whole universe, which holds always, so that no
        # assignment would ever be found to satisfy it. Resolve it away here with the reason why nothing is.
        assert other.table is not None
        reason: FromExclusion | NoVersions = NoVersions(cause.key)
        if not other.table.count:
            for exclusion in other.table.exclusions():
                reason = FromExclusion(exclusion.kind, exclusion.detail)
        nothing = Incompatibility({other.package: 0}, reason)
        return Incompatibility({package: versions}, Derived(dependency, nothing))


class Blame(NamedTuple):
    """A fact that versions are given up for, as it was then: the extent of it, before a proof needs that."""

    fact: Fact
    versions: int
    cause: Dependency | Unavailable

    def incompatibility(self) -> Incompatibility:
        """The node of the derivation graph."""
        return self.fact.at(self.versions, self.cause).incompatibility()


def blame(fact: Fact) -> Blame:
    """The fact as it is now."""
    return Blame(fact, fact.versions, fact.cause)


class Lapse(Late):
    """What was learned of a version that leads to others, all of which require of one package what is ruled out."""

    __slots__ = ("_always", "_blames", "_required", "forbidden", "other", "state", "versions")

    def __init__(
        self, required: Fact, blames: Sequence[Blame], forbidden: int, always: Sequence[Incompatibility] | None
    ) -> None:
        """What it is learned from.

        Args:
            required: what the version requires.
            blames: what the others require, in the order in which an analysis comes across it.
            forbidden: what none of these admits.
            always: why nothing else is ever possible, or None if it may be.
        """
        super().__init__()
        other = blames[0].fact.other
        assert other is not None
        self.state = required.state
        self.versions = required.versions
        self.other = other
        self.forbidden = forbidden
        self._always = always
        self._required = blame(required)
        self._blames = blames

    @property
    def length(self) -> int:
        """How many facts are to blame."""
        return len(self._blames)

    @property
    def is_unary(self) -> bool:
        """Whether nothing but the version is to blame."""
        return self._always is not None

    def _make(self) -> Incompatibility:
        first, *rest = self._blames
        made = first.incompatibility()
        led = first.fact.state
        for further in rest:
            made = resolved(made, further.incompatibility(), led.package, led.universe)
        for fact in self._always or ():
            leaf = Incompatibility(fact.terms, fact.cause)
            made = resolved(made, leaf, self.other.package, self.other.universe)
        return resolved(made, self._required.incompatibility(), led.package, led.universe)


Reason: TypeAlias = Fact | Lapse | Incompatibility
"""Why something was derived; see :func:`incompatibility_of`."""


def incompatibility_of(reason: Reason) -> Incompatibility:
    """The node of the derivation graph behind a reason."""
    return reason if isinstance(reason, Incompatibility) else reason.incompatibility()
