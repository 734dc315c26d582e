"""Why there is no solution, put into an error with its explanation and hints."""

from __future__ import annotations

from typing import cast

from .errors import NoSolution
from .hints import hints
from .place_facts import PlaceFacts
from .solver import Incompatibility, Package, VersionTable, explain
from .tables import Name


def no_solution(facts: PlaceFacts, incompatibility: Incompatibility) -> NoSolution:
    """The solver's last incompatibility as an error with its explanation."""
    tables = facts.tables.by_package()
    explanation = explain(incompatibility, dict[Package, VersionTable](tables.items()), label)
    by_name = {name: table for (name, extra), table in tables.items() if extra is None}
    wanted: dict[str, list[str]] = {}
    for stated in facts.stated():
        wanted.setdefault(stated.requirement.name, []).append(stated.requirement.specifier)
    found = hints(explanation.packages, by_name, facts.place, wanted)
    return NoSolution(explanation.text, explanation.derivation, explanation.packages, found)


def label(package: Package) -> str:
    """How a package is called in texts."""
    name, extra = cast("Name", package)
    return name if extra is None else f"{name}[{extra}]"
