"""The suite `http-cache-tests`, run against a shim: its origin and its client are programs for Node."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
PACKAGE = HERE / "node_modules" / "http-cache-tests"
OUTPUT = 4 * 1024 * 1024  # the verdicts are one line

NOT_OURS = "surrogate-control"
"""The group for content delivery networks: it asks for a header that none of ours sends or reads."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the suite says of one test."""

    id: str
    group: str
    kind: str
    """``required``, ``optimal``, or ``check``, which only asks."""
    verdict: str
    detail: str


def missing() -> str | None:
    """Say what is not installed, if anything."""
    if shutil.which("node") is None:
        return "node is not installed"
    if not PACKAGE.is_dir():
        return "http-cache-tests is not installed: npm ci --prefix tests/conformance"
    return None


@asynccontextmanager
async def origin(scratch: Path) -> AsyncIterator[int]:
    """Run the suite's server on loopback; give its port."""
    environment = os.environ | {
        "npm_config_protocol": "http",
        "npm_config_port": "0",
        "npm_config_pidfile": str(scratch / "origin.pid"),
    }
    process = await asyncio.create_subprocess_exec(
        *("node", "--require", str(HERE / "loopback.cjs"), str(PACKAGE / "server" / "server.mjs")),
        env=environment,
        cwd=scratch,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    draining: asyncio.Task[bytes] | None = None
    try:
        line = (await process.stdout.readline()).decode()
        draining = asyncio.create_task(process.stdout.read())  # a full pipe would stop it
        yield int(line.rstrip("/\n").rpartition(":")[2])
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        if draining is not None:
            await draining


async def run(port: int, *, is_private: bool = False) -> list[Verdict]:
    """Run all tests through the cache at ``port``; about a minute."""
    mode = "private" if is_private else "shared"
    process = await asyncio.create_subprocess_exec(
        *("node", "--no-warnings", "run.mjs", f"http://127.0.0.1:{port}", mode),
        cwd=HERE,
        stdout=asyncio.subprocess.PIPE,
        limit=OUTPUT,
    )
    try:
        output, _ = await process.communicate()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    return [Verdict(**line) for line in json.loads(output)]
