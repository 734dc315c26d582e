"""When two requests are the same: a canonical digest of a query, and ids of locks by their content.

The digest is shown to clients, so it never covers a secret. Whatever a secret changes (two requests with different
credentials for an index they name) is part of :attr:`Identity.key` only, which never leaves the process.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from resolver.model import Options, PackageOptions, Stated
from transport.message import Credential, Index

from .query import Asked


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a request is."""

    digest: str
    """``sha256:…`` of what decides the answer."""
    key: tuple[object, ...]
    """What requests in flight must have in common to share a solve."""


def _stated(items: tuple[Stated, ...]) -> list[object]:
    return [[one.requirement.text, one.requirement.url, one.origin, list(one.hashes)] for one in items]


def _moment(instant: datetime | bool | None, age: timedelta | None) -> object:  # noqa: FBT001 - as in the model
    if age is not None:
        return f"{age.total_seconds():g}s ago"
    return instant.isoformat() if isinstance(instant, datetime) else instant


def _package(options: PackageOptions, age: timedelta | None) -> list[object]:
    return [options.index, options.prerelease, _moment(options.exclude_newer, age), options.builds]


def _options(options: Options, ages: Mapping[str, timedelta]) -> dict[str, object]:
    return {
        "resolution": options.resolution,
        "prerelease": options.prerelease,
        "fork_strategy": options.fork_strategy,
        "index_strategy": options.index_strategy,
        "exclude_newer": _moment(options.exclude_newer, ages.get("")),
        "builds": options.builds,
        "no_binary": sorted(options.no_binary),
        "only_binary": sorted(options.only_binary),
        "no_deps": options.no_deps,
        "packages": {name: _package(one, ages.get(name)) for name, one in options.packages.items()},
    }


def _index(index: Index) -> list[object]:
    return [index.name, index.url, index.explicit, index.default, sorted(index.ignore_error_codes)]


def _canonical(asked: Asked) -> dict[str, Any]:
    query = asked.query
    return {
        "requirements": _stated(query.requirements),
        "constraints": _stated(query.constraints),
        "overrides": _stated(query.overrides),
        "excludes": sorted(query.excludes),
        "indexes": [_index(index) for index in query.indexes],
        "targets": [[target.name, target.key, target.marker] for target in query.targets],
        "universal": None
        if query.universal is None
        else [query.universal.requires_python, query.universal.environments, query.universal.required_environments],
        "options": _options(query.options, asked.ages),
        "preferences": [[one.name, one.version, list(one.hashes), one.marker] for one in query.preferences],
        "regions": list(query.regions),
        "previous": {name: list(versions) for name, versions in query.previous.items()},
        "extras": query.extras,
        "groups": query.groups,
        "requires_python": query.requires_python,
    }


def identify(asked: Asked) -> Identity:
    """Return the identity of a query. Budget and refresh decide who shares a solve, not what the answer is."""
    query = asked.query
    body = orjson.dumps(_canonical(asked), option=orjson.OPT_SORT_KEYS)
    digest = "sha256:" + hashlib.sha256(body).hexdigest()
    credentials: tuple[Credential | None, ...] = tuple(index.credential for index in query.indexes)
    # What we have to say about a request is in its lock, and does not follow from what it means.
    return Identity(digest, (digest, query.budget, query.refresh, credentials, asked.notices))


def lock_id(document: bytes) -> str:
    """Return the id of a lock: equal documents have equal ids, on every replica."""
    return "lk_" + hashlib.sha256(document).hexdigest()[:40]  # 160 bits: nobody finds a second document for an id
