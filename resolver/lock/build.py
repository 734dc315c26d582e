"""Resolution → Lock: one entry per package, ordered, with the files and the marker of the targets that need it.

Nothing is chosen here. Equal resolutions give equal locks whatever the order of their mappings; only the order of
the targets is the caller's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from resolver.index.page import File
from resolver.model import Changes, Lock, LockedDependency, LockedPackage, Notice, Pin, Resolution, Stated

from .address import plain, redacted
from .diff import changes, version_key
from .places import Places, Regions, Targets, single_quoted

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
    places: Places = (
        Targets(resolution.targets) if query.universal is None else Regions(query.universal, resolution.regions)
    )
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


def _of_several(places: Places) -> tuple[LockedPackage, ...]:
    groups: dict[_Source, list[tuple[int, Pin]]] = {}
    for position, pins in enumerate(places.pins):
        for pin in pins.values():
            source = (pin.name, pin.version, pin.index, pin.index_url, pin.reference)
            groups.setdefault(source, []).append((position, pin))
    ordered = sorted(
        groups, key=lambda source: (source[0], version_key(source[1]), *(part or "" for part in source[2:]))
    )
    names = [source[0] for source in ordered]
    several = {name for name, following in pairwise(names) if name == following}
    return tuple(_once_more(groups[source], places, several) for source in ordered)


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


def _once_more(group: Sequence[tuple[int, Pin]], places: Places, several: set[str]) -> LockedPackage:
    """The entry of a package of several places, where an earlier lock may have had it.

    It depends on the pins, on where they are needed, and on which versions of what they require are there.
    """
    memos = tuple(dict.fromkeys([pin.memo for _, pin in group]))
    chosen = {
        (pin.memo, name, places.pins[position][name].version if name in several else "")
        for position, pin in group
        for name in _names(pin)
        if name in places.pins[position]
    }
    name = group[0][1].name
    key = (memos, places.signature(name, [position for position, _ in group]), frozenset(chosen))
    entry: LockedPackage | None = memos[0].get(key)
    if entry is None:
        entry = memos[0].keep(key, _package(group, places, several))
    via = tuple(sorted({origin for _, one in group for origin in one.via}))
    return entry.required_by(via, direct=any(one.is_direct for _, one in group))


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
