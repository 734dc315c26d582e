"""Why there is no solution, put into an error with its explanation and hints."""

from __future__ import annotations

from collections.abc import Mapping

from .conditions import conditions
from .environment.markers import without_extra
from .environment.region import Region
from .errors import NoSolution
from .hints import hints
from .name import Name, name_of
from .place_facts import PlaceFacts
from .provider.candidates import Candidates
from .remedies import culprits_of, origins, remedies, stated_as
from .requirement import Requirement, RequirementError, parse
from .solver import ROOT, FromDependency, Incompatibility, Package, VersionTable, explain, reasons, shortened
from .statement_order import in_order_of_places


def no_solution(facts: PlaceFacts, tables: Mapping[Name, Candidates], incompatibility: Incompatibility) -> NoSolution:
    """The solver's last incompatibility as an error with its explanation.

    ``tables`` are those of the solve so far: this takes a while and runs beside the fetch-ahead, which makes more.
    """
    known = dict[Package, VersionTable](tables.items())
    incompatibility = shortened(incompatibility, known)
    explanation = explain(incompatibility, known, label, _Notes(facts), _Ranks(facts))
    by_name = {name: table for (name, extra), table in tables.items() if extra is None}
    wanted: dict[str, list[str]] = {}
    for stated in facts.stated():
        wanted.setdefault(stated.requirement.name, []).append(stated.requirement.specifier)
    culprits = culprits_of(reasons(incompatibility), tables)
    kinds = {name: culprit.kinds for name, culprit in culprits.items()}
    found = hints(kinds, by_name, facts.place, facts.query, wanted)
    helpful = remedies(facts, tables, reasons(incompatibility))
    error = NoSolution(explanation.text, explanation.derivation, explanation.packages, found, helpful)
    if isinstance(facts.place, Region):
        error.conditions = conditions(facts, reasons(incompatibility))
    return error


class _Notes:
    """What is said behind a requirement: where it is stated, if in a file, and where it holds, if not everywhere."""

    def __init__(self, facts: PlaceFacts) -> None:
        self._facts = facts

    def __call__(self, cause: FromDependency) -> str:
        if cause.package is ROOT:
            stated = stated_as(self._facts, cause)
            in_files = [one for one in stated if one.place.file is not None]
            where = "".join(self._where(one.requirement, None) for one in stated[:1])
            return f"{where} ({origins(in_files)})" if in_files else where
        if not cause.source:
            return ""
        _, extra = name_of(cause.package)
        try:
            return self._where(parse(cause.source), extra)
        except RequirementError:  # what ties an extra to its project is no requirement
            return ""

    def _where(self, requirement: Requirement, extra: str | None) -> str:
        if not isinstance(self._facts.place, Region) or requirement.marker is None:
            return ""
        marker = without_extra(str(requirement.marker), extra or "")
        return "" if marker is None else f" where {marker}"


class _Ranks:
    """The caller's order of statements: that of the request, and of lines in a file."""

    def __init__(self, facts: PlaceFacts) -> None:
        self._stated = in_order_of_places(facts.stated())

    def __call__(self, package: Package, source: str) -> tuple[int, str]:
        name, _ = name_of(package)
        at = next(
            (
                at
                for at, one in enumerate(self._stated)
                if one.requirement.name == name and (not source or one.origin == source)
            ),
            len(self._stated),
        )
        return at, label(package)


def label(package: Package) -> str:
    """How a package is called in texts."""
    name, extra = name_of(package)
    return name if extra is None else f"{name}[{extra}]"
