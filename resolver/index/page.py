"""What an index says about a project: the releases on its page, and the core metadata of their files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from .packed import PackedReleases
from .release import File, Release, Signature, undated, uploads
from .sightings import Sightings

__all__ = ["CoreMetadata", "File", "ProjectPage", "Release", "Signature"]


@dataclass(frozen=True, slots=True)
class ProjectPage:
    """One project on one index. ``releases`` ascend by version."""

    name: str
    url: str
    releases: Sequence[Release]
    skipped: tuple[tuple[str, str], ...] = ()
    """(file name, reason) of files that no version could be made of: warned about, never fatal. At most 100."""
    skipped_count: int = 0
    status: str | None = None
    """Project status marker (PEP 792): ``archived``, ``quarantined``, ``deprecated``; None: active or not said."""
    sightings: Sightings | None = field(default=None, repr=False, compare=False)
    """Shared with the releases; None where all files give an upload time."""

    def undated(self) -> dict[str, str]:
        """The files that give no upload time: name → what makes a file this one and no other.

        That is its SHA-256; where the index gives none, all of its hashes; where it gives no hash, its URL without the
        query, which may be signed anew each time. For pages that a parser made.
        """
        releases = self.releases
        packed = releases.packed() if isinstance(releases, PackedReleases) else [one.packed or "" for one in releases]
        return undated(packed)

    def uploads(self) -> Iterator[tuple[str, str, Sightings | None]]:
        """For each file its name, its upload time (RFC 3339) or ``""``, and where else to look; files may recur."""
        releases = self.releases
        if isinstance(releases, PackedReleases):
            for rows in releases.packed():
                for filename, uploaded in uploads(rows):
                    yield filename, uploaded, self.sightings
            return
        for release in releases:
            for file in release.files:
                yield file.filename, file.upload_time or "", release.sightings

    @property
    def texts(self) -> tuple[str, ...]:
        """The canonical spelling of each release."""
        releases = self.releases
        if isinstance(releases, PackedReleases):
            return releases.texts
        return tuple([release.text for release in releases])

    @property
    def variety(self) -> int:
        """How many signatures occur, at most."""
        releases = self.releases
        return len(releases.signatures) if isinstance(releases, PackedReleases) else len(releases)

    def signatures(self) -> list[tuple[Signature, int]]:
        """The signatures that occur, each with the mask of its releases: bit i + 1 for the i-th one."""
        releases = self.releases
        if isinstance(releases, PackedReleases):
            return releases.masks()
        masks: dict[Signature, int] = {}
        for bit, release in enumerate(releases, 1):
            masks[release.signature] = masks.get(release.signature, 0) | 1 << bit
        return list(masks.items())


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
