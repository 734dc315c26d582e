"""Environment algebra of a resolve: at once as far as it is short, else in a thread.

Sets of environments are decision diagrams, and hostile markers make them grow. What may take more than a few
milliseconds is not for the event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from .environment.space import DiagramLimitError, bounded

T = TypeVar("T")

# Steps of the algebra, some 10 µs each with what goes with them. Of real releases few take more, and each only once:
# what an operation found is remembered.
STEPS_AT_ONCE = 250


async def work_out(work: Callable[[], T], steps: int) -> T:
    """Return what ``work`` finds within ``steps``. It may be begun twice, and waits for nothing.

    Raises:
        DiagramLimitError: it takes more steps.
    """
    try:
        return within(STEPS_AT_ONCE, work)
    except DiagramLimitError:
        return await asyncio.to_thread(within, steps, work)


def within(steps: int, work: Callable[[], T]) -> T:
    """Return what ``work`` finds on this thread.

    Raises:
        DiagramLimitError: it takes more steps.
    """
    with bounded(steps):
        return work()
