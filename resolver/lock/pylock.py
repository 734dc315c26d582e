"""Lock → pylock.toml (PEP 751).

The text is a concatenation of fragments: one per file, remembered, and one per package. Keys come in the order of
PEP 751, one wheel per line, so that a diff of two locks reads as what changed. The extras and groups of the query
are folded into the packages already and no marker mentions them, so the lock claims none.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from functools import lru_cache
from urllib.parse import parse_qs, urlsplit

from resolver.index.page import File
from resolver.model import Lock, LockedDependency, LockedPackage

from .address import plain
from .errors import HashMissing, LockError

_PLAIN_TEXT = re.compile(r'[^\x00-\x1f"\\\x7f]*')
_LITERAL_TEXT = re.compile(r"[^\x00-\x1f'\x7f]*")
_UNSAFE = re.compile(r'[\x00-\x1f"\\\x7f]')
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_CREATED_BY = "lockwright"  # no version: the same packages give the same bytes from every release


def to_pylock(lock: Lock) -> str:
    """Write ``lock`` as the text of a ``pylock.toml``.

    Raises:
        HashMissing: files without a hash of an algorithm that ``hashlib`` guarantees; PEP 751 demands one.
        LockError: a package without any file, or a URL with a credential.
    """
    missing = [one for package in lock.packages for one in _unhashed(package)]
    if missing:
        raise HashMissing(missing, "pylock.toml")
    by_name: dict[str, list[LockedPackage]] = {}
    for package in lock.packages:
        by_name.setdefault(package.name, []).append(package)
    several = {name for name, found in by_name.items() if len(found) > 1}
    head = ['lock-version = "1.0"\n']
    if lock.environments:
        head.append(_array("environments", [_string(marker) for marker in lock.environments]))
    if lock.requires_python:
        head.append(f"requires-python = {_string(lock.requires_python)}\n")
    head.append(f"created-by = {_string(_CREATED_BY)}\n")
    if not lock.packages:
        head.append("packages = []\n")  # the key is required
    return "".join([*head, *[_again(package, by_name, several) for package in lock.packages], _parts(lock)])


def _parts(lock: Lock) -> str:
    """The parts that the lock was solved in, in a table of ours: the next lock begins with them."""
    if not lock.regions:
        return ""
    return f"\n[tool.lockwright]\n{_array('resolution-markers', [_string(marker) for marker in lock.regions])}"


def _unhashed(package: LockedPackage) -> Sequence[tuple[str, str, str | None]]:
    found: Sequence[tuple[str, str, str | None]] | None = package.memo.get("unhashed")
    if found is None:
        found = [(package.name, file.filename, package.index) for file in package.files if not _hashes(file.hashes)]
        package.memo.keep("unhashed", found)
    return found


def _again(package: LockedPackage, by_name: Mapping[str, Sequence[LockedPackage]], several: AbstractSet[str]) -> str:
    """The text of an entry as an earlier lock had it: if all that it requires has one version, nothing else matters."""
    required: frozenset[str] | None = package.memo.get("required")
    if required is None:
        required = package.memo.keep("required", frozenset(edge.name for edge in package.requires))
    if not required.isdisjoint(several):
        return _package(package, by_name)
    text: str | None = package.memo.get("pylock")
    return package.memo.keep("pylock", _package(package, by_name)) if text is None else text


def _package(package: LockedPackage, by_name: Mapping[str, Sequence[LockedPackage]]) -> str:
    parts = [f"\n[[packages]]\nname = {_string(package.name)}\nversion = {_string(package.version)}\n"]
    if package.marker is not None:
        parts.append(f"marker = {_string(package.marker)}\n")
    if package.enforced_python is not None:
        parts.append(f"requires-python = {_string(package.enforced_python)}\n")
    if package.requires:
        parts.append(_dependencies(package, by_name))
    if package.reference is not None:
        parts.append(_archive(package))
        return "".join(parts)
    if not package.wheels and package.sdist is None:
        raise LockError(f"{package.name} {package.version} has no file to lock")
    if package.index_url is not None:
        parts.append(f"index = {_string(plain(package.index_url))}\n")
    if package.sdist is not None:
        parts.append(f"sdist = {_file(package.sdist)}\n")
    if package.wheels:
        parts.append("wheels = [\n")
        parts.extend(f"    {_file(wheel)},\n" for wheel in package.wheels)
        parts.append("]\n")
    return "".join(parts)


def _dependencies(package: LockedPackage, by_name: Mapping[str, Sequence[LockedPackage]]) -> str:
    """Edges, each with the least that identifies its package: the version, then the source, only where ambiguous."""
    items: dict[str, None] = {}
    for edge in package.requires:
        found = by_name.get(edge.name, ())
        for other in found if len(found) > 1 else ():
            if _is_meant(edge, package, other):
                items[_identity(other, found)] = None
        if len(found) == 1:
            items[f"{{ name = {_string(edge.name)} }}"] = None
    return _array("dependencies", list(items)) if items else ""


def _is_meant(edge: LockedDependency, package: LockedPackage, other: LockedPackage) -> bool:
    if edge.version is not None and edge.version != other.version:
        return False
    return not other.targets or not package.targets or not set(package.targets).isdisjoint(other.targets)


def _identity(package: LockedPackage, namesakes: Sequence[LockedPackage]) -> str:
    identity = f"name = {_string(package.name)}, version = {_string(package.version)}"
    if sum(one.version == package.version for one in namesakes) > 1:
        if package.reference is not None:
            identity += f", archive = {{ url = {_string(plain(package.reference.partition('#')[0]))} }}"
        elif package.index_url is not None:
            identity += f", index = {_string(plain(package.index_url))}"
    return f"{{ {identity} }}"


def _archive(package: LockedPackage) -> str:
    file = next(iter(package.files), None)
    if file is None or package.reference is None:
        raise LockError(f"{package.name} is a direct reference to something that is no archive, and cannot be locked")
    # RFC 3986 §3.5: the fragment is ours to read; ``subdirectory`` is the one that changes what is installed.
    subdirectory = parse_qs(urlsplit(package.reference).fragment).get("subdirectory")
    tail = f", subdirectory = {_string(subdirectory[0])}" if subdirectory else ""
    url, size, uploaded, hashes = (
        plain(file.url),
        _size(file.size),
        _upload_time(file.upload_time),
        _hashes(file.hashes),
    )
    return f"archive = {{ url = {_string(url)}{uploaded}{size}, hashes = {hashes}{tail} }}\n"


def _file(file: File) -> str:
    return _fragment(file.filename, file.url, file.upload_time, file.size, file.hashes)


@lru_cache(maxsize=65_536)  # some 30 MB: the files of a few hundred locks
def _fragment(
    filename: str, url: str, upload_time: str | None, size: int | None, hashes: tuple[tuple[str, str], ...]
) -> str:
    return (
        f"{{ name = {_string(filename)}, url = {_string(plain(url))}"
        f"{_upload_time(upload_time)}{_size(size)}, hashes = {_hashes(hashes)} }}"
    )


def _size(size: int | None) -> str:
    return "" if size is None else f", size = {size}"


def _upload_time(text: str | None) -> str:
    """Render a TOML offset date-time; a time that is none is left out, for it would spoil the whole file."""
    if text is None or not _INSTANT.fullmatch(text):
        return ""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return ""
    return f", upload-time = {text}"


@lru_cache(maxsize=65_536)
def _hashes(hashes: tuple[tuple[str, str], ...]) -> str:
    """Render the table of hashes; empty where there is none that PEP 751 allows."""
    allowed = sorted((name.lower(), digest) for name, digest in hashes if name.lower() in hashlib.algorithms_guaranteed)
    return f"{{ {', '.join(f'{name} = {_string(digest)}' for name, digest in allowed)} }}" if allowed else ""


def _array(key: str, items: Sequence[str]) -> str:
    if len(items) == 1:
        return f"{key} = [{items[0]}]\n"
    return f"{key} = [\n" + "".join(f"    {item},\n" for item in items) + "]\n"


def _string(text: str) -> str:
    """Render a TOML string: literal where that saves the escapes."""
    if _PLAIN_TEXT.fullmatch(text):
        return f'"{text}"'
    if _LITERAL_TEXT.fullmatch(text):
        return f"'{text}'"
    escaped = _UNSAFE.sub(lambda found: f"\\u{ord(found.group()):04x}", text)
    return f'"{escaped}"'
