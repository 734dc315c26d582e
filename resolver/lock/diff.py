"""What differs between two locks: packages added, removed and moved to another version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from packaging.version import InvalidVersion, Version

from resolver.model import Change, Changes, LockedPackage

VersionKey = tuple[bool, Version, str]


@lru_cache(maxsize=65_536)
def version_key(text: str) -> VersionKey:
    """Order of a version (PEP 440); what is none comes first, by its text."""
    try:
        return True, Version(text), ""
    except InvalidVersion:
        return False, _NONE, text


_NONE = Version("0")


def changes(previous: Mapping[str, tuple[str, ...]], packages: Iterable[LockedPackage]) -> Changes:
    """Compare ``previous`` (name → versions) with ``packages``.

    A change is one version that became another. Where a name has several versions (a lock of several targets) and
    more than one of them moved, nothing says which became which: those are removed and added.
    Spellings of one version (``1.0`` and ``1.0.0``) are equal.
    """
    current: dict[str, set[str]] = {}
    for package in packages:
        current.setdefault(package.name, set()).add(package.version)
    added: list[tuple[str, str]] = []
    removed: list[tuple[str, str]] = []
    changed: list[Change] = []
    for name in sorted({*previous, *current}):
        before = {version_key(text): text for text in previous.get(name, ())}
        after = {version_key(text): text for text in current.get(name, ())}
        gone = [before[key] for key in sorted(before.keys() - after.keys())]
        come = [after[key] for key in sorted(after.keys() - before.keys())]
        if len(gone) == len(come) == 1:
            changed.append(Change(name, gone[0], come[0]))
        else:
            removed.extend((name, version) for version in gone)
            added.extend((name, version) for version in come)
    return Changes(added=tuple(added), removed=tuple(removed), changed=tuple(changed))
