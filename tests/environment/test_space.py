"""Markers as sets: they hold where ``packaging`` says, and their texts are what a person would write."""

from __future__ import annotations

import re
import threading
from functools import cache
from itertools import combinations
from pathlib import Path

import pytest
from packaging.markers import Marker

from resolver.environment.marker_text import to_marker
from resolver.environment.space import (
    ALL,
    NOTHING,
    DiagramLimitError,
    EnvironmentSet,
    admits_final_python,
    from_marker,
    from_requires_python,
    from_requires_python_floor,
    partition,
    python_bounds,
    split,
)
from resolver.requirement import RequirementError
from resolver.specifier import SpecifierError

TEXTS = Path(__file__).with_name("markers.txt").read_text(encoding="utf-8").splitlines()


def _environment(python: str, platform: tuple[str, str, str], machine: str, name: str) -> dict[str, str]:
    return {
        "implementation_name": name,
        "implementation_version": python if name == "cpython" else "7.3.17",
        "os_name": platform[1],
        "platform_machine": machine,
        "platform_python_implementation": {"cpython": "CPython", "pypy": "PyPy"}[name],
        "platform_release": "",
        "platform_system": platform[2],
        "platform_version": "",
        "python_full_version": python,
        "python_version": ".".join(python.split(".")[:2]),
        "sys_platform": platform[0],
    }


GRID = [
    _environment(python, platform, machine, name)
    for python in ("2.7.18", "3.8.0", "3.10.0", "3.11.2", "3.12.7", "3.13.0rc1", "3.13.0", "3.14.2")
    for platform, machine in (
        (("linux", "posix", "Linux"), "x86_64"),
        (("linux", "posix", "Linux"), "aarch64"),
        (("darwin", "posix", "Darwin"), "arm64"),
        (("win32", "nt", "Windows"), "AMD64"),
        (("cygwin", "posix", "CYGWIN_NT-10.0"), "x86_64"),
        (("emscripten", "posix", "Emscripten"), "wasm32"),
    )
    for name in ("cpython", "pypy")
]


@cache
def _truths(text: str, extra: str) -> tuple[bool, ...]:
    marker = Marker(text)
    return tuple(marker.evaluate({**environment, "extra": extra}) for environment in GRID)


def _extras(text: str) -> list[str]:
    return ["", "other", *re.findall(r'extra == "([a-z-]+)"', text)]


@pytest.mark.parametrize("text", TEXTS)
def test_a_marker_of_real_metadata_holds_where_packaging_says(text: str) -> None:
    space = from_marker(text)
    for extra in _extras(text):
        extras = [extra] if extra else []
        expected = _truths(text, extra)
        assert tuple(space.contains(environment, extras) for environment in GRID) == expected
        left = space.without_extras(extras)
        assert not left.mentions_extra
        assert tuple(left.contains(environment) for environment in GRID) == expected


@pytest.mark.parametrize("text", TEXTS)
def test_the_text_of_a_set_reads_back_as_the_set_and_means_the_same_to_packaging(text: str) -> None:
    space = from_marker(text)
    written = to_marker(space)
    assert written is not None
    assert from_marker(written) is space
    assert str(Marker(written)) == written
    for extra in _extras(text):
        assert _truths(written, extra) == _truths(text, extra)


