from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.load import distinct
from benchmarks.question import Question, broken, questions, read_requirements, variants
from benchmarks.service import Pins

PINS = {"a": "2.0", "b": "3.1", "c": "0.9", "d": "5"}
QUESTION = Question("set", ("a", "b>=1", "c", "d"), "3.11")


def test_comments_and_blank_lines_are_no_requirements() -> None:
    assert read_requirements("# what we need\na # the best\n\n  b>=1 ; os_name == 'nt'\n") == (
        "a",
        "b>=1 ; os_name == 'nt'",
    )


def test_no_two_variants_are_alike_and_none_is_the_question() -> None:
    made = [variant for variant, _ in variants(QUESTION, PINS, 12, seed=1)]
    assert len({*made, QUESTION}) == 13


def test_a_sibling_asks_for_what_its_variant_asks_for_and_one_bound_more() -> None:
    for variant, sibling in variants(QUESTION, PINS, 12, seed=1):
        assert sibling.requirements == variant.requirements
        assert sibling.constraints[:-1] == variant.constraints
        name, _, version = sibling.constraints[-1].partition("<=")
        assert PINS[name] == version


def test_another_seed_asks_other_questions() -> None:
    assert variants(QUESTION, PINS, 12, seed=1) == variants(QUESTION, PINS, 12, seed=1)
    assert variants(QUESTION, PINS, 12, seed=1) != variants(QUESTION, PINS, 12, seed=2)


def test_a_set_of_one_requirement_has_variants_as_well() -> None:
    alone = Question("set", ("a",), "3.11")
    assert {variant.requirements for variant, _ in variants(alone, PINS, 6, seed=1)} == {("a",)}


def test_questions_for_a_load_differ_and_keep_the_answer() -> None:
    pins: Pins = {name: (version,) for name, version in PINS.items()}
    made = distinct(QUESTION, pins, 10, seed=1)
    assert len(set(made)) == len(made) >= 10
    assert all(not broken(one, PINS) for one in made)


def test_a_bound_that_the_answer_does_not_keep_is_found() -> None:
    question = Question("set", ("a",), "3.11", ("a<2", "b<=3.1", "absent<1"))
    assert broken(question, PINS) == ["a<2 got 2.0"]


def test_a_set_without_an_answer_for_this_python_is_asked_for_the_newest_that_has_one(tmp_path: Path) -> None:
    for name in ("sets", "oracle"):
        (tmp_path / name).mkdir()
    (tmp_path / "sets" / "big.in").write_text("a\n")
    (tmp_path / "sets" / "new.in").write_text("b\n")
    (tmp_path / "oracle" / "big.3.13.unsat.txt").touch()
    for python in ("3.9", "3.11"):
        (tmp_path / "oracle" / f"big.{python}.txt").touch()
    found = {question.name: question.python for question in questions(tmp_path, [], "3.13")}
    assert found == {"big": "3.11", "new": "3.13"}


@pytest.mark.parametrize(("only", "names"), [(["b"], ["black"]), ([], ["airflow", "black"])])
def test_only_some_sets_are_asked_for(tmp_path: Path, only: list[str], names: list[str]) -> None:
    (tmp_path / "sets").mkdir()
    for name in ("black", "airflow"):
        (tmp_path / "sets" / f"{name}.in").write_text(f"{name}\n")
    assert [question.name for question in questions(tmp_path, only)] == names
