"""Versions that are given up without a search are those that the search gives up, for the same reasons."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

import pytest

from resolver.solver import (
    Decided,
    Dependency,
    Derived,
    Incompatibility,
    NeedDependencies,
    NeedVersions,
    Package,
    Solved,
    Solver,
    Unavailable,
    Unsolvable,
    reasons,
    retreat,
)
from resolver.solver.reason import Lapse
from resolver.solver.way_down import WayDown
from tests.solver_oracle import is_solution
from tests.solver_world import Prompter, World, base_of, dependencies_of


def hub_world(rng: random.Random) -> tuple[World, list[str]]:  # noqa: C901, PLR0912 - a list of choices
    """A hub of many versions that lead to others in step with it, and a bound that most of these do not keep."""
    count, depth = rng.randint(20, 60), rng.choice((1, 2, 2, 2, 3))
    names = ["hub", "mid", "low", "end"][: depth + 1]
    tail, leaves = names[-1], ["x", "y", "z"]
    # How often something is out of step.
    noise = rng.choice((0.0, 0.01, 0.05, 0.2))
    good = rng.randint(0, count // 3)
    bound, is_constraint = rng.randint(1, max(2, good)), rng.random() < 0.4
    releases: dict[str, list[str]] = {}
    for name, below in pairwise(names):
        width, usual = rng.choice((0, 0, 1, 3)), [f"{leaf} >={rng.randint(1, 3)}" for leaf in leaves]
        steps = rng.choice((1, 1, 5, 15))
        for number in range(1, count + 1):
            if below == tail:
                needed = number if number <= good else number // steps * steps
                stated = [f"{below} >={max(1, needed)}"]
            elif width == 0:
                stated = [f"{below} =={number}"]
            else:
                stated = [f"{below} >={max(1, number - width)},<={number + rng.choice((0, width))}"]
            if number % 20 == 0:
                usual = [f"{leaf} {rng.choice(('>=2', '<5', '>=1', '<=4', '>=3'))}" for leaf in leaves]
            stated += usual[: rng.randint(1, 3)] if rng.random() < noise else usual[: 1 + depth % 3]
            if rng.random() < noise / 2:
                stated.append(f"{rng.choice([*names, *leaves])} >={rng.randint(1, 4)}")
            if rng.random() < noise / 2:
                stated.append("!yanked was yanked")
            if rng.random() < noise / 2:
                stated.append("?invalid-metadata is unreadable")
            rng.shuffle(stated)
            releases[f"{name} {number}"] = stated
    for number in range(1, count + 1):
        stated = [f"x >={rng.randint(1, 3)}"] if rng.random() < noise else []
        if is_constraint and number > bound:
            stated.append(f"!constraint {rng.choice(('one', 'another'))}")
        releases[f"{tail} {number}"] = stated
    for leaf in leaves:
        for number in range(1, 6):
            others = [one for one in (*leaves, tail) if one != leaf]
            stated = [f"{rng.choice(others)} >={rng.randint(1, 3)}"] if rng.random() < noise else []
            if rng.random() < noise / 2:
                stated.append(f"hub <{rng.randint(2, count)}")
            releases[f"{leaf} {number}"] = stated
    if rng.random() < 0.2:
        for number in range(1, count + 1):
            releases[f"hub[e] {number}"] = [rng.choice(leaves)]
    root = ["hub[e]" if "hub[e] 1" in releases and rng.random() < 0.5 else "hub"]
    if not is_constraint:
        root.append(f"{tail} <={bound}")
    root += rng.sample(leaves, rng.randint(0, 2))
    if rng.random() < 0.2:
        root.append("mid" if depth > 1 else "x <4")
    rng.shuffle(root)
    world = World(releases)
    if rng.random() < 0.7:  # drivers tell of equal dependencies, and of equal lists of them, by the same objects
        same = {one: one for stated in world.dependencies.values() for one in stated}
        lists: dict[tuple[Dependency, ...], list[Dependency]] = {}
        for release, stated_by in world.dependencies.items():
            mine = [same[one] for one in stated_by]
            world.dependencies[release] = lists.setdefault(tuple(mine), mine)
    return world, root


@dataclass
class Shelf:
    """Has each fact, or not at first: then it is asked for by an event; what was asked for is written down once."""

    world: World
    missing: float
    rng: random.Random
    asked: dict[tuple[str, ...], None]

    def versions(self, package: Package, /) -> object:
        self.asked[str(package),] = None
        return None if self.rng.random() < self.missing else self.world.table(package)

    def dependencies(self, package: Package, version: int, /) -> object:
        release = self.world.name_version(package, version)
        self.asked[release] = None
        if self.rng.random() < self.missing:
            return None
        if release in self.world.unavailable:
            return Unavailable(*self.world.unavailable[release])
        return self.world.dependencies[release]


def course(
    world: World, root: list[str], *, is_watched: bool, missing: float = 0.0, seed: int = 0
) -> dict[str, object]:
    """Everything that a search tells of itself."""
    wanted = [dependency for text in root for dependency in dependencies_of(text)]
    solver = Solver(wanted, max_decisions=3000, tie=base_of, is_watched=is_watched)
    shelf = Shelf(world, missing, random.Random(seed), {})
    prompter = Prompter(world, solver)
    while True:
        event = solver.next_event(shelf, decisions=1)  # type: ignore[arg-type]
        solver._solution.check()
        match event:
            case NeedVersions() | NeedDependencies():
                prompter.answer(event)
            case Decided():
                pass
            case Solved() | Unsolvable():
                break
    states = [state for state in solver._states.values() if state.table is not None]
    found: dict[str, object] = {
        "asked": list(shelf.asked),
        "decisions": solver.decisions,
        "conflicts": solver.conflicts,
        "order": [state.package for state in solver._solution.order],
        "levels": [[one[:3] for one in state.assumptions] for state in states],
        "lessons": [[one[3] and told(one[3]) for one in state.assumptions] for state in states],
        "known": [(state.package, state.known, state.enforced) for state in states],
        "counts": [(state.package, state.affected, state.culprit, state.urgency) for state in states],
        "facts": [
            [(fact.versions, fact.cause) for fact in state.facts.values()]
            for state in states
            if solver._descent is None
        ],
    }
    if isinstance(event, Solved):
        found["pins"] = dict(world.name_version(*one) for one in event.decisions.items())
    else:
        found["proof"] = [one.terms for one in reasons(event.incompatibility)], world.explain(event).text
    solver.close()
    return found


def told(reason: object, depth: int = 4) -> object:
    """A derivation down to some depth."""
    made = reason if isinstance(reason, Incompatibility) else reason.incompatibility()  # type: ignore[attr-defined]
    cause = made.cause
    if not isinstance(cause, Derived):
        return dict(made.terms), cause
    return dict(made.terms), depth and (told(cause.left, depth - 1), told(cause.right, depth - 1))


@pytest.mark.parametrize("tried", [1, 8])
def test_what_is_given_up_without_a_search_is_what_the_search_gives_up(
    tried: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retreat, "TRIED", tried)
    steps: Counter[str] = Counter()
    step, analyse = WayDown.step, WayDown._analyse

    def counted(way: WayDown) -> bool:
        decided = way.decisions
        if step(way):
            steps["led" if way.decisions > decided else "rejected"] += 1
            steps["above"] += way._level > 1
            steps["for good"] += any(isinstance(one, Lapse) for one in way._state.unary)
            return True
        return False

    def analysed(*args: object) -> None:
        steps["analysed"] += 1
        analyse(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(WayDown, "step", counted)
    monkeypatch.setattr(WayDown, "_analyse", analysed)
    for seed in range(60):
        world, root = hub_world(random.Random(seed))
        usual = course(world, root, is_watched=True)
        for missing in (0.0, 0.3):
            found = course(world, root, is_watched=False, missing=missing, seed=seed)
            for name, value in usual.items():
                if name != "asked" or not missing:
                    assert found[name] == value, (seed, name, root, world.releases)
            assert sorted(found["asked"]) == sorted(usual["asked"])  # type: ignore[call-overload]
        if "pins" in usual:
            assert is_solution(world, root, usual["pins"])  # type: ignore[arg-type]
    assert min(steps[kind] for kind in ("led", "rejected", "above", "analysed", "for good")) > 10
