"""Lock → the JSON answer's own part: plain dictionaries, in the order in which the API's page shows the keys."""

from __future__ import annotations

import orjson

from resolver.index.page import File
from resolver.model import Changes, Lock, LockedPackage, Notice

from .address import plain


def to_document(lock: Lock) -> dict[str, object]:
    """Return ``requires_python``, ``environments``, ``packages``, ``changes`` and ``warnings``.

    And ``resolution_markers`` where a universal lock was solved in parts.

    Raises:
        LockError: a URL carries a credential.
    """
    return {
        "requires_python": lock.requires_python,
        "environments": list(lock.environments),
        **({"resolution_markers": list(lock.regions)} if lock.regions else {}),
        "packages": [_package(package) for package in lock.packages],
        "changes": changes_to_document(lock.changes),
        "warnings": [_warning(notice) for notice in lock.warnings],
    }


def to_json(lock: Lock) -> bytes:
    """Return the same members as JSON, without the braces around them: put together from fragments that are kept.

    Raises:
        LockError: a URL carries a credential.
    """
    head = orjson.dumps({"requires_python": lock.requires_python, "environments": lock.environments})
    tail = orjson.dumps(
        {"changes": changes_to_document(lock.changes), "warnings": [_warning(notice) for notice in lock.warnings]}
    )
    packages = b",".join([_fragment(package) for package in lock.packages])
    return b'%b,"packages":[%b],%b' % (head[1:-1], packages, tail[1:-1])


def _fragment(package: LockedPackage) -> bytes:
    """The JSON of one entry. All but who requires it is the same in every lock that has the entry."""
    key = _DIRECT if package.direct else _INDIRECT
    ends = package.memo.get(key)
    if ends is None:
        before, _, after = orjson.dumps({**_package(package), "via": _VIA}).partition(orjson.dumps(_VIA))
        ends = package.memo.keep(key, (before, after))
    return ends[0] + orjson.dumps(package.via) + ends[1]


_DIRECT, _INDIRECT = "json direct", "json"
_VIA = "\0"  # stands for what is filled in; no name or URL has it


def _package(package: LockedPackage) -> dict[str, object]:
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
        "files": [_file(file) for file in sorted(package.files, key=lambda file: file.filename)],
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
