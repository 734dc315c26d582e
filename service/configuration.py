"""Where settings come from: flag, environment, project file, user's file, system's file; then the foreign ones.

Each value remembers its origin, so that ``config explain KEY`` and ``/v1/info`` can tell it.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from . import foreign, plain, surroundings
from .settings import (
    CacheSettings,
    NetworkSettings,
    PolicySettings,
    ServiceSettings,
    Settings,
    SettingsError,
    split_userinfo,
)
from .shape import Shape, checked, reason

if TYPE_CHECKING:
    from pydantic import ValidationError

_PREFIX = "LOCKWRIGHT_"
_NOT_SETTINGS = {"CONFIG", "SERVER"}  # they name a file and a service
_CREDENTIALS = ("USERNAME", "PASSWORD", "TOKEN", "CLIENT_KEY_PASSWORD")
_SECTIONS = {"service": ServiceSettings, "policy": PolicySettings, "network": NetworkSettings, "cache": CacheSettings}
_MAX_FILE = 1024 * 1024  # settings are small; a larger file is the wrong one


@dataclass(frozen=True, slots=True)
class Configuration:
    """Settings and where they came from."""

    settings: Settings
    origins: Mapping[str, str]
    """Dotted key → origin, for the keys that are not at their default."""
    default_index_origin: str
    """Why the default index is the one it is, or why there is none."""
    warnings: tuple[str, ...] = ()


@dataclass(slots=True)
class _Layers:
    """Values merged from the weakest layer to the strongest."""

    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)

    def add(self, table: Mapping[str, Any], origin: str) -> None:
        self._merge(self.values, table, origin, "")

    def _merge(self, into: dict[str, Any], table: Mapping[str, Any], origin: str, prefix: str) -> None:
        for key, value in table.items():
            if isinstance(value, Mapping):
                below = into.setdefault(key, {})
                if isinstance(below, dict):
                    self._merge(below, value, origin, f"{prefix}{key}.")
                    continue
            into[key] = value
            self.origins[prefix + key] = origin


def _read(path: Path) -> dict[str, Any]:
    """Return the settings of a TOML file; of a ``pyproject.toml``, those of ``[tool.lockwright]``."""
    try:
        if path.stat().st_size > _MAX_FILE:
            raise SettingsError(f"{path} is larger than a settings file should be")
        table = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {type(error).__name__}") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is not TOML: {error}") from None
    if path.name != "pyproject.toml":
        return table
    tool = table.get("tool", {}).get("lockwright", {})
    return tool if isinstance(tool, dict) else {}


def _may_have_settings(pyproject: Path) -> bool:
    """Whether the name of our table is in it, or an escape that may spell it: to parse takes longer."""
    try:
        content = b"lockwright" if pyproject.stat().st_size > _MAX_FILE else pyproject.read_bytes()
    except OSError:
        return True  # reading it says why not
    return b"lockwright" in content or b"\\u" in content.lower()


def _project_file(directory: Path) -> Path | None:
    for parent in (directory, *directory.parents):
        if (parent / "lockwright.toml").is_file():
            return parent / "lockwright.toml"
        pyproject = parent / "pyproject.toml"
        if pyproject.is_file():
            try:
                if _may_have_settings(pyproject) and _read(pyproject):
                    return pyproject
            except SettingsError:
                continue  # another tool's problem: it holds no settings of ours that could be read
    return None


def _files(environ: Mapping[str, str], directory: Path, chosen: Path | None) -> Iterator[Path]:
    for base in reversed((environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep)):
        yield Path(base) / "lockwright" / "lockwright.toml"
    yield Path("/etc/lockwright/lockwright.toml")
    home = environ.get("XDG_CONFIG_HOME") or (str(Path(environ["HOME"]) / ".config") if environ.get("HOME") else None)
    if home is not None:
        yield Path(home) / "lockwright" / "lockwright.toml"
    if chosen is None:
        project = _project_file(directory)
        if project is not None:
            yield project


def _decode(text: str) -> Any:
    if text[:1] in {"[", "{"}:
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text


def _environment(environ: Mapping[str, str], warnings: list[str]) -> Iterator[tuple[list[str], str, str]]:
    """Yield (path, value, variable). A key alone means the section that has it: ``LOCKWRIGHT_LOG_LEVEL``."""
    for variable in sorted(environ):
        if not variable.startswith(_PREFIX) or not environ[variable]:
            continue
        rest = variable.removeprefix(_PREFIX)
        if rest in _NOT_SETTINGS or (rest.startswith("INDEX_") and rest.endswith(_CREDENTIALS)):
            continue
        path = rest.lower().split("__")
        if len(path) == 1 and path[0] not in _keys(Settings):
            homes = [name for name, kind in _SECTIONS.items() if path[0] in _keys(kind)]
            if not homes:
                warnings.append(f"{variable} is not a setting; it is not used")
                continue
            path = [homes[0], *path]
        yield path, environ[variable], variable


def _keys(kind: type[Shape]) -> set[str]:
    return {one.name for one in fields(cast("Any", kind))}


def _add_credentials(indexes: list[dict[str, Any]], environ: Mapping[str, str], origins: dict[str, str]) -> None:
    """Fill in ``LOCKWRIGHT_INDEX_<NAME>_…``, which beat the file, and ``UV_INDEX_<NAME>_…``, which do not."""
    for index in indexes:
        label = re.sub(r"[^A-Z0-9]", "_", str(index.get("name", "")).upper())
        has_own = {"password", "password_file", "token", "token_file", "header"} & index.keys()
        for tool in ("LOCKWRIGHT", "UV"):
            given = {}
            for suffix in _CREDENTIALS:
                variable = f"{tool}_INDEX_{label}_{suffix}"
                if environ.get(variable):
                    given[suffix.lower()] = (environ[variable], variable)
            if not given or (tool == "UV" and has_own):
                continue
            if {"password", "token"} & given.keys():
                for key in ("password", "password_file", "token", "token_file", "header", "header_file"):
                    index.pop(key, None)
                has_own = given.keys() & {"password", "token"}
            for key, (value, variable) in given.items():
                index[key] = value
                origins[f"index.{index.get('name')}.{key}"] = variable


def _purl_default() -> str:
    """Return the default repository that the purl specification gives for Python packages."""
    from packageurl.validate import DEFINITIONS_BY_TYPE  # noqa: PLC0415 - most installations name their index

    url = DEFINITIONS_BY_TYPE["pypi"].default_repository_url
    return f"{str(url).rstrip('/')}/simple/"


class _Indexes:
    """The tables in order of priority, with the default last unless it was placed."""

    def __init__(self, tables: list[dict[str, Any]], setting: str, origin: str) -> None:
        self.tables = tables
        self._setting = setting
        self._origin = origin

    def _add(self, name: str | None, url: str, **more: object) -> None:
        taken = {str(table.get("name")) for table in self.tables}
        base = name or "extra"
        unique = next(one for one in (base, *(f"{base}-{i}" for i in range(2, len(taken) + 3))) if one not in taken)
        self.tables.append({"name": unique, "url": url, **more})

    def complete(self, found: foreign.Foreign) -> str:
        """Add the foreign indexes and the default; return why the default is what it is."""
        placed = next((table for table in self.tables if table.get("default") is True), None)
        known = {_plain(str(table.get("url", ""))) for table in self.tables}
        for index in found.extra:
            if _plain(index.url) not in known:
                known.add(_plain(index.url))
                self._add(index.name, index.url)
        if placed is not None:
            return f"index {placed.get('name')!r} has default = true in the settings"
        if self._setting not in {"purl", "explicit"}:
            self._add("default", self._setting, default=True)
            return f"default_index from {self._origin}"
        if found.default is not None:
            self._add(found.default.name or "default", found.default.url, default=True)
            return found.default.origin
        if found.no_index is not None:
            return f"none: {found.no_index}"
        if self._setting == "explicit":
            return f'none: default_index = "explicit" ({self._origin})'
        self._add("default", _purl_default(), default=True)
        return "the purl specification's default repository of the type pypi"


def _plain(url: str) -> str:
    try:
        return split_userinfo(url)[0]
    except ValueError:
        return url


def _explain(error: ValidationError, origins: Mapping[str, str], tables: list[dict[str, Any]]) -> str:
    """Say each fault with its key and origin, and never the value: it may be a secret."""
    lines = []
    for fault in error.errors(include_input=False, include_url=False):
        location = [str(part) for part in fault["loc"]]
        if location[:1] == ["index"] and len(location) > 1:
            name = tables[int(location[1])].get("name", location[1])
            location[1] = f"[{name}]"
        key = ".".join(location) or "settings"
        parents = (".".join(location[:length]) for length in range(len(location), 0, -1))
        below = (one for one in origins if one.startswith(f"{key}."))
        origin = next((origins[one] for one in chain(parents, below) if one in origins), None)
        is_unknown = fault["type"] == "extra_forbidden"
        detail = "no such setting; lockwright config list names them all" if is_unknown else reason(fault)
        lines.append(f"{key}: {detail}" + (f" (from {origin})" if origin else ""))
    return "; ".join(lines)


def _settings(values: Mapping[str, Any], origins: Mapping[str, str]) -> Settings:
    known = plain.settings(values)
    if known is not None:
        return known

    from pydantic import ValidationError  # noqa: PLC0415 - see ``service.shape``

    try:
        return checked(Settings, values)
    except ValidationError as error:
        raise SettingsError(_explain(error, origins, values["index"])) from None


def load(
    *,
    environ: Mapping[str, str],
    directory: Path,
    flags: Mapping[str, Any] | None = None,
    config: Path | None = None,
) -> Configuration:
    """Find all settings. ``flags`` is nested like the file; ``config`` is the ``--config`` flag.

    Raises:
        SettingsError: a file cannot be read, or a value is not valid; the text names key and origin.
    """
    layers, warnings = _Layers(), list[str]()
    chosen = config or (Path(environ["LOCKWRIGHT_CONFIG"]) if environ.get("LOCKWRIGHT_CONFIG") else None)
    if environ.get("NETRC"):
        layers.add({"network": {"netrc": environ["NETRC"]}}, "NETRC")
    for path in _files(environ, directory, chosen):
        if path.is_file():
            layers.add(_read(path), str(path))
    if chosen is not None:
        layers.add(_read(chosen), str(chosen))
    for keys, value, variable in _environment(environ, warnings):
        table: Any = _decode(value)
        for key in reversed(keys):
            table = {key: table}
        layers.add(table, variable)
    if flags:
        layers.add(flags, "the command line")

    tables = layers.values.get("index", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise SettingsError("index: expected tables, [[index]]")
    indexes = _Indexes(
        [dict(table) for table in tables],
        str(layers.values.get("default_index", "purl")),
        layers.origins.get("default_index", "the settings"),
    )
    found = foreign.find(environ)
    origin = indexes.complete(found)
    _add_credentials(indexes.tables, environ, layers.origins)
    surroundings.apply(indexes.tables, environ, layers.origins)
    settings = _settings({**layers.values, "index": indexes.tables}, layers.origins)
    if settings.cache.shared is not None:
        where = layers.origins.get("cache.shared", "the settings")
        warnings.append(f"cache.shared ({where}) is not used: each machine keeps a cache of its own")
    return Configuration(settings, layers.origins, origin, (*warnings, *found.warnings))
