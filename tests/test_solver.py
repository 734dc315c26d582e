"""The solver on the cases that pub documents, on its interface, and on its limits."""

from __future__ import annotations

import tracemalloc

import pytest

from resolver.solver import (
    Decided,
    DecisionsExhausted,
    Dependency,
    NeedDependencies,
    NeedVersions,
    Solved,
    Solver,
    UnknownVersion,
    Unsolvable,
)
from tests.solver_world import Table, World, base_of, dependencies_of, solve

# ---- pub's solver.md


def test_solves_without_conflicts() -> None:
    world = World(
        {
            "foo 1.0.0": ["bar >=1.0.0,<2.0.0"],
            "bar 1.0.0": [],
            "bar 2.0.0": [],
        }
    )
    run = solve(world, ["foo >=1.0.0,<2.0.0"], check=True)
    assert run.pins == {"foo": "1.0.0", "bar": "1.0.0"}
    assert run.solver.conflicts == 0


def test_avoids_a_conflict_while_deciding() -> None:
    world = World(
        {
            "foo 1.0.0": [],
            "foo 1.1.0": ["bar >=2.0.0,<3.0.0"],
            "bar 1.0.0": [],
            "bar 1.1.0": [],
            "bar 2.0.0": [],
        }
    )
    run = solve(world, ["foo >=1.0.0,<2.0.0", "bar >=1.0.0,<2.0.0"], check=True)
    assert run.pins == {"foo": "1.0.0", "bar": "1.1.0"}


def test_a_version_whose_dependencies_clash_is_not_decided_once_something_went_wrong() -> None:
    """Before, the look ahead is left out: propagation would find the clash, too, and there mostly is none."""
    world = World({"a 1": [], "a 2": ["c >1"], "b 1": [], "b 2": ["c >1"], "c 1": [], "c 2": []})
    run = solve(world, ["a", "b", "c <2"], check=True)
    assert run.pins == {"a": "1", "b": "1", "c": "1"}
    assert run.trace == [("a", "2"), ("a", "1"), ("b", "1"), ("c", "1")]
    assert run.solver.conflicts == 1


def test_resolves_a_conflict() -> None:
    world = World(
        {
            "foo 1.0.0": [],
            "foo 2.0.0": ["bar >=1.0.0,<2.0.0"],
            "bar 1.0.0": ["foo >=1.0.0,<2.0.0"],
        }
    )
    run = solve(world, ["foo >=1.0.0"], check=True)
    assert run.pins == {"foo": "1.0.0"}
    assert run.solver.conflicts == 1


def test_resolves_a_conflict_with_a_partial_satisfier() -> None:
    world = World(
        {
            "foo 1.0.0": [],
            "foo 1.1.0": ["left >=1.0.0,<2.0.0", "right >=1.0.0,<2.0.0"],
            "left 1.0.0": ["shared >=1.0.0"],
            "right 1.0.0": ["shared <2.0.0"],
            "shared 1.0.0": ["target >=1.0.0,<2.0.0"],
            "shared 2.0.0": [],
            "target 1.0.0": [],
            "target 2.0.0": [],
        }
    )
    run = solve(world, ["foo >=1.0.0,<2.0.0", "target >=2.0.0,<3.0.0"], check=True)
    assert run.pins == {"foo": "1.0.0", "target": "2.0.0"}


def test_backtracks_past_an_unrelated_decision() -> None:
    world = World(
        {
            "a 1": ["z ==1"],
            "a 2": ["d"],
            "b 1": [],
            "c 1": [],
            "d 1": ["e"],
            "e 1": ["z ==1", "y"],
            "y 1": ["z ==2"],
            "z 1": [],
            "z 2": [],
        }
    )
    run = solve(world, ["a", "b", "c"], check=True)
    assert run.pins == {"a": "1", "b": "1", "c": "1", "z": "1"}
    assert run.longest_jump > 1


# ---- order


def test_requirements_are_decided_in_the_order_they_were_stated() -> None:
    world = World({"a 1": ["d"], "b 1": [], "c 1": [], "d 1": []})
    assert [name for name, _ in solve(world, ["c", "a", "b"]).trace] == ["c", "a", "b", "d"]


def test_packages_that_are_pinned_are_decided_first() -> None:
    world = World({"a 1": ["d ==1"], "b 1": [], "c 1": [], "d 1": []})
    assert [name for name, _ in solve(world, ["a", "b", "c ==1"]).trace] == ["c", "a", "d", "b"]


