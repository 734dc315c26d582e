"""A limit on upload times that is put down to an earlier one admits the same files, and says until when it does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson
from hypothesis import event, given, settings
from hypothesis import strategies as st

from resolver.environment.target import make_target
from resolver.index.page import ProjectPage
from resolver.index.simple import parse_page
from resolver.provider.candidates import Project
from resolver.provider.cutoffs import put_down
from resolver.provider.dating import is_too_new
from resolver.provider.policy import Filter, Order
from resolver.provider.standpoint import Standpoint, standpoint
from resolver.provider.versions import VersionList

START = datetime(2026, 9, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)
PLACE = make_target(name="t", python="3.13", platform="linux")
FAR = START + timedelta(days=10_000)

# Few instants, close together: limits have to meet uploads, and miss them by as little as there is.
_INSTANT = st.integers(-3, 3).map(lambda ticks: START + ticks * TICK)
_UPLOADED = st.one_of(
    _INSTANT.map(lambda at: at.isoformat().replace("+00:00", "Z")),
    _INSTANT.map(lambda at: at.astimezone().isoformat()),
    st.sampled_from([None, "never", "2026-09-01T00:00:00", "2026-09-01T02:00:00+02:00", "9999-12-31T23:59:59.999999Z"]),
)
_FILES = st.lists(st.tuples(_UPLOADED, st.none() | _INSTANT), min_size=1, max_size=5)


def listed(files: list[tuple[str | None, datetime | None]]) -> Project:
    """A project whose files have these upload times and first sightings, in turns a release's first and second."""
    entries = []
    for at, (uploaded, _) in enumerate(files):
        entry = {"filename": f"a-{at // 2}.0-py{3 - at % 2}-none-any.whl", "url": f"{at}.whl", "hashes": {}}
        entries.append(entry if uploaded is None else {**entry, "upload-time": uploaded})
    body = orjson.dumps({"meta": {"api-version": "1.1"}, "name": "a", "files": entries})
    page = parse_page(body, "application/vnd.pypi.simple.v1+json", "https://index.example/simple/a/", "a")
    if page.sightings is not None:
        seen = {str(entry["filename"]): at for entry, (_, at) in zip(entries, files, strict=True) if at is not None}
        if len(seen) == len(files):  # a ledger tells of all files, or of none
            page.sightings.tell(seen)
    return Project("a", "index", "https://index.example/simple/", page, VersionList(page.texts))


def admitted(page: ProjectPage, limit: datetime | None) -> set[str]:
    return {
        file.filename
        for release in page.releases
        for file in (*release.wheels, release.sdist)
        if file is not None and not is_too_new(file, release, limit)
    }


def seen_under(limit: datetime) -> Standpoint:
    return standpoint(PLACE, Filter(exclude_newer=limit), Order(), ())


@settings(max_examples=600, deadline=None)
@given(_FILES, _INSTANT)
def test_a_limit_that_is_put_down_admits_the_same_files_until_it_says(
    files: list[tuple[str | None, datetime | None]], limit: datetime
) -> None:
    project = listed(files)
    found, later = put_down(seen_under(limit), project)
    expected = admitted(project.page, limit)
    event(f"no limit: {found.filter.exclude_newer is None}, more later: {later is not None}")
    assert admitted(project.page, found.filter.exclude_newer) == expected
    assert replace(found.filter, exclude_newer=limit) == Filter(exclude_newer=limit)
    if later is None:
        assert admitted(project.page, FAR) == expected
    else:
        assert later > timedelta(0)
        assert admitted(project.page, limit + later) > expected
        assert admitted(project.page, limit + later - TICK) == expected


@settings(max_examples=300, deadline=None)
@given(_FILES, _INSTANT, _INSTANT)
def test_limits_that_admit_the_same_files_are_one(
    files: list[tuple[str | None, datetime | None]], one: datetime, other: datetime
) -> None:
    project = listed(files)
    same = admitted(project.page, one) == admitted(project.page, other)
    assert (put_down(seen_under(one), project)[0] is put_down(seen_under(other), project)[0]) == same
