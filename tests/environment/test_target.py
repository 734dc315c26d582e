"""Targets: what names mean, and what is refused."""

from __future__ import annotations

from types import MappingProxyType

import pytest
from packaging.markers import default_environment
from packaging.pylock import Pylock
from packaging.tags import parse_tag, sys_tags

from resolver.environment.expression import parse_marker
from resolver.environment.target import VARIABLES, Target, TargetError, local_target, make_target


def _target(python: str = "3.13", platform: str = "linux", implementation: str = "cpython") -> Target:
    return make_target(name=None, python=python, platform=platform, implementation=implementation)


# platform, sys_platform, platform_system, platform_machine, best tag, wheel platforms that fit, that do not fit
PLATFORMS = [
    (
        ("linux", "linux", "Linux", "x86_64", "manylinux_2_28_x86_64"),
        ("manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64", "manylinux_2_5_x86_64", "linux_x86_64"),
        ("manylinux_2_29_x86_64", "manylinux_2_4_x86_64", "musllinux_1_1_x86_64", "manylinux_2_28_aarch64"),
    ),
    (
        ("aarch64-unknown-linux-gnu", "linux", "Linux", "aarch64", "manylinux_2_28_aarch64"),
        ("manylinux2014_aarch64", "manylinux_2_17_aarch64"),
        ("manylinux2010_aarch64", "manylinux1_aarch64", "manylinux_2_16_aarch64"),
    ),
    (
        ("x86_64-manylinux2014", "linux", "Linux", "x86_64", "manylinux_2_17_x86_64"),
        ("manylinux2014_x86_64",),
        ("manylinux_2_18_x86_64",),
    ),
    (
        ("x86_64-manylinux_2_40", "linux", "Linux", "x86_64", "manylinux_2_40_x86_64"),
        ("manylinux_2_34_x86_64",),
        ("manylinux_2_41_x86_64",),
    ),
    (
        ("riscv64-unknown-linux", "linux", "Linux", "riscv64", "manylinux_2_39_riscv64"),
        ("manylinux_2_31_riscv64",),
        ("manylinux_2_30_riscv64",),
    ),
    (
        ("ppc64le-unknown-linux-gnu", "linux", "Linux", "ppc64le", "manylinux_2_28_ppc64le"),
        ("manylinux2014_ppc64le",),
        ("manylinux1_ppc64le",),
    ),
    (
        ("aarch64-unknown-linux-musl", "linux", "Linux", "aarch64", "musllinux_1_2_aarch64"),
        ("musllinux_1_1_aarch64", "musllinux_1_0_aarch64"),
        ("musllinux_1_3_aarch64", "manylinux_2_17_aarch64"),
    ),
    (
        ("macos", "darwin", "Darwin", "arm64", "macosx_13_0_arm64"),
        ("macosx_11_0_arm64", "macosx_10_9_universal2", "macosx_13_0_universal2"),
        ("macosx_14_0_arm64", "macosx_10_9_x86_64", "macosx_10_15_arm64"),
    ),
    (
        ("x86_64-apple-darwin", "darwin", "Darwin", "x86_64", "macosx_13_0_x86_64"),
        ("macosx_10_9_x86_64", "macosx_10_9_intel", "macosx_11_0_universal2"),
        ("macosx_14_0_x86_64", "macosx_11_0_arm64"),
    ),
    (("windows", "win32", "Windows", "AMD64", "win_amd64"), (), ("win32", "win_arm64")),
    (("aarch64-pc-windows-msvc", "win32", "Windows", "ARM64", "win_arm64"), (), ("win_amd64",)),
    (("i686-pc-windows-msvc", "win32", "Windows", "x86", "win32"), (), ("win_amd64",)),
    (
        ("aarch64-linux-android", "android", "Android", "aarch64", "android_24_arm64_v8a"),
        ("android_21_arm64_v8a",),
        ("android_25_arm64_v8a",),
    ),
    (
        ("arm64-apple-ios", "ios", "iOS", "arm64", "ios_13_0_arm64_iphoneos"),
        ("ios_12_0_arm64_iphoneos",),
        ("ios_14_0_arm64_iphoneos", "ios_13_0_arm64_iphonesimulator"),
    ),
    (
        ("wasm32-pyodide2025", "emscripten", "Emscripten", "wasm32", "pyodide_2025_0_wasm32"),
        ("pyemscripten_2025_0_wasm32",),
        ("pyodide_2024_0_wasm32",),
    ),
    (("manylinux_2_31_x86_64", "linux", "Linux", "x86_64", "manylinux_2_31_x86_64"), ("manylinux2014_x86_64",), ()),
    (("linux_x86_64", "linux", "Linux", "x86_64", "linux_x86_64"), (), ("manylinux2014_x86_64",)),
    (("musllinux_1_2_x86_64", "linux", "Linux", "x86_64", "musllinux_1_2_x86_64"), ("musllinux_1_1_x86_64",), ()),
    (("macosx_14_0_arm64", "darwin", "Darwin", "arm64", "macosx_14_0_arm64"), ("macosx_13_0_arm64",), ()),
    (("win_amd64", "win32", "Windows", "AMD64", "win_amd64"), (), ()),
]