def test_markers_of_real_metadata_that_differ_somewhere_are_different_sets() -> None:
    for one, other in combinations(TEXTS[::4], 2):
        ours, theirs = from_marker(one), from_marker(other)
        if any(_truths(one, extra) != _truths(other, extra) for extra in (*_extras(one), *_extras(other))):
            assert ours is not theirs
        if ours.is_disjoint(theirs):
            for extra in _extras(one):
                assert not any(a and b for a, b in zip(_truths(one, extra), _truths(other, extra), strict=True))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("os_name == 'posix'", 'os_name == "posix"'),
        ("os_name == 'nt'", 'sys_platform == "win32"'),
        ("os_name != 'nt'", 'sys_platform != "win32"'),
        ("platform_system == 'Linux'", 'sys_platform == "linux"'),
        ("platform_system == 'FreeBSD'", 'platform_system == "FreeBSD"'),
        ("os_name == 'posix' and sys_platform == 'darwin'", 'sys_platform == "darwin"'),
        ("platform_python_implementation == 'CPython'", 'implementation_name == "cpython"'),
        ("os_name == 'nt' and sys_platform == 'linux'", 'python_version < "0"'),
        ("'linux' in sys_platform", '"linux" in sys_platform'),
        ("'linux' not in sys_platform", '"linux" not in sys_platform'),
        ("sys_platform in 'linux darwin'", 'sys_platform in "linux darwin"'),
        ("sys_platform == 'win32' or sys_platform == 'linux'", 'sys_platform == "linux" or sys_platform == "win32"'),
        (
            "sys_platform != 'win32' and sys_platform != 'linux'",
            'sys_platform != "linux" and sys_platform != "win32"',
        ),
        ("python_version >= '3' and python_version < '3.10'", 'python_version >= "3" and python_version < "3.10"'),
        ("python_version <= '3.9'", 'python_version < "3.10"'),
        ("python_version > '3.9.5'", 'python_version >= "3.10"'),
        ("python_version == '3.9.*'", 'python_version == "3.9"'),
        ("python_version != '3.10'", 'python_version != "3.10"'),
        ("python_version == '3'", 'python_version == "3.0"'),
        ("python_version ~= '3.9'", 'python_version >= "3.9" and python_version < "4"'),
        ("python_version in '2.7, 3.5'", 'python_version == "2.7" or python_version == "3.5"'),
        ("python_version not in '2.7, 3.5'", 'python_version != "2.7" and python_version != "3.5"'),
        ("'3.9' <= python_version", 'python_version >= "3.9"'),
        ("python_full_version < '3.11'", 'python_version < "3.11"'),
        ("python_full_version >= '3.11'", 'python_full_version >= "3.11"'),
        ("python_full_version > '3.11.4'", 'python_full_version > "3.11.4"'),
        ("python_full_version == '3.9b1'", 'python_full_version == "3.9b1"'),
        ("python_full_version != '3.12.7'", 'python_full_version != "3.12.7"'),
        ("python_version < '3.9' or python_version >= '3.9'", None),
        ("extra != 'Dev_Tools'", 'extra != "dev-tools"'),
        ("os_name ~= 'x'", None),
        ("os_name ~= 'x' or os_name == 'nt'", 'sys_platform == "win32"'),
        ("'a' == 'b' and os_name == 'nt'", 'sys_platform == "win32"'),
        (
            "python_version >= '3' and (platform_machine == 'arm64' or platform_machine == 'aarch64')",
            'python_version >= "3" and (platform_machine == "aarch64" or platform_machine == "arm64")',
        ),
        (
            "platform_system == 'Darwin' and platform_machine == 'arm64' or os_name == 'posix' and extra == 'x'",
            '(sys_platform == "darwin" and platform_machine == "arm64") or (os_name == "posix" and extra == "x")',
        ),
    ],
)
def test_a_set_is_written_as_a_person_would_write_it(text: str, written: str | None) -> None:
    assert to_marker(from_marker(text)) == written


@pytest.mark.parametrize(
    ("text", "assumed", "written"),
    [
        ("python_version >= '3.10'", "python_full_version >= '3.10'", None),
        ("python_version >= '3.9'", "python_full_version >= '3.10'", None),
        ("python_version == '3.10'", "python_full_version >= '3.10'", 'python_version < "3.11"'),
        ("python_version < '3.10'", "python_full_version >= '3.10'", 'python_version < "0"'),
        ("sys_platform == 'linux'", "sys_platform != 'win32'", 'sys_platform == "linux"'),
        ("sys_platform == 'linux' and python_version < '3.12'", "sys_platform == 'linux'", 'python_version < "3.12"'),
        (
            "sys_platform == 'linux' and python_version < '3.12'",
            "python_version >= '3.10'",
            'python_version < "3.12" and sys_platform == "linux"',
        ),
        (
            "platform_machine != 'arm64' or sys_platform != 'darwin'",
            "sys_platform == 'darwin' or sys_platform == 'linux'",
            'sys_platform == "linux" or platform_machine != "arm64"',
        ),
        ("extra == 'x' and os_name == 'nt'", "extra == 'x'", 'sys_platform == "win32"'),
    ],
)
def test_a_text_leaves_out_what_is_assumed(text: str, assumed: str, written: str | None) -> None:
    assert to_marker(from_marker(text), assuming=from_marker(assumed)) == written


def test_variables_that_are_decided_together_exclude_and_imply_each_other() -> None:
    linux, windows = from_marker("sys_platform == 'linux'"), from_marker("os_name == 'nt'")
    assert linux.is_disjoint(windows)
    assert windows is from_marker("platform_system == 'Windows'")
    assert linux.implies(from_marker("os_name == 'posix'"))
    assert from_marker("sys_platform == 'cygwin'").implies(from_marker("os_name == 'posix'"))
    assert from_marker("platform_python_implementation == 'PyPy'") is from_marker("implementation_name == 'pypy'")


