"""A resolve that limits upload times, over pages that give none: what it takes from first sightings, and when."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from resolver.driver import resolve
from resolver.errors import NoSolution
from resolver.index.gateway import Gateway
from resolver.index.sightings import Sightings
from resolver.model import IndexStrategy, Options, PackageOptions, Query
from resolver.provider import dating
from transport.message import Index, Request, Response

from .fake_index import BASE, World
from .test_driver import chosen, query

NOON = datetime(2026, 9, 15, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LEFT_OUT = "no upload time and {} left out by exclude_newer; this service saw"


@dataclass
class Ledger:
    """Obeys :class:`resolver.index.sightings.Ledger`: knows what the test says, once it is opened."""

    seen: Mapping[str, datetime]
    is_open: asyncio.Event = field(default_factory=asyncio.Event)
    was_asked: asyncio.Event = field(default_factory=asyncio.Event)
    views: list[tuple[str, ...]] = field(default_factory=list)

    async def note(
        self,
        view: tuple[str, ...],
        listed: Callable[[], Mapping[str, str]],
        tell: Callable[[Mapping[str, datetime]], None],
    ) -> None:
        self.views.append(view)
        self.was_asked.set()
        await self.is_open.wait()
        tell({filename: self.seen[filename] for filename in listed()})


def wheel(name: str, version: str) -> str:
    return f"{name}-{version}-py3-none-any.whl"


def opened(seen: Mapping[str, datetime]) -> Ledger:
    ledger = Ledger(seen)
    ledger.is_open.set()
    return ledger


WORLD = """
    a 1.0: b
    a 2.0: b
    b 1.0
