"""What a universal lock says of a package: where it is needed, which of its wheels fit there."""

from __future__ import annotations

from resolver.environment.space import from_marker, from_requires_python
from resolver.lock.places import Regions
from resolver.model import RegionResolution, Universal

from .world import pin, wheel

WHOLE = from_requires_python(">=3.9")
NEW, OLD = WHOLE & from_marker("python_version >= '3.12'"), WHOLE & from_marker("python_version < '3.12'")
WINDOWS = from_marker("sys_platform == 'win32'")
A = {"a": pin("a", "1")}


def regions(**fields: tuple[str, ...]) -> Regions:
    """``a`` is needed everywhere in the newer part, and on Windows in the older."""
    universal = Universal(">=3.9", **fields)
    return Regions(universal, [RegionResolution(NEW, A, {"a": NEW}), RegionResolution(OLD, A, {"a": OLD & WINDOWS})])


def test_markers_of_regions_are_joined_and_say_nothing_of_what_the_lock_says_itself() -> None:
    places = regions()
    assert places.requires_python("ignored") == ">=3.9"
    assert places.marker("a", [0]) == "python_version >= '3.12'"
    assert places.marker("a", [1]) == "python_version < '3.12' and sys_platform == 'win32'"
    assert places.marker("a", [0, 1]) == "python_version >= '3.12' or sys_platform == 'win32'"
    whole = Regions(Universal(">=3.9"), [RegionResolution(WHOLE, A, {"a": WHOLE})])
    assert whole.marker("a", [0]) is None


def test_wheels_are_kept_that_fit_where_the_package_is_needed() -> None:
    places = regions()
    assert places.uses(wheel("a", "1", "cp311-cp311-win_amd64"), "a", [0, 1])
    assert not places.uses(wheel("a", "1", "cp311-cp311-win_amd64"), "a", [0])
    assert not places.uses(wheel("a", "1", "cp311-cp311-macosx_11_0_arm64"), "a", [0, 1])
    assert places.uses(wheel("a", "1", "cp312-cp312-macosx_11_0_arm64"), "a", [0, 1])


def test_only_what_holds_wherever_a_package_is_needed_is_enforced_of_its_requires_python() -> None:
    places = regions()
    assert places.enforced(">=3.8,<3.15", "a", [0, 1]) == ">=3.8"
    assert places.enforced(">=3.11", "a", [0]) == ">=3.11"
    assert places.enforced(">=3.11", "a", [0, 1]) is None
    assert places.enforced(">=2.7.*", "a", [0]) is None


def test_environments_are_the_callers_and_regions_have_no_names() -> None:
    places = regions(environments=('sys_platform == "linux"',))
    assert places.environments == ("sys_platform == 'linux'",)
    assert places.names([0, 1]) == ()
