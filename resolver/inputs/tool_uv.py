"""``[tool.uv]``: what of it changes a lock is honoured, or refused where a lock would silently differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..errors import Place
from ..model import Notice, Stated
from .dependency_groups import normalised
from .faults import Faults, host_of, quoted
from .stating import read_stated
from .toml_document import TomlDocument

# They change a lock too, but they are the request's own to say: its options and its environments.
_SETTINGS = (
    "conflicts",
    "dependency-metadata",
    "environments",
    "exclude-newer",
    "exclude-newer-package",
    "fork-strategy",
    "index-strategy",
    "no-binary",
    "no-binary-package",
    "no-build",
    "no-build-package",
    "prerelease",
    "required-environments",
    "resolution",
)
_ELSEWHERE = {"workspace": "the workspace", "path": "a path", "git": "a repository", "url": "a URL"}


class ToolUv:
    """The table of one document; empty where there is none."""

    def __init__(self, document: TomlDocument, faults: Faults) -> None:
        self._document = document
        self._faults = faults
        tool = document.values.get("tool")
        table = tool.get("uv") if isinstance(tool, Mapping) else None
        self._table: Mapping[str, object] = table if isinstance(table, Mapping) else {}

    def _list(self, key: str) -> list[object]:
        values = self._table.get(key, [])
        if isinstance(values, list):
            return values
        self._faults.add(self._document.place(), f"[tool.uv] {key} must be a list")
        return []

    def _stated(self, key: str) -> Iterator[Stated]:
        for value in self._list(key):
            place = self._document.place(value)
            stated = read_stated(value, f"{self._document.name} ([tool.uv] {key})", place, self._faults)
            if stated is not None:
                yield stated

    def constraints(self) -> Iterator[Stated]:
        """Yield ``constraint-dependencies``."""
        yield from self._stated("constraint-dependencies")

    def overrides(self) -> Iterator[Stated]:
        """Yield ``override-dependencies``."""
        yield from self._stated("override-dependencies")

    def excludes(self) -> Iterator[str]:
        """Yield the normalised names of ``exclude-dependencies``."""
        for value in self._list("exclude-dependencies"):
            name = normalised(value)
            if name is not None:
                yield name
            else:
                detail = f"[tool.uv] exclude-dependencies: {quoted(str(value))} is not a project name"
                self._faults.add(self._document.place(value), detail)

    def sources(self) -> dict[str, str]:
        """Return normalised name → where uv would take it from, for names that an index must not answer for.

        ``index`` is no such place: it names an index, and which index answers is the request's choice.
        """
        found: dict[str, str] = {}
        for name, source in self._sources():
            for key in _ELSEWHERE.keys() & source.keys():
                found[name] = _ELSEWHERE[key]
        return found

    def place(self) -> Place:
        """Return the document's place."""
        return self._document.place()

    def notices(self) -> Iterator[Notice]:
        """Yield a notice for each setting, each index, and each choice of one, that is stated and nobody applies."""
        for key in _SETTINGS:
            if self._table.get(key):
                said = f"{self._document.name}: [tool.uv] {key} is not applied; the request says such things itself"
                yield Notice("option-ignored", said)
        values = self._table.get("index", [])
        for value in values if isinstance(values, list) else []:
            url = value.get("url") if isinstance(value, Mapping) else None
            host = host_of(url) if isinstance(url, str) else None
            yield self._ignored(f"[[tool.uv.index]] {host or 'entry'}")
        for name, source in self._sources():
            if source.get("index"):
                yield self._ignored(f"[tool.uv.sources] index of {name}", name)

    def _ignored(self, what: str, package: str | None = None) -> Notice:
        said = f"{self._document.name}: {what} is not applied; indexes are chosen by the request or the configuration"
        return Notice("index-line-ignored", said, package)

    def _sources(self) -> Iterator[tuple[str, Mapping[str, object]]]:
        """Yield (normalised name, source); a list of sources is one for each marker."""
        table = self._table.get("sources", {})
        for key, value in table.items() if isinstance(table, Mapping) else ():
            name = normalised(key)
            for source in value if isinstance(value, list) else [value]:
                if name is not None and isinstance(source, Mapping):
                    yield name, source
