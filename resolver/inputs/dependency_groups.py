"""Dependency groups (PEP 735): names are normalised, includes followed, each group read once, cycles shown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from packaging.utils import canonicalize_name

from .faults import Faults, listing, quoted
from .toml_document import TomlDocument

# Includes nest: real projects use two or three levels.
MAX_INCLUDES = 64

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9])?")


def normalised(name: object) -> str | None:
    """Return the normalised form of a project, extra or group name (PEP 503, 685, 735); None if it is none."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        return None
    return str(canonicalize_name(name))


class DependencyGroups:
    """The ``[dependency-groups]`` table of one document."""

    def __init__(self, document: TomlDocument, faults: Faults) -> None:
        self._document = document
        self._faults = faults
        self._groups: dict[str, object] = {}
        self._seen: set[str] = set()
        table = document.values.get("dependency-groups", {})
        if not isinstance(table, Mapping):
            faults.add(document.place(), "[dependency-groups] must be a table of lists (PEP 735)")
            return
        for key, value in table.items():
            name = normalised(key)
            if name is None:
                faults.add(document.place(), f"[dependency-groups] {quoted(str(key))} is not a valid group name")
            elif name in self._groups:
                faults.add(document.place(), f"[dependency-groups] {name} is defined twice: names are normalised")
            else:
                self._groups[name] = value

    @property
    def names(self) -> list[str]:
        """The normalised names of the groups."""
        return list(self._groups)

    def requirements(self, group: str) -> Iterator[tuple[str, object]]:
        """Yield (group it stands in, requirement as written) of ``group`` and its includes.

        A group that was yielded before, by whatever way it was reached, is not yielded again.
        """
        yield from self._expand(group, ())

    def _expand(self, group: str, path: tuple[str, ...]) -> Iterator[tuple[str, object]]:
        if group in path:
            cycle = " → ".join((*path[path.index(group) :], group))
            self._faults.add(self._document.place(), f"dependency groups include each other: {cycle}")
            return
        if group in self._seen:
            return
        if len(path) >= MAX_INCLUDES:
            self._faults.add(self._document.place(), f"dependency groups nested more than {MAX_INCLUDES} deep")
            return
        entries = self._groups[group]
        if not isinstance(entries, list):
            self._faults.add(self._document.place(), f"dependency group {group} must be a list (PEP 735)")
            self._seen.add(group)
            return
        for index, entry in enumerate(entries):
            if not isinstance(entry, Mapping):
                yield group, entry
                continue
            include = entry.get("include-group") if len(entry) == 1 else None
            name = normalised(include)
            if name is None:
                self._faults.add(
                    self._document.place(),
                    f"dependency group {group}, entry {index + 1}: "
                    'must be a requirement or {include-group = "name"} (PEP 735)',
                )
            elif name not in self._groups:
                self._faults.add(
                    self._document.place(include),
                    f"dependency group {group} includes {name}, which is not defined; defined: {listing(self.names)}",
                )
            else:
                yield from self._expand(name, (*path, group))
        self._seen.add(group)
