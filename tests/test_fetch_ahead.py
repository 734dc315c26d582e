"""What a resolve asks an index for: how many requests, and how many round trips one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import pytest

from resolver.driver import resolve
from resolver.environment.target import make_target
from resolver.index.gateway import Gateway
from resolver.inputs import read_inputs
from resolver.model import Query
from transport.message import Index, Request, Response

from .fake_index import BASE, FILES, FakeRelease, World
from .index.archives import make_zip
from .index.kept import Kept

LINUX = make_target(name="linux", python="3.12", platform="linux")
PATIENCE = 400  # passes of the event loop in which nothing more was asked for: whoever waits, waits for an answer


class DistantWorld(World):
    """An index whose answers all take equally long: those that were asked for together arrive together."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.rounds: list[list[str]] = []
        """What was asked for in each round trip."""
        self.view = "public"
        """The partition of whoever asks."""
        self.says: dict[str, str] = {}
        """Header fields of each answer."""
        self._asked: list[str] = []
        self._arrival: asyncio.Future[None] | None = None
        self._clock: asyncio.Task[None] | None = None

    async def partition(self, index: Index) -> str:
        del index
        return self.view

    async def fetch(self, request: Request) -> Response:
        if self._arrival is None:
            self._arrival = asyncio.get_running_loop().create_future()
            self._clock = asyncio.create_task(self._travel(self._arrival))
        self._asked.append(request.url)
        await asyncio.shield(self._arrival)
        found = await super().fetch(request)
        return replace(found, partition=self.view, headers={**found.headers, **self.says})

    async def _travel(self, arrival: asyncio.Future[None]) -> None:
        seen, passes = 0, 0
        while passes < PATIENCE:
            await asyncio.sleep(0)
            passes = passes + 1 if len(self._asked) == seen else 0
            seen = len(self._asked)
        self.rounds.append([url.removeprefix(BASE).removeprefix(FILES) for url in self._asked])
        self._asked, self._arrival = [], None
        arrival.set_result(None)

    def forget(self) -> None:
        """Count anew."""
        self.requests.clear()
        self.rounds.clear()

    @property
    def names(self) -> set[str]:
        """The projects whose pages were asked for since the last :meth:`forget`."""
        return {url.removeprefix(BASE).strip("/") for url in self.requests if url.startswith(BASE)}


async def lock(world: World, gateway: Gateway, *requirements: str) -> Mapping[str, str]:
    inputs = read_inputs(requirements=requirements)
    query = Query(requirements=inputs.requirements, indexes=(world.index,), targets=(LINUX,))
    return {name: pin.version for name, pin in (await resolve(query, gateway)).targets[0].pins.items()}


async def first(world: World, *requirements: str) -> Mapping[str, str]:
    """Lock without knowing anything."""
    return await lock(world, Gateway(world), *requirements)


CHAIN = """
    a 1.0
    a 2.0: b & c>=1
    b 1.0
    b 1.5: d
    c 1.0: e
    c 1.1: e<2
    d 1.0: e
    e 1.0
    e 2.0
"""


async def test_a_closure_is_asked_for_once_and_two_round_trips_a_step() -> None:
    world = DistantWorld(CHAIN)
    assert await first(world, "a") == {"a": "2.0", "b": "1.5", "c": "1.1", "d": "1.0", "e": "1.0"}
    assert sorted(world.requests.values()) == [1] * 10  # a page and a metadata file of each
    assert len(world.rounds) == 6  # a, then b and c, then d and e


async def test_requirements_that_do_not_hold_in_the_target_are_not_asked_about() -> None:
    world = DistantWorld("""
        a 1.0: b ; sys_platform == 'win32' & c ; sys_platform == 'linux'
        b 1.0: d
        c 1.0
        d 1.0
    """)
    assert await first(world, "a") == {"a": "1.0", "c": "1.0"}
    assert world.names == {"a", "c"}


async def test_extras_are_no_versions_that_were_tried() -> None:
    extras = [f"x{number}" for number in range(30)]
    lines = [f"a {version}.0" for version in range(40)]
    lines += [f"a 39.0 [{extra}]: b{number}" for number, extra in enumerate(extras)]
    lines += [f"b{number} 1.0" for number in range(30)]
    world = DistantWorld("\n".join(lines))
    assert (await first(world, f"a[{','.join(extras)}]"))["a"] == "39.0"
    assert sum(world.requests.values()) == 2 * 31
    assert len(world.rounds) == 4


