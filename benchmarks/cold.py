"""Cold: no cache at all, with and without latency; and with stale pages and a memory of earlier closures."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import aiohttp

from .bench import Bench
from .figures import Row, Spread, ratios
from .index import rounds
from .question import Question
from .service import Locked, Service, serving
from .warm import Asked, Pairs, prepare

_JSON = "application/vnd.pypi.simple.v1+json"


def closure(locked: Locked, index: str) -> list[str]:
    """The URLs that nobody can do without: the page of each project, the metadata of one wheel of each version."""
    pages = {f"{index}{one['name']}/" for one in locked.document["packages"]}
    metadata = {f"{one['files'][0]['url']}.metadata" for one in locked.document["packages"]}
    return [*sorted(pages), *sorted(metadata)]


async def _fetch(urls: Sequence[str], connections: int) -> float:
    started = time.perf_counter()
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=connections), headers={"Accept": _JSON}
    ) as session:

        async def one(url: str) -> None:
            async with session.get(url) as response:
                await response.read()

        await asyncio.gather(*map(one, urls))
        return time.perf_counter() - started


def bare(urls: Sequence[str], latency: float) -> float:
    """Seconds of a client that fetches ``urls`` at once and does nothing with them."""
    return asyncio.run(_fetch(urls, 0 if latency else 32))  # without latency, more connections only cost


def cold(bench: Bench, question: Question) -> list[Row]:
    """A new service with an empty cache, uv without a cache, and a client that knows the answer.

    Raises:
        Refused: there is no answer.
    """
    uv, index = bench.uv, bench.index
    pairs, ours, least = Pairs(), list[float](), list[float]()
    counts: dict[str, float] = {}
    command = uv.write(question)
    for _ in range(bench.runs):
        with serving(bench.lockwright) as service:
            index.mark()
            locked = service.lock(question, index.url)
        fetches = index.fetches()
        uv.forget()
        index.mark()
        finished = uv.compile(command, index.url)
        urls = closure(locked, index.url)
        counts = {
            "ours": len(fetches),
            "paths": len({one.path for one in fetches}),
            "not there": sum(one.status == 404 for one in fetches),
            "uv": len(index.fetches()),
            "least": len(urls),
        }
        least.append(bare(urls, index.latency))
        ours.append(locked.reply.seconds)
        pairs.add(question, locked, finished, bench.data)
    name = f"{'universal-' if question.is_universal else ''}cold-{index.latency * 1000:.0f}ms"
    row = pairs.row(name, question.name, counts)
    return [
        row,
        replace(row, peer="bare", theirs=Spread.of(least), ratio=ratios(ours, least), phases={}),
    ]


def stale(bench: Bench, question: Question) -> list[Row]:
    """Every page has to be asked for again: in the process that knows the closure, and in one after a restart.

    The index gives pages no lifetime and takes its time, so that what waits for what shows in its log.

    Raises:
        Refused: there is nothing to ask.
    """
    resident, restarted = _Revalidations(), _Revalidations()
    with tempfile.TemporaryDirectory(prefix="lockwright-stale-") as name:
        cache = Path(name)
        with serving(bench.lockwright, cache) as service:
            asked = prepare(bench, service, question, bench.runs * 2)
            half = (len(asked) + 1) // 2
            for one in asked[:half]:
                resident.take(bench, service, one)
        for one in asked[half:]:
            with serving(bench.lockwright, cache) as service:
                restarted.take(bench, service, one)
    rows = [resident.pairs.row("stale", question.name, resident.counts)]
    if asked[half:]:
        rows.append(restarted.pairs.row("stale-restarted", question.name, restarted.counts))
    return rows


class _Revalidations:
    """Pairs whose requests are counted: the most of each."""

    def __init__(self) -> None:
        self.pairs = Pairs()
        self.counts: dict[str, float] = {}

    def take(self, bench: Bench, service: Service, one: Asked) -> None:
        index = bench.index
        index.mark()
        locked = service.lock(one.question, index.url)
        fetches = index.fetches()
        index.mark()
        finished = bench.uv.compile(one.command, index.url)
        theirs = index.fetches()
        self.pairs.add(one.question, locked, finished, bench.data)
        found = {
            "ours": len(fetches),
            "uv": len(theirs),
            "least": len(locked.pins),
            "rounds": rounds(fetches, index.latency),
            "uv rounds": rounds(theirs, index.latency),
        }
        self.counts = {name: max(value, self.counts.get(name, 0)) for name, value in found.items()}
