"""Statements of the caller that a proof speaks of: with other versions, with an extra less, or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

from ..model import Query, Stated
from ..place_facts import PlaceFacts
from ..provider.faults import HASHES
from ..requirement import Requirement, parse
from ..solver import ROOT, FromDependency, Incompatibility
from ..statement_order import in_order_of_places, position
from .culprits import Culprit, project_of
from .remedy import Edit, Effort, Remedy

MAX_ORIGINS = 3  # of one statement that a text names

Role = Literal["constraints", "overrides", "requirements"]
_ROLES: tuple[Role, ...] = ("constraints", "overrides", "requirements")
Same = tuple[Stated, ...]
"""Statements of one text: to change one of them alone changes nothing."""


def statements_of(
    facts: PlaceFacts, reasons: Sequence[Incompatibility], culprits: Mapping[str, Culprit]
) -> list[tuple[Role, Same]]:
    """The caller's statements that the reasons speak of: constraints, overrides, requirements, each in their order."""
    query = facts.query
    required = [reason.cause for reason in reasons if isinstance(reason.cause, FromDependency)]
    names = {project_of(cause.dependency) for cause in required}
    found: dict[tuple[Role, Requirement], list[Stated]] = {}

    def note(role: Role, stated: Stated) -> None:
        if stated.requirement.url is None:
            same = found.setdefault((role, stated.requirement), [])
            if not any(one is stated for one in same):
                same.append(stated)

    for name, culprit in culprits.items():
        if "constraint" in culprit.kinds:
            for one in facts.policies.constraints(name):
                note("constraints", one)
    for one in query.overrides:
        if one.requirement.name in names:
            note("overrides", one)
    overridden = {one.requirement.name for one in query.overrides}
    for cause in required:
        if cause.package is ROOT and project_of(cause.dependency) not in overridden:
            for one in stated_as(facts, cause):
                note("requirements", one)
    groups = [(role, tuple(in_order_of_places(same))) for (role, _), same in found.items()]
    return sorted(groups, key=lambda group: (_ROLES.index(group[0]), position(group[1][0])))


def stated_as(facts: PlaceFacts, cause: FromDependency) -> list[Stated]:
    """The statements of the caller that a dependency of the root stands for: equal ones are one to the solver."""
    name = project_of(cause.dependency)
    stated = [one for one in facts.stated() if one.requirement.name == name]
    if cause.source:
        return [one for one in stated if one.origin == cause.source and one.requirement.specifier == cause.key]
    return [one for one in stated if cause.key in {None, one.requirement.specifier}]


def loosened(role: Role, same: Same) -> Remedy:
    """The remedy that leaves the bounds out; which ones are right is known when it was tried."""
    return replace(restated(role, same, ""), loosened=same)


def loosened_to(remedy: Remedy, specifier: str) -> Remedy:
    """The remedy that leaves ``specifier`` of the bounds that ``remedy`` left out."""
    return restated(_role(remedy), remedy.loosened, specifier)


def dropped_instead(remedy: Remedy) -> Remedy:
    """The remedy that drops the statement that ``remedy`` loosened."""
    return dropped(_role(remedy), remedy.loosened)


def _role(remedy: Remedy) -> Role:
    return next(role for role in _ROLES if role == remedy.kind)


def restated(role: Role, same: Same, specifier: str) -> Remedy:
    """The remedy that states other versions."""
    requirement = same[0].requirement
    return _changed(role, same, _text(requirement, requirement.extras, specifier))


def _changed(role: Role, same: Same, text: str) -> Remedy:
    requirement = parse(text)
    edits = tuple(Edit(one.place, _written(one), _written(one, text)) for one in same)
    return Remedy(
        Effort.BOUND,
        role,
        f"change {_called(role, same)} to {text}",
        edits,
        partial(_replaced, role, [(one, replace(one, requirement=requirement)) for one in same]),
    )


def _text(requirement: Requirement, extras: Sequence[str], specifier: str) -> str:
    marker = f" ; {requirement.marker}" if requirement.marker is not None else ""
    taken = f"[{','.join(extras)}]" if extras else ""
    return f"{requirement.name}{taken}{specifier}{marker}"


