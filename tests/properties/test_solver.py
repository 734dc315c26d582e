"""The solver agrees with brute force on random registries, and the registries are hard enough for that to mean much."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resolver.solver import (
    DecisionsExhausted,
    Derived,
    FromDependency,
    Incompatibility,
    NoVersions,
    Unsolvable,
    reasons,
    solver,
)
from resolver.solver.incompatibility import nodes
from resolver.solver.premises import Admitted
from tests.solver_oracle import has_solution, is_solution, reachable
from tests.solver_world import Run, World, dependencies_of, random_world, solve

RNG = st.randoms(use_true_random=False)


def worlds(count: int, start: int = 0) -> list[tuple[World, list[str]]]:
    return [random_world(random.Random(seed)) for seed in range(start, start + count)]


def is_mask_proof(node: Incompatibility) -> bool:
    """Whether a derived node follows from its causes: resolution on exactly one package."""
    assert isinstance(node.cause, Derived)
    left, right = node.cause.left.terms, node.cause.right.terms
    shared = left.keys() & right.keys()
    for pivot in shared:
        rest = {
            package: left.get(package, -1) & right.get(package, -1) for package in {*left, *right} if package != pivot
        }
        either = left[pivot] | right[pivot]
        if node.terms in (rest, {**rest, pivot: either}):
            return True
    return False


def test_the_solver_agrees_with_brute_force_on_two_thousand_registries() -> None:
    for number, (world, root) in enumerate(worlds(2000)):
        run = solve(world, root, check=True)
        where = (number, world.releases, root, run.pins)
        if run.pins is not None:
            assert is_solution(world, root, run.pins), where
        else:
            assert not has_solution(world, root), where


@given(RNG)
@settings(max_examples=100, deadline=None)
def test_the_solver_agrees_with_brute_force(rng: random.Random) -> None:
    world, root = random_world(rng)
    run = solve(world, root, check=True)
    assert has_solution(world, root) == (run.pins is not None)
    assert run.pins is None or is_solution(world, root, run.pins)


def test_a_search_that_keeps_what_a_conflict_does_not_touch_agrees_with_brute_force(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    usual = [solve(world, root) for world, root in worlds(1000)]
    monkeypatch.setattr(solver, "LONG_SEARCH", -1)
    monkeypatch.setattr(solver, "FAR", 0)
    others = 0
    for (world, root), before in zip(worlds(1000), usual, strict=True):
        run = solve(world, root, check=True)
        assert (run.pins is None) == (before.pins is None)  # which brute force agrees with, see above
        assert run.pins is None or is_solution(world, root, run.pins)
        others += run.trace != before.trace
    assert others > 25


def test_the_generator_reaches_conflicts_backjumps_and_dead_ends() -> None:
    runs = [solve(world, root) for world, root in worlds(500)]

    def share(wanted: list[Run]) -> float:
        return len(wanted) / len(runs)

    assert 0.25 < share([run for run in runs if run.pins is None]) < 0.6
    assert share([run for run in runs if run.pins is not None and run.solver.conflicts]) > 0.07
    assert share([run for run in runs if run.longest_jump > 1]) > 0.1
    assert share([run for run in runs if run.solver.conflicts > 3]) > 0.01
    assert share([run for run in runs if len(run.pins or ()) > 3]) > 0.15
    assert share([run for run in runs if any(state.affected >= 5 for state in run.solver._states.values())]) > 0.02


def test_the_order_in_which_facts_arrive_does_not_matter() -> None:
    """Neither the answer, nor the decisions on the way, nor the proof."""
    for world, root in worlds(400, start=5000):
        calm = solve(world, root)
        for seed in range(3):
            hasty = solve(world, root, seed=seed)
            assert hasty.pins == calm.pins
            assert hasty.trace == calm.trace
            assert hasty.solver.conflicts == calm.solver.conflicts
            if isinstance(calm.event, Unsolvable):
                assert isinstance(hasty.event, Unsolvable)
                assert told(world, hasty.event) == told(world, calm.event)


def told(world: World, event: Unsolvable) -> str:
    return world.explain(event).text


def restricted(world: World, facts: tuple[Incompatibility, ...]) -> tuple[World, list[str]]:
    """Keep nothing of a world but its versions and these facts."""
    releases: dict[str, list[str]] = {
        f"{name} {version}": [] for name, table in world.tables.items() for version in table.versions
    }
    root: list[str] = []
    for fact in facts:
        if len(fact.terms) == 1 and not sum(fact.terms.values()):
            continue  # that there is no such version is in the tables
        cause = fact.cause
        assert not isinstance(cause, Derived)
        owner = next(iter(fact.terms))
        text = "!fact is one"
        if isinstance(cause, FromDependency):
            target = str(cause.dependency)
            others = [
                version for i, version in enumerate(world.table(target).versions, 1) if not cause.admitted >> i & 1
            ]
            text = f"{target} {','.join(f'!={version}' for version in others)}" if others else target
        if str(owner) == "ROOT":
            root.append(text)
            continue
        for i, version in enumerate(world.tables[str(owner)].versions, 1):
            if fact.terms[owner] >> i & 1:
                stated = releases[f"{owner} {version}"]
                stated += [text] if text not in stated else []
    return plain(releases), [text.replace("[x]", "X") for text in root]


def plain(releases: dict[str, list[str]]) -> World:
    """Extras as ordinary packages: what ties them to their base must be among the facts."""
    return World(
        {
            release.replace("[x]", "X"): [text.replace("[x]", "X") for text in texts]
            for release, texts in releases.items()
        }
    )


def test_the_reported_reasons_are_true_and_alone_forbid_a_solution() -> None:
    proofs = 0
    for world, root in worlds(500, start=10_000):
        run = solve(world, root)
        if not isinstance(run.event, Unsolvable):
            continue
        proofs += 1
        facts = reasons(run.event.incompatibility)
        for fact in facts:
            assert holds(world, root, fact)
        smaller, smaller_root = restricted(world, facts)
        assert not has_solution(smaller, smaller_root)
        assert solve(smaller, smaller_root).pins is None
    assert proofs > 100


def holds(world: World, root: list[str], fact: Incompatibility) -> bool:
    """Whether a world states the fact."""
    cause = fact.cause
    (owner, versions), *_ = fact.terms.items()
    if isinstance(cause, FromDependency):
        numbers = [i for i in range(versions.bit_length()) if versions >> i & 1]
        stated = (
            [[one for text in root for one in dependencies_of(text)]]
            if str(owner) == "ROOT"
            else [world.dependencies[world.name_version(owner, i)] for i in numbers]
        )
        return all(
            any(
                one.package == cause.dependency and is_told(world.table(one.package).mask(one.key), cause)
                for one in several
            )
            for several in stated
        )
    if isinstance(cause, NoVersions):
        return world.table(owner).mask(cause.key) == 0
    return all(
        world.excluded(*world.name_version(owner, i)) for i in range(1, versions.bit_length()) if versions >> i & 1
    ) and (versions != 0 or not world.table(owner).count)


def is_told(admitted: int, cause: FromDependency) -> bool:
    """A requirement is told as it is, or, of several versions at once, as what they have in common."""
    return admitted == cause.admitted or (isinstance(cause.key, Admitted) and not admitted & ~cause.admitted)


def test_a_shortened_proof_is_true_and_alone_forbids_a_solution_and_none_of_its_facts_can_be_spared() -> None:
    proofs = shorter = 0
    for world, root in worlds(500, start=10_000):
        run = solve(world, root)
        if not isinstance(run.event, Unsolvable):
            continue
        proofs += 1
        conclusion = run.event.incompatibility
        proof = world.shorten(run.event)
        facts = reasons(proof)
        assert len(facts) <= len(reasons(conclusion))
        shorter += len(facts) < len(reasons(conclusion))
        assert all(holds(world, root, fact) for fact in facts)
        smaller, smaller_root = restricted(world, facts)
        assert not has_solution(smaller, smaller_root)
        for at, fact in enumerate(facts):
            if isinstance(fact.cause, FromDependency):
                assert has_solution(*restricted(world, (*facts[:at], *facts[at + 1 :])))
        assert all(is_mask_proof(node) for node in nodes(proof) if isinstance(node.cause, Derived))
    assert proofs > 100
    assert shorter > 5


def test_a_shortened_proof_is_told_the_same_however_the_facts_arrived() -> None:
    for world, root in worlds(150, start=50_000):
        calm, hasty = solve(world, root).event, solve(world, root, seed=1).event
        if isinstance(calm, Unsolvable):
            assert isinstance(hasty, Unsolvable)
            assert told(world, Unsolvable(world.shorten(hasty))) == told(world, Unsolvable(world.shorten(calm)))


def test_every_step_of_a_proof_is_a_resolution_of_its_two_causes() -> None:
    for world, root in worlds(300, start=20_000):
        run = solve(world, root)
        if isinstance(run.event, Unsolvable):
            for node in nodes(run.event.incompatibility):
                assert not isinstance(node.cause, Derived) or is_mask_proof(node)


@given(RNG)
@settings(max_examples=150, deadline=None)
def test_dropping_a_requirement_never_loses_a_solution(rng: random.Random) -> None:
    world, root = random_world(rng)
    if solve(world, root).pins is None:
        return
    releases = {name: list(stated) for name, stated in world.releases.items()}
    victims = [name for name, stated in releases.items() if stated]
    if victims:
        stated = releases[rng.choice(victims)]
        del stated[rng.randrange(len(stated))]
    if root:
        del root[rng.randrange(len(root))]
    assert solve(World(releases), root).pins is not None


@given(RNG)
@settings(max_examples=150, deadline=None)
def test_versions_that_were_not_chosen_can_go_and_none_that_goes_makes_a_solution(rng: random.Random) -> None:
    world, root = random_world(rng)
    pins = solve(world, root).pins
    releases = dict(world.releases)
    for release in list(releases):
        name, version = release.split()
        if "[" not in name and (pins or {}).get(name) != version and rng.random() < 0.4:
            del releases[release]
            releases.pop(f"{name}[x] {version}", None)
    smaller = solve(World(releases), root)
    assert (smaller.pins is None) == (pins is None)


def test_the_highest_versions_are_chosen_where_they_fit_together() -> None:
    fitting = 0
    for world, root in worlds(1500, start=30_000):
        highest = {name: table.versions[-1] for name, table in world.tables.items()}
        pins = {name: highest[name] for name in reachable(world, root, highest)}
        if is_solution(world, root, pins):
            fitting += 1
            assert solve(world, root).pins == pins
    assert fitting > 40


def test_a_pause_after_every_conflict_changes_nothing() -> None:
    pauses = 0
    for world, root in worlds(300, start=40_000):
        whole, paused = solve(world, root), solve(world, root, pause_steps=0, check=True)
        assert (paused.pins, paused.trace) == (whole.pins, whole.trace)
        pauses += paused.pauses
    assert pauses > 100


def test_a_budget_only_ever_ends_a_solve_early() -> None:
    """Whatever is answered within a small budget is what a large one answers."""
    exhausted = 0
    for world, root in worlds(200, start=40_000):
        whole = solve(world, root)
        try:
            run = solve(world, root, max_decisions=4)
        except DecisionsExhausted:
            exhausted += 1
            assert whole.solver.decisions > 4
        else:
            assert run.pins == whole.pins
    assert exhausted > 10
