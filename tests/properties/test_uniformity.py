"""What regions of a lock share, each of them would have found by itself."""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import event, given, settings
from hypothesis import strategies as st

from resolver.dividing import divides_nowhere
from resolver.environment.region import Region, divide, divide_by, is_somewhere
from resolver.environment.space import from_marker, from_requires_python
from resolver.index.page import CoreMetadata
from resolver.index.simple import parse_page
from resolver.provider.candidates import Project, select
from resolver.provider.evidence import speakers, usable_files
from resolver.provider.outlook import outlook
from resolver.provider.policy import Filter, Order
from resolver.provider.requirements import read
from resolver.provider.standpoint import standpoint
from resolver.provider.versions import VersionList
from resolver.requirement_forms import condition_of

_WHOLES = [from_requires_python(text) for text in (">=3.9", ">=3.11", ">=3.10,<4", ">=2.7", ">=3.9,<3.13")]
_WHOLES.append(from_requires_python(">=3.10") & from_marker("sys_platform == 'linux'"))
_PARTS = (
    *("python_version < '3.11'", "python_version >= '3.11'", "python_version == '3.12'", "python_version >= '4'"),
    *("python_version != '3.11'", "python_full_version < '3.10.1'", "python_version < '3'", "sys_platform == 'win32'"),
)
# Most files are of the common kind, so that a whole page of them is met.
_TAGS = st.sampled_from(
    [
        *("py3-none-any", "py3-none-any", "py2.py3-none-any", "py2-none-any", "py312-none-any", "cp39-abi3-win_amd64"),
        *("cp311-cp311-manylinux_2_17_x86_64", "cp313-cp313-macosx_11_0_arm64", "py3-none-win32", "py4-none-any"),
    ]
)
_DEMANDED = st.sampled_from(
    [None, None, ">=3.7", ">=3.9", ">=3.11", ">=3.12,<4", ">=2.7,!=3.0.*", "<3.9", "odd", ">=4"],
)
_FILES = st.lists(
    st.tuples(st.integers(1, 3), st.none() | _TAGS, _DEMANDED, st.sampled_from([False, False, False, True])),
    min_size=1,
    max_size=5,
)
_FILTERS = st.builds(Filter, wheels=st.just(value=True) | st.booleans(), sdists=st.booleans())
_MARKERS = st.sampled_from(
    [
        *("python_version >= '3.8'", "python_version < '3.8'", "python_version >= '3.11'", "sys_platform == 'win32'"),
        *("extra == 'x'", "extra == 'x' and python_version < '3.8'", "extra == 'x' and sys_platform == 'linux'"),
        *("extra != 'x'", "extra == 'x' or python_version >= '3.9'", "python_version > '3' and extra == 'y'"),
    ]
)


@st.composite
def regions(draw: st.DrawFn) -> list[Region]:
    """Regions of one lock, in any order."""
    whole = draw(st.sampled_from(_WHOLES))
    divides = draw(st.booleans())
    pieces = [from_marker(text) for text in draw(st.lists(st.sampled_from(_PARTS), max_size=5, unique=True))]
    spaces = [whole, *(whole & piece for piece in pieces), *(whole - piece for piece in pieces)]
    found = [Region(space, whole, divides_by_python=divides) for space in spaces if is_somewhere(space)]
    return draw(st.permutations(found))


def listed(files: list[tuple[int, str | None, str | None, bool]]) -> Project:
    """A project with these files, as a page lists them."""
    entries: list[dict[str, Any]] = []
    for version, tags, demanded, is_yanked in files:
        name = f"a-{version}.0.tar.gz" if tags is None else f"a-{version}.0-{tags}.whl"
        entry: dict[str, Any] = {
            "filename": name,
            "url": name,
            "hashes": {},
            "requires-python": demanded,
            "yanked": is_yanked,
        }
        entries.append({key: value for key, value in entry.items() if value is not None})
    body = orjson.dumps({"meta": {"api-version": "1.1"}, "name": "a", "files": entries})
    page = parse_page(body, "application/vnd.pypi.simple.v1+json", "https://index.example/simple/a/", "a")
    return Project("a", "index", "https://index.example/simple/", page, VersionList(page.texts))


@settings(max_examples=400, deadline=None)
@given(_FILES, regions(), _FILTERS)
def test_what_a_filter_leaves_is_the_same_whichever_region_was_looked_at_before(
    files: list[tuple[int, str | None, str | None, bool]], regions: list[Region], allowed: Filter
) -> None:
    project = listed(files)
    shared = [select(project, region, allowed) for region in regions]
    event(f"of {len(regions)} regions {len({id(one) for one in shared})} differ")
    for region, found in zip(regions, shared, strict=True):
        assert found == select(listed(files), region, allowed)
        seen = outlook(project, standpoint(region, allowed, Order(), ()))
        for bit in range(1, project.versions.count + 1):
            release = project.release(bit)
            assert seen.usable_files(bit) == tuple(usable_files(release, region, allowed))
            assert seen.files(bit) == tuple(speakers(release, region, allowed))


@settings(max_examples=400, deadline=None)
@given(st.lists(_MARKERS, max_size=4), regions(), st.sampled_from([None, "x", "z"]))
def test_what_applies_in_all_regions_is_what_each_would_find_and_divides_none(
    markers: list[str], regions: list[Region], extra: str | None
) -> None:
    told = (*(f"b{at}; {marker}" for at, marker in enumerate(markers)), "c>=1")
    core = CoreMetadata("a", "1", told, None, frozenset({"x"}), "2.1", frozenset())
    metadata = read(core)
    common = metadata.common(regions[0], extra)
    event("all alike" if common is not None else "told apart")
    for region in regions:
        taken = () if extra is None else (extra,)
        alone = []
        for one in metadata.requires:
            space = from_marker(one.marker_text)
            here = space.without_extras(taken)
            if is_somewhere(region.space & (here if extra is None else here - space.without_extras())):
                alone.append(one)
        assert metadata.active(region, extra) == tuple(alone)
        assert metadata.common(region, extra) is common
        if common is not None:
            assert common == tuple(alone)
            divide(region, [condition_of(one, extra) for one in common])


@settings(max_examples=300, deadline=None)
@given(_FILES, regions(), _DEMANDED)
def test_a_version_that_divides_nowhere_divides_no_region(
    files: list[tuple[int, str | None, str | None, bool]], regions: list[Region], demanded: str | None
) -> None:
    project = listed(files)
    seen = outlook(project, standpoint(regions[0], Filter(), Order(), ()))
    told = [bit for bit in range(1, project.versions.count + 1) if divides_nowhere(seen, regions[0], bit, demanded)]
    event(f"{len(told)} of {project.versions.count}")
    for region in regions:
        if select(project, region, Filter()) is not select(project, regions[0], Filter()):
            continue  # each has an outlook of its own
        for bit in told:
            wanted = {file.requires_python for file in seen.usable_files(bit)} or {None}
            divide_by(region, region.part_admitted(wanted) & region.part_admitted([demanded]))
