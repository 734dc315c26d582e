"""What versions that are given up one after the other depend on; see :mod:`.retreat`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from .facts import Dependency, Package
from .incompatibility import Unavailable
from .package_state import PackageState
from .priority import Urgency
from .reason import Fact

Ask: TypeAlias = Callable[[PackageState, int], Sequence[Dependency] | Unavailable | None]
"""What a version declares; None where that is not at hand."""


class Need:
    """A dependency of the versions of one package, as long as nothing but these is tried."""

    __slots__ = ("admitted", "dependency", "fact", "is_harmless", "left", "narrows", "other")

    def __init__(self, dependency: Dependency, other: PackageState, admitted: int) -> None:
        self.dependency = dependency
        self.other = other
        self.admitted = admitted
        self.left = other.mask & admitted
        """What it leaves of the package."""
        self.narrows = self.left != other.mask
        self.fact: Fact | None = None
        """What is in force of it."""
        self.is_harmless = False
        """Whether nothing follows from what it narrows."""


class Needs:
    """The dependencies that one version, or several, declare."""

    __slots__ = ("all", "declared", "pending", "vain")

    def __init__(self, declared: Sequence[Dependency], needs: list[Need]) -> None:
        self.declared = declared
        """Kept, because it is known by its identity."""
        self.all = needs
        self.vain = [need for need in needs if not need.left]
        self.pending = 0
        """Versions of which what is not in vain comes into force at the end."""


class Needing:
    """The needs of the versions of one package. Equal ones are mostly one object: they are known by that."""

    __slots__ = ("_by_list", "_known", "_state", "_states", "_tried", "ask", "lacks_facts")

    def __init__(self, states: Mapping[Package, PackageState], state: PackageState, tried: PackageState) -> None:
        """``tried`` is the package that is given up."""
        self.ask: Ask = nothing
        self.lacks_facts = False
        """Whether something that was asked for is not at hand."""
        self._states = states
        self._state = state
        self._tried = tried
        self._known: dict[int, Need] = {}
        self._by_list: dict[int, Needs] = {}

    def declared(self, version: int) -> Sequence[Dependency] | None:
        """What a version declares; None where that is not at hand, or it cannot be used."""
        declared = self._state.declared.get(version)
        if declared is None:
            declared = self.ask(self._state, version)
            self.lacks_facts = declared is None
        return None if isinstance(declared, Unavailable) else declared

    def of(self, declared: Sequence[Dependency]) -> list[Need] | None:
        """What a version that declares this needs; None where it is not one of those that this is about."""
        known = self._known
        needs: list[Need] = []
        for dependency in declared:
            need = known.get(id(dependency))
            if need is None:
                need = self._need(dependency)
                if need is None:
                    return None
                known[id(dependency)] = need
            needs.append(need)
        return needs if len({need.other for need in needs}) == len(needs) else None

    def _need(self, dependency: Dependency) -> Need | None:
        other, state, tried = self._states.get(dependency.package), self._state, self._tried
        if other is None or other.table is None or other.tiebreak < 0 or other is tried or other is state:
            return None
        project = other.base or other
        if project is tried or project is state or (dependency.is_exact and project.urgency is not Urgency.SINGLETON):
            return None
        admitted = other.table.mask(dependency.key)
        return Need(dependency, other, admitted) if admitted else None

    def of_list(self, declared: Sequence[Dependency]) -> Needs | None:
        """The same, found by the list that they are in."""
        needs = self._by_list.get(id(declared))
        if needs is None:
            found = self.of(declared)
            if found is not None:
                needs = self._by_list[id(declared)] = Needs(declared, found)
        return needs

    def doubt(self) -> None:
        """Something new is in force: what was harmless may be no more."""
        for need in self._known.values():
            need.is_harmless = False

    def settle(self) -> None:
        """Put into force what is pending."""
        for needs in self._by_list.values():
            if needs.pending:
                for need in needs.all:
                    if need.fact is not None:
                        need.fact.versions |= needs.pending
                needs.pending = 0


def nothing(_: PackageState, __: int) -> None:
    """Have nothing at hand."""