@pytest.mark.parametrize(("words", "fitting", "unfitting"), PLATFORMS, ids=[row[0][0] for row in PLATFORMS])
def test_a_platform_name_means_its_markers_and_wheel_platforms(
    words: tuple[str, str, str, str, str], fitting: tuple[str, ...], unfitting: tuple[str, ...]
) -> None:
    platform, sys_platform, system, machine, best = words
    target = _target(platform=platform)
    assert target.markers["sys_platform"] == sys_platform
    assert target.markers["platform_system"] == system
    assert target.markers["platform_machine"] == machine
    assert target.markers["os_name"] == ("nt" if sys_platform == "win32" else "posix")
    assert next(iter(target.tags)) == f"cp313-cp313-{best}"
    assert all(f"py3-none-{tag}" in target.tags for tag in fitting)
    assert not any(f"py3-none-{tag}" in target.tags for tag in unfitting)


def test_the_release_and_version_of_a_foreign_platform_are_empty() -> None:
    markers = _target(platform="macos").markers
    assert (markers["platform_release"], markers["platform_version"]) == ("", "")
    assert markers.keys() == VARIABLES


@pytest.mark.parametrize(
    ("python", "full", "short"),
    [
        ("3.13", "3.13.0", "3.13"),
        ("3.13.1", "3.13.1", "3.13"),
        ("3.10", "3.10.0", "3.10"),
        ("3.14.0rc1", "3.14.0rc1", "3.14"),
        ("3.14rc1", "3.14.0rc1", "3.14"),
        ("3.13t", "3.13.0", "3.13"),
    ],
)
def test_a_python_of_two_parts_means_its_first_release(python: str, full: str, short: str) -> None:
    target = _target(python)
    assert target.python == target.markers["python_full_version"] == target.markers["implementation_version"] == full
    assert target.markers["python_version"] == short


