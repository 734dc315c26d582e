"""The service as a process of its own, started by its command line."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tests.service.support import TARGET


@dataclass
class Server:
    process: Process
    url: str
    client: aiohttp.ClientSession

    async def line_with(self, text: str) -> str:
        """Read the log until a line has ``text``."""
        assert self.process.stderr is not None
        lines = []
        while line := (await self.process.stderr.readline()).decode():
            if text in line:
                return line
            lines.append(line)
        raise AssertionError(f"the server ended without saying {text!r}: {''.join(lines)}")

    async def status(self, path: str) -> int:
        async with self.client.get(path) as response:
            return response.status

    async def lock(self, *requirements: str, **more: object) -> tuple[int, Any]:
        body = {"requirements": list(requirements) or ["a"], "targets": [TARGET], **more}
        async with self.client.post("/v1/lock", json=body) as response:
            return response.status, await response.json(content_type=None)


@asynccontextmanager
async def running(
    directory: Path, index: str, *, grace: str = "0", limit: str = "30", **arguments: Any
) -> AsyncIterator[Server]:
    environ = {
        **os.environ,
        "UV_DEFAULT_INDEX": index,
        "LOCKWRIGHT_CACHE__DIR": str(directory / "cache"),
        "LOCKWRIGHT_DRAIN_GRACE": grace,
        "LOCKWRIGHT_DRAIN_LIMIT": limit,
        "PYTHONWARNINGS": "error",
    }
    options = [f"--{name.replace('_', '-')}={value}" for name, value in {"port": 0, **arguments}.items()]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "service", "serve", *options, stderr=PIPE, env=environ
    )
    server = Server(process, "", aiohttp.ClientSession())
    try:
        where = (await server.line_with("listening on ")).split()[-1]
        await server.client.close()
        if where.startswith("unix:"):
            connector = aiohttp.UnixConnector(where.removeprefix("unix:"))
            server.client = aiohttp.ClientSession("http://unix.example", connector=connector)
        else:
            # A connection per request: each may meet another worker.
            server.client = aiohttp.ClientSession(where, connector=aiohttp.TCPConnector(force_close=True))
        server.url = where
        yield server
    finally:
        await server.client.close()
        if process.returncode is None:
            process.kill()
        await process.communicate()
