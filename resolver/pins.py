"""Decisions become pins: what was chosen, its files, and who required it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from .environment.markers import without_extra
from .index.page import File, Release
from .model import Edge, Notice, Pin
from .place_facts import PlaceFacts
from .provider.candidates import file_fault, is_too_new, select
from .provider.policy import Filter
from .provider.requirements import Metadata
from .requirement import Requirement
from .solver import Package

_EdgeKey = tuple[str, tuple[str, ...], str, str, str]
"""Every field of an edge, None as ""; in their order edges are sorted."""


async def collect(facts: PlaceFacts, decisions: Mapping[Package, int]) -> dict[str, Pin]:
    """Walk the decided versions from the caller's requirements and describe each package that is reached."""
    via: dict[str, set[str]] = {}
    extras: dict[str, set[str]] = {}
    edges: dict[str, dict[_EdgeKey, Edge]] = {}
    todo: list[tuple[str, str | None]] = []

    def reach(requirement: Requirement, source: str) -> None:
        name = requirement.name
        for extra in (None, *requirement.extras):
            if name not in via or (extra is not None and extra not in extras[name]):
                todo.append((name, extra))
            via.setdefault(name, set())
            extras.setdefault(name, set())
            if extra is not None:
                extras[name].add(extra)
        if source != name:
            via[name].add(source)

    for stated in facts.stated():
        reach(stated.requirement, stated.origin)
    while todo:
        name, extra = todo.pop()
        found = await facts.metadata(name, decisions[name, None])
        assert isinstance(found, Metadata), "a decided version had metadata"
        for requirement in facts.requirements_of(found, extra):
            edge = _edge(requirement, extra)
            key = (edge.name, edge.extras, edge.specifier, edge.marker or "", extra or "")
            edges.setdefault(name, {})[key] = edge
            reach(requirement, name)
    return {
        name: await _pin(facts, name, decisions[name, None], extras[name], edges.get(name, {}), via[name])
        for name in sorted(via)
    }


def _edge(requirement: Requirement, extra: str | None) -> Edge:
    marker = None if requirement.marker is None else str(requirement.marker)
    if marker is not None and extra is not None:
        marker = without_extra(marker, extra)
    return Edge(requirement.name, requirement.extras, marker, requirement.specifier, extra)


async def _pin(
    facts: PlaceFacts,
    name: str,
    bit: int,
    extras: set[str],
    edges: Mapping[_EdgeKey, Edge],
    via: set[str],
) -> Pin:
    project = (await facts.table(name)).project
    metadata = await facts.metadata(name, bit)
    assert project is not None
    assert isinstance(metadata, Metadata)
    allowed = facts.policies.filter(name)
    undated = select(project, facts.place, allowed).undated.bit_count()
    if undated:
        detail = f"{undated} releases give no upload time and were left out by exclude_newer"
        facts.notices.append(Notice("no-upload-time", detail, name, project.index_name))
    release, project = project.release(bit), project.source(bit)
    reference = facts.references.url(name)
    unknown = sorted(extras - metadata.core.provides_extra)
    for extra in unknown:
        facts.notices.append(
            Notice("unknown-extra", f"{name} {release.text} has no extra named {extra!r}", name, project.index_name)
        )
    yanked = _yanked(release)
    if yanked is not None:
        reason = f": {yanked}" if yanked else ""
        facts.notices.append(Notice("yanked", f"{name} {release.text} was yanked{reason}", name, project.index_name))
    missing = facts.missing(name, release)
    for filename in missing:
        detail = f"the index lists {filename} but does not have it; the lock leaves it out"
        facts.notices.append(Notice("file-missing", detail, name, project.index_name))
    wheels, sdist = _files(facts, release, allowed, missing)
    return Pin(
        name=name,
        version=release.text,
        index=None if reference else project.index_name,
        index_url=None if reference else project.index_url,
        wheels=wheels,
        sdist=sdist,
        requires_python=metadata.core.requires_python,
        extras=tuple(sorted(extras - set(unknown))),
        requires=tuple(edges[key] for key in sorted(edges)),
        via=tuple(sorted(via)),
        is_direct=facts.policies.is_direct(name),
        reference=reference,
        yanked=yanked,
    )


def _yanked(release: Release) -> str | None:
    """The reason where every file is yanked."""
    reasons = [file.yanked for file in (*release.wheels, release.sdist) if file is not None]
    return reasons[0] if reasons and all(reason is not None for reason in reasons) else None


def _files(
    facts: PlaceFacts, release: Release, allowed: Filter, missing: Collection[str]
) -> tuple[tuple[File, ...], File | None]:
    """The files that policy admits; whether a wheel fits an environment is for the lock to say."""
    opted_in = release.text in allowed.yanked_pins

    def admitted(file: File) -> bool:
        if file.filename in missing:
            return False
        if is_too_new(file, allowed.exclude_newer) or (file.yanked is not None and not opted_in):
            return False
        return not allowed.hashes or bool(allowed.hashes.intersection(file.hashes))

    wheels = tuple(file for file in release.wheels if admitted(file)) if allowed.wheels else ()
    sdist = release.sdist
    if sdist is not None and (not allowed.sdists or not admitted(sdist) or _is_unusable(facts, sdist, allowed)):
        sdist = None
    return wheels, sdist


def _is_unusable(facts: PlaceFacts, file: File, allowed: Filter) -> bool:
    return file_fault(file, facts.place, allowed) is not None
