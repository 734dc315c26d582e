from __future__ import annotations

import hashlib
import json

import pytest
from packaging.metadata import Metadata
from packaging.requirements import Requirement

from benchmarks.worlds import WORLDS, World, conflicts, metadata, packages, page, wheel


def reached(world: World, pins: dict[str, str]) -> set[str]:
    found, todo = set[str](), list(world.roots)
    while todo:
        name = Requirement(todo.pop()).name
        if name not in found:
            found.add(name)
            todo += world.packages[name][pins[name]]
    return found


def newest(world: World) -> dict[str, str]:
    return {name: list(releases)[-1] for name, releases in world.packages.items()}


@pytest.mark.parametrize("size", [1, 10, 100])
def test_a_world_of_packages_has_as_many_and_needs_them_all(size: int) -> None:
    world = packages(size)
    assert len(world.packages) == size
    assert reached(world, newest(world)) == set(world.packages)


@pytest.mark.parametrize(("growth", "size"), [("packages", 30), ("versions", 50)])
def test_where_packages_or_versions_grow_the_newest_of_all_fit_together(growth: str, size: int) -> None:
    world = WORLDS[growth](size)
    pins = newest(world)
    for name, version in pins.items():
        for requirement in map(Requirement, world.packages[name][version]):
            assert requirement.specifier.contains(pins[requirement.name])


def test_a_pair_in_conflict_agrees_only_where_both_want_an_old_version() -> None:
    world = conflicts(1)
    left, right, shared = "left-0000", "right-0000", "shared-0000"
    agreeing = [
        version
        for version, requires in world.packages[left].items()
        for limit in [Requirement(next(iter(world.packages[right].values()))[0])]
        if limit.specifier.contains(Requirement(requires[0]).specifier.__str__().removeprefix("=="))
    ]
    assert agreeing == ["1.0", "2.0"]
    assert len(world.packages[shared]) == 10


def test_a_page_promises_the_metadata_that_is_served() -> None:
    world = packages(2)
    name = world.roots[0]
    document = json.loads(page(name, world.packages[name]))
    for file, (version, requires) in zip(document["files"], world.packages[name].items(), strict=True):
        served = metadata(name, version, requires)
        assert file["filename"] == wheel(name, version)
        assert file["core-metadata"]["sha256"] == hashlib.sha256(served).hexdigest()
        parsed = Metadata.from_email(served)
        assert (parsed.name, str(parsed.version)) == (name, version)
        assert [str(one) for one in parsed.requires_dist or ()] == [str(Requirement(one)) for one in requires]
