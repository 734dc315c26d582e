"""Standings beyond the process: as long as they hold, for whom they hold, and never longer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from resolver.index.page_key import PageKey
from resolver.index.standing import Standing
from resolver.index.standings import Standings
from transport.message import Index

from .kept import Clocks, Kept

INDEX = Index("corp", "https://index.example/simple/", cache_control={"api": "max-age=600"})
KEY = PageKey("public", "00" * 32, INDEX.url + "foo/", "text/html", "foo", INDEX.name, INDEX.url)


def standing(
    kept: Kept, clocks: Clocks, index: Index = INDEX, partition: str = "public", terms: str = "configured"
) -> Standing:
    """The standing as a process that has just begun sees it."""
    return Standings(kept, clocks.instants, terms).of(index, partition)


def noted(fresh_for: float, key: PageKey | None = KEY) -> tuple[Kept, Clocks]:
    kept, clocks = Kept(), Clocks()
    standing(kept, clocks).note("foo", key, clocks.monotonic + fresh_for if fresh_for else 0.0)
    return kept, clocks


@pytest.mark.parametrize("key", [KEY, None])
def test_another_process_knows_a_page_as_long_as_it_is_fresh(key: PageKey | None) -> None:
    kept, before = noted(600.0, key)
    later = Clocks(before.wall + 599.0, 7.0)
    found = standing(kept, later).get("foo", later.monotonic)
    assert found is not None
    assert found[0] == key
    assert found[1] == pytest.approx(8.0)
    assert standing(kept, later).get("bar", later.monotonic) is None
    later.advance(1.0)
    assert standing(kept, later).get("foo", later.monotonic) is None


def test_what_was_recalled_ends_when_it_did() -> None:
    kept, before = noted(600.0)
    later = Clocks(before.wall + 500.0, 7.0)
    seen = standing(kept, later)
    assert seen.get("foo", later.monotonic) is not None
    later.advance(100.0)
    assert seen.get("foo", later.monotonic) is None


@pytest.mark.parametrize("fresh_for", [0.0, -5.0])
def test_a_page_that_is_fresh_only_now_is_nobody_elses(fresh_for: float) -> None:
    kept, clocks = noted(fresh_for)
    assert standing(kept, clocks).get("foo", clocks.monotonic) is None


def test_a_page_that_is_no_longer_fresh_is_so_for_all() -> None:
    kept, clocks = noted(600.0)
    standing(kept, clocks).note("foo", KEY, 0.0)
    assert standing(kept, clocks).get("foo", clocks.monotonic) is None


def test_a_page_that_became_another_is_that_for_all() -> None:
    kept, clocks = noted(600.0)
    other = KEY._replace(digest="11" * 32)
    standing(kept, clocks).note("foo", other, clocks.monotonic + 600.0)
    found = standing(kept, clocks).get("foo", clocks.monotonic)
    assert found is not None
    assert found[0] == other


def test_what_others_know_is_not_written_again() -> None:
    kept, clocks = noted(600.0)
    written = dict(kept)
    clocks.advance(10.0)
    standing(kept, clocks).note("foo", KEY, clocks.monotonic + 590.1)
    assert kept == written


@pytest.mark.parametrize("back", [61.0, 10_000.0])
def test_a_clock_that_was_turned_back_makes_nothing_fresh(back: float) -> None:
    kept, before = noted(600.0)
    later = Clocks(before.wall - back)
    assert standing(kept, later).get("foo", later.monotonic) is None


def test_a_clock_that_is_a_little_behind_makes_nothing_last_longer() -> None:
    kept, before = noted(600.0)
    later = Clocks(before.wall - 30.0)
    found = standing(kept, later).get("foo", later.monotonic)
    assert found is not None
    assert found[1] == later.monotonic + 600.0


@pytest.mark.parametrize(
    "index",
    [
        replace(INDEX, url="https://other.example/simple/"),
        replace(INDEX, cache_control={"api": "no-store"}),
        replace(INDEX, ignore_error_codes=frozenset({403})),
        replace(INDEX, configured=False),
        replace(INDEX, verify=False),
    ],
)
def test_an_index_with_other_settings_is_another(index: Index) -> None:
    kept, clocks = noted(600.0)
    assert standing(kept, clocks, index).get("foo", clocks.monotonic) is None


def test_other_partitions_and_other_terms_know_nothing() -> None:
    kept, clocks = noted(600.0)
    assert standing(kept, clocks, partition="hers").get("foo", clocks.monotonic) is None
    assert standing(kept, clocks, terms="deny").get("foo", clocks.monotonic) is None


@pytest.mark.parametrize("damage", [b"", b"short", b"\xff" * 16, b"\xff" * 40])
def test_a_damaged_record_is_none(damage: bytes) -> None:
    kept, clocks = noted(600.0)
    for key in list(kept):
        kept[key] = damage
    assert standing(kept, clocks).get("foo", clocks.monotonic) is None