def test_a_package_that_is_often_rejected_is_decided_earlier() -> None:
    """After five conflicts with ``late`` as the loser its turn comes before that of ``early``."""
    releases: dict[str, list[str]] = {f"early {i}": [f"shared <={i}"] for i in range(1, 21)}
    releases |= {f"late {i}": [f"shared >={i + 20}"] for i in range(2, 12)}
    releases |= {"late 1": ["shared <=1"]}
    releases |= {f"shared {i}": [] for i in range(1, 41)}
    run = solve(World(releases), ["early", "late"], check=True)
    assert run.pins == {"early": "20", "late": "1", "shared": "1"}
    assert run.trace[0] == ("early", "20")
    late = run.solver._states["late"]
    assert late.affected >= 5
    assert late.rank < run.solver._states["early"].rank


def test_a_package_that_others_are_often_rejected_for_is_decided_after_them() -> None:
    """None of them is rejected often enough to be decided earlier: in its old place it would reject them again."""
    world = World(
        {
            **{f"{name} {version}": ["hub <2"] for name in "abc" for version in (2, 3, 4)},
            **{f"{name} 1": [] for name in "abc"},
            "hub 1": [],
            "hub 2": [],
        }
    )
    run = solve(world, ["hub", "a", "b", "c"], check=True)
    assert run.pins == {"a": "4", "b": "4", "c": "4", "hub": "1"}
    assert run.trace[0] == ("hub", "2")
    assert run.trace[-4:] == [("a", "4"), ("b", "4"), ("c", "4"), ("hub", "1")]


def test_an_extra_tries_the_version_that_its_base_has() -> None:
    world = World({"a 1": [], "a 2": [], "a[x] 1": [], "a[x] 2": ["c"], "b 1": ["a[x]"], "c 1": []})
    run = solve(world, ["a <2", "b"], check=True)
    assert run.pins == {"a": "1", "a[x]": "1", "b": "1"}
    assert ("a[x]", "2") not in run.trace


# ---- interface


def test_the_versions_of_all_dependencies_are_asked_for_together() -> None:
    solver = Solver([Dependency("a", ""), Dependency("b", ""), Dependency("a", ">=1")], max_decisions=10)
    assert solver.next_event() == NeedVersions(("a", "b"))
    solver.add_versions("b", Table(["1"]))
    assert solver.next_event() == NeedVersions(("a",))
    solver.add_versions("a", Table(["1"]))
    assert solver.next_event() == NeedDependencies("a", 1)
    assert solver.next_event() == NeedDependencies("a", 1)


def test_control_comes_back_with_every_decision() -> None:
    solver = Solver([Dependency("a", ""), Dependency("b", "")], max_decisions=10)
    for name in ("a", "b"):
        solver.add_versions(name, Table(["1", "2"]))
        solver.add_dependencies(name, 2, [])
    events = [solver.next_event() for _ in range(4)]
    solved = Solved({"a": 2, "b": 2})
    assert events == [Decided("a", 2), Decided("b", 2), solved, solved]


def test_what_was_said_first_counts() -> None:
    solver = Solver([Dependency("a", "")], max_decisions=10)
    for versions in (["1"], ["1", "2"]):
        solver.add_versions("a", Table(versions))
    solver.add_dependencies("a", 1, [])
    solver.add_dependencies("a", 1, [Dependency("b", "")])
    solver.add_unavailable("a", 1, "metadata", "is unreadable")
    assert solver.next_event() == Decided("a", 1)


def test_fetch_ahead_sees_what_is_possible_and_what_comes_next() -> None:
    solver = Solver([Dependency("a", ""), Dependency("b", "<3"), Dependency("c", "")], max_decisions=10)
    assert solver.positive("b") == 0
    for name in ("a", "b", "c"):
        solver.add_versions(name, Table(["1", "2", "3"]))
    solver.add_dependencies("a", 3, [Dependency("c", "==1", is_exact=True)])
    assert isinstance(solver.next_event(), Decided)
    assert isinstance(solver.next_event(), NeedDependencies)
    assert list(solver.undecided()) == ["c", "b"]
    assert solver.positive("b") == 0b0110
    assert solver.positive("c") == 0b0010


def test_a_table_that_chooses_what_it_may_not_is_an_error() -> None:
    class Stubborn(Table):
        def choose(self, allowed: int, /) -> int:
            return allowed.bit_length()

    solver = Solver([Dependency("a", "")], max_decisions=10)
    solver.add_versions("a", Stubborn(["1"]))
    with pytest.raises(UnknownVersion, match="version 2 of 'a'"):
        solver.next_event()


