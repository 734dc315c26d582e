"""Environment algebra: what is short is done at once, what may take long in a thread, what takes too long never."""

from __future__ import annotations

import itertools
import threading

import pytest

from resolver.algebra import STEPS_AT_ONCE, work_out
from resolver.environment.space import DiagramLimitError, EnvironmentSet, from_marker

_NUMBERS = itertools.count()


def marker(clauses: int) -> str:
    """Pairs whose second halves all come after the first ones: a diagram of 2 ** ``clauses`` nodes."""
    salt = next(_NUMBERS)  # what was found before takes no steps
    return " and ".join(
        f"('{salt}a{at}' in platform_release or '{salt}b{at}' in platform_version)" for at in range(clauses)
    )


class Work:
    """Notes the threads that it was done in."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.threads: list[int] = []

    def __call__(self) -> EnvironmentSet:
        self.threads.append(threading.get_ident())
        return from_marker(self.text)


async def test_what_is_short_is_done_at_once() -> None:
    work = Work(marker(4))
    assert await work_out(work, 20_000) is from_marker(work.text)
    assert work.threads == [threading.get_ident()]


async def test_what_takes_longer_is_done_in_a_thread() -> None:
    work = Work(marker(9))
    assert await work_out(work, 20_000) is from_marker(work.text)
    first, second = work.threads
    assert first == threading.get_ident() != second


async def test_what_takes_too_long_is_not_done() -> None:
    with pytest.raises(DiagramLimitError):
        await work_out(Work(marker(12)), STEPS_AT_ONCE)
