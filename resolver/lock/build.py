"""Resolution → Lock: one entry per package, ordered, with the files and the marker of the targets that need it.

Nothing is chosen here. Equal resolutions give equal locks whatever the order of their mappings; only the order of
the targets is the caller's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from resolver.environment.space import DiagramLimitError
from resolver.errors import too_complex
from resolver.index.page import File
from resolver.model import (
    Changes,
    Lock,
    LockedDependency,
    LockedPackage,
    Memo,
    Notice,
    Pin,
    RegionResolution,
    Resolution,
    Stated,
    Universal,
)

from .address import plain, redacted
from .diff import changes, version_key
from .places import Places, Regions, Targets, single_quoted
from .uses import Use, uses

MAX_KEPT = 16  # entries of universal locks; those of a large one take some 500 kB

_Source = tuple[str, str, str | None, str | None, str | None]
"""(name, version, index, index URL, reference): what makes two pins one package."""


def build(resolution: Resolution) -> Lock:
    """Merge the targets' pins into one lock.

    Raises:
        IndistinguishableTargets: targets that differ in wheel tags only need different packages.
        LockError: a URL carries a credential.
        BudgetExhausted: where a package is needed takes too long to say.
    """
    query = resolution.query
    places: Places
    if query.universal is not None:
        places, packages = _of_regions(query.universal, resolution.regions)
    else:
        places = Targets(resolution.targets)
        packages = _of_one_place(places) if places.identity else _of_several(places)
    return Lock(
        requires_python=places.requires_python(query.requires_python),
        environments=places.environments,
        packages=packages,
        extras=query.extras,
        groups=query.groups,
        regions=places.regions,
        # Without a previous lock nothing was added: there is nothing to compare with.
        changes=changes(query.previous, packages) if query.previous else Changes(),
        warnings=tuple(sorted(set(resolution.warnings), key=_notice_key)),
        stated=tuple(sorted({_stated_text(one) for one in query.requirements})),
    )


@lru_cache(maxsize=MAX_KEPT)
def _of_regions(
    universal: Universal, regions: tuple[RegionResolution, ...]
) -> tuple[Regions, tuple[LockedPackage, ...]]:
    try:
        places = Regions(universal, regions)
        return places, _of_several(places)
    except DiagramLimitError:
        partly = {name for one in regions for name, space in one.needed.items() if space is not one.space}
        raise too_complex(tuple(sorted(partly))) from None


def _of_several(places: Places) -> tuple[LockedPackage, ...]:
    groups: dict[_Source, list[Use]] = {}
    for use in uses(places.pins):
        pin = use.pin
        groups.setdefault((pin.name, pin.version, pin.index, pin.index_url, pin.reference), []).append(use)
    ordered = sorted(
        groups, key=lambda source: (source[0], version_key(source[1]), *(part or "" for part in source[2:]))
    )
    versions: dict[str, list[tuple[_Source, int]]] = {}
    for source in ordered:
        where = 0
        for use in groups[source]:
            where |= use.mask
        versions.setdefault(source[0], []).append((source, where))
    via: dict[_Source, set[str]] = {source: set() for source in ordered}
    for source, group in groups.items():
        for use in group:
            via[source].update(use.pin.via)
            for name in _names(use.pin):
                for required, where in versions.get(name, ()):
                    if where & use.mask and name != source[0]:
                        via[required].add(source[0])
    return tuple([_once_more(groups[source], places, versions, via[source]) for source in ordered])


def _of_one_place(places: Places) -> tuple[LockedPackage, ...]:
    """Each name has one pin here, and its entry is as in every other lock of the place (:func:`_again`)."""
    [pins] = places.pins
    return tuple([_again(pins[name], places) for name in sorted(pins)])


def unfamiliar(resolution: Resolution) -> int:
    """How many entries :func:`build` has to make that no earlier lock had."""
    if len(resolution.targets) != 1:
        places = [*(one.pins for one in resolution.targets), *(one.pins for one in resolution.regions)]
        return sum(_weight(pin) for pins in places for pin in pins.values())
    target, pins = resolution.targets[0].target, resolution.targets[0].pins
    return sum(_weight(pin) for pin in pins.values() if (target.name, target.key) not in pin.memo)


def _weight(pin: Pin) -> int:
    """What an entry costs, counted in entries of a few requirements."""
    return 1 + len(pin.requires) // 20


def _again(pin: Pin, places: Places) -> LockedPackage:
    """The entry of a pin in a lock of one place, where an earlier lock may have had it.

    The entry depends on the pin and the place alone, apart from which of the required projects are locked; all are,
    unless the caller excluded some.
    """
    names = _names(pin)
    locked = places.pins[0].keys()
    key = places.identity if names <= locked else (places.identity, names.difference(locked))
    entry: LockedPackage | None = pin.memo.get(key)
    if entry is None:
        entry = pin.memo.keep(key, _package([(0, pin)], places, set()))
    return entry.required_by(tuple(sorted(set(pin.via))), direct=pin.is_direct)


def _names(pin: Pin) -> frozenset[str]:
    """The projects that a pin requires."""
    names: frozenset[str] | None = pin.memo.get("names")
    return pin.memo.keep("names", frozenset(edge.name for edge in pin.requires)) if names is None else names


def _once_more(
    group: Sequence[Use], places: Places, versions: Mapping[str, Sequence[tuple[_Source, int]]], via: Iterable[str]
) -> LockedPackage:
    """The entry of a package of several places, where an earlier lock may have had it.

    It depends on the pins, on where they are needed, and on which versions of what they require are there.
    """
    memos = tuple(dict.fromkeys([use.pin.memo for use in group]))
    chosen: set[tuple[Memo, str, str | None]] = set()
    for use in group:
        for name in _names(use.pin):
            there = versions.get(name, ())
            if len(there) != 1:
                chosen.update([(use.pin.memo, name, source[1]) for source, where in there if where & use.mask])
            elif not there[0][1] & use.mask:
                chosen.add((use.pin.memo, name, None))
    pin = group[0].pin
    positions = sorted([position for use in group for position in use.positions])
    key = (memos, places.signature(pin.name, positions), frozenset(chosen))
    entry: LockedPackage | None = memos[0].get(key)
    if entry is None:
        pairs = sorted([(position, use.pin) for use in group for position in use.positions], key=_position)
        several = {name for name, sources in versions.items() if len(sources) > 1}
        entry = memos[0].keep(key, _package(pairs, places, several))
    return entry.required_by(tuple(sorted(via)), direct=any(use.pin.is_direct for use in group))


def _position(pair: tuple[int, Pin]) -> int:
    return pair[0]


def _notice_key(notice: Notice) -> tuple[str, str, str, str]:
    return notice.code, notice.package or "", notice.index or "", notice.detail


def _stated_text(stated: Stated) -> str:
    requirement = stated.requirement
    return requirement.text.replace(requirement.url, redacted(requirement.url)) if requirement.url else requirement.text


def _package(
    group: Sequence[tuple[int, Pin]],
    places: Places,
    several: set[str],
) -> LockedPackage:
    pin = group[0][1]
    name, positions = pin.name, [position for position, _ in group]
    offered = {file.filename: file for _, one in group for file in one.wheels}
    wheels = {
        filename: file for filename, file in offered.items() if pin.reference or places.uses(file, name, positions)
    }
    sdist = next((one.sdist for _, one in group if one.sdist is not None), None)
    if not wheels and sdist is None:
        wheels = offered  # for Pythons that have no wheels yet: an entry must have files
    kept = tuple(wheels[filename] for filename in sorted(wheels))
    requires_python = next((one.requires_python for _, one in group if one.requires_python), None)
    files = (*kept, sdist) if sdist is not None else kept
    for file in files:
        plain(file.url)
    for url in (pin.index_url, pin.reference):
        if url is not None:
            plain(url)
    return LockedPackage(
        name=pin.name,
        version=pin.version,
        marker=places.marker(name, positions),
        extras=tuple(sorted({extra for _, one in group for extra in one.extras})),
        direct=any(one.is_direct for _, one in group),
        targets=places.names(positions),
        index=pin.index,
        index_url=pin.index_url,
        requires_python=requires_python,
        requires=_requires(group, places.pins, several),
        via=tuple(sorted({origin for _, one in group for origin in one.via})),
        wheels=kept,
        sdist=sdist,
        reference=pin.reference,
        flags=_flags(group, files),
        enforced_python=places.enforced(requires_python, name, positions) if requires_python else None,
    )


def _requires(
    group: Sequence[tuple[int, Pin]], selected: Sequence[Mapping[str, Pin]], several: set[str]
) -> tuple[LockedDependency, ...]:
    """Edges between packages of the lock; one to itself (``a[all]`` → ``a[b]``) or to what was excluded is none."""
    markers: dict[tuple[str, str], set[str | None]] = {}
    for position, pin in group:
        for edge in pin.requires:
            chosen = selected[position].get(edge.name)
            if chosen is not None and edge.name != pin.name:
                version = chosen.version if edge.name in several else ""
                markers.setdefault((edge.name, version), set()).add(edge.marker and single_quoted(edge.marker))
    return tuple(
        LockedDependency(name, marker, version or None)
        for name, version in sorted(markers, key=lambda key: (key[0], version_key(key[1])))
        # An unconditional edge says all that conditional ones beside it say.
        for marker in ([None] if None in markers[name, version] else sorted(filter(None, markers[name, version])))
    )


def _flags(group: Sequence[tuple[int, Pin]], files: Sequence[File]) -> tuple[str, ...]:
    pin = group[0][1]
    known, version, _ = version_key(pin.version)
    asserted = (
        ("yanked", any(one.yanked is not None for _, one in group)),
        ("prerelease", known and version.is_prerelease),
        ("sdist-only", bool(files) and not files[0].is_wheel),  # the sdist is the last
        # A direct reference has no release date to hold against ``exclude_newer``.
        ("no-upload-time", pin.reference is None and None in [file.upload_time for file in files]),
    )
    return tuple(flag for flag, holds in asserted if holds)
