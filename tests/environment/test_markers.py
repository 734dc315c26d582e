"""Markers of real metadata mean in a target what ``packaging`` says they mean."""

from __future__ import annotations

import threading
from functools import cache
from pathlib import Path

import pytest
from packaging.markers import Marker, UndefinedComparison

from resolver.environment.expression import parse_expression, render
from resolver.environment.markers import evaluate, is_defined, mentions_extra, parse_marker, without_extra
from resolver.environment.target import Target, make_target
from resolver.requirement import RequirementError

TEXTS = Path(__file__).with_name("markers.txt").read_text(encoding="utf-8").splitlines()
TARGETS = [
    make_target(name=None, python=python, platform=platform, implementation=implementation)
    for python in ("3.7", "3.10", "3.12.4", "3.14.0rc1")
    for platform, implementation in (
        ("linux", "cpython"),
        ("aarch64-unknown-linux-musl", "pypy"),
        ("macos", "cpython"),
        ("windows", "cpython"),
        ("wasm32-pyodide2025", "cpython"),
    )
]
EXTRAS = ("", "all", "test", "docs", "dev")


@cache
def _by_packaging(text: str, target: Target, extra: str) -> bool:
    return Marker(text).evaluate({**target.markers, "extra": extra})


@pytest.mark.parametrize("text", TEXTS)
def test_markers_of_real_metadata_evaluate_as_packaging_does(text: str) -> None:
    marker = parse_marker(text)
    for target in TARGETS:
        alone = _by_packaging(text, target, "")
        assert evaluate(marker, target) is alone
        for extra in EXTRAS:
            assert evaluate(marker, target, [extra]) is (alone or _by_packaging(text, target, extra))
        assert is_defined(marker, target)


@pytest.mark.parametrize("text", TEXTS)
def test_the_rest_of_a_marker_asks_what_the_marker_asks_once_its_extra_is_taken(text: str) -> None:
    for extra in EXTRAS:
        rest = without_extra(text, extra)
        for target in TARGETS:
            expected = _by_packaging(text, target, extra)
            if rest is None:
                assert expected
            elif rest == str(Marker(text)):  # no extra in it, or impossible with this one
                assert _by_packaging(rest, target, extra) is expected
            else:
                assert not mentions_extra(parse_marker(rest))
                assert _by_packaging(rest, target, "") is expected


@pytest.mark.parametrize("text", TEXTS)
def test_the_structure_of_a_canonical_marker_prints_as_an_equal_marker(text: str) -> None:
    printed = Marker(render(parse_expression(str(Marker(text)))))
    for target in TARGETS:
        assert printed.evaluate({**target.markers, "extra": "dev"}) is _by_packaging(text, target, "dev")


@pytest.mark.parametrize(
    ("text", "extra", "rest"),
    [
        ('extra == "dev" and python_version < "3.9"', "dev", 'python_version < "3.9"'),
        ('python_version < "3.9" and extra == "Dev_Tools"', "dev.tools", 'python_version < "3.9"'),
        ('extra == "dev"', "dev", None),
        ('extra == "dev" or extra == "test"', "test", None),
        (
            '(extra == "dev" or extra == "test") and (os_name == "nt" or python_version < "3.9")',
            "test",
            'os_name == "nt" or python_version < "3.9"',
        ),
        (
            'extra == "dev" and (os_name == "nt" or python_version < "3.9") and sys_platform != "x"',
            "dev",
            '(os_name == "nt" or python_version < "3.9") and sys_platform != "x"',
        ),
        ('extra != "dev" and os_name == "nt"', "test", 'os_name == "nt"'),
        ("os_name=='nt'", "dev", 'os_name == "nt"'),
        ('extra == "dev" and os_name == "nt"', "", 'extra == "dev" and os_name == "nt"'),
    ],
)
def test_the_extra_that_was_taken_is_left_out_of_an_edges_marker(text: str, extra: str, rest: str | None) -> None:
    assert without_extra(text, extra) == rest


def test_a_marker_holds_when_any_requested_extra_asks_for_it_in_any_spelling() -> None:
    target = TARGETS[0]
    marker = parse_marker('extra == "Dev_Tools"')
    assert evaluate(marker, target, ["test", "dev.tools"])
    assert not evaluate(marker, target, ["test"])
    assert not evaluate(marker, target)


def test_extra_within_a_string_is_not_the_variable() -> None:
    assert not mentions_extra(parse_marker('platform_version == "extra == dev"'))
    assert mentions_extra(parse_marker('platform_version == "x" or "dev" == extra'))


def test_a_comparison_without_meaning_is_read_as_if_it_were_not_written() -> None:
    target = make_target(name=None, python="3.13", platform="linux")
    marker = parse_marker('extra == "dev" and os_name ~= "x"')
    with pytest.raises(UndefinedComparison):
        marker.evaluate(dict(target.markers))
    assert not is_defined(marker, target)
    assert evaluate(marker, target, ["dev"])
    assert not evaluate(marker, target)
    assert evaluate(parse_marker('os_name ~= "x"'), target)
    assert not evaluate(parse_marker('os_name ~= "x" or os_name == "nt"'), target)


def test_markers_beyond_the_limits_are_refused() -> None:
    with pytest.raises(RequirementError):
        parse_marker("(" * 200 + "os_name == 'nt'" + ")" * 200)
    with pytest.raises(RequirementError):
        parse_marker("")


def test_threads_that_parse_and_evaluate_at_once_agree() -> None:
    target = TARGETS[-1]
    expected = [_by_packaging(text, target, "") for text in TEXTS]
    answers: list[list[bool]] = []

    def work(number: int) -> None:
        # Spaces make the texts new to the cache, so that each thread parses.
        answers.append([evaluate(parse_marker(" " * number + text), target) for text in TEXTS])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [expected] * 8
