"""Hints name the option that would admit a version which was no candidate."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from resolver.driver import resolve
from resolver.errors import NoSolution
from resolver.index.gateway import Gateway
from resolver.model import Options, PackageOptions, Prerelease

from .fake_index import World
from .test_driver import query


@pytest.mark.parametrize(
    ("world", "options", "detail", "hint"),
    [
        (
            "a 1.0 tag:cp39-cp39-manylinux_2_17_x86_64",
            Options(),
            "has no wheels for Python 3.12 (cp312)",
            "a 1.0 has wheels for these interpreters only: cp39",
        ),
        (
            "a 1.0 tag:cp312-cp312-win_amd64",
            Options(),
            "has no wheels for the platform linux",
            "a 1.0 has wheels for these platforms only: win_amd64",
        ),
        ("a 1.0 yanked", Options(), "was yanked (broken)", "pin it exactly (a==1.0)"),
        ("a 1.0 py>=3.13", Options(), "needs Python >=3.13", "the lock is for Python 3.12.0"),
        ("a 1.0a1", Options(prerelease=Prerelease.DISALLOW), "pre-release", "allow it with prerelease = allow"),
        (
            "a 1.0 at:2025-01-01T00:00:00Z",
            Options(exclude_newer=datetime(2024, 1, 1, tzinfo=UTC)),
            "2025-01-01",
            "exclude_newer leaves it out",
        ),
        ("a 1.0 sdist", Options(only_binary=frozenset({"a"})), "has no wheels though", "only_binary leaves it out"),
    ],
)
async def test_the_explanation_names_the_reason_and_the_hint_the_option(
    world: str, options: Options, detail: str, hint: str
) -> None:
    index = World(world)
    with pytest.raises(NoSolution) as caught:
        await resolve(query(index, "a", options=options), Gateway(index))
    assert detail in caught.value.detail
    assert any(hint in one for one in caught.value.hints), caught.value.hints


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ("a==2.0+cu2", "a==2.0+cu2 (the nearest are 2.0+cu1 and 3.0)"),
        ("a==1.5+cu2", "a==1.5+cu2 (the nearest are 1.0 and 2.0+cu1)"),
        ("a!=4.0,==4.0+cu2", "a==4.0+cu2,!=4.0 (the newest is 3.0)"),
        ("a===2.0+cu2", "a===2.0+cu2 and"),
        ("a===nightly", "a===nightly and"),
    ],
)
async def test_a_missing_local_version_has_neighbours_and_an_arbitrary_text_has_none(wanted: str, told: str) -> None:
    index = World("""
        a 1.0
        a 2.0+cu1
        a 3.0
    """)
    with pytest.raises(NoSolution) as caught:
        await resolve(query(index, wanted), Gateway(index))
    assert f"there is no version of {told}" in caught.value.detail


async def test_a_pinned_index_is_named_and_no_other_is_tried() -> None:
    index = World("a 1.0")
    options = Options(packages={"a": PackageOptions(index="world")})
    other = replace(index.index, name="other", url="https://other.example/simple/", default=False)
    asked = replace(query(index, "a>=2", options=options), indexes=(other, index.index))
    with pytest.raises(NoSolution) as caught:
        await resolve(asked, Gateway(index))
    assert caught.value.hints == ("a is pinned to the index world, so no other index is asked for it",)
    assert not [url for url in index.requests if "other.example" in url]


async def test_a_refusal_that_counts_as_not_found_is_named() -> None:
    index = World("a 1.0")
    lenient = replace(index.index, ignore_error_codes=frozenset({403, 503}))
    with pytest.raises(NoSolution) as caught:
        await resolve(replace(query(index, "nope"), indexes=(lenient,)), Gateway(index))
    (hint,) = caught.value.hints
    assert hint.startswith("for the index world 403 counts as not found (ignore_error_codes); it may as well mean")
