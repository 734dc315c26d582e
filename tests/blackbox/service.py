"""The whole service over real indexes, on a clock that a test moves: waits and ages cost no time.

Everything is what runs in production (application, resolver, transport, cache on disk); only the transport is given
another clock than the system's.
"""

from __future__ import annotations

import hashlib
import io
import random
import tarfile
import zipfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from resolver.driver import resolve
from resolver.index.gateway import Gateway
from service import listening, worker
from service.app import make_app
from service.configuration import load
from service.engine import transport_settings
from tests.service.indexes import JSON, Service, Wheel, metadata, page
from tests.transport.server import Server, TestClock, reply
from transport.redirects import RequestRecord
from transport.stack import open_stack

SOON = {"connect": 0.3, "first_byte": 0.3, "idle": 0.3}
"""Timeouts of sockets are real: what hangs in a test hangs this long."""


@asynccontextmanager
async def serving(
    directory: Path,
    *indexes: Mapping[str, Any],
    clock: TestClock | None = None,
    network: Mapping[str, Any] | None = None,
    records: list[RequestRecord] | None = None,
    **settings: Any,
) -> AsyncIterator[Service]:
    """Serve with these index tables; ``records`` collects what became of each request to an index."""
    flags: dict[str, Any] = {
        "default_index": "explicit",
        "cache": {"dir": str(directory / "cache")},
        "index": [dict(index) for index in indexes],
        "network": dict(network or {}),
        **settings,
    }
    configuration = load(environ={"HOME": str(directory)}, directory=directory, flags=flags)
    given = transport_settings(configuration.settings)
    on_request = None if records is None else records.append
    clock = clock or TestClock()
    async with open_stack(given, clock=clock, on_request=on_request) as fetcher:
        gateway = Gateway(fetcher, monotonic=clock.monotonic)
        app = make_app(configuration, resolve=partial(resolve, gateway=gateway), holds=gateway.holds)
        sock = listening.bind("127.0.0.1", 0)
        port: int = sock.getsockname()[1]
        runner, server = await worker.start(app, sock, limit=2.0)
        try:
            async with aiohttp.ClientSession(base_url=f"http://127.0.0.1:{port}") as client:
                yield Service(client)
        finally:
            server.close()
            await runner.cleanup()


def table(server: Server, name: str = "corp", **more: object) -> dict[str, Any]:
    """Return the settings of an index on ``server``."""
    return {"name": name, "url": f"{server.url}/simple/", **more}


def listed(name: str, *entries: Mapping[str, object], **headers: str) -> bytes:
    """Return a page with these files."""
    body = {"meta": {"api-version": "1.1"}, "name": name, "files": list(entries)}
    return reply(orjson.dumps(body), 200, content_type=JSON, **headers)


def with_headers(answer: bytes, **headers: str) -> bytes:
    """Return ``answer`` with more header fields."""
    head, _, rest = answer.partition(b"\r\n")
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return head + b"\r\n" + lines.encode() + rest


def fresh_for(seconds: int, *wheels: Wheel, **headers: str) -> bytes:
    """Return the page of ``wheels``, which are of one project, with a lifetime."""
    return with_headers(page(wheels[0].name, *wheels), cache_control=f"max-age={seconds}", **headers)


def sdist(name: str, version: str, *requires: str, size: int = 0) -> bytes:
    """Return a static sdist that does not compress below ``size`` bytes."""
    said = metadata(name, version, *requires)
    padding = random.Random(name).randbytes(size)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for member, content in (("PKG-INFO", said), ("data", padding)):
            info = tarfile.TarInfo(f"{name}-{version}/{member}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def wheel(name: str, version: str, *requires: str, size: int = 0) -> bytes:
    """Return a wheel that does not compress below ``size`` bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}/data", random.Random(name).randbytes(size))
        archive.writestr(f"{name}-{version}.dist-info/METADATA", metadata(name, version, *requires))
    return buffer.getvalue()


def entry(filename: str, body: bytes, **more: object) -> dict[str, object]:
    """Return what a page says of a file."""
    return {
        "filename": filename,
        "url": f"/files/{filename}",
        "hashes": {"sha256": hashlib.sha256(body).hexdigest()},
        "upload-time": "2024-01-01T00:00:00Z",
        "size": len(body),
        **more,
    }
