"""Hints after an explanation: what the caller could change about the versions that were no candidates.

A hint says which option would admit a version. It promises nothing about the rest of the solve.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from .environment.place import Place
from .environment.target import Target
from .model import Builds, PackageOptions, Query
from .provider import mismatch
from .provider.candidates import Candidates
from .provider.dating import is_too_new, is_undated, sighting, text
from .provider.faults import HASHES, NO_BUILD, NO_FILE, PRERELEASE, PYTHON, TOO_NEW, YANKED
from .solver import Exclusion

MAX_HINTS = 5  # beyond it the explanation itself is the better reading
MAX_HASHES = 3  # of a release that a hint names
_EVERY = ":all:"


def hints(
    kinds: Mapping[str, Collection[str]],
    tables: Mapping[str, Candidates],
    place: Place,
    query: Query,
    wanted: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> tuple[str, ...]:
    """Hints for the projects of a proof, at most one for each kind of exclusion.

    ``kinds`` are those that the proof speaks of, by project: it holds whatever else was admitted. ``wanted`` holds the
    caller's own specifiers by project: versions beyond them are of no use.
    """
    found: list[str] = []
    for name in kinds:
        table = tables.get(name)
        if table is None:
            continue
        if "not-found" in kinds[name]:
            found += _missing(name, tables, query)
        pinned = query.options.packages.get(name, PackageOptions()).index
        if pinned is not None and len(query.indexes) > 1:
            # Not tried: the other indexes must not hear of a name that is pinned.
            found.append(f"{name} is pinned to the index {pinned}, so no other index is asked for it")
        newest: dict[str, Exclusion] = {}
        fit = -1
        for specifier in wanted.get(name, ()):
            fit &= table.mask(specifier)
        for exclusion in (replace(one, mask=one.mask & fit) for one in table.exclusions()):
            known = newest.get(exclusion.kind)
            if exclusion.kind in kinds[name] and exclusion.mask and (known is None or exclusion.mask > known.mask):
                newest[exclusion.kind] = exclusion
        excluded = (_Excluded(name, table, one, place, query) for one in newest.values())
        found += filter(None, (one.hint() for one in excluded))
    return tuple(found[:MAX_HINTS])


def _missing(name: str, tables: Mapping[str, Candidates], query: Query) -> Iterator[str]:
    """Why a project may not be found though it is somewhere."""
    from difflib import get_close_matches  # noqa: PLC0415 - most projects are there

    # Names of this request alone: those of others are nobody's business.
    others = [one for one, table in tables.items() if table.count]
    for near in get_close_matches(name, others, n=1):
        yield f"did you mean {near}, which is required as well?"
    pinned = query.options.packages.get(name, PackageOptions()).index
    for index in query.indexes:
        codes = " and ".join(map(str, sorted(index.ignore_error_codes & {401, 403})))
        if codes and (index.name == pinned if pinned is not None else not index.explicit):
            yield (
                f"for the index {index.name} {codes} counts as not found (ignore_error_codes); it may as well mean "
                "that a credential is missing or wrong"
            )


@dataclass(frozen=True, slots=True)
class _Excluded:
    """The newest version of a project that was excluded for a reason."""

    name: str
    table: Candidates
    exclusion: Exclusion
    place: Place
    query: Query

    def hint(self) -> str | None:
        kind, detail = self.exclusion.kind, self.exclusion.detail
        bit = self.exclusion.mask.bit_length() - 1
        name, version = self.name, self.table.versions.texts[bit - 1]
        match kind:
            case _ if kind == YANKED:
                return f"{name} {version} was yanked; pin it exactly ({name}=={version}) to use it all the same"
            case _ if kind == PRERELEASE:
                return (
                    f"{name} {version} is a pre-release; allow it with prerelease = allow, for this package or for all"
                )
            case _ if kind == TOO_NEW:
                return f"{name} {version} was uploaded {_moment(detail)}; {self._limit(bit)}"
            case _ if kind == PYTHON:
                return f"{name} {version} needs Python {detail}; the lock is for {_python(self.place)}"
            case _ if kind == NO_BUILD:
                return f"{name} {version} is a source distribution only; {self._build_option()}"
            case _ if kind == NO_FILE:
                return self._file(bit, version)
            case _ if kind == HASHES:
                return self._hashes(bit, version)
        return None

    def _file(self, bit: int, version: str) -> str | None:
        name, project = self.name, self.table.project
        if self.query.options.no_binary & {name, _EVERY}:
            return f"{name} {version} has wheels only; no_binary leaves them out"
        tags = [] if project is None else [one.tags for one in project.release(bit).wheels if one.tags is not None]
        if tags and "Python" in self.exclusion.detail:
            return f"{name} {version} has wheels for these interpreters only: {mismatch.interpreters(tags)}"
        if tags:
            return f"{name} {version} has wheels for these platforms only: {mismatch.platforms(tags)}"
        return None

    def _hashes(self, bit: int, version: str) -> str | None:
        if self.table.project is None:
            return None
        release = self.table.project.release(bit)
        known = [
            f"{one.filename} {kind}:{digest}"
            for one in release.files
            for kind, digest in one.hashes
            if kind == "sha256"
        ]
        more = ["…"] if len(known) > MAX_HASHES else []
        return f"the index has {self.name} {version} as {', '.join([*known[:MAX_HASHES], *more])}" if known else None

    def _limit(self, bit: int) -> str:
        floor, project = self.query.limits.newest, self.table.project
        if floor is not None and project is not None:
            release = project.release(bit)
            if all(is_too_new(file, release, floor) for file in release.files):
                return "policy.min_release_age of the server leaves it out"
        return f"exclude_newer leaves it out; a later instant or exclude_newer = false for {self.name} lifts that"

    def _build_option(self) -> str:
        if self.query.options.only_binary & {self.name, _EVERY}:
            return "only_binary leaves it out"
        if self.query.limits.builds is Builds.NEVER:
            return "policy.builds of the server leaves it out"
        own = self.query.options.packages.get(self.name, PackageOptions()).builds
        if (own or self.query.options.builds) is Builds.NEVER:
            return "builds = never leaves it out, builds = static may admit it"
        return "its metadata is not static, and this service runs no builds"


def _moment(detail: str) -> str:
    """When a release was uploaded, or by when it was, in words."""
    if not is_undated(detail):
        return detail
    seen = sighting(detail)
    known = "" if seen is None else f", and this service saw it first on {text(seen)}"
    return f"at an unknown time{known}"


def _python(place: Place) -> str:
    return f"Python {place.python}" if isinstance(place, Target) else place.name
