"""Brute force: the slow and obvious meaning of a solution."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product

from .solver_world import World, admits, dependencies_of


def is_solution(world: World, root: Iterable[str], pins: Mapping[str, str]) -> bool:
    """Every requirement of the root and of each pin is met, nothing excluded is used, and nothing else is pinned."""
    wanted = [dependency for text in root for dependency in dependencies_of(text)]
    for name, version in pins.items():
        if (name, version) not in world.dependencies or world.excluded(name, version):
            return False
        wanted.extend(world.dependencies[name, version])
    return all(
        str(one.package) in pins and admits(str(one.key), pins[str(one.package)]) for one in wanted
    ) and reachable(world, root, pins) == set(pins)


def reachable(world: World, root: Iterable[str], pins: Mapping[str, str]) -> set[str]:
    """The packages that something in the closure of the root requires."""
    stack = [str(dependency.package) for text in root for dependency in dependencies_of(text)]
    seen: set[str] = set()
    while stack:
        name = stack.pop()
        if name not in seen and name in pins:
            seen.add(name)
            stack.extend(str(one.package) for one in world.dependencies[name, pins[name]])
    return seen


def has_solution(world: World, root: Iterable[str]) -> bool:
    """Try every choice of one version or none per package."""
    stated = [dependency for text in root for dependency in dependencies_of(text)]
    names = sorted(world.tables)
    choices = [
        [None, *(version for version in world.tables[name].versions if not world.excluded(name, version))]
        for name in names
    ]
    for chosen in product(*choices):
        pins = {name: version for name, version in zip(names, chosen, strict=True) if version is not None}
        wanted = [*stated, *(one for pin in pins.items() for one in world.dependencies[pin])]
        if all(str(one.package) in pins and admits(str(one.key), pins[str(one.package)]) for one in wanted):
            return True
    return False
