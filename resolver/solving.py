"""Solve for one place: answer the solver's questions, and fetch ahead of them.

The solver is pure and asks; this module awaits. Between two questions a solve gives the event loop back at least
every few milliseconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType

from .algebra import work_out
from .at_hand import AtHand, Foreknown
from .environment.place import Place
from .environment.region import Divided
from .errors import BudgetExhausted, NoSolution
from .model import Notice, Pin, Query, Stats
from .name import name_of, tie
from .place_facts import MAX_STATED, PlaceFacts
from .provider.policy import Chosen, Policies
from .segments import PAUSE_STEPS, Segments
from .session import Session
from .solver import (
    Decided,
    DecisionsExhausted,
    NeedDependencies,
    NeedVersions,
    Package,
    Solved,
    Solver,
    Unsolvable,
)

CONTESTED_FROM = 100  # conflicts of one solve; then the packages in them are told where the seconds run out
NOTHING_BEGUN: Mapping[str, Chosen] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Event:
    """Progress, for whoever watches: ``decide``."""

    kind: str
    package: str
    version: str | None = None


Watcher = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Work:
    """What the solves of one query share."""

    query: Query
    session: Session
    stats: Stats
    notices: list[Notice]
    watch: Watcher | None
    divided: set[str] = field(default_factory=set)
    """The projects whose requirements divided a region."""
    refused: list[Place] = field(default_factory=list)
    """Places without an answer."""
    earlier: dict[str, list[str]] = field(default_factory=dict)
    """The versions in the places that were solved before: preferred in later ones."""

    def remember(self, pins: Mapping[str, Pin]) -> None:
        """Prefer the versions of a place that was solved in later ones."""
        for name, pin in pins.items():
            versions = self.earlier.setdefault(name, [])
            if pin.version not in versions:
                versions.append(pin.version)


async def solve(
    work: Work, place: Place, begun: Mapping[str, Chosen] = NOTHING_BEGUN
) -> tuple[PlaceFacts, Mapping[Package, int]]:
    """Choose the versions for one place; where nothing speaks against them, those that were ``begun`` with.

    Raises:
        Divided: the place is a region that one answer cannot serve.
    """
    query, stats, session, budget = work.query, work.stats, work.session, work.query.budget
    policies = await work_out(partial(Policies, query, place, work.earlier, begun), MAX_STATED)
    facts = PlaceFacts(query, place, policies, session, work.notices)
    await facts.open()
    segments = Segments(stats, session.turns)
    solver = Solver(
        facts.root(),
        max_decisions=budget.decisions,
        max_steps=budget.steps,
        pause_steps=PAUSE_STEPS,
        tie=tie,
        # Who watches wants to see each decision.
        foresight=Foreknown(facts, segments) if work.watch is None else None,
        is_watched=work.watch is not None,
    )
    facts.ahead.follow(solver)
    await segments.begin()
    try:
        return facts, await _run(facts, solver, segments, work.watch)
    except Divided as division:
        chosen = solver.chosen(with_tried=division.keeps_tried)
        division.begun = facts.chosen({name_of(package): bit for package, bit in chosen.items()})
        raise
    except NoSolution:
        work.refused.append(place)
        raise
    finally:
        segments.end()
        stats.decisions += solver.decisions
        stats.conflicts += solver.conflicts
        if solver.conflicts > CONTESTED_FROM:
            session.contested = _projects(solver.contested())
        solver.close()


def _projects(packages: Iterable[Package]) -> tuple[str, ...]:
    """The projects of packages, each once; more than ten would not help a reader."""
    return tuple(dict.fromkeys(name_of(package)[0] for package in packages))[:10]


async def _run(facts: PlaceFacts, solver: Solver, segments: Segments, watch: Watcher | None) -> Mapping[Package, int]:
    """Answer the solver's questions until it has an answer."""
    at_hand = AtHand(facts, solver, segments)
    while True:
        try:
            event = solver.next_event(at_hand, decisions=1 if watch is not None else segments.decisions)
        except DecisionsExhausted as error:
            names = _projects(error.packages)
            remedy = f"most of them concern {', '.join(names)}: narrow their versions, or raise" if names else "raise"
            raise BudgetExhausted(
                f"{error.detail}, after {error.conflicts} conflicts; {remedy} the budget",
                names,
                {"decisions": error.decisions, "conflicts": error.conflicts, "steps": error.steps},
            ) from None
        if at_hand.is_late:  # it asks the same again
            at_hand.is_late = False
            await segments.breathe()
            continue
        match event:
            case Decided(package, version):
                if watch is not None:
                    name = name_of(package)
                    watch(Event("decide", name[0], facts.version_text(name, version)))
            case NeedVersions(packages):
                await _tell_versions(facts, solver, segments, packages)
            case NeedDependencies(package, version):
                await _tell_dependencies(facts, solver, segments, package, version)
            case Solved(decisions):
                facts.tables.rely_on(map(name_of, decisions))
                return decisions
            case Unsolvable(incompatibility):
                from .refusal import no_solution  # noqa: PLC0415 - most questions have a solution

                segments.end()
                # in a thread, for short proofs take a while
                raise await asyncio.to_thread(no_solution, facts, facts.tables.by_package(), incompatibility)
        await segments.breathe()


async def _tell_versions(facts: PlaceFacts, solver: Solver, segments: Segments, packages: Sequence[Package]) -> None:
    unknown: list[Package] = []
    for package in packages:
        table = facts.tables.ready(name_of(package))
        if table is None:
            unknown.append(package)
        else:
            solver.add_versions(package, table)
        await segments.breathe()
    if unknown:
        segments.end()
        tables = await facts.tables.of_packages(unknown)
        await segments.begin()
        for package, made in tables.items():
            solver.add_versions(package, made)
            await segments.breathe()


async def _tell_dependencies(
    facts: PlaceFacts, solver: Solver, segments: Segments, package: Package, version: int
) -> None:
    name = name_of(package)
    segments.end()
    found = await facts.dependencies(name, version)
    await segments.begin()
    if isinstance(found, list):
        solver.add_dependencies(package, version, found)
    else:
        facts.note_unavailable(name, version, found)
        solver.add_unavailable(package, version, *found)