def test_the_environment_of_the_process_does_not_change_what_a_platform_means(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MACOSX_DEPLOYMENT_TARGET", "15.0")
    assert "cp312-cp312-macosx_15_0_arm64" not in _target("3.12", "aarch64-apple-darwin").tags


def test_cpython_supports_the_stable_abi_of_itself_and_older_pythons() -> None:
    tags = _target("3.12", "win_amd64").tags
    assert tags["cp312-cp312-win_amd64"] < tags["cp312-abi3-win_amd64"] < tags["cp39-abi3-win_amd64"]
    assert "cp313-abi3-win_amd64" not in tags
    assert "cp37-cp37m-win_amd64" in _target("3.7", "win_amd64").tags
    assert list(tags.values()) == list(range(len(tags)))


def test_a_free_threaded_build_has_its_own_abi_and_not_the_stable_one() -> None:
    tags = _target("3.13t", "win_amd64").tags
    assert "cp313-cp313t-win_amd64" in tags
    assert not {"cp313-cp313-win_amd64", "cp313-abi3-win_amd64"} & tags.keys()
    assert "py3-none-any" in tags


def test_pypy_has_its_own_tags_and_markers() -> None:
    target = _target("3.10", "linux", "pypy")
    assert next(iter(target.tags)) == "pp310-pypy310_pp73-manylinux_2_28_x86_64"
    assert "pp3-none-any" in target.tags
    assert not any(tag.startswith("cp") for tag in target.tags)
    assert target.markers["platform_python_implementation"] == "PyPy"
    assert target.markers["implementation_name"] == target.implementation == "pypy"


@pytest.mark.parametrize("python", ["3.9", "3.10", "3.13", "3.13.1", "3.14.0rc1"])
@pytest.mark.parametrize("platform", ["linux", "macos", "windows", "x86_64-unknown-linux-musl"])
def test_the_marker_of_a_target_holds_there_and_on_no_other_python_or_platform(python: str, platform: str) -> None:
    target = _target(python, platform)
    marker = parse_marker(target.marker)
    assert str(marker) == target.marker
    assert marker.evaluate(dict(target.markers))
    assert not marker.evaluate(dict(_target("3.12", platform).markers))
    assert not marker.evaluate(dict(_target(python, "aarch64-unknown-linux-gnu").markers))


def test_the_marker_is_accepted_as_an_environment_of_a_lock() -> None:
    target = _target("3.13.1", "linux")
    Pylock.from_dict(
        {"lock-version": "1.0", "created-by": "test", "packages": [], "environments": [target.marker]}
    ).validate()


def test_equal_environments_have_equal_keys_whatever_they_are_called() -> None:
    one = make_target(name="ci", python="3.13", platform="linux")
    other = make_target(name="build", python="3.13.0", platform="x86_64-manylinux_2_28")
    assert (one.name, other.name) == ("ci", "build")
    assert one.key == other.key
    assert one.key != _target("3.13.1").key != _target("3.13.1", "x86_64-manylinux_2_31").key


def test_a_target_that_is_asked_for_again_is_the_same_object() -> None:
    assert _target("3.12", "windows") is _target("3.12", "windows")
    assert _target("3.12", "windows").name == "3.12-windows"


def test_the_local_target_is_the_running_interpreter() -> None:
    target = local_target("here")
    assert target.name == "here"
    assert dict(target.markers) == dict(default_environment())
    assert list(target.tags) == list(dict.fromkeys(map(str, sys_tags())))
    assert parse_marker(target.marker).evaluate()


def test_without_a_platform_the_running_one_is_meant() -> None:
    target = make_target(name=None, python="3.13", platform=None)
    assert target.markers["platform_machine"] == default_environment()["platform_machine"]
    assert target.python == "3.13.0"


@pytest.mark.parametrize(
    ("python", "platform", "implementation", "told"),
    [
        ("3", "linux", "cpython", "'3' is not a version like 3.13"),
        ("2.7", "linux", "cpython", "use 3.6 or later"),
        ("4.1", "linux", "cpython", "use 3.6 or later"),
        ("3.x nonsense", "linux", "cpython", "'3.x nonsense'"),
        ("3.\u0661\u0663", "linux", "cpython", "is not a version"),
        ("3.12t", "linux", "cpython", "3.13 and later have a free-threaded build"),
        ("3.13", "linus", "cpython", "'linus'; did you mean linux?"),
        ("3.13", "x86_64-manylinux-2-28", "cpython", "did you mean x86_64-manylinux_2_28"),
        ("3.13", "x86_64-manylinux_2_2", "cpython", "starts at 2.5"),
        ("3.13", "macosx_10_9_arm64", "cpython", "starts at 11.0"),
        ("3.13", "zos", "cpython", "Accepted are linux, macos, windows"),
        ("3.13", "x" * 5000, "cpython", "unknown platform"),
        ("3.13", "linux", "jython", "Accepted are cpython and pypy"),
    ],
)
def test_what_is_not_understood_is_named_with_a_remedy(
    python: str, platform: str, implementation: str, told: str
) -> None:
    with pytest.raises(TargetError) as caught:
        _target(python, platform, implementation)
    assert told in str(caught.value)
    assert len(str(caught.value)) < 500


def _full_markers() -> dict[str, str]:
    return dict(_target("3.12.4", "x86_64-unknown-linux-musl").markers) | {"platform_release": "6.1.0"}


def test_tags_and_markers_given_in_full_are_taken_as_they_are() -> None:
    tags = ["cp312-cp312-musllinux_1_2_x86_64", "py2.py3-none-any"]
    target = make_target(name="alpine", python=None, platform=None, tags=tags, markers=_full_markers())
    assert target.tags == MappingProxyType(
        {"cp312-cp312-musllinux_1_2_x86_64": 0, "py2-none-any": 1, "py3-none-any": 2}
    )
    assert target.python == "3.12.4"
    assert target.markers["platform_release"] == "6.1.0"
    assert parse_marker(target.marker).evaluate(dict(target.markers))
    assert parse_tag("py2.py3-none-any") == parse_tag("py2-none-any") | parse_tag("py3-none-any")


@pytest.mark.parametrize(
    ("changed", "tags", "told"),
    [
        ({"sys_platform": None}, ["py3-none-any"], "missing: sys_platform"),
        ({"extra": "dev"}, ["py3-none-any"], "unknown marker variables extra"),
        ({"python_version": "3.1"}, ["py3-none-any"], "python_version '3.1' is not that of"),
        ({"python_full_version": "later"}, ["py3-none-any"], "must be versions"),
        ({"sys_platform": "a'\""}, ["py3-none-any"], "one kind of quote"),
        ({}, ["py3-none"], "'py3-none' is not a wheel tag"),
        ({}, [], "at least one tag"),
        ({}, [".".join(["py3"] * 300) + "-" + ".".join(["none"] * 300) + "-any"], "is not a wheel tag"),
    ],
)
def test_markers_and_tags_given_in_full_are_checked(changed: dict[str, str | None], tags: list[str], told: str) -> None:
    markers = {key: value for key, value in {**_full_markers(), **changed}.items() if value is not None}
    with pytest.raises(TargetError, match=told.replace("(", r"\(")):
        make_target(name=None, python=None, platform=None, tags=tags, markers=markers)


def test_a_python_beside_full_markers_must_agree_with_them() -> None:
    tags = ["py3-none-any"]
    assert make_target(name=None, python="3.12", platform=None, tags=tags, markers=_full_markers()).python == "3.12.4"
    with pytest.raises(TargetError, match="contradicts"):
        make_target(name=None, python="3.11", platform=None, tags=tags, markers=_full_markers())
