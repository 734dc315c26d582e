"""Newer levels of the platform that is locked for: a newer glibc, musl or macOS, which a release's wheels need."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ..environment.target import Target, TargetError, make_target
from ..errors import Place
from ..index.page import Release
from ..name import Name
from ..place_facts import PlaceFacts
from ..provider.candidates import Candidates
from ..provider.faults import NO_FILE
from .culprits import Culprit
from .interpreters import MAX_RELEASES, fits, platform_of
from .remedy import Edit, Effort, Remedy

MAX_LEVELS = 5  # that are tried, from the nearest on

# Families whose levels only grow: a newer system takes all that an older one does. The name of a level is last.
_FAMILIES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"manylinux_(\d+)_(\d+)_(\w+)", re.ASCII), "{2}-manylinux_{0}_{1}"),
    (re.compile(r"musllinux_(\d+)_(\d+)_(\w+)", re.ASCII), "{2}-musllinux_{0}_{1}"),
    (re.compile(r"macosx_(\d+)_(\d+)_(arm64|x86_64|universal2)", re.ASCII), "macosx_{0}_{1}_{2}"),
)

_ANY_MAC = "universal2"
_Level = tuple[int, int]


def platforms(
    facts: PlaceFacts, tables: Mapping[Name, Candidates], culprits: Mapping[str, Culprit]
) -> Iterator[Remedy]:
    """The nearest newer level of the target's platform that would admit some version without a usable wheel."""
    query, place = facts.query, facts.place
    if query.universal is not None:  # its platforms have no levels
        return
    at = next(number for number, target in enumerate(query.targets) if target is place)
    for name, culprit in culprits.items():
        table = tables.get((name, None))
        mask = culprit.kinds.get(NO_FILE, 0)
        mask = mask & culprit.wanted or mask
        if table is None or table.project is None or not mask:
            continue
        releases = [table.project.release(bit) for bit in table.versions.select(mask)]
        other = newer_platform(query.targets[at], releases[-MAX_RELEASES:])
        if other is not None:
            yield _changed(at, query.targets[at], other)


def _changed(at: int, before: Target, after: Target) -> Remedy:
    edit = Edit(Place(pointer=f"/targets/{at}/platform"), before.platform, after.platform)
    return Remedy(
        Effort.ENVIRONMENT,
        "platform",
        f"lock for the platform {after.platform} instead of {before.platform}",
        (edit,),
        lambda query: replace(query, targets=(*query.targets[:at], after, *query.targets[at + 1 :])),
    )


def newer_platform(target: Target, releases: Sequence[Release]) -> Target | None:
    """The target on the lowest level of its platform that can use one of ``releases``; None: there is none."""
    if platform_of(target) != (target.platform,):
        return None  # given by tags of its own, or this machine's
    own = {tag.rsplit("-", 1)[-1] for tag in target.tags}
    for pattern, spelling in _FAMILIES:
        levels = [one for one in _levels(pattern, own) if one[1] != _ANY_MAC]
        if not levels:
            continue
        newest, architecture = max(levels)
        offered = {
            level
            for release in releases
            for file in release.wheels
            for level, its in _levels(pattern, (file.tags or "").rsplit("-", 1)[-1].split("."))
            if level > newest and its in {architecture, _ANY_MAC}
        }
        for level in sorted(offered)[:MAX_LEVELS]:
            made = _made(target, spelling.format(*level, architecture))
            if made is not None and any(fits(release, made) for release in releases):
                return made
    return None


def _levels(pattern: re.Pattern[str], tags: set[str] | list[str]) -> set[tuple[_Level, str]]:
    found = (pattern.fullmatch(tag) for tag in tags)
    return {((int(one[1]), int(one[2])), one[3]) for one in found if one is not None and len(one[1] + one[2]) < 7}


def _made(target: Target, platform: str) -> Target | None:
    try:
        made = make_target(name=None, python=target.python, platform=platform, implementation=target.implementation)
    except TargetError:  # a level beyond those that exist
        return None
    return replace(made, name=target.name.replace(target.platform, platform))
