"""When the cyclic garbage collector may stop the process: not while it serves.

Parsed facts are hundreds of thousands of objects that never die in cycles; a full collection looks at each of them
and takes most of a second, during which nothing is answered. So facts are moved out of the collector's sight
(``gc.freeze``) in a moment without resolves, young garbage is collected as ever, and a full collection is made
rarely, in such a moment, too. What a resolve leaves behind in cycles is taken apart by the resolver itself.

What the first answers of a process make is to stay: to look at it while it is made takes a tenth of their time and
finds nothing. So the collector sleeps until a moment after them, or until one takes longer than that.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable

# A collection looks at what was made since the last one, so small ones cost no more in all, and hold the event loop for
# less: 2,000 objects for less than a millisecond, three times as many, the middle generation's, for some two.
YOUNG = 2_000  # allocations between young collections
MIDDLE = 2  # young collections between those of the middle generation
OLD = 10_000  # middle collections before the old generation is looked at without us: a safety net
PAUSE = 1.0  # seconds between looks for an idle moment
FULL_EVERY = 600  # idle moments with something to freeze between two full collections


def tune() -> None:
    """Set the thresholds, and take what start-up made out of the sight of the collector, which then sleeps."""
    gc.disable()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)


async def keep_house(is_idle: Callable[[], bool], solved: Callable[[], int]) -> None:
    """Freeze facts when nothing is under way and something was resolved since; runs until cancelled.

    The collector wakes with the first facts that are frozen, or when the first resolve takes long; at the end anyway.
    """
    done = moments = 0
    try:
        while True:
            await asyncio.sleep(PAUSE)
            if not gc.isenabled() and (solved() != done or not is_idle()):
                gc.freeze()  # without a look: that would take long by now
                gc.enable()
                continue
            if solved() == done or not is_idle():
                continue
            done = solved()
            moments += 1
            if moments % FULL_EVERY == 0:
                gc.unfreeze()
                gc.collect()
            else:
                gc.collect(1)
            gc.freeze()
    finally:
        gc.enable()
