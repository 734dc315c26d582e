"""Resolve a query: a solve for each target, or for each part of all environments.

They are made one after the other; later ones prefer the pins of earlier ones.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING

from packaging.version import Version

from transport.errors import TransportError

from .algebra import work_out
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
from .place_facts import MAX_STATED
from .precedents import Precedents
from .reachability import reachability
from .session import Session
from .solving import Watcher, Work, solve
from .staleness import stale
from .statement_order import in_order

if TYPE_CHECKING:
    from .remedies import Suggestion, Versions

MANY = 150  # decisions: to describe them takes as long as a segment of the solve, so others have their turn before
MAX_REGIONS = 500  # real universal locks have some ten parts; each is a solve of its own
# Pages and metadata files that all trials of suggestions together may ask for beyond what the solve knew. Where a
# stated requirement is hopeless by itself little is known yet; who takes the suggestion asks for the same files next.
MAX_FURTHER_FACTS = 2_000


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
            work = Work(query, session, stats, notices, on_event)
            try:
                targets, regions = await _everything(work)
            except NoSolution:
                if not session.doubt():
                    raise
                notices.clear()
                targets, regions = await _everything(replace(work, divided=set(), refused=[], earlier={}))
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
    await session.remember(pins := list(_pins(targets, regions)))
    notices += stale(stats, {name for one in pins for name in one})
    unique = tuple(dict.fromkeys(sorted(notices, key=lambda one: (one.package or "", one.code, one.detail))))
    return Resolution(query, targets, unique, stats, regions, session.reliance())


def _pins(targets: Iterable[TargetResolution], regions: Iterable[RegionResolution]) -> Iterator[Mapping[str, Pin]]:
    yield from (target.pins for target in targets)
    yield from (region.pins for region in regions)


async def _everything(work: Work) -> tuple[tuple[TargetResolution, ...], tuple[RegionResolution, ...]]:
    try:
        targets = await _each_target(work)
        return targets, () if work.query.universal is None else await _everywhere(work, work.query.universal)
    except DiagramLimitError:
        raise too_complex(conditional(work.query)) from None


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
                targets, regions = await _everything(Work(in_order(changed), session, Stats(), [], None))
        except NoSolution as refusal:
            refusal.__context__ = None  # where it was raised: frames, from Python 3.13 on with all that called them
            return refusal.with_traceback(None)
        except (ResolverError, TransportError, TimeoutError):
            return None
        finally:
            left -= left // 2 - max(session.allowance, 0)
        versions: dict[str, set[str]] = {}
        for pins in _pins(targets, regions):
            for name, pin in pins.items():
                versions.setdefault(name, set()).add(pin.version)
        return {name: tuple(sorted(found, key=Version)) for name, found in versions.items()}

    from .remedies import Suggestions  # noqa: PLC0415 - only a refusal needs them

    suggestions = Suggestions(query, error, trial)
    if seconds > 0:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await suggestions.search()
    return tuple(suggestions.found)


async def _each_target(work: Work) -> tuple[TargetResolution, ...]:
    resolutions: list[TargetResolution] = []
    for target in work.query.targets:
        facts, decisions = await solve(work, target)
        if len(decisions) > MANY:
            await work.session.turns.begin_anew()
        pins = await collect(facts, decisions)
        work.remember(pins)
        resolutions.append(TargetResolution(target, pins))
    return tuple(resolutions)


async def _everywhere(work: Work, universal: Universal) -> tuple[RegionResolution, ...]:
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


async def _each_region(work: Work, universal: Universal) -> tuple[RegionResolution, ...]:
    """Solve for all environments, in as many parts as it takes."""
    options = work.query.options
    divides = options.fork_strategy is ForkStrategy.REQUIRES_PYTHON
    # What the oldest Python can have, newer ones may have as well, and it is the lowest.
    newest_first = divides and options.resolution is not ResolutionMode.LOWEST
    first = partial(first_parts, universal, work.query.regions, newest_first=newest_first)
    whole, parts = await work_out(first, MAX_STATED)
    pending = deque(parts)
    resolutions: list[RegionResolution] = []
    tried = 0
    dividers: Counter[str] = Counter()
    while pending:
        part = pending.popleft()
        region = Region(part.space, whole, divides_by_python=divides, newest_first=newest_first)
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
            facts, decisions = await solve(work, region, part.begun)
        except Divided as division:
            dividers.update(division.by)
            work.divided.update(division.names)
            pending.extendleft(reversed(part.divided(division)))
            continue
        except NoSolution as error:
            # In a region a requirement counts that holds somewhere in it: what cannot be together may never meet.
            cut = partial(part.cut, error.conditions, newest_first=newest_first)
            pieces = await work_out(cut, MAX_STATED)
            if not pieces:
                raise (error if tried == 1 else await work_out(partial(_within, error, region), MAX_STATED)) from None
            pending.extendleft(reversed(pieces))
            continue
        await work.session.turns.begin_anew()
        needed = await reachability(facts, region, decisions)
        await work.session.turns.begin_anew()
        pins = await collect_needed(facts, decisions, needed)
        work.remember(pins)
        resolutions.append(RegionResolution(region.space, pins, {name: needed[name, None] for name in pins}))
    return tuple(resolutions)


def _within(error: NoSolution, region: Region) -> NoSolution:
    """Say for which environments there is no solution."""
    detail = f"For {region.name}: {error.detail}"
    return NoSolution(detail, error.derivation, error.packages, error.hints, error.remedies)
