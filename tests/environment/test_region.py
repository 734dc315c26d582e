"""Regions are divided where one answer cannot serve them, and nowhere else."""

from __future__ import annotations

from functools import reduce
from operator import or_

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resolver.environment.region import (
    Condition,
    Divided,
    Region,
    divide,
    divide_by,
    divide_by_required,
    is_somewhere,
)
from resolver.environment.space import NOTHING, EnvironmentSet, from_marker, from_requires_python

WHOLE = from_requires_python(">=3.9")
WINDOWS, LINUX = "sys_platform == 'win32'", "sys_platform == 'linux'"


def region(space: EnvironmentSet = WHOLE, *, by_python: bool = True) -> Region:
    return Region(space, WHOLE, divides_by_python=by_python, newest_first=by_python)


def parts(*requirements: str, within: Region | None = None) -> list[EnvironmentSet]:
    """The parts that requirements divide a region into; each is a name and a marker, or ``name< marker``: bounded."""
    within = within or region()
    conditions = []
    for text in requirements:
        name, _, marker = text.partition(" ; ")
        conditions.append(Condition(name.rstrip("<"), from_marker(marker or None), name.endswith("<")))
    try:
        divide(within, conditions)
    except Divided as divided:
        return list(divided.parts)
    return [within.space]


def test_siblings_divide_by_each_of_their_markers_and_leave_the_rest_for_itself() -> None:
    found = parts(f"a ; {WINDOWS}", f"a ; {LINUX}")
    windows, linux = WHOLE & from_marker(WINDOWS), WHOLE & from_marker(LINUX)
    assert set(found) == {windows, linux, WHOLE - windows - linux}


def test_a_lone_requirement_divides_nothing_unless_it_raises_the_oldest_python() -> None:
    assert parts(f"a ; {WINDOWS}", f"b ; {LINUX}") == [WHOLE]
    assert parts("a ; python_version < '3.11'") == [WHOLE]
    old, new = from_marker("python_version < '3.11'"), from_marker("python_version >= '3.11'")
    assert parts("a ; python_version >= '3.11'") == [WHOLE & new, WHOLE & old]


def test_equal_markers_of_siblings_are_one() -> None:
    assert parts(f"a ; {WINDOWS}", "a ; platform_system == 'Windows'") == [WHOLE]


def test_the_newest_python_comes_first_or_the_oldest_where_few_parts_are_wanted() -> None:
    siblings = ("a ; python_version < '3.11'", "a ; python_version >= '3.11'")
    newest = parts(*siblings)
    assert newest == [WHOLE & from_marker("python_version >= '3.11'"), WHOLE & from_marker("python_version < '3.11'")]
    assert parts(*siblings, within=region(by_python=False)) == newest[::-1]


def test_of_equally_new_parts_the_one_with_an_upper_bound_comes_first() -> None:
    windows = WHOLE & from_marker(WINDOWS)
    assert parts("a ; sys_platform != 'win32'", f"a< ; {WINDOWS}") == [windows, WHOLE - windows]
    assert parts("a< ; sys_platform != 'win32'", f"a ; {WINDOWS}") == [WHOLE - windows, windows]


def test_a_rest_of_pre_releases_is_no_part() -> None:
    found = parts("a ; python_full_version < '3.13'", "a ; python_full_version >= '3.13'")
    assert len(found) == 2
    assert not is_somewhere(from_marker("python_full_version >= '3.13.0a1' and python_full_version < '3.13'"))


def test_what_is_admitted_is_divided_from_the_rest_only_where_there_is_one() -> None:
    divide_by(region(), WHOLE)
    divide_by(region(), NOTHING)
    with pytest.raises(Divided) as divided:
        divide_by(region(), from_requires_python(">=3.12"))
    assert len(divided.value.parts) == 2


def test_a_release_for_newer_pythons_is_a_candidate_only_where_that_may_divide() -> None:
    assert region().admits_python(">=3.12")
    assert not region(by_python=False).admits_python(">=3.12")
    assert not region(WHOLE & from_marker("python_version < '3.12'")).admits_python(">=3.12")
    assert region(by_python=False).admits_python(">=3.8,<3.10")
    assert region(by_python=False).admits_python("no specifier")


def test_a_wheel_for_an_older_python_than_the_region_is_none_and_one_for_a_part_of_the_lock_is() -> None:
    new = region(WHOLE & from_marker("python_version >= '3.13'"))
    assert new.admits_tags("cp312-abi3-win_amd64")
    assert new.admits_tags("cp313-cp313-win_amd64")
    assert not region(WHOLE & from_marker("python_version < '3.12'")).admits_tags("cp312-cp312-win_amd64")
    assert not new.admits_tags("cp38-cp38-win_amd64")
    assert new.admits_tags("cp312-cp312-win_amd64")  # the newest Python may have no wheels yet


