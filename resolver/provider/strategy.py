"""One table from the pages of several indexes: what uv calls the index strategies that are unsafe.

Each version comes from one index, the first in order where it has a usable file (or the first that lists it, where
none has), and remembers which: a merged project leads from a bit back to the page that its release stands on, so that
files are fetched with that index's credential and pinned to it.

Unsafe, because whoever can publish under a private name on the other index can take its place (dependency
confusion); the first index that knows a name should own it, and with the default strategy nothing is merged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from packaging.version import Version

from ..index.page import ProjectPage, Release
from ..model import IndexStrategy
from .candidates import Project
from .versions import VersionList


def merge(projects: Sequence[Project], strategy: IndexStrategy, is_usable: Callable[[Release], bool]) -> Project:
    """Merge the pages of one project on several indexes, given in order of priority; at least one.

    With ``unsafe-first-match`` the result also says which versions are to be tried before which: those of an earlier
    index, whatever their number. With ``unsafe-best-match`` the best version wins wherever it is.
    """
    if len(projects) == 1:
        return projects[0]
    chosen: dict[Version, tuple[int, Release]] = {}
    unusable: set[Version] = set()
    for at, project in enumerate(projects):
        for release in project.page.releases:
            version = release.version
            if version in chosen and version not in unusable:
                continue
            if is_usable(release):
                chosen[version] = (at, release)
                unusable.discard(version)
            elif version not in chosen:
                chosen[version] = (at, release)
                unusable.add(version)
    ordered = [chosen[version] for version in sorted(chosen)]
    tiers = [0] * len(projects)
    for bit, (at, _) in enumerate(ordered, 1):
        tiers[at] |= 1 << bit
    first = projects[0]
    page = ProjectPage(
        first.name,
        first.page.url,
        tuple(release for _, release in ordered),
        tuple(one for project in projects for one in project.page.skipped),
        sum(project.page.skipped_count for project in projects),
    )
    return Project(
        first.name,
        ", ".join(project.index_name for project in projects),
        "",
        page,
        VersionList(tuple([release.text for _, release in ordered])),
        sources=tuple(projects[at] for at, _ in ordered),
        tiers=tuple(tiers) if strategy is IndexStrategy.UNSAFE_FIRST_MATCH else (),
    )
