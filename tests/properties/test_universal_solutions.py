"""A universal lock exists wherever each environment has a solution; where one has none, just such ones are named."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from resolver.environment.space import ALL, EnvironmentSet, from_marker, from_requires_python
from resolver.errors import NoSolution
from resolver.model import ForkStrategy, Options

from ..fake_index import FakeRelease, World
from ..test_universal import REQUIREMENTS, cells, closure_faults, locked, selected, worlds

VERSIONS = ("3", "2", "1")
CELLS = [
    *cells(),
    *(one | {"sys_platform": "darwin", "platform_system": "Darwin"} for one in cells() if one["os_name"] == "posix"),
]


@cache
def requirement(text: str) -> Requirement:
    return Requirement(text)


class Cell:
    """What the releases of a world require in one environment, as ``packaging`` reads it."""

    def __init__(self, world: World, values: Mapping[str, str]) -> None:
        self._values = values
        self._required: dict[tuple[str, str, str], list[Requirement]] = {}
        for (name, version), release in world.releases.items():
            if self._admits(release):
                self._required[name, version, ""] = self._applying(release.requires)
                for extra, texts in release.extras.items():
                    self._required[name, version, extra] = self._applying(texts)

    def _admits(self, release: FakeRelease) -> bool:
        return SpecifierSet(release.flag("py") or "").contains(self._values["python_full_version"])

    def _applying(self, texts: Sequence[str]) -> list[Requirement]:
        read = [requirement(text) for text in texts]
        return [one for one in read if one.marker is None or one.marker.evaluate({**self._values, "extra": ""})]

    def has_solution(self, texts: Sequence[str]) -> bool:
        """Whether versions can be chosen, one of a name, that meet all that is required: tried one after the other."""
        return self._can_go_on({}, [*self._applying(texts)], frozenset())

    def _can_go_on(
        self, pins: Mapping[str, str], todo: Sequence[Requirement], seen: frozenset[tuple[str, str]]
    ) -> bool:
        if not todo:
            return True
        first, *rest = todo
        pinned = pins.get(first.name)
        for version in VERSIONS if pinned is None else (pinned,):
            if (first.name, version, "") not in self._required or not first.specifier.contains(version):
                continue
            taken = [(first.name, extra) for extra in ("", *sorted(first.extras))]
            new = [one for one in taken if one not in seen]
            further = [one for name, extra in new for one in self._required.get((name, version, extra), ())]
            if self._can_go_on({**pins, first.name: version}, [*further, *rest], seen.union(new)):
                return True
        return False


def named(detail: str) -> EnvironmentSet:
    """The environments that a refusal begins with."""
    found = re.match(r"For (?:Python (?P<bounds>\S+))?(?: and )?(?P<marker>[^:]*): ", detail)
    if found is None:
        return ALL
    pythons = from_requires_python(found["bounds"] or "")
    return pythons & from_marker(found["marker"] or None)


def without_solution(world: World, texts: Sequence[str]) -> Iterator[Mapping[str, str]]:
    for values in CELLS:
        if not Cell(world, values).has_solution(texts):
            yield values


@settings(max_examples=150, deadline=None)
@given(worlds(), st.lists(REQUIREMENTS, min_size=1, max_size=4), st.sampled_from(list(ForkStrategy)))
async def test_a_lock_exists_if_every_environment_has_a_solution_and_a_refusal_names_none_that_has(
    text: str, requirements: list[str], strategy: ForkStrategy
) -> None:
    world = World(text)
    hopeless = list(without_solution(world, requirements))
    try:
        lock = await locked(World(text), *requirements, options=Options(fork_strategy=strategy))
    except NoSolution as error:
        space = named(error.detail)
        inside = [values for values in CELLS if space.contains(values)]
        assert inside
        assert all(values in hopeless for values in inside)
        return
    assert hopeless == []
    for values in CELLS:
        assert closure_faults(world, selected(lock, values), tuple(requirements), values) == []
