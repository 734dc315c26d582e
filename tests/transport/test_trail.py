"""When to write: not while something new comes, not for ever later, and at once where somebody waits."""

from __future__ import annotations

import asyncio
import time

import pytest

from transport import trail
from transport.trail import Trail


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trail, "QUIET", 60.0)
    monkeypatch.setattr(trail, "LONGEST", 3600.0)


async def test_who_is_in_a_hurry_or_closes_waits_for_nothing() -> None:
    one = Trail()
    one.add()
    one.hurry()
    await one.quiet()
    waiting = asyncio.create_task(one.quiet())
    for _ in range(3):
        await asyncio.sleep(0)
    assert not waiting.done()  # the hurry is over
    one.close()
    await waiting
    await one.quiet()
    await one.quiet()


async def test_what_was_quiet_for_long_enough_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    one = Trail()
    one.add()
    now = 60.0
    waiting = asyncio.create_task(one.quiet())
    await asyncio.wait_for(waiting, 5.0)


async def test_it_is_quiet_after_the_last_and_not_after_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trail, "QUIET", 0.01)
    one = Trail()
    one.add()
    await one.quiet()
    assert time.monotonic() - one._last >= trail.QUIET


async def test_nothing_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trail, "LONGEST", 0.01)
    one = Trail()
    waiting = asyncio.create_task(one.quiet())
    while not waiting.done():
        one.add()
        await asyncio.sleep(0)