def test_versions_that_turn_out_to_be_unavailable_are_passed_over() -> None:
    world = World({"a 1": [], "a 2": ["?metadata is unreadable"], "a 3": ["?metadata is unreadable"]})
    assert solve(world, ["a"], check=True).pins == {"a": "1"}


def test_equal_dependencies_of_several_versions_are_one_fact() -> None:
    world = World({**{f"a {i}": ["b <1"] for i in range(1, 30)}, "b 0": [], "b 1": []})
    run = solve(world, ["a", "b >=1"], check=True)
    assert run.pins is None
    assert len(run.solver._states["a"].facts) == 1
    assert run.solver.conflicts == 2


# ---- many conflicts


def pairs(count: int) -> tuple[World, list[str]]:
    """Pairs that agree only after ``left`` has given up its newest versions; all lefts are decided first."""
    releases: dict[str, list[str]] = {}
    for number in range(count):
        for version in range(1, 9):
            releases[f"left{number} {version}"] = [f"shared{number} =={version}"]
            releases[f"right{number} {version}"] = [f"shared{number} <=2"]
            releases[f"shared{number} {version}"] = []
    return World(releases), [
        *(f"left{number}" for number in range(count)),
        *(f"right{number}" for number in range(count)),
    ]


def test_a_long_search_keeps_the_decisions_that_a_conflict_does_not_touch() -> None:
    count = 150
    world, root = pairs(count)
    run = solve(world, root, max_decisions=40_000)  # four times as many where each conflict goes back to the root
    assert run.pins is not None
    assert {run.pins[f"left{number}"] for number in range(count)} == {"2"}


def test_versions_that_are_given_up_one_by_one_cost_the_same_each() -> None:
    """Two lists of versions with exact pins that agree on the last alone."""
    steps = []
    for count in (100, 200, 400):
        releases: dict[str, list[str]] = {"a 1": ["shared ==1"], "b 1": ["shared ==1"], "shared 1": []}
        for version in range(2, count):
            releases |= {f"a {version}": [f"shared =={2 * version}"], f"b {version}": [f"shared =={2 * version + 1}"]}
            releases |= {f"shared {2 * version}": [], f"shared {2 * version + 1}": []}
        run = solve(World(releases), ["a", "b"])
        assert run.pins == {"a": "1", "b": "1", "shared": "1"}
        steps.append(run.solver.steps)
    assert steps[2] < 2.2 * steps[1] < 2.2 * 2.2 * steps[0]


# ---- limits


def pigeonhole(holes: int) -> tuple[World, list[str]]:
    """One more pigeon than holes; version j of a pigeon is hole j, version i of a hole its pigeon."""
    pigeons = range(1, holes + 2)
    releases: dict[str, list[str]] = {
        f"pigeon{i} {j}": [f"hole{j} =={i}"] for i in pigeons for j in range(1, holes + 1)
    }
    releases |= {f"hole{j} {i}": [] for i in pigeons for j in range(1, holes + 1)}
    return World(releases), [f"pigeon{i}" for i in pigeons]


def run_out(solver: Solver) -> None:
    while isinstance(solver.next_event(), Decided):
        pass


def test_a_small_pigeonhole_is_refuted() -> None:
    world, root = pigeonhole(5)
    assert isinstance(solve(world, root, check=True).event, Unsolvable)


def test_a_pigeonhole_bomb_exhausts_the_steps_and_names_packages_within_bounded_memory() -> None:
    world, root = pigeonhole(12)
    wanted = [dependency for text in root for dependency in dependencies_of(text)]
    solver = Solver(wanted, max_decisions=1_000_000, max_steps=500_000, tie=base_of)
    for name, table in world.tables.items():
        solver.add_versions(name, table)
        for i, version in enumerate(table.versions, 1):
            solver.add_dependencies(name, i, world.dependencies[name, version])
    tracemalloc.start()
    try:
        with pytest.raises(DecisionsExhausted, match="500000 steps") as caught:
            run_out(solver)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 1 <= len(caught.value.packages) <= 10
    assert all(str(package).startswith(("pigeon", "hole")) for package in caught.value.packages)
    assert caught.value.conflicts > 10
    assert peak < 5e6  # ten bytes for a step, as MAX_STEPS promises
    with pytest.raises(DecisionsExhausted):
        solver.next_event()


def test_the_bound_on_decisions_names_the_packages_with_the_most_conflicts() -> None:
    world, root = pigeonhole(7)
    with pytest.raises(DecisionsExhausted, match="100 decisions") as caught:
        solve(world, root, max_decisions=100)
    assert caught.value.decisions == 101
    assert caught.value.packages
