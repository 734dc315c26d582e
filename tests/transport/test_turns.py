"""Turns: one heavy step per pass of the loop, first come, first served, nobody forgotten."""

from __future__ import annotations

import asyncio
from collections import Counter
from itertools import pairwise

import pytest

from transport.turns import LONG, MAX_STEPS, Turns


class Passes:
    """Counts the passes of the event loop."""

    def __init__(self) -> None:
        self.number = 0

    async def count(self) -> None:
        while True:
            self.number += 1
            await asyncio.sleep(0)


async def test_turns_are_handed_on_in_the_order_of_asking() -> None:
    turns, order = Turns(), list[int]()

    async def step(number: int) -> None:
        async with turns:
            order.append(number)
            await asyncio.sleep(0)

    await asyncio.gather(*(step(number) for number in range(20)))
    assert order == list(range(20))


async def test_others_run_between_two_turns() -> None:
    turns, passes, seen = Turns(), Passes(), list[int]()

    async def step() -> None:
        async with turns:
            seen.append(passes.number)

    counter = asyncio.create_task(passes.count())
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


async def test_short_steps_share_a_pass_and_none_is_forgotten() -> None:
    turns, done, passes = Turns(), list[tuple[int, int]](), Passes()

    async def step(number: int) -> None:
        await turns.moment()
        done.append((number, passes.number))

    counter = asyncio.create_task(passes.count())
    await asyncio.gather(*(step(number) for number in range(1000)))
    counter.cancel()
    assert [number for number, _ in done] == list(range(1000))
    shared = Counter(when for _, when in done)
    assert 1 < max(shared.values()) <= 2 * MAX_STEPS  # who waited, and who came to an empty queue
    assert len(shared) >= 1000 // (2 * MAX_STEPS)


async def test_steps_that_take_long_have_a_pass_to_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    turns, now, seen = Turns(), 100.0, Counter[int]()
    monkeypatch.setattr("transport.turns.perf_counter", lambda: now)
    passes = Passes()

    async def step() -> None:
        nonlocal now
        await turns.moment()
        now += 10 * LONG
        seen[passes.number] += 1

    counter = asyncio.create_task(passes.count())
    await asyncio.gather(*(step() for _ in range(200)))
    counter.cancel()
    assert sum(seen.values()) == 200
    assert list(seen.values())[-100:] == [1] * 100


async def test_a_short_step_that_is_not_wanted_any_more_holds_up_nobody() -> None:
    turns, done = Turns(), list[int]()

    async def step(number: int) -> None:
        await turns.moment()
        done.append(number)

    tasks = [asyncio.create_task(step(number)) for number in range(100)]
    await asyncio.sleep(0)
    for task in tasks[50:60]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert set(done) == {*range(50), *range(60, 100)}
    await asyncio.wait_for(turns.moment(), 1)
