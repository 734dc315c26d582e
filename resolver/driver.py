"""Resolve a query: answer the solver's questions, and fetch ahead of them.

The solver is pure and asks; this module awaits. Between two questions a solve gives the event loop back at least
every few milliseconds. Targets are solved one after the other; later ones prefer the pins of earlier ones.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from time import perf_counter
from types import MappingProxyType

from packaging.version import Version

from transport.errors import TransportError

from .at_hand import AtHand, Foreknown, name_of, tie
from .environment.place import Place
from .environment.region import Divided, Region
from .environment.space import DiagramLimitError
from .errors import BudgetExhausted, NoSolution, ResolverError, too_complex
from .index.fact_store import LostFactsError
from .index.gateway import Gateway
from .model import (
    ForkStrategy,
    Notice,
    Pin,
    Query,
    RegionResolution,
    Resolution,
    ResolutionMode,
    Stats,
    TargetResolution,
    Universal,
)
from .parts import conditional, first_parts
from .pins import collect, collect_needed
from .place_facts import PlaceFacts
from .precedents import Precedents
from .provider.policy import Chosen, Policies
from .reachability import reachability
from .refusal import no_solution
from .remedies import Suggestion, Suggestions, Versions
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
from .staleness import told
from .statement_order import in_order

CONTESTED_FROM = 100  # conflicts of one solve; then the packages in them are told where the seconds run out
# Real universal locks have some ten parts; each is a solve of its own.
MANY = 150  # decisions: to describe them takes as long as a segment of the solve, so others have their turn before
MAX_REGIONS = 500
# Pages and metadata files that all trials of suggestions together may ask for beyond what the solve knew. Where a
# stated requirement is hopeless by itself little is known yet; who takes the suggestion asks for the same files next.
MAX_FURTHER_FACTS = 2_000
NOTHING_BEGUN: Mapping[str, Chosen] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Event:
    """Progress, for whoever watches: ``decide``."""

    kind: str
    package: str
    version: str | None = None


Watcher = Callable[[Event], None]


async def resolve(query: Query, gateway: Gateway, *, on_event: Watcher | None = None) -> Resolution:
    """Choose a version of every package that ``query`` needs.

    Raises:
        NoSolution: nothing satisfies the requirements.
        BudgetExhausted: the query's seconds or decisions ran out.
        IndexFailure: an index that had to be asked did not answer properly.
        InvalidQuery: an option names something that does not exist.
    """
    query = in_order(query)
    try:
        return await _resolve(query, gateway, on_event)
    except LostFactsError:
        gateway.distrust()
        return await _resolve(query, gateway, on_event)


async def _resolve(query: Query, gateway: Gateway, on_event: Watcher | None) -> Resolution:
    stats = Stats()
    notices: list[Notice] = []
    session = Session(query, gateway, stats)
    started = perf_counter()
    try:
        async with asyncio.timeout(query.budget.seconds):
            await session.begin()
            targets, regions = await _everything(_Work(query, session, stats, notices, on_event))
    except DiagramLimitError:
        raise too_complex(conditional(query)) from None
    except NoSolution as error:
        left = query.budget.seconds - (perf_counter() - started)
        error.suggestions = await _suggestions(query, session, error, min(query.budget.suggestions, left))
        raise
    except TimeoutError:
        slow = (name for name, _ in sorted(session.slowest, key=lambda item: -item[1]))
        costly = tuple(dict.fromkeys((*session.contested, *slow)))[:10]
        raise BudgetExhausted(
            f"no answer within {query.budget.seconds:g} seconds; raise budget.seconds or narrow the requirements",
            costly,
            {"seconds": query.budget.seconds, "decisions": stats.decisions, "requests": stats.requests},
        ) from None
    finally:
        await session.close()
    stats.slowest = sorted(session.slowest, key=lambda item: -item[1])[:5]
    notices += told(stats, {name for pins in _pins(targets, regions) for name in pins})
    unique = tuple(dict.fromkeys(sorted(notices, key=lambda one: (one.package or "", one.code, one.detail))))
    return Resolution(query, targets, unique, stats, regions, session.reliance())


def _pins(targets: Iterable[TargetResolution], regions: Iterable[RegionResolution]) -> Iterator[Mapping[str, Pin]]:
    yield from (target.pins for target in targets)
    yield from (region.pins for region in regions)


@dataclass(frozen=True, slots=True)
class _Work:
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
    earlier: dict[str, list[Chosen]] = field(default_factory=dict)
    """The pins of the places that were solved before, and whether they were stated there: preferred in later ones."""

    def remember(self, pins: Mapping[str, Pin]) -> None:
        for name, pin in pins.items():
            versions = self.earlier.setdefault(name, [])
            if (pin.version, pin.is_direct) not in versions:
                versions.append((pin.version, pin.is_direct))


async def _everything(work: _Work) -> tuple[tuple[TargetResolution, ...], tuple[RegionResolution, ...]]:
    targets = await _each_target(work)
    return targets, () if work.query.universal is None else await _everywhere(work, work.query.universal)


async def _suggestions(query: Query, session: Session, error: NoSolution, seconds: float) -> tuple[Suggestion, ...]:
    """Find out what would help, over the facts of the session and few others, as far as ``seconds`` go.

    Each trial may spend half of what is left: one that goes far astray leaves something for the next.
    """
    end = perf_counter() + seconds
    left = MAX_FURTHER_FACTS

    async def trial(changed: Query) -> Versions | NoSolution | None:
        nonlocal left
        session.allowance = left // 2
        try:
            async with asyncio.timeout((end - perf_counter()) / 2):
                targets, regions = await _everything(_Work(changed, session, Stats(), [], None))
        except NoSolution as refusal:
            return refusal
        except (ResolverError, TransportError, TimeoutError):
            return None
        finally:
            left -= left // 2 - max(session.allowance, 0)
        versions: dict[str, set[str]] = {}
        for pins in _pins(targets, regions):
            for name, pin in pins.items():
                versions.setdefault(name, set()).add(pin.version)
        return {name: tuple(sorted(found, key=Version)) for name, found in versions.items()}

    suggestions = Suggestions(query, error, trial)
    if seconds > 0:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await suggestions.search()
    return tuple(suggestions.found)


async def _each_target(work: _Work) -> tuple[TargetResolution, ...]:
    resolutions: list[TargetResolution] = []
    for target in work.query.targets:
        facts, decisions = await _solve(work, target)
        if len(decisions) > MANY:
            await work.session.turns.begin_anew()
        pins = await collect(facts, decisions)
        work.remember(pins)
        resolutions.append(TargetResolution(target, pins))
    return tuple(resolutions)


async def _everywhere(work: _Work, universal: Universal) -> tuple[RegionResolution, ...]:
    """Solve for all environments; an earlier lock is a wish, and never the reason for there being no solution.

    What is tried decides how the environments are divided, so a preference may lead to a part that has no answer.
    """
    told, decided = len(work.notices), work.stats.decisions
    precedents = Precedents(work.query, universal, work.session)
    found = precedents.find() if work.watch is None else None
    if found is not None:
        work.notices.extend(found.notices)
        for name in found.pages:
            work.session.rely_on(*name)
        work.session.expire_at(found.until)
        return found.regions
    try:
        regions = await _each_region(work, universal)
    except NoSolution:
        if not work.query.preferences:
            raise
    else:
        if not work.refused:
            decisions = work.stats.decisions - decided
            precedents.keep(regions, work.notices[told:], divided=frozenset(work.divided), decisions=decisions)
        return regions
    del work.notices[told:]
    work.earlier.clear()
    return await _each_region(replace(work, query=replace(work.query, preferences=(), regions=())), universal)


async def _each_region(work: _Work, universal: Universal) -> tuple[RegionResolution, ...]:
    """Solve for all environments, in as many parts as it takes."""
    whole, parts = first_parts(universal, work.query.regions)
    pending = deque(parts)
    options = work.query.options
    by_python = options.fork_strategy is ForkStrategy.REQUIRES_PYTHON
    # What the oldest Python can have, newer ones may have as well, and it is the lowest.
    newest_first = by_python and options.resolution is not ResolutionMode.LOWEST
    resolutions: list[RegionResolution] = []
    tried = 0
    dividers: Counter[str] = Counter()
    while pending:
        part = pending.popleft()
        region = Region(part.space, whole, divides_by_python=by_python, newest_first=newest_first)
        tried += 1
        if tried > MAX_REGIONS:
            names = tuple(name for name, _ in dividers.most_common(10))
            raise BudgetExhausted(
                f"the environments fell into more than {MAX_REGIONS} parts, most of them for what is required of, or "
                f"by, {', '.join(names)}; narrow environments or requires_python",
                names,
                {"regions": tried},
            )
        try:
            facts, decisions = await _solve(work, region, part.begun)
        except Divided as division:
            dividers.update(division.by)
            work.divided.update(division.names)
            pending.extendleft(reversed(part.divided(division)))
            continue
        except NoSolution as error:
            raise _where(error, region, is_all=tried == 1) from None
        await work.session.turns.begin_anew()
        needed = await reachability(facts, region, decisions)
        await work.session.turns.begin_anew()
        pins = await collect_needed(facts, decisions, needed)
        work.remember(pins)
        resolutions.append(RegionResolution(region.space, pins, {name: needed[name, None] for name in pins}))
    return tuple(resolutions)


def _where(error: NoSolution, region: Region, *, is_all: bool) -> NoSolution:
    """Say for which environments there is no solution, where it is not for all of them."""
    if is_all:
        return error
    detail = f"For {region.name}: {error.detail}"
    return NoSolution(detail, error.derivation, error.packages, error.hints, error.remedies)


async def _solve(
    work: _Work, place: Place, begun: Mapping[str, Chosen] = NOTHING_BEGUN
) -> tuple[PlaceFacts, Mapping[Package, int]]:
    """Choose the versions for one place; where nothing speaks against them, those that were ``begun`` with.

    Raises:
        Divided: the place is a region that one answer cannot serve.
    """
    query, stats, session = work.query, work.stats, work.session
    facts = PlaceFacts(query, place, Policies(query, place, work.earlier, begun), session, work.notices)
    await facts.open()
    budget, root = query.budget, facts.root()
    solver = Solver(
        root,
        max_decisions=budget.decisions,
        max_steps=budget.steps,
        pause_steps=PAUSE_STEPS,
        tie=tie,
        foresight=Foreknown(facts) if work.watch is None else None,  # who watches wants to see each decision
    )
    segments = Segments(stats, session.turns)
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
            session.contested = tuple(dict.fromkeys(name_of(package)[0] for package in solver.contested()))[:10]
        solver.close()


async def _run(facts: PlaceFacts, solver: Solver, segments: Segments, watch: Watcher | None) -> Mapping[Package, int]:
    """Answer the solver's questions until it has an answer."""
    at_hand = AtHand(facts, solver)
    while True:
        try:
            event = solver.next_event(at_hand, decisions=1 if watch is not None else segments.decisions)
        except DecisionsExhausted as error:
            names = tuple(dict.fromkeys(name_of(package)[0] for package in error.packages))[:10]
            raise BudgetExhausted(
                f"{error.detail}, after {error.conflicts} conflicts; most of them concern {', '.join(names)}: narrow "
                "their versions, or raise the budget",
                names,
                {"decisions": error.decisions, "conflicts": error.conflicts, "steps": error.steps},
            ) from None
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
    if unknown:
        segments.end()
        tables = await asyncio.gather(*(facts.tables.of_package(name_of(package)) for package in unknown))
        await segments.begin()
        for package, made in zip(unknown, tables, strict=True):
            solver.add_versions(package, made)


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
