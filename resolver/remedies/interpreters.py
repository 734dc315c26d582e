"""Other Pythons to lock for, where releases do not fit the one that was asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from ..environment.place import rank, requires_python_admits
from ..environment.target import Target, TargetError, make_target
from ..index.page import Release

MAX_DISTANCE = 6  # minors of Python up or down: some six are in use at a time
MAX_RELEASES = 20  # of a project that are looked at, from the newest on


def other_python(target: Target, releases: Sequence[Release]) -> Target | None:
    """The target with the nearest Python (newer ones first) that can use one of ``releases``; None: there is none.

    A target that was given by tags of its own is not rebuilt: nobody knows what another interpreter of it supports.
    """
    platform = platform_of(target)
    if platform is None:
        return None
    for python in _others(target, releases[-MAX_RELEASES:]):
        try:
            made = make_target(name=None, python=python, platform=platform[0], implementation=target.implementation)
        except TargetError:  # older or newer than any that we know, or no version of Python at all
            continue
        if any(fits(release, made) for release in releases[-MAX_RELEASES:]):
            return replace(made, name=target.name.replace(target.markers["python_version"], python))
    return None


def _others(target: Target, releases: Sequence[Release]) -> list[str]:
    """Newer minors, and patch releases that something asks for, from the nearest on; then older minors likewise."""
    major, minor = map(int, target.markers["python_version"].split("."))
    own = Version(target.python)
    newer = {Version(f"{major}.{other}") for other in range(minor + 1, minor + 1 + MAX_DISTANCE)}
    for release in releases:
        for file in release.files:
            newer.update(_lower_bounds(file.requires_python or ""))
    near = sorted(one for one in newer if own < one < Version(f"{major}.{minor + 1 + MAX_DISTANCE}"))
    older = (f"{major}.{other}" for other in range(minor - 1, max(minor - MAX_DISTANCE, 0), -1))
    return [*map(str, near), *older]


def _lower_bounds(specifier: str) -> list[Version]:
    try:
        clauses = SpecifierSet(specifier)
    except InvalidSpecifier:
        return []
    return [Version(one.version) for one in clauses if one.operator == ">=" and not one.version.endswith(".*")]


def platform_of(target: Target) -> tuple[str | None] | None:
    """What to call the target's platform, so that the same tags are made of it; (None,) is this machine's."""
    for platform in (target.platform, None):
        try:
            made = make_target(name=None, python=target.python, platform=platform, implementation=target.implementation)
        except TargetError:
            continue
        if made.tags == target.tags:
            return (platform,)
    return None


def fits(release: Release, target: Target) -> bool:
    """Whether the target can use some file of the release."""
    files = release.files
    return any(
        (file.requires_python is None or requires_python_admits(file.requires_python, target))
        and (not file.is_wheel or rank(file.tags or "", target) is not None)
        for file in files
    )


def other_requires_python(specifier: str, releases: Sequence[Release]) -> str | None:
    """The specifier with the nearest higher lower bound that one of ``releases`` admits; None: there is none."""
    try:
        clauses = list(SpecifierSet(specifier))
    except InvalidSpecifier:
        return None
    lower = [Version(one.version.removesuffix(".*")) for one in clauses if one.operator in {">=", "~=", ">"}]
    if not lower:
        return None
    rest = sorted(str(one) for one in clauses if one.operator not in {">=", "~=", ">"})
    for python in _above(max(lower)):
        changed = ",".join([f">={python}", *rest])
        if not SpecifierSet(changed).contains(f"{python}.0"):
            return None
        try:
            target = make_target(name=None, python=python, platform="linux")  # the platform does not matter here
        except TargetError:
            continue
        for release in releases[-MAX_RELEASES:]:
            files = release.files
            if any(one.requires_python is None or requires_python_admits(one.requires_python, target) for one in files):
                return changed
    return None


def _above(version: Version) -> Iterator[str]:
    major, minor = (*version.release, 0)[:2]
    yield from (f"{major}.{other}" for other in range(minor + 1, minor + 1 + MAX_DISTANCE))
