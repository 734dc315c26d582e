"""Lock → requirements.txt."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from resolver.lock.build import build
from resolver.lock.errors import HashMissing
from resolver.lock.requirements_txt import to_requirements
from resolver.model import Lock

from .test_pylock import LINUX, one_target, referenced, three_targets
from .world import pin, resolution, wheel

GOLDENS = Path(__file__).parent.parent / "goldens"


def body(lock: Lock, *, annotate: bool = True, hashes: bool = True) -> list[str]:
    text = to_requirements(lock, annotate=annotate, hashes=hashes)
    return [line for line in text.splitlines() if not line.startswith("#")]


@pytest.mark.parametrize("name", ["one_target", "three_targets", "referenced"])
def test_the_text_is_the_golden_one(name: str) -> None:
    asked = {"one_target": one_target, "three_targets": three_targets, "referenced": referenced}[name]()
    assert to_requirements(build(asked)) == (GOLDENS / f"lock_{name}.requirements.txt").read_text("utf-8")


def test_without_hashes_and_annotations_a_line_is_a_pin() -> None:
    assert body(build(three_targets()), annotate=False, hashes=False) == [
        "click==8.1 ; python_version == '3.11'",
        "click==8.2 ; python_version == '3.13'",
        "colorama==0.4.6 ; sys_platform == 'win32'",
        "numpy==1.26 ; python_version == '3.11'",
        "numpy==2.2 ; python_version == '3.13'",
    ]


def test_several_origins_make_a_block() -> None:
    lock = build(resolution({LINUX: [pin("a", "1", via=["requirements.in:1", "b"])]}))
    assert body(lock, hashes=False) == ["a==1", "    # via", "    #   b", "    #   requirements.in:1"]


def test_sha256_is_preferred_and_the_strongest_taken_without_it() -> None:
    both = replace(wheel("a", "1"), hashes=(("md5", "00"), ("sha256", "11"), ("sha512", "22")))
    weak = replace(wheel("b", "1"), hashes=(("md5", "00"), ("sha512", "22")))
    lock = build(resolution({LINUX: [replace(pin("a", "1"), wheels=(both,)), replace(pin("b", "1"), wheels=(weak,))]}))
    assert body(lock, annotate=False) == ["a==1 \\", "    --hash=sha256:11", "b==1 \\", "    --hash=sha512:22"]


def test_a_missing_hash_is_an_error_unless_none_are_asked_for() -> None:
    lock = build(resolution({LINUX: [replace(pin("a", "1"), wheels=(replace(wheel("a", "1"), hashes=()),))]}))
    with pytest.raises(HashMissing, match=r"a-1-py3-none-any\.whl"):
        to_requirements(lock)
    assert body(lock, annotate=False, hashes=False) == ["a==1"]


def test_a_line_end_in_a_comment_begins_no_requirement() -> None:
    lock = build(resolution({LINUX: [pin("a", "1", via=["x.in\nevil==1\r\nevil==2\x85evil==3"])]}))
    lock = replace(lock, stated=("a\nevil==4",), environments=("x\u2028evil==5",))
    assert body(lock, annotate=True, hashes=False) == ["a==1", "    # via x.in evil==1 evil==2 evil==3"]
    assert all(line.startswith(("#", "    #", "a==1")) for line in to_requirements(lock, hashes=False).splitlines())


def test_a_long_list_of_requirements_is_cut_in_the_header() -> None:
    lock = replace(build(resolution({LINUX: []})), stated=tuple(f"p{n:02}" for n in range(25)))
    assert to_requirements(lock).splitlines()[-1] == "# From: 5 more"
