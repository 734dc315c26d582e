"""The server as a process: where it listens, several workers, and how it ends."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web

from tests.service.process import running


@dataclass
class Index:
    """An index over real HTTP with one project, which answers when it is let."""

    is_open: asyncio.Event = field(default_factory=asyncio.Event)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""

    async def page(self, _request: web.Request) -> web.Response:
        self.asked.set()
        await self.is_open.wait()
        file = {"filename": "a-1.0-py3-none-any.whl", "url": "a-1.0-py3-none-any.whl", "core-metadata": True}
        hashes = {"hashes": {"sha256": hashlib.sha256(b"").hexdigest()}}
        page = {"meta": {"api-version": "1.0"}, "name": "a", "files": [{**file, **hashes}]}
        return web.Response(body=json.dumps(page), content_type="application/vnd.pypi.simple.v1+json")

    async def metadata(self, _request: web.Request) -> web.Response:
        return web.Response(text="Metadata-Version: 2.1\nName: a\nVersion: 1.0\n")


@asynccontextmanager
async def indexing() -> AsyncIterator[Index]:
    index = Index()
    app = web.Application()
    app.router.add_get("/simple/a/", index.page)
    app.router.add_get("/simple/a/a-1.0-py3-none-any.whl.metadata", index.metadata)
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    index.url = f"http://127.0.0.1:{runner.addresses[0][1]}/simple/"
    try:
        yield index
    finally:
        index.is_open.set()
        await runner.cleanup()


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


async def test_it_says_where_it_listens(tmp_path: Path) -> None:
    async with indexing() as index, running(tmp_path, index.url, port_file=tmp_path / "port") as server:
        index.is_open.set()
        assert server.url == f"http://127.0.0.1:{(tmp_path / 'port').read_text().strip()}"
        assert await server.status("/healthz") == 200
        assert await server.status("/readyz") == 200
        status, lock = await server.lock()
        assert (status, [one["name"] for one in lock["packages"]]) == (200, ["a"])
        server.process.send_signal(signal.SIGINT)
        assert await server.process.wait() == 0


async def test_it_listens_on_a_unix_socket_and_takes_it_away(tmp_path: Path) -> None:
    path = tmp_path / "s"
    async with indexing() as index, running(tmp_path, index.url, uds=path) as server:
        assert await server.status("/healthz") == 200
        assert path.stat().st_mode & 0o777 == 0o600
        server.process.terminate()
        assert await server.process.wait() == 0
    assert not path.exists()


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_request_in_flight_is_answered_after_sigterm(tmp_path: Path, workers: int) -> None:
    async with indexing() as index, running(tmp_path, index.url, workers=workers) as server:
        asked = asyncio.create_task(server.lock())
        await index.asked.wait()
        server.process.terminate()
        await server.line_with("draining")
        assert not asked.done()
        index.is_open.set()
        assert (await asked)[0] == 200
        assert await server.process.wait() == 0


async def test_what_does_not_end_in_time_is_told_to_go_elsewhere(tmp_path: Path) -> None:
    async with indexing() as index, running(tmp_path, index.url, limit="2s") as server:
        asked = asyncio.create_task(server.lock())
        await index.asked.wait()
        server.process.terminate()
        status, problem = await asked
        assert (status, problem["type"]) == (503, "/problems/draining")
        assert await server.process.wait() == 0


async def test_readiness_fails_first_and_requests_are_served_through_the_grace(tmp_path: Path) -> None:
    async with indexing() as index, running(tmp_path, index.url, grace="30") as server:
        index.is_open.set()
        server.process.terminate()
        await server.line_with("draining")
        assert await server.status("/readyz") == 503
        assert await server.status("/healthz") == 200
        assert (await server.lock())[0] == 200
        server.process.terminate()
        assert await asyncio.wait_for(server.process.wait(), 5) == 1


async def test_several_workers_share_the_port_and_the_metrics(tmp_path: Path) -> None:
    async with indexing() as index, running(tmp_path, index.url, workers=2) as server:
        index.is_open.set()
        for _ in range(20):
            assert await server.status("/healthz") == 200
        async with server.client.get("/metrics") as response:
            text = await response.text()
        counted = [line for line in text.splitlines() if line.startswith("lockwright_http_requests_total")]
        assert [line.split()[-1] for line in counted if 'route="/healthz"' in line] == ["20.0"]
        server.process.terminate()
        assert await server.process.wait() == 0


async def test_a_worker_that_dies_is_replaced(tmp_path: Path) -> None:
    async with indexing() as index, running(tmp_path, index.url, workers=2) as server:
        victim = children(server.process.pid)[0]
        os.kill(victim, signal.SIGKILL)
        assert json.loads(await server.line_with("worker died"))["pid"] == victim
        for _ in range(10):
            assert await server.status("/healthz") == 200
        server.process.terminate()
        assert await server.process.wait() == 0


async def test_an_address_in_use_is_a_usage_error(tmp_path: Path) -> None:
    async with indexing() as index, running(tmp_path, index.url) as server:
        port = int(server.url.rpartition(":")[2])
        with pytest.raises(AssertionError, match="ended without"):
            async with running(tmp_path, index.url, port=port):
                pass
