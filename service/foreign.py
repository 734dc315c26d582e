"""Index settings of uv and pip, for people who already have them: their environment variables and pip's files.

Only what names an index is read here; certificates, proxies and netrc are the transport's to read.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .settings import split_userinfo

_NAMED = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)=(.+)", re.DOTALL)
_TRUE = {"1", "true", "yes", "on", "y", "t"}


@dataclass(frozen=True, slots=True)
class ForeignIndex:
    """An index that another tool's setting names."""

    name: str | None
    url: str = field(repr=False)  # may hold userinfo
    origin: str


@dataclass(slots=True)
class Foreign:
    """What was found: ``default`` is None where nothing names one."""

    default: ForeignIndex | None = None
    extra: list[ForeignIndex] = field(default_factory=list)
    no_index: str | None = None
    """The setting that says there is no default index."""
    warnings: list[str] = field(default_factory=list)


def _parse(text: str, origin: str, warnings: list[str]) -> ForeignIndex | None:
    named = _NAMED.fullmatch(text)
    name, url = named.groups() if named is not None and "://" not in named[1] else (None, text)
    try:
        split_userinfo(url)
    except ValueError:
        warnings.append(f"{origin} names something other than an http(s) index; it is not used")
        return None
    return ForeignIndex(name, url, origin)


def _all(text: str | None, origin: str, warnings: list[str]) -> list[ForeignIndex]:
    found = (_parse(word, origin, warnings) for word in (text or "").split())
    return [index for index in found if index is not None]


def _pip_files(environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield pip's files, the strongest last (pip's documentation, "Configuration files")."""
    chosen = environ.get("PIP_CONFIG_FILE")
    if chosen == os.devnull:  # pip's way to ask for no files at all
        return
    directories = environ.get("XDG_CONFIG_DIRS") or "/etc/xdg"
    yield from (Path(directory) / "pip" / "pip.conf" for directory in reversed(directories.split(os.pathsep)))
    yield Path("/etc/pip.conf")
    home = Path(environ["HOME"]) if environ.get("HOME") else None
    if home is not None:
        yield home / ".pip" / "pip.conf"
    base = environ.get("XDG_CONFIG_HOME")
    if base or home is not None:
        yield (Path(base) if base else Path(str(home)) / ".config") / "pip" / "pip.conf"
    yield Path(sys.prefix) / "pip.conf"
    if chosen:
        yield Path(chosen)


def _pip_settings(environ: Mapping[str, str], warnings: list[str]) -> dict[str, tuple[str, str]]:
    """Return key → (value, origin); ``[install]`` beats ``[global]``, the environment beats both."""
    sections: dict[str, dict[str, tuple[str, str]]] = {"global": {}, "install": {}}
    for path in _pip_files(environ):
        if not os.path.exists(path):  # noqa: PTH110 - unlike Path.exists, no error where a directory is closed to us
            continue
        import configparser  # noqa: PLC0415 - most machines have no such file

        parser = configparser.RawConfigParser()
        try:
            if not parser.read(path, encoding="utf-8"):
                continue
        except (configparser.Error, UnicodeDecodeError):
            warnings.append(f"{path} cannot be read as a pip configuration file; it is not used")
            continue
        for section, found in sections.items():
            if parser.has_section(section):
                for key, value in parser.items(section):
                    found[key.replace("_", "-")] = (value, f"[{section}] {key} in {path}")
    found = {**sections["global"], **sections["install"]}  # whatever file either is in, as pip has it
    for key in ("index-url", "extra-index-url", "no-index", "find-links"):
        variable = "PIP_" + key.upper().replace("-", "_")
        if environ.get(variable):
            found[key] = (environ[variable], variable)
    return found


def find(environ: Mapping[str, str]) -> Foreign:
    """Read the settings. The default: ``UV_DEFAULT_INDEX``, ``UV_INDEX_URL``, then pip's ``index-url``.

    pip's extra indexes count only where the default is not uv's: with uv's variables set, uv would not look at them.
    """
    foreign = Foreign()
    for variable in ("UV_DEFAULT_INDEX", "UV_INDEX_URL"):
        if foreign.default is None and environ.get(variable):
            foreign.default = _parse(environ[variable].strip(), variable, foreign.warnings)
    for variable in ("UV_INDEX", "UV_EXTRA_INDEX_URL"):
        foreign.extra += _all(environ.get(variable), variable, foreign.warnings)
    pip = _pip_settings(environ, foreign.warnings)
    if foreign.default is not None:
        return foreign
    if "extra-index-url" in pip:
        foreign.extra += _all(*pip["extra-index-url"], foreign.warnings)
    if "find-links" in pip:
        foreign.warnings.append(f"{pip['find-links'][1]}: find-links are not indexes; they are not used")
    if "no-index" in pip and pip["no-index"][0].strip().lower() in _TRUE:
        foreign.no_index = pip["no-index"][1]
    elif "index-url" in pip:
        foreign.default = _parse(pip["index-url"][0].strip(), pip["index-url"][1], foreign.warnings)
    return foreign
