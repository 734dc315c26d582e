"""Markers that tell the targets of one lock apart: which of the true ones is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from resolver.environment.target import Target
from resolver.lock.distinction import between
from resolver.lock.errors import IndistinguishableTargets

from .world import target


def matrix(*cells: str) -> list[Target]:
    """``"3.11 linux"`` → a target of that name."""
    return [target(cell, *cell.split()) for cell in cells]


def marker(targets: Sequence[Target], *names: str) -> str | None:
    return between(targets).marker(sum(1 << i for i, one in enumerate(targets) if one.name in names))


def test_all_targets_need_no_marker() -> None:
    targets = matrix("3.11 linux", "3.13 linux")
    assert marker(targets, "3.11 linux", "3.13 linux") is None


def test_scattered_versions_are_listed_by_one_variable() -> None:
    targets = matrix("3.11 linux", "3.12 windows", "3.13 macos", "3.14 linux")
    wanted = "python_version == '3.11' or python_version == '3.13'"
    assert marker(targets, "3.11 linux", "3.13 macos") == wanted


def test_a_run_of_versions_is_a_range() -> None:
    targets = matrix("3.10 linux", "3.11 linux", "3.12 linux", "3.13 linux")
    assert marker(targets, "3.10 linux", "3.11 linux") == "python_version < '3.12'"
    assert marker(targets, "3.12 linux", "3.13 linux") == "python_version >= '3.12'"
    assert marker(targets, "3.11 linux", "3.12 linux", "3.13 linux") == "python_version >= '3.11'"


def test_a_patch_release_between_others_is_a_range() -> None:
    targets = matrix("3.13.1 linux", "3.13.2 linux", "3.13.3 linux")
    wanted = "python_full_version < '3.13.3' and python_full_version >= '3.13.2'"
    assert marker(targets, "3.13.2 linux") == wanted


def test_opposite_corners_of_a_matrix_take_one_term_each() -> None:
    targets = matrix("3.11 linux", "3.13 linux", "3.11 windows", "3.13 windows")
    assert marker(targets, "3.11 linux", "3.13 windows") == (
        "(sys_platform == 'linux' and python_version == '3.11')"
        " or (sys_platform == 'win32' and python_version == '3.13')"
    )


def test_a_term_covers_as_many_targets_as_it_can() -> None:
    pythons = ("3.11", "3.12", "3.13", "3.14")
    targets = matrix(*(f"{python} {where}" for python in pythons for where in ("linux", "windows", "macos")))
    old = ["3.11 linux", "3.12 linux", "3.13 linux"]
    assert marker(targets, *old) == "sys_platform == 'linux' and python_version < '3.14'"
    text = marker(targets, *old, "3.14 macos") or ""
    assert text.count("(") == 2


def test_variables_that_the_environments_state_come_first() -> None:
    linux, windows = matrix("3.13 linux", "3.13 windows")
    targets = [replace(linux, marker='os_name == "posix"'), replace(windows, marker='os_name == "nt"')]
    assert marker(targets, "3.13 linux") == "os_name == 'posix'"


def test_values_that_cannot_be_quoted_are_passed_over() -> None:
    linux, windows = matrix("3.13 linux", "3.13 windows")
    odd = replace(linux, markers={**linux.markers, "sys_platform": "it's"})
    assert marker([odd, windows], "3.13 linux") == "sys_platform != 'win32'"


def test_targets_with_the_same_markers_are_named() -> None:
    targets = matrix("3.13 linux", "3.13 linux-old", "3.13 windows")
    assert marker(targets, "3.13 windows") == "sys_platform == 'win32'"
    with pytest.raises(IndistinguishableTargets) as caught:
        marker(targets, "3.13 linux-old")
    assert (caught.value.first, caught.value.second) == ("3.13 linux-old", "3.13 linux")
