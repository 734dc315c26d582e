"""Two sets of environments are told apart in the words in which a person would do it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from resolver.environment import separation
from resolver.environment.marker_text import to_marker
from resolver.environment.separation import between
from resolver.environment.space import NOTHING, EnvironmentSet, from_marker
from resolver.environment.wheel_space import served_by

from ..properties.test_space import SPACE

ARM_MACS = "sys_platform == 'darwin' and platform_machine == 'arm64'"
ARM_LINUX = "sys_platform == 'linux' and platform_machine == 'aarch64'"
WINDOWS, LINUX, MACOS = "py3-none-win_amd64", "cp312-abi3-manylinux_2_17_x86_64", "py3-none-macosx_11_0_arm64"


def served(*tags: str) -> EnvironmentSet:
    found = NOTHING
    for one in tags:
        found |= served_by(one)
    return found


@pytest.mark.parametrize(
    ("required", "wheels", "expected"),
    [
        ("sys_platform == 'linux'", [WINDOWS], "sys_platform != 'win32'"),
        (ARM_MACS, [WINDOWS], "sys_platform != 'win32'"),
        ("platform_machine == 'arm64'", [WINDOWS], "platform_machine == 'arm64'"),
        (ARM_LINUX, [LINUX], "platform_machine != 'x86_64'"),
        (ARM_LINUX, [LINUX, WINDOWS], "sys_platform != 'win32' and platform_machine != 'x86_64'"),
        (ARM_LINUX, [MACOS], "sys_platform == 'linux'"),
        (
            "sys_platform == 'darwin' and platform_machine == 'x86_64'",
            [LINUX, MACOS],
            "sys_platform != 'linux' and platform_machine == 'x86_64'",
        ),
        ("sys_platform == 'win32' and python_version < '3.10'", [LINUX], "sys_platform == 'win32'"),
        ("python_version >= '3.13'", ["cp312-cp312-win_amd64"], "python_version >= '3.13'"),
    ],
)
def test_what_wheels_do_not_serve_is_told_from_what_they_serve(required: str, wheels: list[str], expected: str) -> None:
    found = between(from_marker(required), served(*wheels))
    words = to_marker(found, assuming=from_marker("python_version >= '3.12'"))
    assert words == expected.replace("'", '"')


def test_what_is_too_intricate_for_plain_words_is_told_apart_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    inside, outside = from_marker("platform_release == 'a'"), from_marker("platform_machine == 'b'")
    outside -= inside
    monkeypatch.setattr(separation, "MAX_STEPS", 1)
    assert between(inside, outside) == inside


@settings(max_examples=300, deadline=None)
@given(SPACE, SPACE)
def test_a_separation_has_all_of_the_one_and_nothing_of_the_other(one: EnvironmentSet, other: EnvironmentSet) -> None:
    inside = one.without_extras()
    outside = other.without_extras() - inside
    found = between(inside, outside)
    assert inside.implies(found)
    assert found.is_disjoint(outside)
