"""Decisions become pins: what was chosen, its files, and who required it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial

from .environment.markers import without_extra
from .environment.place import Place
from .index.page import File, Release
from .model import Edge, Notice, Pin
from .name import Name
from .place_facts import PlaceFacts
from .provider.dating import is_too_new, warning
from .provider.evidence import fitting
from .provider.policy import Filter
from .provider.requirements import Metadata
from .provider.sight import sight
from .requirement import Requirement
from .segments import Breath
from .solver import Package

_EdgeKey = tuple[str, tuple[str, ...], str, str, str]
"""Every field of an edge, None as ""; in their order edges are sorted."""


async def collect(facts: PlaceFacts, decisions: Mapping[Package, int]) -> dict[str, Pin]:
    """Walk the decided versions from the caller's requirements and describe each package that is reached."""
    via: dict[str, set[str]] = {}
    extras: dict[str, set[str]] = {}
    todo: list[tuple[str, str | None]] = []
    breath = Breath()

    def reach(name: str, wanted: Sequence[str], source: str) -> None:
        known = via.get(name)
        if known is None:
            known = via[name] = set()
            extras[name] = set()
            todo.append((name, None))
        for extra in wanted:
            if extra not in extras[name]:
                extras[name].add(extra)
                todo.append((name, extra))
        if source != name:
            known.add(source)

    for stated in facts.stated():
        reach(stated.requirement.name, stated.requirement.extras, stated.origin)
    while todo:
        name, extra = todo.pop()
        if breath.is_due:
            await breath.take()
        for edge in await _edges(facts, name, decisions[name, None], extra):
            reach(edge.name, edge.extras, name)
    pins: dict[str, Pin] = {}
    for name in sorted(via):
        if breath.is_due:
            await breath.take()
        bit, known = decisions[name, None], extras[name]
        wanted = tuple(sorted(known)) if known else ()
        pin = _quiet_pin(facts, name, bit, wanted) or await _pin(facts, name, bit, wanted)
        pins[name] = pin.required_by(tuple(sorted(via[name])), is_direct=facts.policies.is_direct(name))
    return pins


async def collect_needed(facts: PlaceFacts, decisions: Mapping[Package, int], needed: Iterable[Name]) -> dict[str, Pin]:
    """Describe the packages that a region needs.

    Of who requires them the pins name the caller's statements only: the rest is in the pins that require. So regions
    that agree on a pin have the same object, apart from what the caller states.
    """
    extras: dict[str, list[str]] = {}
    for name, extra in needed:
        wanted = extras.get(name)
        if wanted is None:
            wanted = extras[name] = []
        if extra is not None:
            wanted.append(extra)
    origins: dict[str, set[str]] = {}
    for stated in facts.stated():
        origins.setdefault(stated.requirement.name, set()).add(stated.origin)
    pins: dict[str, Pin] = {}
    breath = Breath()
    for name, taken in extras.items():
        if breath.is_due:
            await breath.take()
        bit, sought = decisions[name, None], tuple(sorted(taken)) if taken else ()
        pins[name] = _quiet_pin(facts, name, bit, sought) or await _pin(facts, name, bit, sought)
    for name, pin in pins.items():
        is_direct = facts.policies.is_direct(name)
        if is_direct or name in origins:
            pins[name] = _stated(pin, tuple(sorted(origins.get(name, ()))), is_direct)
    return pins


def _stated(pin: Pin, origins: tuple[str, ...], is_direct: bool) -> Pin:  # noqa: FBT001
    key = ("stated", origins, is_direct)
    found: Pin | None = pin.memo.get(key)
    return pin.memo.keep(key, pin.required_by(origins, is_direct=is_direct)) if found is None else found


def _quiet_pin(facts: PlaceFacts, name: str, bit: int, wanted: tuple[str, ...]) -> Pin | None:
    """The pin of a decided version of which there is nothing to tell, if it was made before."""
    if not (facts.is_common and facts.has_all_files):
        return None
    return facts.tables.outlook(name).unremarkable.get((bit, wanted))


async def _pin(facts: PlaceFacts, name: str, bit: int, wanted: tuple[str, ...]) -> Pin:
    """The pin of a decided version, without who requires it; what the caller should know of it is noted."""
    seen = facts.tables.outlook(name)
    missing = facts.missing(name, facts.release(name, bit))
    pin = None
    if facts.is_common and not missing:
        pin = seen.pins.get((bit, wanted)) or seen.pins_everywhere.get((bit, wanted))
    if pin is None:
        requires = {_key(edge): edge for extra in (None, *wanted) for edge in await _edges(facts, name, bit, extra)}
        pin = await _describe(facts, name, bit, wanted, tuple(requires[key] for key in sorted(requires)))
        if facts.is_common and not missing:
            pin = seen.keep_pin(bit, wanted, pin)
            metadata = await _decided(facts, name, bit)
            if all(metadata.common(facts.place, extra) is not None for extra in (None, *wanted)):
                seen.pins_everywhere[bit, wanted] = pin
    if not _tell(facts, pin, wanted, missing) and facts.is_common:
        seen.unremarkable[bit, wanted] = pin
    return pin


