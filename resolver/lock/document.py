"""Lock → the JSON answer's own part: plain dictionaries, in the order in which the API's page shows the keys."""

from __future__ import annotations

from resolver.index.page import File
from resolver.model import Changes, Lock, LockedPackage, Notice

from .address import plain


def to_document(lock: Lock) -> dict[str, object]:
    """Return ``requires_python``, ``environments``, ``packages``, ``changes`` and ``warnings``.

    Raises:
        LockError: a URL carries a credential.
    """
    return {
        "requires_python": lock.requires_python,
        "environments": list(lock.environments),
        "packages": [_package(package) for package in lock.packages],
        "changes": changes_to_document(lock.changes),
        "warnings": [_warning(notice) for notice in lock.warnings],
    }


def _package(package: LockedPackage) -> dict[str, object]:
    files = package.wheels if package.sdist is None else (*package.wheels, package.sdist)
    return {
        "name": package.name,
        "version": package.version,
        "marker": package.marker,
        "extras": list(package.extras),
        "direct": package.direct,
        "targets": list(package.targets),
        "index": package.index,
        "requires_python": package.requires_python,
        "requires": _requires(package),
        "via": list(package.via),
        "files": [_file(file) for file in sorted(files, key=lambda file: file.filename)],
        "flags": list(package.flags),
    }


def _requires(package: LockedPackage) -> list[dict[str, object]]:
    """Edges by name and marker; those that differ in the version only (one per target) are one requirement."""
    edges = dict.fromkeys((edge.name, edge.marker) for edge in package.requires)
    return [{"name": name, "marker": marker} for name, marker in edges]


def _file(file: File) -> dict[str, object]:
    return {
        "filename": file.filename,
        "url": plain(file.url),
        "hashes": dict(file.hashes),
        "size": file.size,
        "upload_time": file.upload_time,
    }


def changes_to_document(changes: Changes) -> dict[str, object]:
    """Return the ``changes`` member."""
    return {
        "added": [{"name": name, "version": version} for name, version in changes.added],
        "removed": [{"name": name, "version": version} for name, version in changes.removed],
        "changed": [{"name": one.name, "from": one.before, "to": one.after} for one in changes.changed],
    }


def _warning(notice: Notice) -> dict[str, object]:
    return {"code": notice.code, "package": notice.package, "index": notice.index, "detail": notice.detail}
