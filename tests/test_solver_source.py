"""A solve that asks a source for what is at hand, and how much work and memory a solve takes."""

from __future__ import annotations

import gc
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from resolver.solver import (
    Decided,
    Dependency,
    NeedDependencies,
    NeedVersions,
    Package,
    Solved,
    Solver,
    Unavailable,
    Unsolvable,
    propagation,
)
from resolver.solver.package_state import PackageState
from tests.solver_world import Prompter, Run, Table, World, base_of, dependencies_of, random_world, solve


@dataclass
class Shelf:
    """A source over a world, in which each fact is missing with some probability; remembers what it was asked."""

    world: World
    missing: float = 0.0
    rng: random.Random = field(default_factory=lambda: random.Random(0))
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def versions(self, package: Package, /) -> Table | None:
        self.asked.append((str(package),))
        return None if self.rng.random() < self.missing else self.world.table(package)

    def dependencies(self, package: Package, version: int, /) -> Sequence[Dependency] | Unavailable | None:
        release = self.world.name_version(package, version)
        self.asked.append(release)
        if self.rng.random() < self.missing:
            return None
        if release in self.world.unavailable:
            return Unavailable(*self.world.unavailable[release])
        return self.world.dependencies[release]


def solve_from(shelf: Shelf, root: list[str], *, decisions: int = 1) -> Run:
    world = shelf.world
    solver = Solver(
        [dependency for text in root for dependency in dependencies_of(text)], max_decisions=10_000, tie=base_of
    )
    prompter = Prompter(world, solver)
    trace: list[tuple[str, str]] = []
    while True:
        event = solver.next_event(shelf, decisions=decisions)
        match event:
            case NeedVersions() | NeedDependencies():
                prompter.answer(event)
            case Decided(package, version):
                trace.append(world.name_version(package, version))
            case Solved(chosen):
                return Run(solver, event, dict(world.name_version(*one) for one in chosen.items()), trace, 0)
            case Unsolvable():
                return Run(solver, event, None, trace, 0)


def told(world: World, run: Run) -> str:
    return world.explain(run.event).text if isinstance(run.event, Unsolvable) else ""


def assert_same(world: World, run: Run, asked: Run) -> None:
    assert run.pins == asked.pins
    assert run.solver.conflicts == asked.solver.conflicts
    assert run.solver.decisions == asked.solver.decisions
    assert told(world, run) == told(world, asked)


@pytest.mark.parametrize("missing", [0.0, 0.3, 1.0])
def test_what_a_source_answers_changes_neither_the_decisions_nor_the_proof(missing: float) -> None:
    for seed in range(50_000, 50_300):
        world, root = random_world(random.Random(seed))
        asked = solve(world, root)
        run = solve_from(Shelf(world, missing, random.Random(seed)), root)
        assert run.trace == asked.trace
        assert_same(world, run, asked)
        assert_same(world, solve_from(Shelf(world, missing, random.Random(seed)), root, decisions=1000), asked)


def test_a_source_that_has_everything_is_asked_once_for_what_is_tried_and_for_nothing_else() -> None:
    world = World({"a 1": ["b"], "a 2": ["b", "c"], "b 1": [], "b 2": ["c"], "c 1": [], "d 1": []})
    shelf = Shelf(world)
    run = solve_from(shelf, ["a"], decisions=100)
    assert run.trace == []
    assert shelf.asked == [("a",), ("a", "2"), ("b",), ("c",), ("b", "2"), ("c", "1")]


def test_what_a_source_does_not_have_is_asked_by_an_event_that_names_nothing_else() -> None:
    world = World({"a 1": ["b", "c"], "b 1": [], "c 1": []})

    class Half(Shelf):
        def versions(self, package: Package, /) -> Table | None:
            return None if package == "c" else super().versions(package)

    solver = Solver(dependencies_of("a"), max_decisions=10)
    half = Half(world)
    assert solver.next_event(half, decisions=10) == NeedVersions(("c",))
    assert solver.next_event(half, decisions=10) == NeedVersions(("c",))
    solver.add_versions("c", world.table("c"))
    assert solver.next_event(half, decisions=10) == Solved({"a": 1, "b": 1, "c": 1})


