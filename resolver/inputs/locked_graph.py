"""What an earlier lock says of its graph: who requires whom, and which packages are direct references.

Read as leniently as the rest of the lock: what has another shape than it should says nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import unquote, urlsplit

from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from ..model import LockedDependency
from .dependency_groups import normalised


def texts(values: object) -> tuple[str, ...]:
    """Return the strings of a list; anything else has none."""
    return tuple(value for value in values if isinstance(value, str)) if isinstance(values, list) else ()


def edges(package: Mapping[str, object]) -> tuple[LockedDependency, ...]:
    """Return the edges of a package entry: ``dependencies`` of PEP 751, ``requires`` of the JSON answer."""
    return tuple(dict.fromkeys(_edges(package.get("dependencies", package.get("requires")))))


def _edges(values: object) -> Iterator[LockedDependency]:
    for value in values if isinstance(values, list) else ():
        if not isinstance(value, Mapping):
            continue
        name, version, marker = normalised(value.get("name")), value.get("version"), value.get("marker")
        if name is not None:
            yield LockedDependency(name, marker if isinstance(marker, str) else None, _canonical(version))


def _canonical(version: object) -> str | None:
    try:
        return str(Version(version)) if isinstance(version, str) else None
    except (InvalidVersion, ValueError):
        return None


def urls(package: Mapping[str, object]) -> tuple[str, ...]:
    """Return where the files of a direct reference are: ``archive`` of PEP 751, ``files`` without an index in JSON."""
    archive = package.get("archive")
    files: object = [archive]
    if archive is None:
        files = package.get("files") if "index" in package and package["index"] is None else []
    found = (file.get("url") for file in files if isinstance(file, Mapping)) if isinstance(files, list) else ()
    return tuple(url for url in found if isinstance(url, str))


def file_version(url: str) -> str | None:
    """Return the version in the name of a wheel or an sdist at ``url``; None where it does not tell."""
    try:
        filename = unquote(urlsplit(url).path).rpartition("/")[2]
        version = parse_wheel_filename(filename)[1] if filename.endswith(".whl") else parse_sdist_filename(filename)[1]
    except (InvalidWheelFilename, InvalidSdistFilename, ValueError):
        return None
    return str(version)


def without_extra(warnings: object) -> frozenset[str]:
    """Return the packages that lack an extra that was asked for, as the ``warnings`` of the JSON answer say."""
    found = (one for one in warnings if isinstance(one, Mapping)) if isinstance(warnings, list) else ()
    return frozenset(str(one.get("package")) for one in found if one.get("code") == "unknown-extra")
