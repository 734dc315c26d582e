"""Resolution → Lock."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import Marker

from resolver.environment.target import Target
from resolver.lock.build import build
from resolver.lock.document import to_document
from resolver.lock.errors import IndistinguishableTargets, LockError
from resolver.lock.pylock import to_pylock
from resolver.lock.requirements_txt import to_requirements
from resolver.model import Change, Lock, LockedDependency, LockedPackage, Notice, Pin, Resolution, TargetResolution

from .world import CORP, pin, resolution, target, wheel

LINUX = target("linux")
MAC = target("mac", platform="macos")
WINDOWS = target("windows", platform="windows")
ARM = target("arm", platform="arm")
OLD = target("old", python="3.11")


def locked(lock: Lock, name: str, version: str | None = None) -> LockedPackage:
    (found,) = [one for one in lock.packages if one.name == name and version in (None, one.version)]
    return found


def markers(lock: Lock) -> dict[str, str | None]:
    return {f"{one.name} {one.version}": one.marker for one in lock.packages}


def test_packages_are_sorted_by_name_and_then_by_version_not_by_text() -> None:
    lock = build(resolution({LINUX: [pin("b", "10.0"), pin("a", "1")], MAC: [pin("b", "9.0"), pin("a", "1")]}))
    assert [(one.name, one.version) for one in lock.packages] == [("a", "1"), ("b", "9.0"), ("b", "10.0")]


def test_one_target_needs_no_markers() -> None:
    lock = build(resolution({LINUX: [pin("a", "1"), pin("b", "1")]}, "a", "b"))
    assert markers(lock) == {"a 1": None, "b 1": None}
    assert lock.environments == (LINUX.marker.replace('"', "'"),)
    assert Marker(lock.environments[0]) == Marker(LINUX.marker)
    assert lock.requires_python == ">=3.13"


def test_a_package_of_one_target_of_two_gets_a_marker_of_one_variable() -> None:
    lock = build(resolution({LINUX: [pin("a", "1")], WINDOWS: [pin("a", "1"), pin("colorama", "0.4")]}))
    assert markers(lock) == {"a 1": None, "colorama 0.4": "sys_platform == 'win32'"}
    assert locked(lock, "a").targets == ("linux", "windows")
    assert locked(lock, "colorama").targets == ("windows",)


def test_versions_that_differ_by_python_are_told_apart_by_python() -> None:
    lock = build(resolution({OLD: [pin("a", "1")], LINUX: [pin("a", "2")]}))
    assert markers(lock) == {"a 1": "python_version == '3.11'", "a 2": "python_version == '3.13'"}


def test_patch_releases_of_one_minor_are_told_apart_by_ranges_that_later_patches_are_in() -> None:
    early, late = target("early", python="3.13.0"), target("late", python="3.13.1")
    lock = build(resolution({early: [pin("a", "1")], late: [pin("a", "2")]}))
    assert markers(lock) == {"a 1": "python_full_version < '3.13.1'", "a 2": "python_full_version >= '3.13.1'"}


def test_implementations_are_told_apart_by_name() -> None:
    pypy = target("pypy", implementation="pypy")
    lock = build(resolution({LINUX: [pin("cffi", "1")], pypy: [pin("a", "1")]}))
    assert markers(lock) == {"a 1": "implementation_name == 'pypy'", "cffi 1": "implementation_name == 'cpython'"}


def test_two_targets_of_three_are_those_that_are_not_the_third() -> None:
    lock = build(resolution({LINUX: [pin("a", "1")], MAC: [pin("a", "1")], WINDOWS: []}))
    assert markers(lock) == {"a 1": "sys_platform != 'win32'"}


def test_a_corner_of_a_matrix_takes_two_variables() -> None:
    arm_old = target("arm-old", python="3.11", platform="arm")
    lock = build(resolution({LINUX: [], OLD: [], ARM: [], arm_old: [pin("a", "1")]}))
    assert markers(lock) == {"a 1": "platform_machine == 'aarch64' and python_version == '3.11'"}


def test_targets_that_differ_in_tags_only_cannot_have_different_packages() -> None:
    glibc = target("centos", platform="linux-old")
    with pytest.raises(IndistinguishableTargets, match="no environment marker tells them apart") as caught:
        build(resolution({LINUX: [pin("a", "2")], glibc: [pin("a", "1")]}))
    assert {caught.value.first, caught.value.second} == {"linux", "centos"}


def test_targets_that_differ_in_tags_only_share_packages_and_keep_the_files_of_both() -> None:
    glibc = target("centos", platform="linux-old")
    wheels = ["cp313-cp313-manylinux_2_28_x86_64", "cp313-cp313-manylinux_2_17_x86_64", "cp313-cp313-win_amd64"]
    lock = build(resolution({LINUX: [pin("a", "1", wheels=wheels)], glibc: [pin("a", "1", wheels=wheels)]}))
    assert [file.tags for file in locked(lock, "a").wheels] == [wheels[1], wheels[0]]
    assert locked(lock, "a").marker is None


@given(
    st.lists(
        st.sampled_from(["3.11", "3.12", "3.13.0", "3.13.2"]).flatmap(
            lambda python: st.sampled_from(["linux", "linux-old", "arm", "macos", "windows"]).flatmap(
                lambda platform: st.sampled_from(["cpython", "pypy"]).map(lambda kind: (python, platform, kind))
            )
        ),
        min_size=1,
        max_size=8,
        unique=True,
    ),
    st.data(),
)
def test_a_marker_is_true_in_exactly_the_targets_of_its_package(
    specs: list[tuple[str, str, str]], data: st.DataObject
) -> None:
    targets = [target("-".join(spec), *spec) for spec in specs]
    chosen = data.draw(st.lists(st.sampled_from("123"), min_size=len(targets), max_size=len(targets)))
    asked = resolution({where: [pin("a", version)] for where, version in zip(targets, chosen, strict=True)})
    told_apart: dict[tuple[tuple[str, str], ...], str] = {}
    ambiguous = any(
        told_apart.setdefault(tuple(where.markers.items()), version) != version
        for where, version in zip(targets, chosen, strict=True)
    )
    if ambiguous:
        with pytest.raises(IndistinguishableTargets):
            build(asked)
        return
    for package in build(asked).packages:
        holds = [
            package.marker is None or Marker(package.marker).evaluate(dict(where.markers), context="lock_file")
            for where in targets
        ]
        assert holds == [version == package.version for version in chosen]
        assert package.targets == tuple(where.name for where, held in zip(targets, holds, strict=True) if held)


def test_wheels_that_no_target_of_the_package_can_use_are_left_out() -> None:
    wheels = [
        "cp313-cp313-win_amd64",
        "cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64",
        "cp312-cp312-manylinux_2_17_x86_64",
        "py2.py3-none-any",
    ]
    package = locked(build(resolution({LINUX: [pin("a", "1", wheels=wheels, has_sdist=True)]})), "a")
    assert [file.tags for file in package.wheels] == [wheels[1], wheels[3]]
    assert package.sdist is not None


def test_a_direct_reference_keeps_its_file_whatever_the_tags() -> None:
    url = "https://files.corp.example/a-1-py3-none-win_amd64.whl"
    direct = replace(
        pin("a", "1"),
        wheels=(replace(wheel("a", "1", "py3-none-win_amd64"), url=url),),
        index=None,
        index_url=None,
        reference=url,
    )
    package = locked(build(resolution({LINUX: [direct]})), "a")
    assert [file.url for file in package.wheels] == [url]
    assert package.reference == url


def test_requires_python_is_the_callers_own_where_every_target_satisfies_it() -> None:
    pins = {OLD: [pin("a", "1")], LINUX: [pin("a", "1")]}
    assert build(resolution(pins, requires_python="<4,>=3.10")).requires_python == "<4,>=3.10"
    assert build(resolution(pins, requires_python=">=3.12")).requires_python == ">=3.11"
    assert build(resolution(pins)).requires_python == ">=3.11"


def test_requires_python_admits_a_prerelease_that_was_asked_for() -> None:
    beta = target("beta", python="3.15.0b1")
    assert build(resolution({beta: [pin("a", "1")]})).requires_python == ">=3.15.0b1"


def test_of_requires_python_only_what_every_target_satisfies_is_enforced() -> None:
    capped = replace(pin("a", "1"), requires_python=">=3.9,!=3.10.*,<3.13")
    package = locked(build(resolution({OLD: [capped], LINUX: [capped]})), "a")
    assert (package.requires_python, package.enforced_python) == (">=3.9,!=3.10.*,<3.13", "!=3.10.*,>=3.9")
    legacy = replace(capped, requires_python=">=2.7.*")
    assert locked(build(resolution({OLD: [legacy]})), "a").enforced_python is None


def test_edges_name_a_version_only_where_the_lock_has_several() -> None:
    lock = build(
        resolution(
            {
                LINUX: [pin("a", "1", "b>=1", "c"), pin("b", "1", via=["a"]), pin("c", "1", via=["a"])],
                MAC: [pin("a", "1", "b>=1", "c"), pin("b", "2", via=["a"]), pin("c", "1", via=["a"])],
            }
        )
    )
    assert locked(lock, "a").requires == (
        LockedDependency("b", None, "1"),
        LockedDependency("b", None, "2"),
        LockedDependency("c"),
    )


def test_edges_keep_their_markers_unless_an_unconditional_one_stands_beside() -> None:
    requires = ["b; sys_platform == 'linux'", "c", "c; python_version > '3'", "a[x]", "gone"]
    lock = build(resolution({LINUX: [pin("a", "1", *requires), pin("b", "1"), pin("c", "1")]}))
    assert locked(lock, "a").requires == (LockedDependency("b", "sys_platform == 'linux'"), LockedDependency("c"))


def test_what_targets_say_of_one_package_is_united() -> None:
    lock = build(
        resolution(
            {
                LINUX: [pin("a", "1", via=["requirements.in:1"], extras=["x"])],
                MAC: [pin("a", "1", via=["b"], extras=["y"], yanked=""), pin("b", "1", "a")],
            }
        )
    )
    package = locked(lock, "a")
    assert (package.via, package.extras, package.direct) == (("b", "requirements.in:1"), ("x", "y"), True)
    assert package.flags == ("yanked",)


def test_one_version_from_two_indexes_is_two_packages() -> None:
    other = replace(pin("a", "1"), index="mirror", index_url="https://mirror.example/simple/")
    lock = build(resolution({LINUX: [pin("a", "1")], MAC: [other]}))
    assert [(one.index, one.marker) for one in lock.packages] == [
        ("corp", "sys_platform == 'linux'"),
        ("mirror", "sys_platform == 'darwin'"),
    ]


def test_flags_say_what_deserves_a_second_look() -> None:
    odd = replace(pin("a", "1.0rc1", wheels=(), has_sdist=True), yanked="broken")
    assert odd.sdist is not None
    odd = replace(odd, sdist=replace(odd.sdist, upload_time=None))
    assert locked(build(resolution({LINUX: [odd]})), "a").flags == (
        "yanked",
        "prerelease",
        "sdist-only",
        "no-upload-time",
    )
    assert locked(build(resolution({LINUX: [pin("a", "1")]})), "a").flags == ()


def test_changes_are_against_the_previous_lock_if_there_was_one() -> None:
    pins = {LINUX: [pin("a", "2"), pin("b", "1")]}
    lock = build(resolution(pins, previous={"a": ("1",), "c": ("1",)}))
    assert lock.changes.changed == (Change("a", "1", "2"),)
    assert lock.changes.added == (("b", "1"),)
    assert lock.changes.removed == (("c", "1"),)
    assert build(resolution(pins)).changes.added == ()


def test_a_credential_in_a_url_is_refused_without_being_repeated() -> None:
    url = "https://user:hunter2@files.corp.example/a-1-py3-none-any.whl"
    for bad in (
        replace(pin("a", "1"), wheels=(replace(wheel("a", "1"), url=url),)),
        replace(pin("a", "1"), index_url="https://user:hunter2@packages.corp.example/simple/"),
        replace(pin("a", "1"), reference=url),
    ):
        with pytest.raises(LockError, match=r"user name or password") as caught:
            build(resolution({LINUX: [bad]}))
        assert "hunter2" not in str(caught.value)


def test_a_url_that_would_end_its_line_is_refused() -> None:
    for char in "\n\r \x00":
        bad = replace(pin("a", "1"), reference=f"https://files.corp.example/a.whl{char}evil==1")
        with pytest.raises(LockError, match="spaces or control characters"):
            build(resolution({LINUX: [bad]}))


def test_stated_requirements_lose_their_userinfo() -> None:
    lock = build(resolution({LINUX: [pin("a", "1")]}, "a @ https://user:hunter2@files.corp.example/a@1.whl", "B"))
    assert lock.stated == ("B", "a @ https://files.corp.example/a@1.whl")


def _shuffled(asked: Resolution, seed: int) -> Resolution:
    """The same resolution with every inner order changed."""
    chance = random.Random(seed)

    def mixed(one: Pin) -> Pin:
        return replace(
            one,
            wheels=tuple(chance.sample(one.wheels, len(one.wheels))),
            requires=tuple(chance.sample(one.requires, len(one.requires))),
            via=tuple(chance.sample(one.via, len(one.via))),
            extras=tuple(chance.sample(one.extras, len(one.extras))),
        )

    def pins(resolved: TargetResolution) -> Mapping[str, Pin]:
        items = [(name, mixed(one)) for name, one in resolved.pins.items()]
        return dict(chance.sample(items, len(items)))

    return replace(
        asked,
        targets=tuple(TargetResolution(resolved.target, pins(resolved)) for resolved in asked.targets),
        warnings=tuple(chance.sample(asked.warnings, len(asked.warnings))),
    )


@given(st.integers())
def test_the_order_in_which_things_arrived_changes_no_byte(seed: int) -> None:
    wheels = [
        "cp313-cp313-win_amd64",
        "cp313-cp313-manylinux_2_17_x86_64",
        "py3-none-any",
        "cp313-cp313-macosx_11_0_arm64",
    ]
    everywhere: dict[Target, list[Pin]] = {
        where: [
            pin("a", "1", "b", "c; sys_platform == 'linux'", "c>1", via=["requirements.in:1", "z"], extras=["y", "x"]),
            pin("b", version, wheels=wheels, has_sdist=True, via=["a", "c"]),
            pin("c", "1", "b", via=["a"]),
        ]
        for where, version in ((LINUX, "1"), (MAC, "2"), (WINDOWS, "1"))
    }
    notices = [Notice("yanked", "one", "a", CORP.name), Notice("yanked", "two", "b"), Notice("odd", "three")]
    asked = resolution(everywhere, "a[x,y]", warnings=notices)

    def texts(one: Resolution) -> tuple[str, str, object]:
        lock = build(one)
        return to_pylock(lock), to_requirements(lock), to_document(lock)

    assert texts(_shuffled(asked, seed)) == texts(asked)
