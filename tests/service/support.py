"""A whole service on a free port of loopback: the real application and resolver over a tiny index."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from resolver.driver import resolve
from resolver.index.gateway import Gateway
from resolver.model import Query, Resolution
from service import listening, worker
from service.app import make_app
from service.configuration import Configuration, load
from tests.fake_index import BASE, World

TARGET = {"python": "3.13", "platform": "linux"}


@dataclass
class Resolver:
    """The real resolver, which can be held before it begins."""

    world: World
    is_open: asyncio.Event = field(default_factory=asyncio.Event)
    started: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    cancelled: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    queries: list[Query] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.is_open.set()

    async def __call__(self, query: Query) -> Resolution:
        self.queries.append(query)
        self.started.release()
        try:
            await self.is_open.wait()
        except asyncio.CancelledError:
            self.cancelled.release()
            raise
        return await resolve(query, Gateway(self.world))


@dataclass
class Service:
    """A running service and a client of it."""

    url: str
    port: int
    client: aiohttp.ClientSession
    resolver: Resolver
    app: web.Application

    async def lock(self, *requirements: str, **more: object) -> tuple[int, dict[str, Any]]:
        body = {"requirements": list(requirements), "targets": [TARGET], **more}
        async with self.client.post("/v1/lock", json=body) as response:
            return response.status, await response.json(content_type=None)

    async def raw(self, data: bytes, *, until_end: bool = False) -> bytes:
        """Send bytes as they are and return the answer, or all that comes until the server ends the connection."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(data)
            await writer.drain()
            if until_end:
                return await reader.read()
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
            return head + await reader.readexactly(length)
        finally:
            writer.close()
            await writer.wait_closed()


def configured(directory: Path, settings: Mapping[str, Any] | None = None) -> Configuration:
    """Return a configuration with the tiny index as its only one."""
    flags = {"index": [{"name": "world", "url": BASE, "default": True}], "cache": {"dir": str(directory)}}
    return load(environ={"HOME": str(directory)}, directory=directory, flags={**flags, **(settings or {})})


@asynccontextmanager
async def serving(
    directory: Path, world: str = "a 1.0", settings: Mapping[str, Any] | None = None
) -> AsyncIterator[Service]:
    resolver = Resolver(World(world))
    app = make_app(configured(directory, settings), resolve=resolver)
    sock = listening.bind("127.0.0.1", 0)
    port: int = sock.getsockname()[1]
    runner, server = await worker.start(app, sock, limit=2.0)
    try:
        url = f"http://127.0.0.1:{port}"
        async with aiohttp.ClientSession(base_url=url) as client:
            yield Service(url, port, client, resolver, app)
    finally:
        resolver.is_open.set()
        server.close()
        await runner.cleanup()
