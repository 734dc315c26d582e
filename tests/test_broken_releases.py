"""What an index says that cannot be understood: the release is passed over with a warning, and never more than that."""

from __future__ import annotations

import pytest

from resolver.driver import resolve
from resolver.index.gateway import Gateway

from .fake_index import World
from .test_driver import chosen, pins, query, refused


async def told(world: World, *requirements: str) -> tuple[dict[str, str], list[tuple[str, str]]]:
    resolution = await resolve(query(world, *requirements), Gateway(world))
    return chosen(resolution), [(one.code, one.detail) for one in resolution.warnings]


async def test_a_release_with_a_requirement_that_cannot_be_read_is_passed_over_and_told_of() -> None:
    world = World("""
        a 1.0
        a 2.0: b >> 2
    """)
    found, warnings = await told(world, "a")
    assert found == {"a": "1.0"}
    [(code, detail)] = warnings
    assert code == "invalid-metadata"
    assert detail.startswith("a 2.0 was passed over: its requirement 'b >> 2': ")
    assert "its requirement 'b >> 2'" in await refused(world, "a==2.0")


async def test_a_release_that_nobody_tried_is_not_told_of() -> None:
    world = World("""
        a 1.0: b >> 2
        a 2.0
    """)
    assert await told(world, "a") == ({"a": "2.0"}, [])


async def test_files_of_legacy_versions_are_told_of_once_a_project() -> None:
    world = World("""
        a 1.0
        a 2004d sdist
        a 2.0-final sdist
    """)
    found, warnings = await told(world, "a")
    assert found == {"a": "1.0"}
    detail = "a-2004d.tar.gz was left out: its version is not one of PEP 440 (the first of 2 such files)"
    assert warnings == [("file-skipped", detail)]


@pytest.mark.parametrize(
    "written", ["b1 (>=1.0)", "b1>=1.*", 'b1>="1.0"', "b1 >=1.0 <3", "b1>=1.0<3", "b1 (>=1.0 !=1.5)", "b1>=1."]
)
async def test_what_old_writers_got_wrong_is_read_as_they_meant_it(written: str) -> None:
    world = World(f"""
        a 1.0: {written}
        b1 0.9
        b1 1.0
    """)
    assert await told(world, "a") == ({"a": "1.0", "b1": "1.0"}, [])


async def test_a_comparison_of_two_texts_says_nothing() -> None:
    world = World("""
        a 1.0: b; 'x' == 'y' & c; 'x' == 'y' and sys_platform == 'win32'
        b 1.0
    """)
    assert await pins(world, "a", "b; 'x' == 'x'") == {"a": "1.0", "b": "1.0"}
