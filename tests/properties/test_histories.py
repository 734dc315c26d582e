"""A past changes no answer: whole services, random worlds that change, and requests that are alike.

``histories.py`` judges; ``python -m tests.properties.histories`` goes through hundreds more.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
import pytest

from .histories import Changing, Clocks, Service, body_of, judge, serving
from .random_index import IndexFile, IndexRelease, Question, RandomIndex

SEQUENCES = 8  # of each kind, with 14 requests each: some seconds


@pytest.mark.parametrize("is_universal", [False, True], ids=["target", "universal"])
async def test_a_service_with_a_past_answers_as_one_without(tmp_path: Path, *, is_universal: bool) -> None:
    traits = Counter[str]()
    for seed in range(SEQUENCES):
        history = await judge(seed, tmp_path, is_universal=is_universal)
        assert history.faults == [], f"seed {seed}: python -m tests.properties.histories --seed {seed} --sequences 1"
        traits += history.traits
    assert traits["solved"] > 4 * SEQUENCES
    assert traits["stored"] > SEQUENCES
    assert traits["begun anew"]


def _lists_two(*, is_lost: bool) -> RandomIndex:
    one = IndexRelease("a", "1.0", (IndexFile(),), ())
    return RandomIndex({("a", "1.0"): one, ("a", "2.0"): IndexRelease("a", "2.0", (IndexFile(is_lost=is_lost),), ())})


@asynccontextmanager
async def _late(directory: Path) -> AsyncIterator[tuple[Changing, Service]]:
    """A service whose index lists a file for days that it does not have yet."""
    contents = {"private": RandomIndex({}), "world": _lists_two(is_lost=True)}
    fetcher = Changing(random.Random(1), contents, Clocks(), is_quiet=True)
    async with serving(fetcher, directory, keeps=False) as service:
        yield fetcher, service


async def _versions(service: Service, targets: tuple[tuple[str, str], ...], *, refresh: bool = False) -> list[str]:
    """Where the answer comes from, and its versions."""
    source, found = await service.ask(body_of(Question(("a",), targets=targets)), refresh=refresh)
    return [source, *(one["version"] for one in orjson.loads(found.splitlines()[0])["packages"])]


TARGETS = pytest.mark.parametrize("targets", [(), (("3.12", "linux"),)], ids=["universal", "target"])


@TARGETS
async def test_an_answer_without_a_file_that_was_missing_holds_for_five_minutes(
    tmp_path: Path, targets: tuple[tuple[str, str], ...]
) -> None:
    async with _late(tmp_path) as (index, service):
        assert await _versions(service, targets) == ["solved", "1.0"]
        index.contents["world"] = _lists_two(is_lost=False)
        index.clocks.passed += 299
        assert await _versions(service, targets) == ["stored", "1.0"]
        index.clocks.passed += 2
        assert await _versions(service, targets) == ["solved", "2.0"]
        index.clocks.passed += 2_000
        assert await _versions(service, targets) == ["stored", "2.0"]


@TARGETS
async def test_an_answer_without_a_file_ends_when_another_request_finds_the_file(
    tmp_path: Path, targets: tuple[tuple[str, str], ...]
) -> None:
    """Who asks for everything anew is not followed by who hears what was before."""
    async with _late(tmp_path) as (index, service):
        assert await _versions(service, targets) == ["solved", "1.0"]
        index.contents["world"] = _lists_two(is_lost=False)
        assert await _versions(service, targets) == ["stored", "1.0"]
        assert await _versions(service, targets, refresh=True) == ["solved", "2.0"]
        assert await _versions(service, targets) == ["solved", "2.0"]
        assert await _versions(service, targets) == ["stored", "2.0"]
