"""An earlier lock, read for its versions and hashes: preferences of the next resolve, and what it changes.

Any format that the service writes is read: pylock.toml (PEP 751), requirements.txt with hashes, the JSON answer, and
the CycloneDX bill of materials. Reading is lenient where nothing is lost: what has no version is no preference.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice

import orjson
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from ..errors import Place
from ..model import LockedDependency, Preference
from ..requirement import MAX_VERSION
from .dependency_groups import normalised
from .faults import Faults
from .hashes import STRONG, HashError, read_hash
from .locked_graph import edges, file_version, texts, urls, without_extra
from .locked_regions import readable, regions
from .requirements_file import Option, statements
from .stating import read_stated
from .toml_document import parse_toml

LOCK_POINTER = "/lock/content"
# RELIABILITY 1.3 allows a resolve 5,000 packages; a universal lock may hold several versions of some.
MAX_PACKAGES = 20_000

_PYLOCK = re.compile(r"""^[ \t]*["']?lock-version["']?[ \t]*=""", re.MULTILINE)
_FOREIGN_TOML = re.compile(r"^[ \t]*\[\[package\]\]", re.MULTILINE)
PART = "# Part: "  # as ``lock.requirements_txt`` writes it
_CYCLONEDX_HASHES = {"SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}


@dataclass(frozen=True, slots=True)
class LockedVersion:
    """One version in the lock."""

    name: str
    """Normalised."""
    version: str
    """In its canonical (PEP 440) spelling."""
    hashes: tuple[tuple[str, str], ...] = ()
    """(algorithm, hex) of all its files, sorted."""
    marker: str | None = None
    """As written; None: in every environment."""
    requires: tuple[LockedDependency, ...] = ()
    """The edges that the lock tells: names, with a version where it is ambiguous and a marker where one is known."""
    extras: tuple[str, ...] | None = None
    """Those that were locked; None where that is not known: in all formats but ``json``, and where some of those that
    were asked for do not exist."""
    direct: bool | None = None
    """Whether the caller stated it; None where the format does not say (all but ``json``)."""
    urls: tuple[str, ...] = ()
    """Of the files of a direct reference; () for a package of an index."""


@dataclass(frozen=True, slots=True)
class LockContent:
    """What an earlier lock says; ``packages`` in its order."""

    format: str
    """``pylock``, ``requirements``, ``json`` or ``cyclonedx``."""
    packages: tuple[LockedVersion, ...]
    requires_python: str | None = None
    environments: tuple[str, ...] = ()
    """Markers; () for all that ``requires_python`` admits."""
    regions: tuple[str, ...] = ()
    """Markers of the parts in which a universal lock was solved; () where the lock does not say."""

    @property
    def has_edges(self) -> bool:
        """Whether the format records which package requires which."""
        return self.format in {"pylock", "json"}

    @property
    def versions(self) -> dict[str, tuple[str, ...]]:
        """Name → its versions, for ``Query.previous``."""
        found: dict[str, list[str]] = {}
        for package in self.packages:
            known = found.setdefault(package.name, [])
            if package.version not in known:
                known.append(package.version)
        return {name: tuple(versions) for name, versions in found.items()}


def read_lock(content: str, *, place: Place | None = None) -> LockContent:
    """Read a lock in whatever format it is.

    Args:
        content: The document's text.
        place: Where it came from, for faults: ``/lock/content`` unless the caller knows better.

    Raises:
        InvalidQuery: the text is none of the formats, or broken.
    """
    faults = Faults()
    reader = _LockReader(place or Place(pointer=LOCK_POINTER), faults)
    text = content.removeprefix("\ufeff")
    if text.lstrip()[:1] == "{":
        lock = reader.read_json(text)
    elif _PYLOCK.search(text):
        lock = reader.read_pylock(text)
    elif _FOREIGN_TOML.search(text):
        faults.add(
            reader.place, "a lock of another tool (uv.lock, poetry.lock); export it as pylock.toml and send that"
        )
        lock = LockContent("pylock", ())
    else:
        parts = [line.removeprefix(PART) for line in text.splitlines() if line.startswith(PART)]
        lock = LockContent("requirements", tuple(reader.read_requirements(text)), regions=regions(parts))
    if len(lock.packages) > MAX_PACKAGES:
        faults.add(reader.place, f"a lock of {len(lock.packages)} packages; at most {MAX_PACKAGES} are read")
    faults.raise_if_any()
    return lock


def preferences(lock: LockContent, upgrade: bool | Collection[str]) -> tuple[Preference, ...]:  # noqa: FBT001 - the API's word
    """Return the versions to keep, each where the lock has it.

    None with ``upgrade=True``, all but those of the named projects otherwise.
    """
    if upgrade is True:
        return ()
    released = {str(canonicalize_name(name)) for name in upgrade} if upgrade else set()
    kept = (package for package in lock.packages if package.name not in released)
    return tuple(
        dict.fromkeys(
            Preference(package.name, package.version, package.hashes, readable(package.marker)) for package in kept
        )
    )


class _LockReader:
    def __init__(self, place: Place, faults: Faults) -> None:
        self.place = place
        self._faults = faults

    def _within(self, line: int) -> Place:
        return Place(self.place.pointer, self.place.file, line)

    def read_json(self, text: str) -> LockContent:
        """Read the JSON answer, or a CycloneDX document."""
        try:
            values = orjson.loads(text)
        except ValueError as error:
            line = getattr(error, "lineno", None)
            place = self._within(line) if isinstance(line, int) else self.place
            self._faults.add(place, "not JSON that can be read")
            return LockContent("json", ())
        if values.get("bomFormat") == "CycloneDX":
            components = list(self._tables(values.get("components"), "components"))
            packages = (self._package(one, _cyclonedx_hashes(one)) for one in components if _is_pypi(one))
            return LockContent("cyclonedx", tuple(one for one in packages if one is not None))
        if "packages" not in values:
            self._faults.add(self.place, "JSON, but not an answer of this service: it has no packages")
        tables = self._tables(values.get("packages", []), "packages")
        packages = (self._package(one, _file_hashes(one.get("files"))) for one in tables)
        vague = without_extra(values.get("warnings"))
        packages = (replace(one, extras=None) if one and one.name in vague else one for one in packages)
        return LockContent(
            "json",
            tuple(one for one in packages if one is not None),
            _text(values.get("requires_python")),
            texts(values.get("environments")),
            regions(values.get("resolution_markers")),
        )

    def read_pylock(self, text: str) -> LockContent:
        """Read pylock.toml (PEP 751)."""
        values = parse_toml(text, self.place, self._faults)
        if values is None:
            return LockContent("pylock", ())
        version = values.get("lock-version")
        if not isinstance(version, str) or version.partition(".")[0] != "1":
            self._faults.add(self.place, 'only lock-version "1.0" is known (PEP 751)')
            return LockContent("pylock", ())
        tables = self._tables(values.get("packages", []), "packages")
        packages = (
            self._package(one, _file_hashes(one.get("wheels"), [one.get("sdist")], [one.get("archive")]))
            for one in tables
        )
        return LockContent(
            "pylock",
            tuple(one for one in packages if one is not None),
            _text(values.get("requires-python")),
            texts(values.get("environments")),
            regions(_table(_table(values.get("tool")).get("lockwright")).get("resolution-markers")),
        )

    def read_requirements(self, text: str) -> Iterator[LockedVersion]:
        """Read the pins of a requirements file; other lines say nothing that could be kept."""
        for statement in islice(statements(text), MAX_PACKAGES + 1):
            if statement.requirement is None:
                continue
            place = self._within(statement.line.number)
            stated = read_stated(statement.requirement, "lock", place, self._faults)
            if stated is None:
                continue
            requirement = stated.requirement
            package: dict[str, object] = {"name": requirement.name}
            package["marker"] = str(requirement.marker) if requirement.marker is not None else None
            operator, version = requirement.specifier[:2], requirement.specifier.lstrip("=")
            if requirement.url is not None:
                # The file's name tells the version; without one there is nothing that could be kept.
                package |= {"version": file_version(requirement.url), "archive": {"url": requirement.url}}
            elif operator == "==" and "," not in version and not version.endswith(".*"):
                package["version"] = version
            found = self._package(package, _option_hashes(statement.options), place)
            if found is not None:
                yield found

    def _tables(self, values: object, key: str) -> Iterator[Mapping[str, object]]:
        if not isinstance(values, list):
            self._faults.add(self.place, f"{key} must be a list")
            return
        for value in values:
            if isinstance(value, Mapping):
                yield value
            else:
                self._faults.add(self.place, f"{key} must hold tables only")
                return

    def _package(
        self, values: Mapping[str, object], hashes: Iterable[tuple[str, str]], place: Place | None = None
    ) -> LockedVersion | None:
        place = place or self.place
        name = normalised(values.get("name"))
        if name is None:
            self._faults.add(place, "a package of the lock has no valid name")
            return None
        version = values.get("version")
        if version is None:
            return None  # PEP 751: absent where it is not fixed, as for a directory
        if not isinstance(version, str) or len(version) > MAX_VERSION:
            self._faults.add(place, f"the version of {name} in the lock is not a version")
            return None
        try:
            canonical = str(Version(version))
        except (InvalidVersion, ValueError):
            self._faults.add(place, f"the version of {name} in the lock is not a version")
            return None
        direct = values.get("direct")
        return LockedVersion(
            name,
            canonical,
            tuple(sorted(set(hashes))),
            _text(values.get("marker")),
            edges(values),
            texts(values["extras"]) if "extras" in values else None,
            direct if isinstance(direct, bool) else None,
            urls(values),
        )


def _table(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _is_pypi(component: Mapping[str, object]) -> bool:
    purl = component.get("purl")
    return isinstance(purl, str) and purl.startswith("pkg:pypi/")


def _option_hashes(options: Iterable[Option]) -> Iterator[tuple[str, str]]:
    for option in options:
        if option.name == "--hash":
            algorithm, _, digest = (option.value or "").partition(":")
            yield from _usable(algorithm, digest)


def _file_hashes(*lists: object) -> Iterator[tuple[str, str]]:
    """Yield the hashes of the files in each list; a file of another shape has none."""
    for files in lists:
        for file in files if isinstance(files, list) else ():
            hashes = file.get("hashes") if isinstance(file, Mapping) else None
            for algorithm, digest in hashes.items() if isinstance(hashes, Mapping) else ():
                yield from _usable(algorithm, digest)


def _cyclonedx_hashes(component: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    hashes = component.get("hashes")
    for one in hashes if isinstance(hashes, list) else ():
        if isinstance(one, Mapping):
            yield from _usable(_CYCLONEDX_HASHES.get(str(one.get("alg")), ""), one.get("content"))


def _usable(algorithm: object, digest: object) -> Iterator[tuple[str, str]]:
    """Yield the hash when it is one that could be compared: a preference does without the others."""
    if isinstance(algorithm, str) and algorithm in STRONG and isinstance(digest, str):
        try:
            yield read_hash(algorithm, digest)
        except HashError:
            return