"""
SEEN = {wheel("a", "1.0"): NOON, wheel("a", "2.0"): NOON + 2 * HOUR, wheel("b", "1.0"): NOON}


def limited(world: World, limit: datetime, **packages: PackageOptions) -> Query:
    return query(world, "a", options=Options(exclude_newer=limit, packages=packages))


async def test_a_sighting_up_to_the_limit_admits_a_file() -> None:
    world = World(WORLD, html=True)
    gateway = Gateway(world, ledger=opened(SEEN))
    assert chosen(await resolve(limited(world, NOON + 2 * HOUR), gateway)) == {"a": "2.0", "b": "1.0"}
    assert chosen(await resolve(limited(world, NOON + HOUR), gateway)) == {"a": "1.0", "b": "1.0"}
    assert chosen(await resolve(limited(world, NOON), gateway)) == {"a": "1.0", "b": "1.0"}
    with pytest.raises(NoSolution, match="the index gives none; this service saw it first on 2026-09-15T12:00:00Z"):
        await resolve(limited(world, NOON - HOUR), gateway)


async def test_what_the_index_says_is_believed_whenever_the_file_was_seen() -> None:
    world = World("a 1.0 at:2024-01-01T00:00:00Z\na 2.0")
    gateway = Gateway(world, ledger=opened({wheel("a", "2.0"): NOON}))
    assert chosen(await resolve(limited(world, datetime(2024, 1, 2, tzinfo=UTC)), gateway)) == {"a": "1.0"}
    assert chosen(await resolve(limited(world, NOON), gateway)) == {"a": "2.0"}


async def test_only_who_limits_upload_times_waits_for_sightings() -> None:
    world = World(WORLD, html=True)
    ledger = Ledger(SEEN)
    gateway = Gateway(world, ledger=ledger)
    assert chosen(await resolve(query(world, "a"), gateway)) == {"a": "2.0", "b": "1.0"}
    lifted = limited(world, NOON, a=PackageOptions(exclude_newer=False), b=PackageOptions(exclude_newer=False))
    assert chosen(await resolve(lifted, gateway)) == {"a": "2.0", "b": "1.0"}
    waiting = asyncio.create_task(resolve(limited(world, NOON), gateway))
    for _ in range(50):  # turns of the loop: far more than a resolve over a fake takes
        await asyncio.sleep(0)
    assert not waiting.done()
    ledger.is_open.set()
    assert chosen(await waiting) == {"a": "1.0", "b": "1.0"}


async def test_a_page_is_noted_once_however_many_ask_for_it() -> None:
    world = World(WORLD, html=True)
    ledger = opened(SEEN)
    gateway = Gateway(world, ledger=ledger)
    await asyncio.gather(*(resolve(limited(world, NOON), gateway) for _ in range(5)))
    await resolve(limited(world, NOON + HOUR), gateway)
    assert sorted(ledger.views) == [("public", BASE, "a"), ("public", BASE, "b")]


async def test_who_stops_waiting_takes_the_sightings_from_nobody() -> None:
    world = World(WORLD, html=True)
    ledger = Ledger(SEEN)
    gateway = Gateway(world, ledger=ledger)
    impatient = asyncio.create_task(resolve(limited(world, NOON), gateway))
    await ledger.was_asked.wait()
    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    ledger.is_open.set()
    assert chosen(await resolve(limited(world, NOON), gateway)) == {"a": "1.0", "b": "1.0"}
    assert ledger.views.count(("public", BASE, "a")) == 1


@dataclass
class Two:
    """Two indexes behind one transport."""

    worlds: Mapping[str, World]

    async def fetch(self, request: Request) -> Response:
        return await self.worlds[request.index.name].fetch(request)

    async def partition(self, index: Index) -> str:
        return await self.worlds[index.name].partition(index)


async def test_each_of_several_merged_indexes_has_its_own_sightings() -> None:
    one, two = World("a 1.0\na 3.0", html=True), World("a 2.0\na 3.0", html=True)
    seen = {wheel("a", "1.0"): NOON, wheel("a", "2.0"): NOON, wheel("a", "3.0"): NOON + HOUR}
    asked = limited(one, NOON)
    indexes = (replace(one.index, name="one"), replace(one.index, name="two"))
    options = replace(asked.options, index_strategy=IndexStrategy.UNSAFE_BEST_MATCH)
    fetcher = Two({"one": one, "two": two})
    resolution = await resolve(replace(asked, indexes=indexes, options=options), Gateway(fetcher, ledger=opened(seen)))
    assert {name: (pin.version, pin.index) for name, pin in resolution.targets[0].pins.items()} == {"a": ("2.0", "two")}


def test_sightings_of_a_page_are_those_that_were_told() -> None:
    sightings = Sightings()
    assert sightings.of("a") is None
    sightings.tell({})
    assert sightings.of("a") is None
    told = {"a": NOON, "b": NOON + HOUR, "c": NOON, "d": NOON - HOUR}
    sightings.tell(told)
    assert {name: sightings.of(name) for name in told} == told


@pytest.mark.parametrize(
    ("count", "seen", "age", "expected"),
    [
        (2, None, HOUR, "2 releases give no upload time and were left out by exclude_newer"),
        (1, (NOON, NOON), None, f"1 release gives {LEFT_OUT.format('was')} it first on 2026-09-15T12:00:00Z"),
        (
            3,
            (NOON, NOON + HOUR),
            HOUR,
            (
                f"3 releases give {LEFT_OUT.format('were')} them first from 2026-09-15T12:00:00Z to"
                " 2026-09-15T13:00:00Z, and will admit them from 2026-09-15T13:00:00Z to 2026-09-15T14:00:00Z"
            ),
        ),
    ],
)
def test_a_warning_says_how_many_since_when_and_until_when(
    count: int, seen: tuple[datetime, datetime] | None, age: timedelta | None, expected: str
) -> None:
    assert dating.warning(count, seen, age) == expected


def test_of_the_files_of_a_release_a_given_time_is_told_else_the_earliest_sighting() -> None:
    prefix = "the index gives none; this service saw it first on "
    early, late = (prefix + dating.text(at) for at in (NOON, NOON + HOUR))
    assert dating.told({late, early}) == [early]
    assert dating.told({late, ""}) == [late]
    assert dating.told({""}) == [""]
    assert dating.told({early, "2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"}) == [
        "2026-01-01T00:00:00Z",
        "2026-01-02T00:00:00Z",
    ]
