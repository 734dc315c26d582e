"""The whole service over real indexes: HTTP in, the real resolver and transport, HTTP to servers that remember."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from service import listening, worker
from service.app import make_app
from service.configuration import load
from tests.fake_index import html_page
from tests.transport.server import Answer, Plain, Seen, Server, reply
from transport.clock import SYSTEM, Clock

TARGET = {"python": "3.13", "platform": "linux"}
JSON = "application/vnd.pypi.simple.v1+json"

# Not a second is spent on retries: what is tested is who is asked, not how often.
IMPATIENT = {"retries": 0}


def metadata(name: str, version: str, *requires: str) -> bytes:
    lines = [
        "Metadata-Version: 2.2",
        f"Name: {name}",
        f"Version: {version}",
        *(f"Requires-Dist: {r}" for r in requires),
    ]
    return ("\n".join(lines) + "\n\n").encode()


@dataclass(frozen=True)
class Wheel:
    """One wheel of an index, of which only the metadata is ever asked for."""

    name: str
    version: str
    requires: tuple[str, ...] = ()

    @property
    def filename(self) -> str:
        return f"{self.name}-{self.version}-py3-none-any.whl"

    @property
    def metadata(self) -> bytes:
        return metadata(self.name, self.version, *self.requires)


def _entries(*wheels: Wheel, files: str) -> list[dict[str, Any]]:
    return [
        {
            "filename": wheel.filename,
            "url": f"{files}{wheel.filename}",
            "hashes": {"sha256": hashlib.sha256(wheel.metadata).hexdigest()},
            "core-metadata": {"sha256": hashlib.sha256(wheel.metadata).hexdigest()},
            "upload-time": "2024-01-01T00:00:00Z",
            "size": 1000,
        }
        for wheel in wheels
    ]


def undated_page(*wheels: Wheel, files: str = "/files/") -> bytes:
    """Return a page in HTML, which has no upload times."""
    return reply(html_page(_entries(*wheels, files=files)), content_type="text/html")


def page(name: str, *wheels: Wheel, files: str = "/files/") -> bytes:
    entries = _entries(*wheels, files=files)
    return reply(orjson.dumps({"meta": {"api-version": "1.1"}, "name": name, "files": entries}), content_type=JSON)


def content(*wheels: Wheel, root: str = "/simple/", files: str = "/files/") -> dict[str, Answer | list[Answer]]:
    """Return the answers of an index that has ``wheels``; everything else is 404."""
    answers: dict[str, Answer | list[Answer]] = {}
    for name in {wheel.name for wheel in wheels}:
        answers[f"{root}{name}/"] = page(name, *(wheel for wheel in wheels if wheel.name == name), files=files)
    for wheel in wheels:
        answers[f"{files}{wheel.filename}.metadata"] = reply(wheel.metadata)
    return answers


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def authorizations(server: Server) -> list[str | None]:
    return [seen.headers.get("authorization") for seen in server.seen]


def guarded(
    answers: Mapping[str, Answer | list[Answer]],
    expected: str,
    *,
    header: str = "authorization",
    otherwise: Callable[[Seen], Plain] = lambda _: reply(b"", 401),
) -> dict[str, Answer | list[Answer]]:
    """Return answers that are given only to who says ``expected``."""

    def wrap(answer: Answer | list[Answer]) -> Answer:
        assert not isinstance(answer, list)

        def give(seen: Seen) -> Plain:
            if seen.headers.get(header) != expected:
                return otherwise(seen)
            return answer if isinstance(answer, bytes | str) else answer(seen)

        return give

    return {target: wrap(answer) for target, answer in {"*": reply(b"", 404), **answers}.items()}


@dataclass
class Service:
    """A running service and a client of it."""

    client: aiohttp.ClientSession

    async def lock(self, *requirements: str, **more: object) -> tuple[int, dict[str, Any]]:
        body = {"requirements": list(requirements), "targets": [TARGET], **more}
        async with self.client.post("/v1/lock", json=body) as response:
            return response.status, await response.json(content_type=None)


def versions(answer: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Return name → (version, index)."""
    return {one["name"]: (one["version"], one["index"]) for one in answer["packages"]}


@asynccontextmanager
async def serving(
    directory: Path,
    indexes: Sequence[Mapping[str, Any]] | Path,
    *,
    environ: Mapping[str, str] | None = None,
    network: Mapping[str, Any] | None = None,
    clock: Clock = SYSTEM,
    **settings: Any,
) -> AsyncIterator[Service]:
    """Serve with these index tables, or a file of settings; ``environ`` is read for settings, too."""
    flags: dict[str, Any] = {
        "default_index": "explicit",
        "cache": {"dir": str(directory / "cache")},
        "network": {**IMPATIENT, **(network or {})},
        **settings,
    }
    if not isinstance(indexes, Path):
        flags["index"] = [dict(index) for index in indexes]
    config = indexes if isinstance(indexes, Path) else None
    given = {"HOME": str(directory), **(environ or {})}
    configuration = load(environ=given, directory=directory, flags=flags, config=config)
    app = make_app(configuration, now=lambda: datetime.fromtimestamp(clock.wall(), UTC), system=clock)
    sock = listening.bind("127.0.0.1", 0)
    port: int = sock.getsockname()[1]
    runner, server = await worker.start(app, sock, limit=2.0)
    try:
        async with aiohttp.ClientSession(base_url=f"http://127.0.0.1:{port}") as client:
            yield Service(client)
    finally:
        server.close()
        await runner.cleanup()
