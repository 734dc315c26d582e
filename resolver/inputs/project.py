"""A pyproject.toml: the dependencies of a project, its extras and its groups (PEP 621, 735).

A requirement on the project itself (``all = ["app[dev,test]"]``) stands for what it names and never reaches an index:
a private project's name on a public index is somebody else's package.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from ..environment.space import from_requires_python
from ..model import Stated
from ..requirement import Requirement
from .dependency_groups import MAX_INCLUDES, DependencyGroups, normalised
from .faults import Faults, listing, quoted
from .stating import read_stated, under_marker
from .toml_document import TomlDocument

# Extras that include extras under many markers could multiply; real projects include a dozen.
MAX_EXPANSIONS = 1000


def read_requires_python(table: Mapping[str, object], what: str, document: TomlDocument, faults: Faults) -> str | None:
    """Return ``requires-python`` of a table, checked; ``what`` names it in the fault that it may be."""
    value = table.get("requires-python")
    if value is None:
        return None
    if isinstance(value, str) and len(value) <= 256:  # some ten specifiers; packaging takes them one by one
        try:
            from_requires_python(value)
            return str(SpecifierSet(value)) or None
        except (InvalidSpecifier, ValueError):
            pass
    faults.add(document.place(value), f'{what} must be version specifiers, like ">=3.11"')
    return None


class Project:
    """One document, read for the extras and groups that are asked of it."""

    def __init__(self, document: TomlDocument, faults: Faults) -> None:
        self._document = document
        self._faults = faults
        self._expanded: set[tuple[str, str]] = set()
        self._has_dependencies = False
        self._has_too_many = False
        table = document.values.get("project")
        self._table: Mapping[str, object] = table if isinstance(table, Mapping) else {}
        self._extras: dict[str, object] = {}
        self.groups = DependencyGroups(document, faults)
        if table is not None and not isinstance(table, Mapping):
            self._fault("[project] must be a table")
        self.name = normalised(self._table.get("name"))
        dynamic = self._table.get("dynamic", [])
        self._dynamic = frozenset(one for one in dynamic if isinstance(one, str)) if isinstance(dynamic, list) else ()
        self._read_extras()

    def _fault(self, detail: str, value: object = None) -> None:
        self._faults.add(self._document.place(value), detail)

    def _read_extras(self) -> None:
        table = self._table.get("optional-dependencies", {})
        if not isinstance(table, Mapping):
            self._fault("[project.optional-dependencies] must be a table of lists")
            return
        for key, value in table.items():
            name = normalised(key)
            if name is None:
                self._fault(f"[project.optional-dependencies] {quoted(str(key))} is not a valid extra")
            elif name in self._extras:
                self._fault(f"[project.optional-dependencies] {name} is defined twice: names are normalised (PEP 685)")
            else:
                self._extras[name] = value

    @property
    def extras(self) -> list[str]:
        """The normalised names of the extras."""
        return list(self._extras)

    @property
    def has_dynamic_extras(self) -> bool:
        """Whether only a build could tell the extras."""
        return "optional-dependencies" in self._dynamic

    @property
    def requires_python(self) -> str | None:
        """``[project] requires-python``, checked."""
        return read_requires_python(self._table, "[project] requires-python", self._document, self._faults)

    def check_is_project(self) -> None:
        """Note a fault when the document states no dependencies of any kind."""
        if "project" in self._document.values or "dependency-groups" in self._document.values:
            return
        tool = self._document.values.get("tool")
        if isinstance(tool, Mapping) and "poetry" in tool:
            self._fault("[tool.poetry] is Poetry's own format; state the dependencies in [project] (PEP 621)")
        else:
            self._fault("has neither [project] nor [dependency-groups]: nothing here states a requirement")

    def dependencies(self, marker: str = "") -> Iterator[Stated]:
        """Yield ``[project] dependencies``, each under ``marker`` where there is one; without one, only once."""
        if self._has_dependencies:
            return
        self._has_dependencies = not marker
        if "dependencies" in self._dynamic:
            self._has_dependencies = True
            self._fault(
                "[project] dependencies are dynamic: only a build could tell them, and none is run; "
                "list them in [project] or send a requirements file"
            )
            return
        values = self._table.get("dependencies", [])
        yield from self._state(values, self._document.name, "[project] dependencies", marker)

    def extra_requirements(self, name: str, marker: str = "", within: tuple[str, ...] = ()) -> Iterator[Stated]:
        """Yield what the normalised extra, one of :attr:`extras`, adds, each under ``marker`` where there is one.

        ``within`` are the extras that led here: one that comes back to itself adds nothing it did not state already.
        """
        if name in within or (name, marker) in self._expanded:
            return
        self._expanded.add((name, marker))
        if len(self._expanded) > MAX_EXPANSIONS or len(within) >= MAX_INCLUDES:
            if not self._has_too_many:
                self._fault("the extras include each other in too many ways, or too deeply")
            self._has_too_many = True
            return
        origin = f"{self._document.name} (extra: {name})"
        what = f"[project.optional-dependencies] {name}"
        yield from self._state(self._extras[name], origin, what, marker, (*within, name))

    def group_requirements(self, name: str) -> Iterator[Stated]:
        """Yield what the normalised group holds; the caller checked that it exists."""
        for holder, entry in self.groups.requirements(name):
            yield from self._state_one(entry, f"{self._document.name} (group: {holder})")

    def _state(
        self, values: object, origin: str, what: str, marker: str, within: tuple[str, ...] = ()
    ) -> Iterator[Stated]:
        if not isinstance(values, list):
            self._fault(f"{what} must be a list of requirements")
            return
        for value in values:
            yield from self._state_one(value, origin, marker, within)

    def _state_one(
        self, value: object, origin: str, marker: str = "", within: tuple[str, ...] = ()
    ) -> Iterator[Stated]:
        place = self._document.place(value)
        stated = read_stated(value, origin, place, self._faults, place.column_of)
        if stated is None:
            return
        if self.name is not None and stated.requirement.name == self.name:
            for extra in stated.requirement.extras:
                if extra not in self._extras:
                    self._fault(f"the project has no extra {extra}; defined: {listing(self.extras)}", value)
            yield from self._itself(stated.requirement, marker, within)
            return
        if marker:
            further = read_stated(under_marker(stated.requirement, marker), origin, place, self._faults)
            if further is None:
                return
            stated = replace(further, hashes=stated.hashes)
        yield stated

    def _itself(self, requirement: Requirement, marker: str, within: tuple[str, ...]) -> Iterator[Stated]:
        """Expand a requirement on the project: its dependencies, and those of the extras that it names."""
        own = str(requirement.marker) if requirement.marker is not None else ""
        both = f"({marker}) and ({own})" if marker and own else marker or own
        yield from self.dependencies(both)
        for extra in filter(self._extras.__contains__, requirement.extras):
            yield from self.extra_requirements(extra, both, within)
