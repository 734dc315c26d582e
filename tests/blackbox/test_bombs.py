"""Requirements that blow up: an answer or ``budget-exhausted`` with names, in bounded memory, and others are served.

The service is a process of its own, as it runs in production. It does not hang as long as it answers health checks
while the bomb goes off, so these are counted: a test of seconds would be a test of the machine.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.service.indexes import content
from tests.service.process import Server, running
from tests.transport.server import index

from .bombs import BOMBS, FINE, Bomb, pigeons

MIB = 1024  # in the kB of /proc


@asynccontextmanager
async def armed(directory: Path, bomb: Bomb) -> AsyncIterator[Server]:
    async with (
        index({**content(*bomb.wheels, FINE), **bomb.pages}) as server,
        running(directory, f"{server.url}/simple/") as service,
    ):
        yield service


def memory(server: Server) -> Iterator[int]:
    """The most that the process ever held, in kB."""
    for line in Path(f"/proc/{server.process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            yield int(line.split()[1])


async def beats_until(server: Server, done: asyncio.Task[object]) -> int:
    count = 0
    while not done.done():
        assert await server.status("/healthz") == 200
        count += 1
    return count


@pytest.mark.slow
@pytest.mark.parametrize("name", BOMBS)
async def test_a_bomb_ends_in_bounded_memory_and_the_service_goes_on(tmp_path: Path, name: str) -> None:
    bomb = BOMBS[name]()
    async with armed(tmp_path, bomb) as server:
        assert (await server.lock("fine"))[0] == 200
        (before,) = memory(server)
        answer = asyncio.create_task(server.lock(*bomb.requirements, **bomb.more))
        beats = await beats_until(server, answer)
        status, said = await answer
        (after,) = memory(server)
        if bomb.ends is None:
            assert status == 200, said
        else:
            assert (status, said["type"]) == (422, f"/problems/{bomb.ends}")
            assert bomb.names.intersection(said["packages"])
        assert beats >= bomb.beats
        assert after - before < 300 * MIB
        assert (await server.lock("fine"))[0] == 200


@pytest.mark.slow
async def test_others_are_served_while_a_bomb_goes_off_and_who_goes_away_ends_it(tmp_path: Path) -> None:
    wheels, names = pigeons(10)
    async with armed(tmp_path, Bomb(wheels, names, None)) as server:
        bomb = asyncio.create_task(server.lock(*names, budget={"seconds": 300}))
        while await running_solves(server) == 0:
            pass
        for version in range(3):
            assert (await server.lock("fine", f"p{version}==0.0"))[0] == 200
        assert not bomb.done()
        assert await running_solves(server) == 1
        bomb.cancel()
        looks = 0
        while await running_solves(server):
            looks += 1
            assert looks < 200, "the work goes on for nobody"


async def running_solves(server: Server) -> int:
    async with server.client.get("/metrics") as response:
        text = await response.text()
    (line,) = (line for line in text.splitlines() if line.startswith("lockwright_solves_running"))
    return int(float(line.split()[-1]))
