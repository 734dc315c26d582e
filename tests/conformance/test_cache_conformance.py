"""The transport's cache under the suite `http-cache-tests`: what it must do, what would be well, and our exceptions.

The exceptions are in ``exemptions.toml``, by test and with reasons; what is listed there and passes fails here. Two
policies are examined. ``EVERYTHING`` is a shared cache that keeps what may be kept and guesses lifetimes: all that
the code can do. ``OURS`` is what runs in production, in the suite's mode for private caches: fewer things are kept
there, so some tests cannot be reached, and none may fail.
"""

from __future__ import annotations

import asyncio
import tomllib
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.transport.server import CLOSE, Answer, index, reply
from transport.cache import Cache
from transport.clock import SYSTEM
from transport.freshness import OURS, Policy
from transport.memory import Memory
from transport.storage import Storage

from . import suite, wire
from .shim import Origin, Shim, running

EVERYTHING = Policy(is_shared=True, statuses=None, heuristic=0.1)
EXEMPT = tomllib.loads((suite.HERE / "exemptions.toml").read_text())
MIB = 1024 * 1024

needs_suite = pytest.mark.skipif(suite.missing() is not None, reason=suite.missing() or "")


@asynccontextmanager
async def in_memory(origin_port: int, policy: Policy) -> AsyncIterator[Shim]:
    """Run a shim over one cache without a disk."""
    cache = Cache(Origin(origin_port), Memory(64 * MIB), None, SYSTEM, policy)

    @asynccontextmanager
    async def lend() -> AsyncIterator[Cache]:
        yield cache

    try:
        async with running(origin_port, lend) as shim:
            yield shim
    finally:
        await cache.close()


@asynccontextmanager
async def on_disk(origin_port: int, policy: Policy, directory: Path) -> AsyncIterator[Shim]:
    """Run a shim that is restarted between any two requests: nothing but the disk remembers."""
    storage = Storage(directory, 64 * MIB)

    @asynccontextmanager
    async def lend() -> AsyncIterator[Cache]:
        cache = Cache(Origin(origin_port), Memory(64 * MIB), storage, SYSTEM, policy)
        try:
            yield cache
        finally:
            await cache.close()

    async with running(origin_port, lend) as shim:
        yield shim
    assert storage.discarded == 0


def misses(verdicts: list[suite.Verdict], kind: str) -> dict[str, str]:
    """Return what ran, is of ``kind`` and did not pass, and how the suite puts it."""
    return {
        one.id: f"{one.verdict}: {one.detail}"
        for one in verdicts
        if one.kind == kind and one.group != suite.NOT_OURS and one.verdict not in {"pass", "untested"}
    }


def passes(verdicts: list[suite.Verdict]) -> Mapping[str, int]:
    """Count what passed, by kind."""
    return Counter(one.kind for one in verdicts if one.group != suite.NOT_OURS and one.verdict == "pass")


@needs_suite
@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("store", ["memory", "disk"])
async def test_every_required_and_optimal_test_passes_or_is_exempt(store: str, tmp_path: Path) -> None:
    async with suite.origin(tmp_path) as port:
        context = in_memory(port, EVERYTHING) if store == "memory" else on_disk(port, EVERYTHING, tmp_path / "cache")
        async with context as shim:
            verdicts = await suite.run(shim.port)
    for kind in ("required", "optimal"):
        found = misses(verdicts, kind)
        assert {name: text for name, text in found.items() if name not in EXEMPT[kind]} == {}
        assert EXEMPT[kind].keys() - found.keys() == set()
    assert passes(verdicts) == {"required": 143, "optimal": 74}


@needs_suite
@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_in_production_nothing_required_fails_and_less_is_kept(tmp_path: Path) -> None:
    async with suite.origin(tmp_path) as port, in_memory(port, OURS) as shim:
        verdicts = await suite.run(shim.port, is_private=True)
    for kind in ("required", "optimal"):
        exempt = EXEMPT[kind] | EXEMPT["ours"][kind]
        found = misses(verdicts, kind)
        # What hangs on a test that is exempt is not reached.
        failing = {name: text for name, text in found.items() if not text.startswith("dependency-fail")}
        assert {name: text for name, text in failing.items() if name not in exempt} == {}
        assert EXEMPT["ours"][kind].keys() - found.keys() == set()
    assert passes(verdicts) == {"required": 120, "optimal": 40}


async def ask(port: int, method: str = "GET", *headers: tuple[str, str], body: bytes = b"") -> wire.Message:
    """Ask the shim as a client does."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    length = [("content-length", str(len(body)))] if body else []
    writer.write(wire.packed(f"{method} /a?b=%2B HTTP/1.1", [*headers, *length], body))
    try:
        return await wire.read(reader, method=method)
    finally:
        writer.close()


@pytest.mark.parametrize(
    ("control", "status"),
    [("", 200), (", must-revalidate", 502), (", no-cache", 502), (", proxy-revalidate", 502), (", s-maxage=0", 502)],
)
async def test_nothing_stale_is_served_against_the_origins_word(control: str, status: int) -> None:
    """What ``stale-close-*`` of the suite are about, and cannot see."""
    answers: list[Answer] = [reply(b"one", cache_control=f"max-age=0{control}"), CLOSE]
    async with index({"*": answers}) as origin, in_memory(origin.port, EVERYTHING) as shim:
        assert (await ask(shim.port)).body == b"one"
        assert (await ask(shim.port)).start.split(" ")[1] == str(status)
        assert len(origin.seen) == 2


async def test_the_shim_forwards_what_it_is_given_and_adds_nothing() -> None:
    async with index({"*": reply(b"", 204, x_answer="1")}) as origin, in_memory(origin.port, EVERYTHING) as shim:
        answer = await ask(shim.port, "POST", ("foo", "1, 2"), ("if-match", 'W/"\udcfc"'), body=b"body")
        assert answer == wire.Message("HTTP/1.1 204 Said", (("x-answer", "1"),), b"")
        (seen,) = origin.seen
        assert (seen.method, seen.target) == ("POST", "/a?b=%2B")
        assert b'foo: 1, 2\r\nif-match: W/"\xfc"\r\nconnection: close\r\ncontent-length: 4\r\n\r\n' in seen.raw
