"""The collector sleeps while the first answers are made, and no longer."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator

import pytest

from service import garbage


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Pauses without length; the collector is left as it was found."""
    thresholds = gc.get_threshold()
    monkeypatch.setattr(garbage, "PAUSE", 0.0)
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)
    gc.enable()


async def looked(*, is_idle: bool, solved: int) -> bool:
    """Whether the collector is awake after some looks."""
    house = asyncio.create_task(garbage.keep_house(lambda: is_idle, lambda: solved))
    for _ in range(10):
        await asyncio.sleep(0)
    is_awake = gc.isenabled()
    house.cancel()
    await asyncio.gather(house, return_exceptions=True)
    return is_awake


async def test_the_collector_sleeps_until_the_first_answer() -> None:
    garbage.tune()
    assert not await looked(is_idle=True, solved=0)


async def test_it_is_awake_after_the_first_answer() -> None:
    garbage.tune()
    assert await looked(is_idle=True, solved=1)


async def test_a_first_answer_that_takes_long_wakes_it() -> None:
    garbage.tune()
    assert await looked(is_idle=False, solved=0)


async def test_it_is_awake_when_nobody_keeps_house_any_more() -> None:
    garbage.tune()
    await looked(is_idle=True, solved=0)
    assert gc.isenabled()