def test_a_substring_is_decided_by_the_values_that_are_named() -> None:
    contains = from_marker("'linux' in sys_platform")
    assert from_marker("sys_platform == 'linux'").implies(contains)
    assert from_marker("sys_platform == 'linux2'").implies(contains)
    assert from_marker("sys_platform == 'sunos5'").is_disjoint(contains)
    assert from_marker("sys_platform in 'linux darwin'").is_disjoint(from_marker("os_name == 'nt'"))


def test_pre_releases_of_a_minor_are_between_less_than_it_and_at_least_it() -> None:
    rest = ~(from_marker("python_full_version < '3.13'") | from_marker("python_full_version >= '3.13'"))
    assert rest.contains(_environment("3.13.0rc1", ("linux", "posix", "Linux"), "x86_64", "cpython"))
    assert not admits_final_python(rest)
    assert admits_final_python(rest | from_marker("python_full_version == '3.9.1'"))
    assert admits_final_python(ALL)
    assert not admits_final_python(NOTHING)


def test_requires_python_is_read_in_full_or_from_its_first_version_on() -> None:
    assert from_requires_python(">=3.9,<3.12") is from_marker(
        "python_full_version >= '3.9' and python_version < '3.12'"
    )
    assert from_requires_python("") is ALL
    assert from_requires_python_floor(">=3.9,!=3.10.*,<3.12") is from_marker("python_full_version >= '3.9'")
    assert from_requires_python_floor("<4") is ALL
    assert from_requires_python_floor(">=3.12,<3") is NOTHING
    with pytest.raises(SpecifierError):
        from_requires_python("three")


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        ("os_name == 'nt'", (None, None)),
        ("python_version >= '3.9' and python_version < '3.12'", ("3.9", "3.12")),
        ("python_version == '3.9' or python_full_version == '3.12.4' and os_name == 'nt'", ("3.9", "3.12.5")),
        ("python_full_version >= '3.13rc1'", ("3.13rc1", None)),
    ],
)
def test_the_bounds_of_python_are_those_of_its_outermost_versions(
    text: str, bounds: tuple[str | None, str | None]
) -> None:
    assert python_bounds(from_marker(text)) == bounds
    with pytest.raises(ValueError, match="empty"):
        python_bounds(NOTHING)


def test_a_split_gives_each_piece_its_part_and_then_the_rest() -> None:
    linux, old, rest = (
        from_marker(text)
        for text in (
            "sys_platform == 'linux'",
            "python_version < '3.10' and sys_platform != 'linux'",
            "python_version >= '3.10' and sys_platform != 'linux'",
        )
    )
    assert split(ALL, [linux, from_marker("python_version < '3.10'")]) == [linux, old, rest]
    assert split(linux, [old, linux]) == [linux]


def test_a_partition_is_the_coarsest_that_no_set_cuts() -> None:
    old, windows = from_marker("python_version < '3.10'"), from_marker("sys_platform == 'win32'")
    assert partition([old, windows, old]) == [old & windows, old - windows, windows - old, ~(old | windows)]
    assert partition([old, windows], within=old) == [old & windows, old - windows]
    assert partition([]) == [ALL]
    assert partition([old], within=NOTHING) == []


def test_threads_that_make_the_same_sets_at_once_make_the_same_objects() -> None:
    made: list[list[EnvironmentSet]] = []

    def work(number: int) -> None:
        # Versions that occur nowhere else, so that the nodes are new to every thread.
        texts = [f"python_full_version >= '3.{minor}.77' and sys_platform != 'win32'" for minor in range(300)]
        order = texts[number * 20 :] + texts[: number * 20]
        by_text = {text: from_marker(text) for text in order}
        made.append([by_text[text] for text in texts])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 6
    for sets in zip(*made, strict=True):
        assert all(one is sets[0] for one in sets)


def test_what_is_no_marker_or_too_complex_is_refused_by_name() -> None:
    with pytest.raises(RequirementError):
        from_marker("python_version ==")
    # Pairs far apart in the order of axes: a diagram must remember each first half, 2 to the 20th states.
    pairs = (f"(extra == 'a{n:02}' and extra == 'b{n:02}')" for n in range(20))
    with pytest.raises(DiagramLimitError):
        from_marker(" or ".join(pairs))
