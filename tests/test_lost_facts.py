"""Facts that are damaged while they are used: the resolve begins anew, from bytes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from resolver.driver import resolve
from resolver.index.gateway import Gateway
from transport.message import Request, Response

from .fake_index import World
from .index.kept import Kept
from .test_driver import chosen, query

RELEASES = "\n".join(f"a {number}.0 at:2024-01-02T03:04:05Z: b" for number in range(60))


class Lasting(World):
    """A world whose pages are fresh for good."""

    async def fetch(self, request: Request) -> Response:
        return replace(await super().fetch(request), fresh_until=1e12)


@asynccontextmanager
async def restarted() -> AsyncIterator[tuple[Lasting, Kept, Gateway]]:
    """A gateway over the records of an earlier one, which locked ``a``."""
    world, kept = Lasting(f"{RELEASES}\nb 1.0 at:2024-01-02T03:04:05Z"), Kept()
    await resolve(query(world, "a"), Gateway(world, records=kept))
    world.requests.clear()
    yield world, kept, Gateway(world, records=kept)


async def test_a_restart_asks_nobody() -> None:
    async with restarted() as (world, _, gateway):
        assert chosen(await resolve(query(world, "a"), gateway)) == {"a": "59.0", "b": "1.0"}
        assert not world.requests


async def test_a_page_that_proves_damaged_is_made_anew() -> None:
    async with restarted() as (world, kept, gateway):
        (key,) = (key for key in kept if key[0] == "rows")
        kept[key] = kept[key].replace(b"a-59.0", b"a-58.0")
        assert chosen(await resolve(query(world, "a"), gateway)) == {"a": "59.0", "b": "1.0"}
        assert set(world.requests) == {f"{world.index.url}a/", f"{world.index.url}b/"}  # pages only