def test_a_required_environment_without_wheels_divides_or_excludes() -> None:
    required = (WINDOWS, LINUX)
    windows = WHOLE & from_marker(WINDOWS)
    assert divide_by_required(region(), required, ["py3-none-any"]) is None
    assert divide_by_required(region(), required, ["py3-none-win_amd64", None]) is None
    assert divide_by_required(region(), required, []) is None
    assert divide_by_required(region(windows), required, ["py3-none-win_amd64"]) is None
    assert divide_by_required(region(windows), required, ["py3-none-manylinux_2_17_x86_64"]) == WINDOWS
    with pytest.raises(Divided) as divided:
        divide_by_required(region(), required, ["py3-none-manylinux_2_17_x86_64"])
    assert divided.value.parts == (WHOLE - windows, windows), "what is served comes first"


def test_of_several_required_environments_each_is_divided_from_what_serves_it() -> None:
    windows, macos = from_marker(WINDOWS), from_marker("sys_platform == 'darwin'")
    required = ("sys_platform == 'darwin' and platform_machine == 'arm64'", WINDOWS)
    linux_only = ["py3-none-manylinux_2_17_x86_64"]
    with pytest.raises(Divided) as divided:
        divide_by_required(region(), required, linux_only)
    served, unserved = divided.value.parts
    assert served == WHOLE & from_marker(LINUX)
    assert divide_by_required(region(served), required, linux_only) is None
    assert divide_by_required(region(unserved), required, linux_only) == required[0]
    assert divide_by_required(region(unserved & windows), required, linux_only) == WINDOWS
    assert divide_by_required(region(unserved - windows - macos), required, linux_only) is None


MARKERS = st.sampled_from(
    ["", WINDOWS, LINUX, "python_version < '3.11'", "python_version >= '3.13'", f"{LINUX} or python_version < '3.10'"]
)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("ab"), MARKERS, st.booleans()), max_size=6),
    st.sampled_from([region(), region(by_python=False)]),
)
def test_parts_are_disjoint_cover_every_final_python_and_are_uniform_in_siblings(
    drawn: list[tuple[str, str, bool]], within: Region
) -> None:
    texts = [f"{name}{'<' * bounded}" + (f" ; {marker}" if marker else "") for name, marker, bounded in drawn]
    found = parts(*texts, within=within)
    for at, part in enumerate(found):
        assert is_somewhere(part)
        assert all(part.is_disjoint(other) for other in found[at + 1 :])
    assert not is_somewhere(WHOLE - reduce(or_, found))
    for name in "ab":
        spaces = {from_marker(marker or None) for one, marker, _ in drawn if one == name}
        for part in found if len(spaces) > 1 else ():
            assert all(not is_somewhere(part & space) or not is_somewhere(part - space) for space in spaces)


BOUNDS = (">=3.9", ">=3.10", ">=3.11.4", ">=3.12", ">=3.13", ">=3.14", ">=2.7", ">=3.13.0rc1", ">=4")
PYTHONS = (*BOUNDS, "<3", "<3.12", "<3.13", "<3.13.2", "<4", "==3.12.*", "!=3.12.*", ">=3.10,<3.12", ">=3.9,!=3.11.*")
SPACES = st.lists(st.sampled_from(PYTHONS), min_size=1, max_size=2).map(
    lambda texts: reduce(or_, map(from_requires_python, texts), NOTHING)
)
TAGS = ("py3-none-any", "py2-none-any", "py2.py3-none-any", "cp27-cp27m-win32", "cp312-cp312-win32", "cp39-abi3-win32")
MORE_TAGS = ("cp313-cp313-manylinux_2_17_x86_64", "cp314-cp314-macosx_11_0_arm64", "cp40-abi3-any", "pp310-pypy310-any")


@settings(max_examples=300, deadline=None)
@given(whole=SPACES, first=SPACES, second=SPACES, marker=st.sampled_from((None, WINDOWS, LINUX)), divides=st.booleans())
def test_where_regions_have_one_key_the_same_files_fit(
    *, whole: EnvironmentSet, first: EnvironmentSet, second: EnvironmentSet, marker: str | None, divides: bool
) -> None:
    spaces = [space for space in (whole & first, whole & second & from_marker(marker)) if is_somewhere(space)]
    regions = [Region(space, whole, divides_by_python=divides) for space in spaces]
    if len({one.fit_key for one in regions}) > 1:
        return
    for tags in (*TAGS, *MORE_TAGS):
        assert len({one.admits_tags(tags) for one in regions}) <= 1, tags
    for specifier in PYTHONS:
        assert len({one.admits_python(specifier) for one in regions}) <= 1, specifier


def test_regions_that_end_with_the_same_python_have_one_key() -> None:
    older, newer = from_requires_python(">=3.10"), from_requires_python(">=3.12") & from_marker(LINUX)
    assert region(older).fit_key == region(newer).fit_key
    assert region(older).fit_key != region(from_requires_python(">=3.10,<3.13")).fit_key
    assert region(older, by_python=False).fit_key != region(newer, by_python=False).fit_key
