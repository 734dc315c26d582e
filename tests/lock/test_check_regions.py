"""The independent walk through universal locks: it accepts sound ones and names what is wrong with others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.environment.space import EnvironmentSet, from_marker, from_requires_python
from resolver.lock.build import build
from resolver.lock.cells import MAX_GRID, MAX_WITNESSES, Cells
from resolver.lock.check import check
from resolver.model import Lock, Pin, RegionResolution, Resolution, Universal

from .world import pin, resolution, stated

UNIVERSAL = Universal(">=3.9")
WHOLE = from_requires_python(">=3.9")
WINDOWS = WHOLE & from_marker("sys_platform == 'win32'")


def part(space: EnvironmentSet, *pins: Pin, **needed: EnvironmentSet) -> RegionResolution:
    """A region whose pins are needed everywhere in it, or where ``needed`` says."""
    return RegionResolution(
        space, {one.name: one for one in pins}, {one.name: space & needed.get(one.name, space) for one in pins}
    )


def universal(*parts: RegionResolution, requires: tuple[str, ...] = ("web",), **fields: object) -> Resolution:
    made = resolution({}, *requires)
    return replace(made, query=replace(made.query, universal=UNIVERSAL, **fields), regions=parts)  # type: ignore[arg-type]


def sound() -> Resolution:
    """``web`` needs ``core`` of another version on Windows, and ``colour`` with its extra on old Pythons there."""
    old = from_marker("python_version < '3.11'")
    core = "core<2; sys_platform == 'win32'"
    return universal(
        part(
            WINDOWS,
            pin("web", "1", core, "colour; python_version < '3.11'"),
            pin("core", "1", via=["web"]),
            pin("colour", "1", via=["web"]),
            colour=old,
        ),
        part(WHOLE - WINDOWS, pin("web", "1", "core>=2; sys_platform != 'win32'"), pin("core", "2", via=["web"])),
    )


def test_a_sound_lock_has_no_faults() -> None:
    asked = sound()
    lock = build(asked)
    assert [(one.name, one.version) for one in lock.packages] == [
        ("colour", "1"),
        ("core", "1"),
        ("core", "2"),
        ("web", "1"),
    ]
    assert check(lock, asked) == ()


def without(lock: Lock, name: str) -> Lock:
    return replace(lock, packages=tuple(one for one in lock.packages if one.name != name))


def marked(lock: Lock, name: str, marker: str | None) -> Lock:
    changed = tuple(replace(one, marker=marker) if one.name == name else one for one in lock.packages)
    return replace(lock, packages=changed)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda lock: without(lock, "colour"), "on win32 AMD64: web 1 requires colour, which is not selected"),
        (lambda lock: marked(lock, "core", None), "core 2 and another version are selected"),
        (lambda lock: marked(lock, "core", None), "on win32 AMD64: core 2 is selected and was not chosen"),
        (lambda lock: marked(lock, "core", None), "on win32 AMD64: web 1 requires core<2, and core 2 is selected"),
        (lambda lock: marked(lock, "colour", "sys_platform == 'win32'"), "Python 3.11.0 on win32 AMD64: nothing"),
        (lambda lock: marked(lock, "colour", "python_version < '3.10'"), "Python 3.10.0 on win32 AMD64: web 1"),
        (lambda lock: marked(lock, "web", "python_version >= '3.10'"), "requires web, which is not selected"),
        (lambda lock: replace(lock, requires_python=">=3.10"), "Python 3.9.0 on linux x86_64: the lock requires"),
        (lambda lock: replace(lock, environments=("sys_platform == 'linux'",)), "on win32 AMD64: none of the lock's"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_lock_is_named_with_an_environment(change: Callable[[Lock], Lock], fault: str) -> None:
    asked = sound()
    assert any(fault in one for one in check(change(build(asked)), asked))


def test_regions_that_overlap_or_leave_a_gap_are_named() -> None:
    gap = universal(part(WINDOWS, pin("web", "1")))
    assert any("no region answers for it" in one for one in check(build(gap), gap))
    both = universal(part(WHOLE, pin("web", "1")), part(WINDOWS, pin("web", "1")))
    assert any("two regions answer for it" in one for one in check(build(both), both))


def test_constraints_hashes_and_requires_python_hold_in_every_cell() -> None:
    asked = universal(part(WHOLE, replace(pin("web", "1"), requires_python=">=3.12")))
    asked = replace(asked, query=replace(asked.query, constraints=(stated("web<1; sys_platform == 'darwin'"),)))
    asked = replace(
        asked, query=replace(asked.query, requirements=(replace(stated("web"), hashes=(("sha256", "00"),)),))
    )
    assert check(build(asked), asked) == (
        "Python 3.9.0 on linux x86_64: web 1 requires Python >=3.12",
        "Python 3.10.0 on linux x86_64: web 1 requires Python >=3.12",
        "Python 3.11.0 on linux x86_64: web 1 requires Python >=3.12",
        "web-1-py3-none-any.whl has none of the hashes that the input demands",
        "Python 3.9.0 on darwin arm64: web 1 violates the constraint <1 of requirements.in:1",
    )


def test_edges_of_an_extra_apply_only_where_the_extra_is_taken() -> None:
    web = pin("web", "1", "core; python_version >= '3.9'", extras=["x"])
    web = replace(web, requires=tuple(replace(one, extra="x") for one in web.requires))
    asked = universal(
        part(WHOLE, web, pin("core", "1", via=["web"]), core=WINDOWS),
        requires=("web", "web[x]; sys_platform == 'win32'"),
    )
    assert check(build(asked), asked) == ()


def test_overrides_and_excludes_change_what_the_caller_demands() -> None:
    asked = universal(part(WHOLE, pin("web", "2")), requires=("web<2; sys_platform == 'win32'", "gone"))
    query = replace(asked.query, overrides=(stated("web>=2"),), excludes=frozenset({"gone"}))
    assert check(build(asked), replace(asked, query=query)) == ()
    assert check(build(asked), asked) != ()


def test_a_marker_without_meaning_may_apply_and_need_not() -> None:
    web = pin("web", "1", "core; os_name ~= 'posix' and python_version >= '3.9'")
    for pins in ([web], [web, pin("core", "1", via=["web"])]):
        asked = universal(part(WHOLE, *pins))
        assert check(build(asked), asked) == ()


@given(
    st.sampled_from([">=3.8", ">=3.9.2,<3.13", ">=3.12", "", ">=3.15"]),
    st.lists(st.sampled_from(["python_full_version < '3.11.4'", "python_version >= '3.10'"]), unique=True),
)
def test_a_sample_is_bounded_and_tries_both_sides_of_what_markers_name(
    requires_python: str, markers: list[str]
) -> None:
    whole = from_requires_python(requires_python)
    cells = Cells(Universal(requires_python), [whole], markers)
    assert 0 < len(cells.cells) <= MAX_GRID + MAX_WITNESSES
    assert cells.inside(whole) == cells.every
    for marker in markers:
        surely, maybe = cells.where(marker)
        assert surely == maybe == cells.inside(from_marker(marker))
        if requires_python in {">=3.8", ">=3.9.2,<3.13"}:
            assert surely not in {0, cells.every}


def test_a_region_that_the_grid_does_not_meet_has_a_witness() -> None:
    riscv = WHOLE & from_marker("platform_machine == 'riscv64' and sys_platform == 'freebsd14'")
    cells = Cells(UNIVERSAL, [WHOLE - riscv, riscv], [])
    assert cells.inside(riscv).bit_count() == 1
    assert cells.inside(riscv) | cells.inside(WHOLE - riscv) == cells.every