def test_control_comes_back_after_so_many_decisions() -> None:
    world = World({f"p{i} 1": [f"p{i + 1}"] for i in range(9)} | {"p9 1": []})
    solver = Solver(dependencies_of("p0"), max_decisions=100)
    shelf = Shelf(world)
    events = [solver.next_event(shelf, decisions=4) for _ in range(3)]
    assert events[:2] == [Decided("p3", 1), Decided("p7", 1)]
    assert isinstance(events[2], Solved)


def test_what_was_told_counts_more_than_what_a_source_says_later() -> None:
    world = World({"a 1": [], "a 2": []})
    solver = Solver(dependencies_of("a"), max_decisions=10)
    solver.add_versions("a", world.table("a"))
    solver.add_unavailable("a", 2, "metadata", "is unreadable")
    shelf = Shelf(world)
    assert solver.next_event(shelf, decisions=10) == Solved({"a": 1})
    assert shelf.asked == [("a", "1")]


def test_what_a_source_raises_comes_out_and_the_solve_can_be_closed() -> None:
    class Broken(Shelf):
        def dependencies(self, package: Package, version: int, /) -> Sequence[Dependency] | Unavailable | None:
            raise LookupError(package, version)

    solver = Solver(dependencies_of("a"), max_decisions=10)
    with pytest.raises(LookupError):
        solver.next_event(Broken(World({"a 1": []})), decisions=10)
    solver.close()
    solver.close()
    assert solver.decisions == 0


def test_a_requirement_that_a_version_states_twice_is_one_fact() -> None:
    """Before anything went wrong as well as after."""
    world = World({"a 1": ["b <2", "b >=1", "b <2"], "b 1": ["c"], "b 2": [], "c 1": ["a >1"]})
    run = solve(world, ["a"], check=True)
    assert run.pins is None
    assert [fact.admitted for fact in run.solver._states["a"].facts.values()] == [0b110, 0b010]
    assert told(world, run) == told(world, solve_from(Shelf(world), ["a"]))


# ---- work and memory


def test_a_closed_solve_leaves_nothing_to_the_garbage_collector() -> None:
    gc.collect()
    gc.disable()
    try:
        for seed in range(60_000, 60_050):
            world, root = random_world(random.Random(seed))
            run = solve(world, root)
            run.solver.close()
            del run
        assert not [one for one in gc.get_objects() if isinstance(one, PackageState)]
    finally:
        gc.enable()


@pytest.mark.parametrize("crowded", [1, 2, 5])
def test_watches_that_are_left_out_change_nothing(crowded: int, monkeypatch: pytest.MonkeyPatch) -> None:
    hard = [(world, root, solve(world, root)) for world, root in map(random_world, map(random.Random, range(2000)))]
    hard = [(world, root, run) for world, root, run in hard if run.solver.conflicts > 1]
    assert len(hard) > 100
    monkeypatch.setattr(propagation, "CROWDED", crowded)
    fewer = 0
    for world, root, run in hard:
        again = solve(world, root, check=True)
        assert again.trace == run.trace
        assert_same(world, again, run)
        assert again.solver.steps <= run.solver.steps
        fewer += again.solver.steps < run.solver.steps
    assert fewer > 5


def versions_that_clash(count: int) -> World:
    """Of ``pair`` only the first version goes together with ``old 1``: each other one needs a tool that does not."""
    releases = {f"pair {i}": [f"tool =={i}"] for i in range(1, count + 1)}
    releases |= {f"tool {i}": ["old >1"] for i in range(2, count + 1)}
    return World(releases | {"tool 1": [], "old 1": [], "old 2": []})


def test_work_grows_no_faster_than_the_versions_that_are_tried() -> None:
    """Watches of versions that were given up are not looked at for every further one."""
    steps = []
    for count in (100, 200, 400):
        run = solve(versions_that_clash(count), ["old <2", "pair"])
        assert run.pins == {"old": "1", "pair": "1", "tool": "1"}
        assert run.solver.conflicts >= count - 1
        steps.append(run.solver.steps)
    assert steps[1] < 3 * steps[0]
    assert steps[2] < 3 * steps[1]
