"""The environments of a wheel's tags are those whose interpreters list one of the tags."""

from __future__ import annotations

from functools import cache
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resolver.environment.space import ALL, NOTHING, from_marker, from_requires_python
from resolver.environment.tags import rank
from resolver.environment.target import Target, make_target
from resolver.environment.wheel_space import fits_in, from_tags, pythons_from

PLATFORMS = (
    *("x86_64-manylinux_2_40", "aarch64-manylinux_2_40", "x86_64-apple-darwin", "aarch64-apple-darwin"),
    *("x86_64-pc-windows-msvc", "x86_64-unknown-linux-musl"),
)


@cache
def targets() -> list[Target]:
    return [
        make_target(name=None, python=python, platform=platform)
        for python, platform in product(("3.9", "3.12", "3.13"), PLATFORMS)
    ]


TAGS = st.tuples(
    st.sets(st.sampled_from(["py2", "py3", "cp39", "cp310", "cp312", "cp313"]), min_size=1, max_size=2),
    st.sampled_from(["none", "abi3", "cp39", "cp312", "cp313"]),
    st.sets(
        st.sampled_from(
            [
                *(
                    "any",
                    "win_amd64",
                    "win32",
                    "manylinux_2_17_x86_64",
                    "manylinux2014_aarch64",
                    "musllinux_1_1_x86_64",
                ),
                *("macosx_10_9_x86_64", "macosx_11_0_arm64", "macosx_10_9_universal2", "linux_x86_64"),
            ]
        ),
        min_size=1,
        max_size=2,
    ),
).map(lambda parts: f"{'.'.join(sorted(parts[0]))}-{parts[1]}-{'.'.join(sorted(parts[2]))}")


@settings(max_examples=150, deadline=None)
@given(TAGS)
def test_where_an_interpreter_takes_a_wheel_its_environment_is_in_the_wheels_set(tags: str) -> None:
    for target in targets():
        if rank(tags, target) is not None:
            assert from_tags(tags).contains(target.markers), target.name


@settings(max_examples=100, deadline=None)
@given(TAGS, st.sampled_from(["", ">=3.12", "<3.9", "==3.11.*", ">=4"]), st.sampled_from(["linux", "darwin", None]))
def test_a_wheel_fits_in_a_set_that_has_some_of_its_own(tags: str, python: str, platform: str | None) -> None:
    space = from_requires_python(python) & from_marker(platform and f"sys_platform == '{platform}'")
    assert fits_in(space, tags) == (not space.is_disjoint(from_tags(tags)))


@pytest.mark.parametrize(
    ("tags", "python", "marker"),
    [
        ("py3-none-any", ">=3,<4", None),
        ("cp312-cp312-win_amd64", "==3.12.*", "sys_platform == 'win32' and platform_machine in 'AMD64 x86_64 amd64'"),
        ("cp39-abi3-any", ">=3.9,<4", "implementation_name == 'cpython'"),
    ],
)
def test_a_set_says_what_the_tags_say(tags: str, python: str, marker: str | None) -> None:
    space = from_tags(tags)
    assert space.implies(from_requires_python(python))
    assert space.implies(from_marker(marker))
    if marker is None:
        assert space is from_requires_python(python)


@pytest.mark.parametrize(
    ("tags", "platforms"),
    [
        ("py3-none-win_amd64", ["win32"]),
        ("py3-none-macosx_10_9_universal2", ["darwin"]),
        ("py3-none-manylinux_2_17_x86_64.win_amd64", ["linux", "win32"]),
        ("py3-none-any", ["linux", "darwin", "win32"]),
    ],
)
def test_a_wheel_is_for_its_platforms_only(tags: str, platforms: list[str]) -> None:
    for platform in ("linux", "darwin", "win32"):
        assert from_tags(tags).is_disjoint(from_marker(f"sys_platform == '{platform}'")) == (platform not in platforms)


@pytest.mark.parametrize("text", ["", "py3", "py3-none", "a-b-c", "py3-none-any-more", "py-none-any"])
def test_a_text_that_is_no_tag_set_admits_nothing(text: str) -> None:
    assert from_tags(text) is NOTHING
    assert pythons_from(text) is NOTHING


def test_the_pythons_of_a_wheel_and_later_ones_have_no_platform() -> None:
    assert pythons_from("cp312-cp312-win_amd64") is from_requires_python(">=3.12,<4")
    assert pythons_from("pp310-pypy310_pp73-win_amd64") is from_requires_python(">=3.10,<4")
    assert pythons_from("py3-none-any") is from_requires_python(">=3,<4")
    assert from_tags("py3-none-any").implies(ALL)