def extras(reasons: Sequence[Incompatibility], statements: Sequence[tuple[Role, Same]]) -> Iterator[Remedy]:
    """Leave out one of the extras that a requirement of the caller names."""
    named = {
        reason.cause.dependency
        for reason in reasons
        if isinstance(reason.cause, FromDependency) and reason.cause.package is ROOT
    }
    for role, same in statements:
        requirement = same[0].requirement
        for extra in requirement.extras:
            if (requirement.name, extra) in named:
                left = [one for one in requirement.extras if one != extra]
                remedy = _changed(role, same, _text(requirement, left, requirement.specifier))
                yield replace(remedy, effort=Effort.STATEMENT)


def by_url(facts: PlaceFacts, culprits: Mapping[str, Culprit]) -> Iterator[Remedy]:
    """Take from an index what the caller requires by URL, where the file there has the wrong version."""
    for stated in facts.stated():
        requirement = stated.requirement
        if requirement.url is not None and requirement.name in culprits and stated in facts.query.requirements:
            remedy = _changed("requirements", (stated,), _text(requirement, requirement.extras, ""))
            detail = f"take {requirement.name} from an index instead of by URL ({stated.origin})"
            yield replace(remedy, effort=Effort.STATEMENT, detail=detail)


def without_hashes(facts: PlaceFacts, culprits: Mapping[str, Culprit]) -> Iterator[Remedy]:
    """State no hashes of a project whose files have none of those that are stated."""
    for name, culprit in culprits.items():
        given = [one for one in facts.stated() if one.requirement.name == name and one.hashes]
        if HASHES not in culprit.kinds or not given or any(one in facts.query.overrides for one in given):
            continue
        same = tuple(in_order_of_places(given))
        edits = tuple(Edit(one.place, _written(one), one.requirement.text) for one in same)
        by = [(one, replace(one, hashes=())) for one in same]
        detail = f"leave out the hashes of {name} ({origins(same)}), if you trust what the index has now"
        yield Remedy(Effort.STATEMENT, "hashes", detail, edits, partial(_replaced, "requirements", by))


def _written(stated: Stated, text: str | None = None) -> str:
    """A statement as it stands in the input, or with another text."""
    hashes = (f"--hash={kind}:{digest}" for kind, digest in stated.hashes)
    return " ".join([stated.requirement.text if text is None else text, *hashes])


def dropped(role: Role, same: Same) -> Remedy:
    """The remedy that states nothing any more."""
    edits = tuple(Edit(one.place, _written(one), None) for one in same)
    gone = [(one, None) for one in same]
    return Remedy(Effort.STATEMENT, role, f"drop {_called(role, same)}", edits, partial(_replaced, role, gone))


def _called(role: Role, same: Same) -> str:
    what = "" if role == "requirements" else f"the {role[:-1]} "
    requirement = same[0].requirement
    stated = _text(requirement, requirement.extras, requirement.specifier)
    return f"{what}{stated} ({origins(same)})"


def origins(stated: Iterable[Stated]) -> str:
    """Where the same is stated, for a text."""
    found = list(dict.fromkeys(one.origin for one in in_order_of_places(stated)))
    more = len(found) - MAX_ORIGINS
    return ", ".join([*found[:MAX_ORIGINS], *([f"and {more} more"] if more > 0 else [])])


def _replaced(role: Role, by: Sequence[tuple[Stated, Stated | None]], query: Query) -> Query:
    match role:
        case "constraints":
            return replace(query, constraints=_with(query.constraints, by))
        case "overrides":
            return replace(query, overrides=_with(query.overrides, by))
        case _:
            return replace(query, requirements=_with(query.requirements, by))


def _with(statements: Iterable[Stated], by: Sequence[tuple[Stated, Stated | None]]) -> tuple[Stated, ...]:
    changed = (next((after for before, after in by if before is one), one) for one in statements)
    return tuple(one for one in changed if one is not None)