def shifted(versions: int, suits: int) -> str:
    """Versions that pin each other, of which those from ``suits`` down are content with an old ``low``."""
    lines = [f"a {number}.0: b=={number}.0 & d" for number in range(1, versions + 1)]
    lines += [f"b {number}.0: low{'<2' if number <= suits else '>=2'}" for number in range(1, versions + 1)]
    return "\n".join([*lines, "low 1.0", "low 2.0", "d 1.0"])


@pytest.mark.parametrize("rejected", [1, 3, 10, 50, 200])
async def test_a_long_way_down_takes_few_round_trips_and_few_requests_in_vain(rejected: int) -> None:
    world = DistantWorld(shifted(rejected + 300, 300))
    assert (await first(world, "low<2", "a"))["a"] == "300.0"
    needed = 2 * (rejected + 1) + 4 + 2  # two files of each version, four pages, and the files of d and low
    assert sum(world.requests.values()) <= needed * 1.6 + 8
    assert len(world.rounds) <= 2 * min(rejected, 4) + 5 * rejected.bit_length() + 4
    assert set(world.requests.values()) == {1}


async def test_a_version_that_may_do_ends_the_asking_for_further_ones() -> None:
    lines = [f"a {number}.0: low{'<2' if number <= 100 else '>=2'}" for number in range(1, 118)]
    world = DistantWorld("\n".join([*lines, "low 1.0", "low 2.0"]))
    assert (await first(world, "low<2", "a"))["a"] == "100.0"
    assert sum(world.requests.values()) <= 2 + 1 + 18 + 15  # at most as many in vain as the last batch has


async def test_what_a_version_requires_that_is_ruled_out_is_not_followed() -> None:
    world = DistantWorld("""
        low 1.0
        low 2.0
        a 1.0: low<2 & b
        a 2.0: low>=2 & b & c
        a 3.0: low>=2 & b
        b 1.0
        c 1.0: d
        d 1.0
    """)
    assert await first(world, "low<2", "a") == {"a": "1.0", "b": "1.0", "low": "1.0"}
    assert "c-1.0-py3-none-any.whl.metadata" not in str(world.rounds)
    assert world.names == {"low", "a", "b", "c"}  # the solver asks for the page of c


class WithoutMetadataFiles(DistantWorld):
    """An index that lists metadata files of ``a`` and has but some of them; of each version it has the wheel."""

    def __init__(self, text: str, has: range) -> None:
        super().__init__(text)
        self._lacks = {FILES + one.filename for one in self.of_a if int(one.version.split(".")[0]) not in has}
        for one in self.of_a:
            member = f"a-{one.version}.dist-info/METADATA"
            self.files[one.filename] = make_zip((member, one.metadata))

    @property
    def of_a(self) -> list[FakeRelease]:
        return [one for one in self.releases.values() if one.name == "a"]

    @property
    def wheels(self) -> int:
        """How many wheels were asked for."""
        return sum(url.endswith(".whl") for url in self.requests)

    def _answer(self, url: str) -> tuple[int, str, bytes]:
        if url.removesuffix(".metadata") in self._lacks and url.endswith(".metadata"):
            return 404, "text/plain", b""
        if url.startswith(FILES) and url.removeprefix(FILES) in self.files:
            return 200, "application/zip", self.files[url.removeprefix(FILES)]
        return super()._answer(url)


def descending(versions: int, suits: int) -> str:
    """Versions of which those from ``suits`` down are content with an old ``low``, and require something more."""
    lines = [f"a {number}.0: {'low<2 & c' if number <= suits else 'low>=2'}" for number in range(1, versions + 1)]
    return "\n".join([*lines, "low 1.0", "low 2.0", "c 1.0"])


async def test_no_wheel_is_looked_into_for_a_guess_that_nobody_needs() -> None:
    world = WithoutMetadataFiles(descending(117, 100), has=range(100, 118))
    assert (await first(world, "low<2", "a"))["a"] == "100.0"
    assert world.wheels == 0


async def test_where_metadata_files_are_not_there_a_way_down_takes_as_few_round_trips_as_twice_those() -> None:
    world, whole = WithoutMetadataFiles(descending(140, 100), has=range(0)), DistantWorld(descending(140, 100))
    assert (await first(world, "low<2", "a"))["a"] == (await first(whole, "low<2", "a"))["a"] == "100.0"
    assert len(world.rounds) <= 2 * len(whole.rounds)
    assert world.wheels >= 41  # each that was rejected, and the one that was not


