"""Which files of a release speak for it, and which of them a place can install."""

from __future__ import annotations

from ..environment.place import Place, rank
from ..environment.region import Region
from ..index.page import File, Release
from .dating import is_too_new
from .policy import Filter
from .sight import sight


def speakers(release: Release, place: Place, allowed: Filter) -> list[File]:
    """The files of ``release`` whose metadata stands for it, best first.

    Of a universal lock the same speaks in all regions, as in uv: wheels of one release seldom differ in what they say,
    and then rather by platform than by Python.
    """
    wheels = usable_wheels(release, place, allowed)
    if wheels and isinstance(place, Region) and place.fit_key != (entire := place.entire).fit_key:
        wheels = usable_wheels(release, entire, allowed) or wheels
    if wheels:
        # The sdist speaks where a listed wheel is not there: it is what would be installed then.
        sdist = release.sdist
        spare = (
            sdist is not None
            and sight(place).file_fault(sdist, allowed) is None
            and not is_too_new(sdist, release, allowed.exclude_newer)
        )
        return [*wheels, sdist] if sdist is not None and spare else wheels
    # No wheel fits, so the sdist is what will be installed; a wheel for another platform was built from it and
    # says what it requires without a build. A wheel that policy excludes must not speak.
    foreign = [file for file in release.wheels if file.yanked is None] if allowed.wheels else []
    foreign.sort(key=lambda file: file.core_metadata is None)
    return [*foreign[:1], *([release.sdist] if release.sdist is not None else [])]


def usable_wheels(release: Release, place: Place, allowed: Filter) -> list[File]:
    """Wheels that can be installed in the place, best tags first."""
    if not allowed.wheels:
        return []
    ranked: list[tuple[int, str, File]] = []
    is_region = isinstance(place, Region)
    seen = sight(place)
    for file in fitting(release, place):
        # Whether it fits is found first, without words: in a region all wheels of a release are looked at.
        tags, requires_python = file.tags or "", file.requires_python
        if not seen.fits(tags):
            continue
        if requires_python is not None and seen.python(requires_python) is not None:
            continue
        if not allowed.admits_hashes(file) or is_too_new(file, release, allowed.exclude_newer):
            continue
        if file.yanked is not None and not allowed.admits_yanked(release):
            continue
        # What fits a region at all ranks alike.
        position = 0 if is_region else rank(tags, place)
        if position is not None:
            ranked.append((position, file.filename, file))
    return [file for _, _, file in sorted(ranked, key=lambda item: item[:2])]


def fitting(release: Release, place: Place) -> tuple[File, ...]:
    """The wheels with tags that the place has: most are for other targets, and why does not matter. All in a region."""
    if isinstance(place, Region):
        return release.wheels
    return release.wheels_with(place.key, sight(place).fits)


def usable_files(release: Release, place: Place, allowed: Filter) -> list[File]:
    """The files of ``release`` that may be installed somewhere in the place."""
    sdist = release.sdist
    files = usable_wheels(release, place, allowed)
    if sdist is not None and sight(place).file_fault(sdist, allowed) is None:
        files = [*files, sdist]
    return files
