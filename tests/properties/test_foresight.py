"""What a solver foresees is what it would have found: on random registries, whatever part of them is foreknown."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from resolver.solver import (
    Decided,
    Dependency,
    Interrupted,
    NeedDependencies,
    NeedVersions,
    Package,
    Solved,
    Solver,
    Underway,
    Unsolvable,
    foresight,
)
from tests.solver_world import Prompter, Table, World, base_of, dependencies_of, random_world, solve


class ForeseenTable(Table):
    @property
    def usable(self) -> int:
        left = (2 << self.count) - 2
        for exclusion in self.excluded:
            left &= ~exclusion.mask
        return left

    @property
    def first(self) -> int:
        return self.choose(self.usable) if self.usable else 0


@dataclass
class Foreseen:
    """Knows each fact of a world with some probability, which is settled for the whole solve."""

    world: World
    missing: float
    seed: int
    interrupting: random.Random | None = None
    """Says when."""

    def _is_missing(self, what: object) -> bool:
        return random.Random(f"{self.seed} {what}").random() < self.missing

    def table(self, package: Package, /) -> ForeseenTable | None:
        if self.interrupting and self.interrupting.random() < 0.5:
            raise Interrupted
        if self._is_missing(package):
            return None
        table = self.world.table(package)
        return ForeseenTable(table.versions, table.excluded)

    def declared(self, package: Package, version: int, /) -> Sequence[Dependency] | None:
        release = self.world.name_version(package, version)
        if release in self.world.unavailable or self._is_missing(release):
            return None
        return self.world.dependencies[release]


def foreseen(world: World, root: list[str], *, missing: float, seed: int, budget: int = 10_000) -> Solver:
    wanted = [dependency for text in root for dependency in dependencies_of(text)]
    return Solver(wanted, max_decisions=budget, tie=base_of, foresight=Foreseen(world, missing, seed))


def run(world: World, solver: Solver) -> tuple[dict[str, str] | None, int]:
    """The pins, and how many of them were decided one by one."""
    prompter, decided = Prompter(world, solver), 0
    while True:
        event = solver.next_event()
        match event:
            case NeedVersions() | NeedDependencies():
                prompter.answer(event)
            case Decided():
                decided += 1
            case Solved(decisions):
                return dict(world.name_version(*one) for one in decisions.items()), decided
            case Unsolvable():
                return None, decided


def test_a_foregone_answer_is_the_one_that_the_search_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foresight, "FAR", 1)
    ended_early, after_conflicts = 0, 0
    for seed in range(3000):
        world, root = random_world(random.Random(seed))
        plain = solve(world, root)
        solver = foreseen(world, root, missing=(0, 0.05, 0.3)[seed % 3], seed=seed)
        pins, decided = run(world, solver)
        assert pins == plain.pins, (seed, world.releases, root)
        if pins is not None:
            assert solver.decisions >= len(pins)
            ended_early += decided < len(plain.trace)
            after_conflicts += decided < len(plain.trace) and solver.conflicts > 0
    assert ended_early > 800
    assert after_conflicts > 100


def test_a_walk_that_is_interrupted_and_gone_on_with_finds_the_same() -> None:
    interrupted = 0
    for seed in range(1500):
        world, root = random_world(random.Random(seed))
        wanted = [dependency for text in root for dependency in dependencies_of(text)]
        missing = (0, 0.05, 0.3)[seed % 3]
        in_one_go = foreseen(world, root, missing=missing, seed=seed)
        expected = run(world, in_one_go)
        source = Foreseen(world, missing, seed, random.Random(seed))
        solver, pauses = Solver(wanted, max_decisions=10_000, tie=base_of, foresight=source), 0
        prompter, decided = Prompter(world, solver), 0
        while not isinstance(event := solver.next_event(), Solved | Unsolvable):
            match event:
                case NeedVersions() | NeedDependencies():
                    prompter.answer(event)
                case Decided():
                    decided += 1
                case Underway():
                    pauses += 1
        found = dict(world.name_version(*one) for one in event.decisions.items()) if isinstance(event, Solved) else None
        assert (found, decided, solver.decisions) == (*expected, in_one_go.decisions), (seed, world.releases, root)
        interrupted += pauses > 0
    assert interrupted > 500


def test_where_all_is_foreknown_and_fits_nothing_is_decided_one_by_one() -> None:
    world = World({"a 1": ["b >=2", "c[x]"], "b 1": [], "b 2": ["a"], "c 1": [], "c[x] 1": ["b <3"]})
    solver = foreseen(world, ["a"], missing=0, seed=0)
    assert run(world, solver) == ({"a": "1", "b": "2", "c": "1", "c[x]": "1"}, 0)
    assert solver.decisions == 4


def test_who_stands_in_the_way_is_decided_first() -> None:
    world = World({"a 1": ["c <2"], "b 1": ["c"], "c 1": ["d"], "c 2": [], "d 1": ["e"], "e 1": []})
    solver = foreseen(world, ["a", "b"], missing=0, seed=0)
    pins, decided = run(world, solver)
    assert pins == {"a": "1", "b": "1", "c": "1", "d": "1", "e": "1"}
    assert decided == 3  # a and b come first; with c the rest is foregone


def test_a_package_that_nothing_requires_yet_is_what_its_dependents_admit() -> None:
    world = World({"a 1": ["c <2"], "b 1": ["a", "c <2"], "c 1": ["d"], "c 2": [], "d 1": [], "d 2": ["nowhere"]})
    solver = foreseen(world, ["a", "b", "d <2"], missing=0, seed=0)
    assert run(world, solver) == ({"a": "1", "b": "1", "c": "1", "d": "1"}, 0)


def test_a_package_that_one_dependent_would_have_otherwise_is_waited_for() -> None:
    world = World({"a 1": ["c <2"], "b 1": ["c <3"], "c 1": [], "c 2": [], "c 3": []})
    pins, decided = run(world, foreseen(world, ["a", "b"], missing=0, seed=0))
    assert (pins, decided) == ({"a": "1", "b": "1", "c": "1"}, 3)


def test_a_budget_that_does_not_reach_is_spent_by_deciding() -> None:
    world = World({"a 1": ["b"], "b 1": ["c"], "c 1": []})
    solver = foreseen(world, ["a"], missing=0, seed=0, budget=2)
    prompter = Prompter(world, solver)
    seen = 0
    while seen < 2:
        event = solver.next_event()
        if isinstance(event, Decided):
            seen += 1
        else:
            assert isinstance(event, NeedVersions | NeedDependencies)
            prompter.answer(event)
    assert solver.decisions == 2
