"""The independent walk: it accepts sound locks and names each thing that can be wrong with one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.lock.build import build
from resolver.lock.check import check
from resolver.model import Lock, Options, Pin, Resolution

from .test_pylock import LINUX, OLD, WINDOWS, one_target, referenced, three_targets
from .world import edge, pin, resolution, stated, target, wheel

METADATA = {
    ("web", "1"): [
        "core>=1,<3",
        "colour; sys_platform == 'win32'",
        "fast; extra == 'speed'",
        "web[speed]; extra == 'all'",
    ],
    ("core", "2"): [],
    ("colour", "1"): [],
    ("fast", "1"): ["core[extra]"],
}


def small(where: str = "linux") -> Resolution:
    """``web[all]`` for one target; its pins are what METADATA demands there."""
    edges = ["core>=1,<3", "fast", "web[speed]"]
    pins = [
        pin("core", "2", via=["web", "fast"]),
        pin("fast", "1", "core[extra]", via=["web"]),
    ]
    if where == "windows":
        edges.append("colour; sys_platform == 'win32'")
        pins.append(pin("colour", "1", via=["web"]))
    pins.append(pin("web", "1", *edges, extras=["all", "speed"]))
    return resolution({target(where, platform=where): pins}, "web[all]>=1", constraints=["core!=1", "absent<1"])


@pytest.mark.parametrize("asked", [one_target(), three_targets(), referenced(), small(), small("windows")])
def test_a_sound_lock_has_no_faults(asked: Resolution) -> None:
    assert check(build(asked), asked) == ()


@pytest.mark.parametrize("where", ["linux", "windows"])
def test_a_sound_lock_has_no_faults_by_its_raw_metadata_either(where: str) -> None:
    asked = small(where)
    assert check(build(asked), asked, METADATA) == ()


def with_pins(asked: Resolution, change: Callable[[dict[str, Pin]], None]) -> Resolution:
    (resolved,) = asked.targets
    pins = dict(resolved.pins)
    change(pins)
    return replace(asked, targets=(replace(resolved, pins=pins),))


def swap(name: str, **fields: object) -> Callable[[dict[str, Pin]], None]:
    def change(pins: dict[str, Pin]) -> None:
        pins[name] = replace(pins[name], **fields)  # type: ignore[arg-type]  # the fields are named by the test

    return change


CORE_3 = pin("core", "3", via=["web"])
WINDOWS_WHEEL = wheel("core", "2", "cp313-cp313-win_amd64")
IDLE_EDGE = edge("core; sys_platform == 'win32'")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda pins: pins.pop("core"), "linux: web 1 requires core, which is not selected"),
        (lambda pins: pins.update(core=CORE_3), "linux: web 1 requires core>=1,<3, and core 3 is selected"),
        (lambda pins: pins.update(odd=pin("odd", "1")), "linux: nothing requires odd 1"),
        (swap("core", version="1"), "linux: core 1 violates the constraint !=1 of requirements.in:1"),
        (swap("core", wheels=(WINDOWS_WHEEL,)), "linux: core 2 has no file that can be installed"),
        (swap("core", requires_python=">=3.14"), "linux: core 2 requires Python >=3.14"),
        (swap("core", requires_python=">3.13"), "linux: core 2 requires Python >3.13"),
        (swap("core", requires_python="==3.14.*"), "linux: core 2 requires Python ==3.14.*"),
        (swap("web", version="0.9"), "linux: requirements.in:1 requires web>=1, and web 0.9 is selected"),
        (swap("fast", requires=(IDLE_EDGE,)), 'linux: fast 1 requires core only if sys_platform == "win32"'),
    ],
)  # fmt: skip
def test_a_wrong_choice_is_named(change: Callable[[dict[str, Pin]], None], fault: str) -> None:
    asked = with_pins(small(), change)
    assert fault in check(build(asked), asked)


def test_an_upper_bound_on_python_is_no_fault() -> None:
    for text in (">=3.9,<3.13", "==3.9.*", ">=2.7.*", ">3.12", "!=3.13.*"):
        asked = with_pins(small(), swap("core", requires_python=text))
        assert check(build(asked), asked) == ()


def test_a_marker_without_meaning_leaves_nothing_out() -> None:
    asked = with_pins(small(), swap("fast", requires=(edge("core; sys_platform ~= 'linux'"),)))
    assert check(build(asked), asked) == ()


def test_an_edge_that_was_not_recorded_is_found_in_the_raw_metadata() -> None:
    def forget(pins: dict[str, Pin]) -> None:
        del pins["fast"]
        pins["web"] = replace(pins["web"], requires=tuple(one for one in pins["web"].requires if one.name == "core"))

    asked = with_pins(small(), forget)
    assert check(build(asked), asked) == ()
    assert check(build(asked), asked, METADATA) == ("linux: web 1 requires fast, which is not selected",)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"requires_python": ">=3.14"}, "linux: Python 3.13.0 is not >=3.14, which the lock requires"),
        ({"environments": ("sys_platform == 'win32'",)}, "linux: none of the lock's environments admits it"),
        ({"packages": ()}, "linux: core 2 was chosen and is not selected"),
    ],
)
def test_a_lock_that_does_not_admit_its_target_is_named(change: Mapping[str, object], fault: str) -> None:
    asked = small()
    lock: Lock = replace(build(asked), **change)  # type: ignore[arg-type]  # the fields are named by the test
    assert fault in check(lock, asked)


def test_wrong_markers_are_named() -> None:
    asked = three_targets()
    lock = build(asked)
    numpy = [one for one in lock.packages if one.name == "numpy"]
    both = replace(lock, packages=tuple(replace(one, marker=None) for one in lock.packages))
    faults = check(both, asked)
    assert f"ci: both numpy {numpy[0].version} and numpy {numpy[1].version} are selected" in faults
    assert "ci: the marker of colorama 0.4.6 contradicts its list of targets" in faults
    assert "ci: colorama 0.4.6 is selected and was not chosen" in faults
    assert "ci: click 8.2 was chosen and click 8.1 is selected" in faults


def test_files_have_a_hash_that_the_input_approved() -> None:
    good = resolution({LINUX: [pin("a", "1")]})
    known = pin("a", "1").wheels[0].hashes
    for hashes, faults in (
        (known, ()),
        ((("sha256", "00"),), ("ci: a-1-py3-none-any.whl has none of the hashes that the input demands",)),
    ):
        asked = replace(good, query=replace(good.query, requirements=(replace(stated("a"), hashes=hashes),)))
        assert check(build(asked), asked) == faults


def test_a_fault_is_named_once_however_many_extras_lead_to_it() -> None:
    asked = with_pins(small(), swap("core", version="4"))
    metadata = {**METADATA, ("core", "4"): []}
    assert check(build(asked), asked, metadata) == ("linux: web 1 requires core>=1,<3, and core 4 is selected",)


def test_overrides_and_excludes_change_what_is_demanded() -> None:
    asked = resolution({LINUX: [pin("a", "1", "b"), pin("b", "9", via=["a"])]}, "a", "gone")
    query = replace(asked.query, overrides=(stated("b>=9"),), excludes=frozenset({"c", "gone"}))
    asked = replace(asked, query=query)
    metadata = {("a", "1"): ["b<2", "c"], ("b", "9"): []}
    assert check(build(asked), asked, metadata) == ()
    idle = (stated("b>=9"), stated("b<9; sys_platform == 'win32'"))
    assert check(build(asked), replace(asked, query=replace(query, overrides=idle)), metadata) == ()
    strict = replace(asked, query=replace(query, overrides=(stated("b>9"),)))
    assert check(build(strict), strict, metadata) == ("ci: a 1 requires b>9, and b 9 is selected",)


def test_without_dependencies_only_the_stated_packages_are_demanded() -> None:
    asked = resolution({LINUX: [pin("a", "1", "b")]}, "a")
    assert check(build(asked), asked) == ("ci: a 1 requires b, which is not selected",)
    asked = replace(asked, query=replace(asked.query, options=Options(no_deps=True)))
    assert check(build(asked), asked, {}) == ()


def closure(graph: Mapping[str, Sequence[str]], root: str) -> set[str]:
    """The slow way: grow until nothing changes."""
    found = {root}
    while (more := found | {name for one in found for name in graph[one]}) != found:
        found = more
    return found


NAMES = "abcdef"
GRAPHS = st.fixed_dictionaries({name: st.lists(st.sampled_from(NAMES), unique=True) for name in NAMES})


@given(GRAPHS, st.sets(st.sampled_from(NAMES)))
def test_a_lock_is_sound_exactly_if_it_holds_the_closure_of_the_roots(
    graph: Mapping[str, Sequence[str]], chosen: set[str]
) -> None:
    pins = [pin(name, "1", *graph[name]) for name in sorted(chosen)]
    asked = resolution({LINUX: pins, WINDOWS: pins, OLD: pins}, "a")
    assert (check(build(asked), asked) == ()) == (chosen == closure(graph, "a"))