@pytest.mark.parametrize(("versions", "suits"), [(117, 100), (3, 2), (2, 2)])
async def test_a_version_that_proves_to_be_needed_has_its_wheel_looked_into(versions: int, suits: int) -> None:
    world = WithoutMetadataFiles(descending(versions, suits), has=range(suits + 1, versions + 1))
    assert (await first(world, "low<2", "a"))["a"] == f"{suits}.0"
    assert world.wheels >= 1
    assert set(world.requests.values()) == {1}


# -- memory of earlier closures


async def test_stale_pages_of_a_known_closure_are_asked_for_in_one_wave() -> None:
    world = DistantWorld(CHAIN)
    gateway = Gateway(world)
    before = await lock(world, gateway, "a")
    world.forget()
    assert await lock(world, gateway, "a") == before
    assert [sorted(one) for one in world.rounds] == [["a/", "b/", "c/", "d/", "e/"]]


async def test_in_a_known_closure_only_what_is_new_takes_further_round_trips() -> None:
    world = DistantWorld(CHAIN)
    gateway = Gateway(world)
    await lock(world, gateway, "a")
    world.forget()
    newer = World("""
        d 2.0: f
        f 1.0
    """)
    world.releases.update(newer.releases)
    assert (await lock(world, gateway, "a"))["d"] == "2.0"
    assert [sorted(one) for one in world.rounds] == [
        ["a/", "b/", "c/", "d/", "e/"],
        ["d-2.0-py3-none-any.whl.metadata"],
        ["f/"],
        ["f-1.0-py3-none-any.whl.metadata"],
    ]


async def test_pages_that_only_the_search_looked_at_are_remembered_as_well() -> None:
    world = DistantWorld(shifted(20, 9))
    gateway = Gateway(world)
    await lock(world, gateway, "low<2", "a")
    world.forget()
    await lock(world, gateway, "low<2", "a")
    assert len(world.rounds) == 1


async def test_roots_that_were_never_stated_together_are_remembered_one_by_one() -> None:
    world = DistantWorld(f"{CHAIN.strip()}\nz 1.0: y\ny 1.0: x\nx 1.0\nw 1.0: v\nv 1.0")
    gateway = Gateway(world)
    await lock(world, gateway, "a", "w")
    await lock(world, gateway, "z", "w")
    world.forget()
    await lock(world, gateway, "a", "z")
    assert len(world.rounds) == 1
    assert world.names == {"a", "b", "c", "d", "e", "x", "y", "z"}  # w is not wanted, nor is what it needs


async def test_a_memory_is_of_the_last_closure_and_does_not_grow() -> None:
    world = DistantWorld("a 1.0: b\nb 1.0")
    gateway = Gateway(world)
    await lock(world, gateway, "a")
    world.releases.update(World("a 2.0: c\nc 1.0").releases)
    assert await lock(world, gateway, "a") == {"a": "2.0", "c": "1.0"}
    world.forget()
    await lock(world, gateway, "a")
    assert world.names == {"a", "c"}


async def test_what_one_partition_asked_about_is_never_asked_for_another() -> None:
    world = DistantWorld("a 1.0: secret\nsecret 1.0\na 2.0")
    gateway = Gateway(world)
    assert await lock(world, gateway, "a<2") == {"a": "1.0", "secret": "1.0"}
    world.view = "another"
    world.forget()
    await lock(world, gateway, "a")
    assert world.names == {"a"}


async def test_closures_outlive_the_process() -> None:
    world, records = DistantWorld(CHAIN), Kept()
    before = await lock(world, Gateway(world, records=records), "a")
    world.forget()
    assert await lock(world, Gateway(world, records=records), "a") == before
    assert len(world.rounds) == 1


async def test_of_an_index_that_wants_nothing_stored_there_is_no_record() -> None:
    world, records = DistantWorld(CHAIN), Kept()
    world.says = {"cache-control": "no-store"}
    gateway = Gateway(world, records=records)
    await lock(world, gateway, "a")
    assert records == {}
    world.forget()
    await lock(world, gateway, "a")
    assert len(world.rounds) == 1  # the process itself remembers


async def test_a_damaged_record_is_none() -> None:
    world, records = DistantWorld(CHAIN), Kept()
    before = await lock(world, Gateway(world, records=records), "a")
    for key in records:
        records[key] = b"\xc1"
    assert await lock(world, Gateway(world, records=records), "a") == before
