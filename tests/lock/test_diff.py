"""What differs between two locks."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from resolver.lock.build import build
from resolver.lock.diff import changes
from resolver.model import Change, Changes, LockedPackage

from .test_pylock import LINUX, OLD, WINDOWS
from .world import pin, resolution


def packages(**versions: str) -> tuple[LockedPackage, ...]:
    """``a="1 2"``: two versions of ``a``, in as many targets."""
    targets = (LINUX, WINDOWS, OLD)
    pins = {
        where: [pin(name, text.split()[i]) for name, text in versions.items() if i < len(text.split())]
        for i, where in enumerate(targets)
    }
    return build(resolution(pins)).packages


def test_a_package_is_added_removed_or_changed() -> None:
    assert changes({"a": ("1",), "b": ("1",), "d": ("1",)}, packages(a="2", b="1", c="1")) == Changes(
        added=(("c", "1"),), removed=(("d", "1"),), changed=(Change("a", "1", "2"),)
    )


def test_two_spellings_of_one_version_are_no_change() -> None:
    assert changes({"a": ("1.0",)}, packages(a="1.0.0")) == Changes()


def test_of_several_versions_the_one_that_moved_is_the_change() -> None:
    assert changes({"a": ("1", "2")}, packages(a="2 3")) == Changes(changed=(Change("a", "1", "3"),))


def test_versions_that_nothing_pairs_are_removed_and_added_in_order() -> None:
    assert changes({"a": ("10", "9")}, packages(a="12 11")) == Changes(
        added=(("a", "11"), ("a", "12")), removed=(("a", "9"), ("a", "10"))
    )


def test_a_version_of_an_old_tool_is_compared_by_its_text() -> None:
    assert changes({"a": ("2004-final",)}, packages(a="1")).changed == (Change("a", "2004-final", "1"),)


VERSIONS = st.lists(st.sampled_from(["1", "2", "3"]), min_size=1, unique=True).map(tuple)
LOCKS = st.dictionaries(st.sampled_from("abc"), VERSIONS)


@given(LOCKS, LOCKS)
def test_applying_the_changes_to_the_old_lock_gives_the_new_one(
    before: Mapping[str, tuple[str, ...]], after: Mapping[str, tuple[str, ...]]
) -> None:
    found = changes(before, packages(**{name: " ".join(versions) for name, versions in after.items()}))
    pairs = {(name, version) for name, versions in before.items() for version in versions}
    pairs -= {*found.removed, *((one.name, one.before) for one in found.changed)}
    pairs |= {*found.added, *((one.name, one.after) for one in found.changed)}
    assert pairs == {(name, version) for name, versions in after.items() for version in versions}
