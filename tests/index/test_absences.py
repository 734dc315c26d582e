"""Files that are not there: known for a while, also to the next process, and only to who asked the same way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from resolver.index.absences import ABSENT_FOR, Absences
from resolver.index.page import File
from transport.message import Index

from .kept import Clocks, Kept

INDEX = Index("corp", "https://index.example/simple/")
FILE = File("foo-1.0-py3-none-any.whl", "https://index.example/foo-1.0.whl", (("sha256", "00" * 32),), "py3-none-any")


def test_the_next_process_need_not_ask_either_for_a_while() -> None:
    kept, clocks = Kept(), Clocks()
    absences = Absences(kept, clocks.instants)
    assert absences.until(FILE, INDEX, "public") == 0.0
    absences.note(FILE, INDEX, "public")
    assert absences.until(FILE, INDEX, "public") == clocks.monotonic + ABSENT_FOR
    later = Clocks(clocks.wall + ABSENT_FOR - 1.0, 7.0)
    assert Absences(kept, later.instants).until(FILE, INDEX, "public") == pytest.approx(8.0)
    later.advance(1.0)
    assert Absences(kept, later.instants).until(FILE, INDEX, "public") == 0.0


def test_who_is_another_or_asks_for_another_file_has_to_ask() -> None:
    kept, clocks = Kept(), Clocks()
    Absences(kept, clocks.instants).note(FILE, INDEX, "public")
    later = Absences(kept, clocks.instants)
    assert later.until(FILE, INDEX, "hers") == 0.0
    assert later.until(FILE, INDEX, None) == 0.0
    assert later.until(replace(FILE, hashes=(("sha256", "11" * 32),)), INDEX, "public") == 0.0


def test_nothing_is_kept_where_the_operator_says_so_or_nothing_tells_the_file() -> None:
    kept, clocks = Kept(), Clocks()
    absences = Absences(kept, clocks.instants)
    absences.note(FILE, replace(INDEX, cache_control={"files": "no-store"}), "public")
    absences.note(replace(FILE, hashes=()), INDEX, "public")
    absences.note(FILE, INDEX, None)
    assert not kept


def test_a_damaged_record_is_none() -> None:
    kept, clocks = Kept(), Clocks()
    Absences(kept, clocks.instants).note(FILE, INDEX, "public")
    for key in list(kept):
        kept[key] = b"?"
    assert Absences(kept, clocks.instants).until(FILE, INDEX, "public") == 0.0
