"""The thread that reads large pages: small ones first, each one some time."""

from __future__ import annotations

import asyncio
import threading

import pytest

from resolver.index.reading_queue import AT_ONCE, PATIENCE, ReadingQueue


async def read_in_order(queue: ReadingQueue, sizes: list[int], cancelled: int | None = None) -> list[int]:
    """Have pages of ``sizes`` wait for others that take long, and return the sizes in the order of reading."""
    gate, order = threading.Event(), list[int]()
    first = [asyncio.ensure_future(queue.run(gate.wait, 1)) for _ in range(AT_ONCE)]
    await asyncio.sleep(0)
    pages = [asyncio.ensure_future(queue.run(lambda size=size: order.append(size), size)) for size in sizes]  # type: ignore[misc]
    await asyncio.sleep(0)
    if cancelled is not None:
        pages[cancelled].cancel()
    gate.set()
    await asyncio.gather(*first, *pages, return_exceptions=True)
    return order


async def test_small_pages_pass_large_ones() -> None:
    sizes = [90 * PATIENCE, 30 * PATIENCE, 60 * PATIENCE]
    assert await read_in_order(ReadingQueue(), sizes) == sorted(sizes)


async def test_pages_of_one_size_are_read_in_the_order_of_asking_and_the_queue_is_used_again() -> None:
    queue = ReadingQueue()
    for _ in range(3):
        sizes = [PATIENCE * 10 + number for number in range(20)]
        assert await read_in_order(queue, sizes) == sizes


@pytest.mark.parametrize("cancelled", range(3))
async def test_a_page_that_nobody_wants_any_more_holds_up_nobody(cancelled: int) -> None:
    sizes = [10 * PATIENCE, 20 * PATIENCE, 30 * PATIENCE]
    queue = ReadingQueue()
    order = await read_in_order(queue, sizes, cancelled)
    assert order == [size for size in sizes if size != sizes[cancelled]]
    assert await read_in_order(queue, sizes) == sizes


async def test_a_failure_comes_back_and_the_next_page_is_read() -> None:
    queue = ReadingQueue()
    for _ in range(2 * AT_ONCE):
        with pytest.raises(ValueError, match="invalid literal"):
            await queue.run(lambda: int("no number"), 1)
    assert await queue.run(lambda: 1, 1) == 1
