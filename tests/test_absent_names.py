"""Names that no index has: for how long that is believed, and of whom."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from resolver.driver import resolve
from resolver.errors import NoSolution
from resolver.index.gateway import Gateway
from tests.fake_index import World
from tests.test_driver import query
from transport.message import Request, Response

FALLS_BACK = """
    a 1.0
    a 2.0: nowhere
    b 1.0: a
"""


class Fresh(World):
    """All that it says of pages holds for ever, that there is none as well."""

    async def fetch(self, request: Request) -> Response:
        return replace(await super().fetch(request), fresh_until=math.inf)

    def asked_for(self, name: str) -> int:
        return sum(count for url, count in self.requests.items() if url.endswith(f"/{name}/"))

    def publish(self, text: str) -> None:
        self.releases.update(World(text).releases)


async def versions(world: World, gateway: Gateway, *requirements: str, refresh: bool = False) -> dict[str, str]:
    resolution = await resolve(replace(query(world, *requirements), refresh=refresh), gateway)
    return {name: pin.version for name, pin in resolution.targets[0].pins.items()}


async def test_what_a_release_requires_and_no_index_has_is_not_asked_for_by_the_next_question() -> None:
    world = Fresh(FALLS_BACK)
    gateway = Gateway(world)
    assert await versions(world, gateway, "a", "b") == {"a": "1.0", "b": "1.0"}
    asked = world.requests.total()
    assert await versions(world, gateway, "b", "a") == {"a": "1.0", "b": "1.0"}
    assert await versions(world, gateway, "b") == {"a": "1.0", "b": "1.0"}
    assert world.requests.total() == asked


async def test_who_asks_for_everything_anew_hears_of_a_name_that_has_come() -> None:
    world = Fresh(FALLS_BACK)
    gateway = Gateway(world)
    await versions(world, gateway, "a")
    world.publish("nowhere 3.0")
    assert await versions(world, gateway, "a", refresh=True) == {"a": "2.0", "nowhere": "3.0"}
    assert await versions(world, gateway, "b") == {"a": "2.0", "b": "1.0", "nowhere": "3.0"}


async def test_a_name_that_the_caller_states_is_asked_for_each_time() -> None:
    """It may be what the caller has just published."""
    world = Fresh(FALLS_BACK)
    gateway = Gateway(world)
    for count in (1, 2):
        with pytest.raises(NoSolution):
            await versions(world, gateway, "nowhere", "a")
        assert world.asked_for("nowhere") == count
    world.publish("nowhere 3.0")
    assert await versions(world, gateway, "nowhere", "a") == {"a": "2.0", "nowhere": "3.0"}


async def test_no_refusal_rests_on_a_name_that_was_not_asked_for() -> None:
    world = Fresh(FALLS_BACK)
    gateway = Gateway(world)
    await versions(world, gateway, "a")
    for count in (2, 3):
        with pytest.raises(NoSolution, match="nowhere"):
            await versions(world, gateway, "a>=2")
        assert world.asked_for("nowhere") == count
    world.publish("nowhere 3.0")
    assert await versions(world, gateway, "a>=2") == {"a": "2.0", "nowhere": "3.0"}
    assert world.asked_for("nowhere") == 4
