"""What must be known before a version is tried: it is asked for in the order in which the search comes across it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from .events import NeedDependencies, NeedVersions
from .facts import Dependency, Package
from .incompatibility import Unavailable
from .package_state import PackageState
from .source import Source


class Asking:
    """Asks for one solve: of what was told, of a source, or of the driver."""

    __slots__ = ("_states",)

    def __init__(self, states: Mapping[Package, PackageState]) -> None:
        self._states = states

    def declared(
        self, state: PackageState, version: int, source: Source | None
    ) -> Sequence[Dependency] | Unavailable | None:
        """What a version depends on; None where that is not at hand."""
        declared = state.declared.get(version)
        if declared is None and source is not None:
            declared = source.dependencies(state.package, version)
            if declared is not None:
                state.declared[version] = declared
        return declared

    def others(
        self, state: PackageState, version: int, source: Source | None, make: Callable[[Package], PackageState]
    ) -> list[PackageState] | NeedDependencies | NeedVersions:
        """The packages that a version depends on, with tables, or what must be known before it can be tried.

        ``make`` is called for a package that nobody spoke of before.
        """
        declared = self.declared(state, version, source)
        if declared is None:
            return NeedDependencies(state.package, version)
        others: list[PackageState] = []
        if isinstance(declared, Unavailable):
            return others
        unknown: dict[Package, None] = {}
        states = self._states
        for dependency in declared:
            other = states.get(dependency.package)
            if other is None or other.table is None:
                package = dependency.package
                if other is None:
                    other = make(package)
                table = source.versions(package) if source is not None and package not in unknown else None
                if table is None:
                    unknown[package] = None
                else:
                    other.attach(table)
            others.append(other)
        return NeedVersions(tuple(unknown)) if unknown else others
