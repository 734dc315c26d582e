"""What an index says about a project: releases and their files (PEP 503, 592, 658, 691, 700, 714)."""

from __future__ import annotations

from dataclasses import dataclass

from packaging.version import Version


@dataclass(frozen=True, slots=True)
class File:
    """One wheel or sdist of a project page, or of a direct reference."""

    filename: str
    url: str
    """Absolute, without userinfo and fragment."""
    hashes: tuple[tuple[str, str], ...]
    """(algorithm, hex digest), sorted; empty where the index gives none."""
    tags: str | None
    """The compressed tag set of a wheel's file name (``py2.py3-none-any``); None for an sdist. Interned."""
    build: str | None = None
    """The build tag of a wheel (``1``, ``2abc``)."""
    size: int | None = None
    upload_time: str | None = None
    """RFC 3339 in UTC with a trailing Z, as text: compared as text is wrong, use :func:`instant`."""
    requires_python: str | None = None
    """Raw specifier text, unchecked; None where absent."""
    yanked: str | None = None
    """None: not yanked; else the reason, ``""`` where none is given (PEP 592)."""
    core_metadata: tuple[tuple[str, str], ...] | None = None
    """None: no ``.metadata`` file; else its hashes, ``()`` where it exists without one (PEP 658, 714)."""

    @property
    def is_wheel(self) -> bool:
        """Whether the file is a wheel (else it is an sdist)."""
        return self.tags is not None


@dataclass(frozen=True, slots=True)
class Release:
    """Every file of one version. ``signature`` is equal for releases that any filter treats alike.

    It is the sorted set of (tags, requires_python, yanked?) of the files: filters that look at nothing else are
    evaluated once per signature, not once per release (a project has thousands of files and few signatures).
    """

    version: Version
    text: str
    """The version's canonical (PEP 440) spelling."""
    wheels: tuple[File, ...]
    """Sorted by filename."""
    sdist: File | None
    signature: frozenset[tuple[str | None, str | None, bool]]


@dataclass(frozen=True, slots=True)
class ProjectPage:
    """One project on one index. ``releases`` ascend by version."""

    name: str
    url: str
    releases: tuple[Release, ...]
    skipped: tuple[tuple[str, str], ...] = ()
    """(file name, reason) of files that no version could be made of: warned about, never fatal. At most 100."""
    skipped_count: int = 0
    status: str | None = None
    """Project status marker (PEP 792): ``archived``, ``quarantined``, ``deprecated``; None: active or not said."""


@dataclass(frozen=True, slots=True)
class CoreMetadata:
    """What a resolver needs of core metadata. Requirements are raw text, to be read by ``resolver.requirement``."""

    name: str
    """Normalised."""
    version: str
    requires_dist: tuple[str, ...]
    requires_python: str | None
    provides_extra: frozenset[str]
    """Normalised (PEP 685)."""
    metadata_version: str
    dynamic: frozenset[str]
    """Lower-case field names (PEP 643); for sdists these are not to be trusted."""
