"""All remedies for a proof, those that ask least of the caller first. Pure, and nothing here is promised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..name import Name
from ..place_facts import PlaceFacts
from ..provider.candidates import Candidates
from ..solver import Incompatibility
from .culprits import culprits_of
from .environments import pythons, required_environments
from .options import of_exclusions
from .platforms import platforms
from .remedy import Remedy
from .statements import by_url, dropped, extras, loosened, statements_of, without_hashes


def remedies(
    facts: PlaceFacts, tables: Mapping[Name, Candidates], reasons: Sequence[Incompatibility]
) -> tuple[Remedy, ...]:
    """Remedies for the external facts ``reasons`` of a proof, those that ask least of the caller first."""
    culprits = culprits_of(reasons, tables)
    found: list[Remedy] = []
    for name, culprit in culprits.items():
        table = tables.get((name, None))
        if table is not None and table.project is not None:
            found += of_exclusions(facts, name, table, culprit)
    statements = statements_of(facts, reasons, culprits)
    found += [loosened(role, same) for role, same in statements if same[0].requirement.specifier]
    found += required_environments(facts.query, reasons)
    found += pythons(facts, tables, culprits)
    found += platforms(facts, tables, culprits)
    found += extras(reasons, statements)
    found += by_url(facts, culprits)
    found += without_hashes(facts, culprits)
    if len({one.requirement for one in facts.query.requirements}) == 1:  # nobody asked for a lock of nothing
        statements = [(role, same) for role, same in statements if role != "requirements"]
    found += [dropped(role, same) for role, same in statements]
    once = {one.detail: one for one in reversed(found)}
    return tuple(sorted((one for one in found if once[one.detail] is one), key=lambda one: one.effort))
