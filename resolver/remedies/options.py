"""Options that would admit what was left out: for one package, as far as the server's policy goes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from datetime import datetime

from ..errors import Place
from ..model import Builds, PackageOptions, Prerelease, Query, Stated
from ..place_facts import PlaceFacts
from ..provider.candidates import Candidates
from ..provider.faults import NO_BUILD, NO_FILE, PRERELEASE, TOO_NEW, YANKED
from ..requirement import parse
from .culprits import Culprit
from .remedy import Edit, Effort, Remedy
from .statements import Role, restated

_EVERY = ":all:"


def of_exclusions(facts: PlaceFacts, name: str, table: Candidates, culprit: Culprit) -> Iterator[Remedy]:
    """The options that would admit versions of ``name`` which were excluded."""
    query = facts.query
    for kind, mask in culprit.kinds.items():
        wanted = mask & culprit.wanted or mask
        match kind:
            case _ if kind == PRERELEASE:
                yield _prereleases(query, name)
            case _ if kind == TOO_NEW:
                yield from _newer(query, name)
            case _ if kind == YANKED:
                yield _pinned(facts, name, table.versions.texts[wanted.bit_length() - 2])
            case _ if kind == NO_BUILD:
                yield from _source_distributions(query, name)
            case _ if kind == NO_FILE and query.options.no_binary & {name, _EVERY}:
                yield _wheels(query, name)


def _own(query: Query, name: str) -> PackageOptions:
    return query.options.packages.get(name, PackageOptions())


def _of_package(
    name: str, edit: Edit, kind: str, detail: str, change: Callable[[PackageOptions], PackageOptions]
) -> Remedy:
    def to_query(query: Query) -> Query:
        packages = {**query.options.packages, name: change(_own(query, name))}
        return replace(query, options=replace(query.options, packages=packages))

    return Remedy(Effort.OPTION, kind, detail, (edit,), to_query)


def _edit(name: str, option: str, before: object, after: object) -> Edit:
    return Edit(Place(pointer=f"/options/packages/{name}/{option}"), before, after, option)


def _prereleases(query: Query, name: str) -> Remedy:
    edit = _edit(name, "prerelease", _own(query, name).prerelease, Prerelease.ALLOW)
    detail = f"allow pre-releases of {name}"
    return _of_package(name, edit, PRERELEASE, detail, lambda own: replace(own, prerelease=Prerelease.ALLOW))


def _newer(query: Query, name: str) -> Iterator[Remedy]:
    own = _own(query, name).exclude_newer
    limit = own if isinstance(own, datetime) else query.options.exclude_newer
    # What the caller says is held against the floor of the policy, as it is when a request comes in.
    floor = query.limits.newest
    if limit is not None and (floor is None or limit < floor):
        edit = _edit(name, "exclude_newer", own.isoformat() if isinstance(own, datetime) else own, after=False)
        detail = f"lift exclude_newer for {name}"
        yield _of_package(name, edit, TOO_NEW, detail, lambda own: replace(own, exclude_newer=floor or False))


def _source_distributions(query: Query, name: str) -> Iterator[Remedy]:
    names = query.options.only_binary
    if names & {name, _EVERY}:
        edit = Edit(Place(pointer="/options/only_binary"), sorted(names), sorted(names - {name, _EVERY}), "only_binary")

        def to_query(query: Query) -> Query:
            left = query.options.only_binary - {name, _EVERY}
            return replace(query, options=replace(query.options, only_binary=left))

        detail = f"admit source distributions of {_whose(names, name)}"
        yield Remedy(Effort.OPTION, "only_binary", detail, (edit,), to_query)
    own = _own(query, name).builds
    if (own or query.options.builds) is Builds.NEVER and query.limits.builds is not Builds.NEVER:
        edit = _edit(name, "builds", own, Builds.STATIC)
        detail = f"let the source distributions of {name} count where their metadata is static"
        yield _of_package(name, edit, NO_BUILD, detail, lambda own: replace(own, builds=Builds.STATIC))


def _wheels(query: Query, name: str) -> Remedy:
    names = query.options.no_binary
    edit = Edit(Place(pointer="/options/no_binary"), sorted(names), sorted(names - {name, _EVERY}), "no_binary")

    def to_query(query: Query) -> Query:
        left = query.options.no_binary - {name, _EVERY}
        return replace(query, options=replace(query.options, no_binary=left))

    return Remedy(Effort.OPTION, "no_binary", f"admit wheels of {_whose(names, name)}", (edit,), to_query)


def _whose(names: Collection[str], name: str) -> str:
    return "all packages" if _EVERY in names else name


def _pinned(facts: PlaceFacts, name: str, version: str) -> Remedy:
    """Opt in to a yanked version (PEP 592): by the caller's own requirement, else by a constraint."""
    why = "to use it although it was yanked"
    stated = next((one for one in facts.stated() if one.requirement.name == name), None)
    if stated is not None:
        role: Role = "overrides" if stated in facts.query.overrides else "requirements"
        remedy = restated(role, (stated,), f"=={version}")
        return replace(remedy, effort=Effort.OPTION, kind=YANKED, detail=f"{remedy.detail}, {why}")
    text = f"{name}=={version}"
    place = Place(pointer="/constraints/-")  # RFC 6901: after the last
    constraint = Stated(parse(text), "a suggestion", place)
    return Remedy(
        Effort.OPTION,
        YANKED,
        f"add the constraint {text}, {why}",
        (Edit(place, None, text),),
        lambda query: replace(query, constraints=(*query.constraints, constraint)),
    )