async def _edges(facts: PlaceFacts, name: str, bit: int, extra: str | None) -> Sequence[Edge]:
    """What a decided version (or one extra of it) requires, as edges."""
    seen = facts.tables.outlook(name)
    found = seen.edges.get((bit, extra)) if facts.is_common else None
    if found is None:
        metadata = await _decided(facts, name, bit)
        find = partial(_edges_of, facts, metadata, extra)
        found = await asyncio.to_thread(find) if metadata.is_long else find()
        if facts.is_common:
            seen.edges[bit, extra] = found
    return found


def _edges_of(facts: PlaceFacts, metadata: Metadata, extra: str | None) -> tuple[Edge, ...]:
    return tuple(_edge(requirement, extra) for requirement in facts.requirements_of(metadata, extra))


async def _decided(facts: PlaceFacts, name: str, bit: int) -> Metadata:
    metadata = await facts.metadata(name, bit)
    assert isinstance(metadata, Metadata), "a decided version had metadata"
    return metadata


def _edge(requirement: Requirement, extra: str | None) -> Edge:
    marker = requirement.marker_text
    if marker is not None and extra is not None:
        marker = without_extra(marker, extra)
    return Edge(requirement.name, requirement.extras, marker, requirement.specifier, extra)


def _key(edge: Edge) -> _EdgeKey:
    return edge.name, edge.extras, edge.specifier, edge.marker or "", edge.extra or ""


async def _describe(facts: PlaceFacts, name: str, bit: int, wanted: tuple[str, ...], requires: tuple[Edge, ...]) -> Pin:
    """Describe a decided version, without who requires it."""
    seen = facts.tables.outlook(name)
    metadata = await _decided(facts, name, bit)
    merged = seen.table.project
    assert merged is not None
    release, project = merged.release(bit), merged.source(bit)
    reference = facts.references.url(name)
    wheels, sdist = _files(
        facts.place, release, seen.standpoint.filter, facts.missing(name, release), is_reference=bool(reference)
    )
    return Pin(
        name=name,
        version=release.text,
        index=None if reference else project.index_name,
        index_url=None if reference else project.index_url,
        wheels=wheels,
        sdist=sdist,
        requires_python=metadata.core.requires_python,
        extras=tuple(extra for extra in wanted if extra in metadata.core.provides_extra),
        requires=requires,
        via=(),
        is_direct=False,
        reference=reference,
        yanked=_yanked(release),
    )


def _tell(facts: PlaceFacts, pin: Pin, wanted: tuple[str, ...], missing: Collection[str]) -> bool:
    """Note what the caller should know of a pin; return whether there is anything."""
    name, title = pin.name, f"{pin.name} {pin.version}"
    seen = facts.tables.outlook(name)
    project = seen.table.project
    assert project is not None
    skipped = project.page.skipped
    if not (missing or skipped or seen.undated or pin.yanked is not None or len(wanted) > len(pin.extras)):
        return False
    told: list[tuple[str, str]] = []
    if seen.undated:
        told.append(("no-upload-time", warning(seen.undated, seen.seen, facts.policies.release_age(name))))
    unknown = (extra for extra in wanted if extra not in pin.extras)
    told += [("unknown-extra", f"{title} has no extra named {extra!r}") for extra in unknown]
    if pin.yanked is not None:
        told.append(("yanked", f"{title} was yanked{f': {pin.yanked}' if pin.yanked else ''}"))
    told += [
        ("file-missing", f"the index lists {filename} but does not have it; the lock leaves it out")
        for filename in missing
    ]
    if skipped:
        filename, why = skipped[0]
        more = f" (the first of {len(skipped)} such files)" if len(skipped) > 1 else ""
        told.append(("file-skipped", f"{filename} was left out: {why}{more}"))
    facts.notices += [Notice(code, detail, name, project.index_name) for code, detail in told]
    return True


def _yanked(release: Release) -> str | None:
    """The reason where every file is yanked."""
    return release.files[0].yanked if release.is_yanked else None


def _files(
    place: Place, release: Release, allowed: Filter, missing: Collection[str], *, is_reference: bool
) -> tuple[tuple[File, ...], File | None]:
    """The files that policy admits, without wheels that a target cannot install.

    Of a region, and of what the caller names by URL, all: whether a wheel fits is for the lock to say.
    """
    opted_in = allowed.admits_yanked(release)

    def admitted(file: File) -> bool:
        if file.filename in missing:
            return False
        if is_too_new(file, release, allowed.exclude_newer) or (file.yanked is not None and not opted_in):
            return False
        return allowed.admits_hashes(file)

    offered = release.wheels if is_reference else fitting(release, place)
    wheels = tuple([file for file in offered if admitted(file)]) if allowed.wheels else ()
    sdist = release.sdist
    if sdist is not None and not (admitted(sdist) and sight(place).file_fault(sdist, allowed) is None):
        sdist = None
    return wheels, sdist
