"""What a resolve leaves behind: facts, and nothing that only the garbage collector would find."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from contextlib import suppress

import pytest

from resolver.driver import resolve
from resolver.errors import ResolverError
from resolver.index.gateway import Gateway
from resolver.model import Budget, Universal
from resolver.place_facts import PlaceFacts
from resolver.prefetch import FetchAhead
from resolver.session import Session
from resolver.solver import Incompatibility, Solver
from resolver.solver.package_state import PackageState
from resolver.solver.reason import Fact
from resolver.tables import Tables

from .fake_index import World
from .test_driver import query

OF_ONE_RESOLVE = (Session, PlaceFacts, Tables, FetchAhead, Solver, PackageState, Fact, Incompatibility)

WORLD = """
    a 1.0: b<2; c
    a 2.0: b>=2; c>=2
    b 1.0: d
    b 2.0: d>=2
    c 1.0
    c 2.0: d<2 ; sys_platform == 'win32'
    c 3.0: b<2
    d 1.0
    d 2.0
"""


@pytest.fixture(autouse=True)
def uncollected() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize(
    ("requirements", "fields"),
    [
        (("a",), {}),
        (("a", "c>=3"), {}),
        (("a>=2", "d<2"), {}),  # refused, with suggestions
        (("a", "absent"), {}),
        (("a",), {"budget": Budget(decisions=1)}),
        (("a", "c"), {"targets": (), "universal": Universal(">=3.9")}),
        (
            ("a ; python_version < '3.12'", "a>=2 ; python_version >= '3.12'"),
            {"targets": (), "universal": Universal(">=3.9")},
        ),
    ],
)
async def test_a_resolve_leaves_nothing_to_the_garbage_collector(
    requirements: tuple[str, ...], fields: dict[str, object]
) -> None:
    world = World(WORLD)
    gateway = Gateway(world)
    for _ in range(2):  # the first one has to ask
        with suppress(ResolverError):
            await resolve(query(world, *requirements, **fields), gateway)  # type: ignore[arg-type]
    await asyncio.get_running_loop().shutdown_default_executor()  # its threads hold what they were given last
    assert [type(one).__name__ for one in gc.get_objects() if isinstance(one, OF_ONE_RESOLVE)] == []
