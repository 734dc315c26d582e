"""What filters left of a page, as records: the same after a restart, and nothing where it might be another's."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from packaging.version import Version

from resolver.environment.region import Region
from resolver.environment.space import ALL
from resolver.environment.target import Target, make_target
from resolver.index.packed import PackedReleases
from resolver.index.page import ProjectPage
from resolver.index.selections import Selections
from resolver.provider.candidates import Project, select, select_or_recall
from resolver.provider.policy import Filter
from resolver.provider.versions import VersionList

from .kept import Kept
from .test_fact_store import page

PLACE = make_target(name=None, python="3.11", platform="linux")
FILTERS = [Filter(), Filter(sdists=False), Filter(wheels=False), Filter(prereleases=False)]


def project(parsed: ProjectPage, kept: Kept | None, *key: str) -> Project:
    store = None if kept is None else Selections(kept, key)
    return Project("foo", "main", "https://index.example/", parsed, VersionList(parsed.texts), kept=store)


@pytest.mark.parametrize("allowed", FILTERS)
@pytest.mark.parametrize("seed", range(20))
def test_a_selection_comes_back_as_it_was_made(seed: int, allowed: Filter) -> None:
    parsed, kept = page(seed), Kept()
    made = select_or_recall(project(parsed, kept, "public", "digest"), PLACE, allowed)
    assert made == select(project(parsed, None), PLACE, allowed)
    assert len(kept) == 1
    unread = replace(parsed, releases=Unread(parsed))
    again = select_or_recall(project(unread, kept, "public", "digest"), PLACE, allowed)
    assert again == made


class Unread(PackedReleases):
    """Releases of which nobody may look at the signatures."""

    __slots__ = ()

    def __init__(self, parsed: ProjectPage) -> None:
        assert isinstance(parsed.releases, PackedReleases)
        super().__init__(parsed.releases.texts, (), *parsed.releases.parts)

    def masks(self) -> list[tuple[frozenset[tuple[str | None, str | None, bool]], int]]:
        raise AssertionError("the signatures were looked at")


@pytest.mark.parametrize(
    ("key", "place", "allowed"),
    [
        (("private", "digest"), PLACE, Filter()),
        (("public", "other"), PLACE, Filter()),
        (("public", "digest"), make_target(name=None, python="3.9", platform="linux"), Filter()),
        (("public", "digest"), replace(PLACE, platform="linux as it is called elsewhere"), Filter()),
        (("public", "digest"), PLACE, Filter(sdists=False)),
    ],
)
def test_what_was_kept_of_something_else_is_not_believed(key: tuple[str, str], place: Target, allowed: Filter) -> None:
    kept = Kept()
    select_or_recall(project(page(3), kept, "public", "digest"), PLACE, Filter())
    assert Selections(kept, ("public", "digest")).recall(PLACE, Filter()) is not None
    assert Selections(kept, key).recall(place, allowed) is None


@pytest.mark.parametrize(
    "allowed",
    [
        Filter(exclude_newer=datetime(2024, 1, 1, tzinfo=UTC)),
        Filter(yanked_pins=frozenset({Version("1.0")})),
        Filter(hashes=frozenset({frozenset({("sha256", "00" * 32)})})),
    ],
)
def test_what_a_page_alone_does_not_decide_leaves_no_record(allowed: Filter) -> None:
    kept = Kept()
    select_or_recall(project(page(3), kept, "public", "digest"), PLACE, allowed)
    assert not kept


def test_the_parts_of_a_universal_lock_leave_no_records() -> None:
    kept = Kept()
    select_or_recall(project(page(3), kept, "public", "digest"), Region(ALL, ALL), Filter())
    assert not kept


@pytest.mark.parametrize("damage", [b"", b"\x00", b"\x93\x01\x02\x03", b"\x92\xc4\x01\x02\x91\x91\x01", b"\xc1"])
def test_a_damaged_record_is_none(damage: bytes) -> None:
    kept = Kept()
    made = select_or_recall(project(page(3), kept, "public", "digest"), PLACE, Filter())
    (key,) = kept
    kept[key] = damage
    assert select_or_recall(project(page(3), kept, "public", "digest"), PLACE, Filter()) == made
