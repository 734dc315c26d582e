"""All that is known and assumed of one package, in one mutable object.

The solver's loops run over these: an attribute costs less than a dictionary of tuples. ``mask`` is always
``assumptions[-1].mask & known`` (or ``known`` alone), see :meth:`PartialSolution.check`.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TypeAlias

from .facts import Dependency, Exclusion, Package, VersionTable
from .incompatibility import (
    Derived,
    FromDependency,
    FromExclusion,
    Incompatibility,
    NoVersions,
    Unavailable,
)
from .priority import Project


class Fact:
    """An external incompatibility before a proof needs it, cheap to make and still growing.

    Equal statements of further versions of the same package widen ``versions``; whatever was concluded from the
    narrower fact stays true. ``other`` is None, or ``admitted`` is 0, where the fact is about ``state`` alone.
    """

    __slots__ = ("_made", "_made_for", "admitted", "cause", "other", "state", "versions")

    def __init__(
        self,
        state: PackageState,
        versions: int,
        cause: Dependency | Exclusion | Unavailable,
        other: PackageState | None = None,
        admitted: int = 0,
    ) -> None:
        self.state = state
        self.versions = versions
        self.cause = cause
        self.other = other
        self.admitted = admitted
        self._made: Incompatibility | None = None
        self._made_for = 0

    @property
    def is_unary(self) -> bool:
        """Forbids versions of one package whatever else is chosen."""
        return not self.admitted or self.other is self.state

    def widen(self, version: int, cause: Dependency | Exclusion | Unavailable) -> None:
        """The same holds of another version, if in other words."""
        self.versions |= 1 << version
        if isinstance(cause, Dependency) and isinstance(self.cause, Dependency):
            is_same_text = cause.key == self.cause.key
            self.cause = Dependency(
                cause.package,
                cause.key if is_same_text else None,
                cause.source if cause.source == self.cause.source else "",
            )

    def incompatibility(self) -> Incompatibility:
        """The node of the derivation graph."""
        if self._made is None or self._made_for != self.versions:
            self._made = self._make()
            self._made_for = self.versions
        return self._made

    def _make(self) -> Incompatibility:
        package, versions, cause, other = self.state.package, self.versions, self.cause, self.other
        if isinstance(cause, Exclusion):
            return Incompatibility({package: versions}, FromExclusion(cause.kind, cause.detail))
        if isinstance(cause, Unavailable):
            return Incompatibility({package: versions}, cause)
        assert other is not None
        stated = FromDependency(package, versions, other.package, self.admitted, cause.key, cause.source)
        if other is self.state:
            return Incompatibility({package: versions}, stated)
        forbidden = other.universe & ~self.admitted
        dependency = Incompatibility({package: versions, other.package: forbidden}, stated)
        if self.admitted:
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


Reason: TypeAlias = Fact | Incompatibility
"""Why something was derived; see :func:`incompatibility_of`."""


def incompatibility_of(reason: Reason) -> Incompatibility:
    """The node of the derivation graph behind a reason."""
    return reason.incompatibility() if isinstance(reason, Fact) else reason


Assumption: TypeAlias = tuple[int, int, int, Reason | None]
"""(mask that is left, position in the order of all assumptions, decision level, reason; None: a decision)."""

Watch: TypeAlias = tuple[int, "PackageState | None", int, "tuple[tuple[PackageState, int], ...]", Reason]
"""An incompatibility as one of its packages sees it: (my mask, other package and its mask, or None and 0 if there
are several others, those, reason)."""


class PackageState:
    """One package of one solve."""

    __slots__ = (
        "affected",
        "assumptions",
        "base",
        "culprit",
        "decided",
        "declared",
        "enforced",
        "facts",
        "known",
        "mask",
        "package",
        "project",
        "queued",
        "rank",
        "table",
        "tiebreak",
        "unary",
        "universe",
        "watches",
    )

    def __init__(self, package: Package, project: Project) -> None:
        self.package = package
        self.project = project
        self.base: PackageState | None = None
        """What an extra is an extra of."""
        self.table: VersionTable | None = None
        self.universe = 1
        self.known = 1
        """What no fact about this package alone forbids: true at every decision level."""
        self.mask = 1
        """What facts and assumptions leave."""
        self.assumptions: list[Assumption] = []
        self.decided = 0
        self.watches: list[Watch] = []
        self.unary: list[Fact | Incompatibility] = []
        """Why bits are missing in ``known``."""
        self.declared: dict[int, Sequence[Dependency] | Unavailable] = {}
        """What the driver said of each version, inert until the version is tried."""
        self.enforced = 0
        """Versions that were tried: what is declared of them is in force."""
        self.facts: dict[Hashable, Fact] = {}
        """The facts in force by what they say, so that equal ones of several versions become one."""
        self.rank = 0
        self.tiebreak = -1
        self.queued = -1
        self.affected = 0
        self.culprit = 0

    def forget(self) -> None:
        """Let go of everything: states refer to each other in cycles, which are costly to collect."""
        self.base = self.table = None
        self.assumptions = []
        self.watches = []
        self.unary = []
        self.declared = {}
        self.facts = {}

    def attach(self, table: VersionTable) -> None:
        """Learn the versions. Nothing follows from them before something depends on the package."""
        self.table = table
        self.universe = (1 << (table.count + 1)) - 1
        self.known = self.universe
        for exclusion in table.exclusions():
            if exclusion.mask:
                self.known &= ~exclusion.mask
                self.unary.append(Fact(self, exclusion.mask, exclusion))
        self.mask = self.known
