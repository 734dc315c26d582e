"""Turns: one heavy step per pass of the loop, first come, first served, nobody forgotten."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from transport.turns import Turns


async def test_turns_are_handed_on_in_the_order_of_asking() -> None:
    turns, order = Turns(), list[int]()

    async def step(number: int) -> None:
        async with turns:
            order.append(number)
            await asyncio.sleep(0)

    await asyncio.gather(*(step(number) for number in range(20)))
    assert order == list(range(20))


async def test_others_run_between_two_turns() -> None:
    turns, passes, seen = Turns(), 0, list[int]()

    async def count() -> None:
        nonlocal passes
        while True:
            passes += 1
            await asyncio.sleep(0)

    async def step() -> None:
        async with turns:
            seen.append(passes)

    counter = asyncio.create_task(count())
    await asyncio.gather(*(step() for _ in range(10)))
    counter.cancel()
    assert all(later > earlier for earlier, later in pairwise(seen))


@pytest.mark.parametrize("cancel_at", range(4))
async def test_a_turn_that_is_not_wanted_any_more_goes_to_the_next(cancel_at: int) -> None:
    turns, done = Turns(), list[int]()

    async def step(number: int) -> None:
        async with turns:
            done.append(number)
            await asyncio.sleep(0)

    tasks = [asyncio.create_task(step(number)) for number in range(5)]
    for _ in range(cancel_at + 1):
        await asyncio.sleep(0)
    tasks[2].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert {0, 1, 3, 4} <= set(done)
    await asyncio.wait_for(turns.take(), 1)


async def test_a_failure_inside_a_turn_gives_it_back() -> None:
    turns = Turns()
    with pytest.raises(ValueError, match="oops"):
        async with turns:
            raise ValueError("oops")
    await asyncio.wait_for(turns.take(), 1)
