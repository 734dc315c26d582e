"""Whose metadata stands for a release."""

from __future__ import annotations

from packaging.version import Version

from resolver.environment.region import Region
from resolver.environment.space import from_marker, from_requires_python
from resolver.environment.target import make_target
from resolver.index.page import Release
from resolver.provider.evidence import speakers
from resolver.provider.policy import Filter

from ..lock.world import wheel

TAGS = ("cp310-cp310-macosx_10_15_x86_64", "cp39-cp39-macosx_10_15_x86_64", "cp39-cp39-manylinux_2_17_x86_64")
RELEASE = Release(Version("1"), "1", tuple(wheel("a", "1", tags) for tags in TAGS), None, frozenset())
WHOLE = from_requires_python(">=3.9")


def test_the_same_wheel_speaks_in_all_regions_of_a_lock_and_one_that_fits_in_a_target() -> None:
    old = Region(WHOLE & from_marker("python_version < '3.10'"), WHOLE)
    new = Region(WHOLE & from_marker("python_version >= '3.10'"), WHOLE)
    told = [[file.tags for file in speakers(RELEASE, place, Filter())] for place in (old, new)]
    assert told == [list(TAGS), list(TAGS)]
    target = make_target(name=None, python="3.9", platform="x86_64-unknown-linux-gnu")
    assert [file.tags for file in speakers(RELEASE, target, Filter())] == [TAGS[2]]
