"""The whole resolver against brute force and two peers, over as many random worlds as one has time for.

    python -m tests.properties.fuzz --worlds 20000 --seed 7

What is judged: an answer "yes" is sound by a walk of its own; an answer "no" is one of brute force and of the peers,
and the reasons that are reported for it are true and suffice; a universal answer is sound in each environment of a
grid. A world that is judged wrong is printed with its seed, and ``--show`` prints the world of a seed.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pprint import pformat

from packaging.markers import Marker
from packaging.version import Version

from resolver.driver import resolve
from resolver.environment.target import make_target
from resolver.errors import NoSolution
from resolver.index.gateway import Gateway
from resolver.inputs import read_inputs
from resolver.lock.build import build
from resolver.lock.check import check
from resolver.model import (
    Budget,
    Builds,
    ForkStrategy,
    Lock,
    Options,
    PackageOptions,
    Pin,
    Prerelease,
    Query,
    Resolution,
    ResolutionMode,
    Universal,
)
from resolver.remedies import Suggestion
from resolver.solving import Event

from .meaning import Cell, Meaning, cells_of, grid_of
from .peers import FALLIBLE, PEERS, NoAnswer
from .random_index import LIMIT, Question, RandomIndex, random_case
from .suggested import changed
from .told import Reading


@dataclass
class Verdict:
    """What became of one world, or of one question about it."""

    faults: list[str] = field(default_factory=list)
    traits: set[str] = field(default_factory=set)
    """What the world had in it: tests look at their shares."""


def to_query(index: RandomIndex, question: Question) -> Query:
    """The question as the resolver is asked it."""
    inputs = read_inputs(
        requirements=question.requirements, constraints=question.constraints, overrides=question.overrides
    )
    targets = (
        make_target(name=f"t{number}", python=python, platform=platform)
        for number, (python, platform) in enumerate(question.targets)
    )
    universal = Universal(question.requires_python, question.environments, question.required_environments)
    return Query(
        requirements=inputs.requirements,
        constraints=inputs.constraints,
        overrides=inputs.overrides,
        excludes=frozenset(question.excludes),
        indexes=(index.index,),
        targets=tuple(targets),
        universal=None if question.targets else universal,
        options=Options(
            resolution=ResolutionMode(question.resolution),
            prerelease=Prerelease(question.prerelease),
            fork_strategy=ForkStrategy(question.fork_strategy),
            exclude_newer=LIMIT if question.is_dated else None,
            only_binary=frozenset(question.only_binary),
            no_binary=frozenset(question.no_binary),
            builds=Builds(question.builds),
            packages={name: _options(own) for name, own in question.packages.items()},
        ),
        budget=Budget(suggestions=60),  # all that count allows, however slow the machine is
    )


def _options(own: Mapping[str, object]) -> PackageOptions:
    newer, prerelease, builds = (own.get(option) for option in ("exclude_newer", "prerelease", "builds"))
    assert newer is None or isinstance(newer, datetime | bool)
    return PackageOptions(
        prerelease=None if prerelease is None else Prerelease(str(prerelease)),
        exclude_newer=newer,
        builds=None if builds is None else Builds(str(builds)),
    )


async def judge(seed: int, *, is_universal: bool) -> Verdict:
    """Ask, and hold the answers against all that is known; the second is given by a gateway that knows the index."""
    index, questions = random_case(seed, is_universal=is_universal)
    gateway = Gateway(index)
    verdict = Verdict()
    for number, question in enumerate(questions, 1):
        answer = await _judge(index, question, gateway)
        verdict.traits |= answer.traits
        verdict.faults += (f"question {number}: {fault}" for fault in answer.faults)
    return verdict


async def _judge(index: RandomIndex, question: Question, gateway: Gateway) -> Verdict:
    is_universal = not question.targets
    tried: list[str] = []

    def watch(event: Event) -> None:
        tried.append(event.package)

    verdict = Verdict()
    try:
        resolution = await resolve(to_query(index, question), gateway, on_event=watch)
    except NoSolution as error:
        verdict.traits.add("no solution")
        (_universal_no if is_universal else _no)(index, question, error, verdict)
        for suggestion in error.suggestions:
            verdict.traits.add("suggested")
            verdict.faults += await _untrue(index, question, suggestion, gateway)
    else:
        lock = build(resolution)
        verdict.faults += check(lock, resolution)
        _note(index, resolution, verdict)
        if is_universal:
            _universal_yes(index, question, lock, verdict)
        else:
            _yes(index, question, resolution, verdict)
        if not is_universal and len(set(tried)) < len(tried):
            verdict.traits.add("backtracked")
            again = next(place for place, name in enumerate(tried) if name in tried[:place])
            if again - tried.index(tried[again]) > 2:
                verdict.traits.add("jumped back")
        if resolution.stats.conflicts:
            verdict.traits.add("learned")
    return verdict


def _pins(resolution: Resolution) -> list[Mapping[str, Pin]]:
    return [place.pins for place in resolution.targets] + [place.pins for place in resolution.regions]


def _note(index: RandomIndex, resolution: Resolution, verdict: Verdict) -> None:
    if len(resolution.regions) > 1:
        verdict.traits.add("forked")
    for each in _pins(resolution):
        for name, pin in each.items():
            release = index.releases[name, pin.version]
            if Version(pin.version).is_prerelease:
                verdict.traits.add("pre-release")
                if all(Version(version).is_prerelease for other, version in index.releases if other == name):
                    verdict.traits.add("pre-releases only")
            traits = {
                "yanked": pin.yanked is not None,
                "extra": bool(pin.extras),
                "extra of itself": any(f"{name}[" in text for text in release.requires),
                "wheels differ": any(file.requires is not None for file in release.files),
                "tags": all(file.tags != "py3-none-any" for file in release.files),
                "sdist": all(file.tags is None for file in release.files),
            }
            verdict.traits.update(trait for trait, is_there in traits.items() if is_there)


# ---- one target --------------------------------------------------------------


def _yes(index: RandomIndex, question: Question, resolution: Resolution, verdict: Verdict) -> None:
    for cell, place in zip(cells_of(question), resolution.targets, strict=True):
        meaning = Meaning(index, question, cell)
        faults = meaning.faults({name: pin.version for name, pin in place.pins.items()})
        verdict.faults += faults
        _ask_peers(meaning, verdict, is_solvable=not faults)


def _no(index: RandomIndex, question: Question, error: NoSolution, verdict: Verdict) -> None:
    """The first target that has no solution is the one that is told of."""
    for cell in cells_of(question):
        meaning = Meaning(index, question, cell)
        found = meaning.solve()
        _ask_peers(meaning, verdict, is_solvable=found is not None)
        if found is None:
            verdict.faults += _reasons(meaning, error)
            return
    verdict.faults.append(f"there is a solution: {found}; we said: {error.detail}")


def _ask_peers(meaning: Meaning, verdict: Verdict, *, is_solvable: bool) -> None:
    for name, pins in PEERS.items():
        try:
            found = pins(meaning)
        except NoAnswer:
            verdict.traits.add(f"{name} gave up")
            continue
        faults = [] if found is None else meaning.faults(found)
        if (found is not None) == is_solvable and not faults:
            verdict.traits.add(f"{name} agrees")
        elif name in FALLIBLE and (faults or is_solvable):
            verdict.traits.add(f"{name} is wrong")
        else:
            verdict.faults.append(f"{name} does not agree: {found} {faults}")


def _reasons(meaning: Meaning, error: NoSolution) -> Iterator[str]:
    reading = Reading(meaning)
    reading.read(error.derivation)
    yield from reading.untrue
    left = reading.leaves_a_solution()
    if left is not None:
        yield f"the reasons told do not suffice: {left}; we said: {error.detail}"


# ---- all environments --------------------------------------------------------


def _universal_yes(index: RandomIndex, question: Question, lock: Lock, verdict: Verdict) -> None:
    for cell in grid_of(question):
        meaning = Meaning(index, question, cell, everywhere=True)
        verdict.faults += (f"{cell}: {fault}" for fault in _in_cell(meaning, lock, cell))


def _in_cell(meaning: Meaning, lock: Lock, cell: Cell) -> Iterator[str]:
    pins: dict[str, str] = {}
    for one in lock.packages:
        if one.marker is None or Marker(one.marker).evaluate({**cell.markers, "extra": ""}):
            if one.name in pins:
                yield f"two versions of {one.name}"
            pins[one.name] = one.version
    yield from meaning.faults(pins)


def _universal_no(index: RandomIndex, question: Question, error: NoSolution, verdict: Verdict) -> None:
    """A conflict is told that holds in some environment: where each has an answer, "no" is wrong."""
    cells = [Meaning(index, question, cell) for cell in grid_of(question)]
    if all(meaning.solve() is not None for meaning in cells):
        verdict.faults.append(f"each environment has an answer; we said: {error.detail}")
    reading = Reading(cells[0])
    reading.read(error.derivation)
    left = reading.leaves_a_solution()
    if left is not None:
        verdict.faults.append(f"the reasons told do not suffice: {left}; we said: {error.detail}")


# ---- suggestions -------------------------------------------------------------


async def _untrue(index: RandomIndex, question: Question, suggestion: Suggestion, gateway: Gateway) -> list[str]:
    """What is wrong with a suggestion: who does what it says has an answer, with the versions that it names."""
    other = changed(question, suggestion)
    try:
        resolution = await resolve(to_query(index, other), gateway)
    except NoSolution as error:
        return [f"who heeds {suggestion.detail!r} hears {error.detail!r}"]
    versions: dict[str, set[str]] = {}
    for each in _pins(resolution):
        for name, pin in each.items():
            versions.setdefault(name, set()).add(pin.version)
    faults = [
        f"who heeds {suggestion.detail!r} gets {name} {sorted(versions[name])}, not {told}"
        for name, told in suggestion.result.items()
        if versions.get(name) != set(told)
    ]
    for cell, place in zip(cells_of(other), resolution.targets, strict=True):
        faults += Meaning(index, other, cell).faults({name: pin.version for name, pin in place.pins.items()})
    return faults


# ---- the command -------------------------------------------------------------


def show(seed: int, *, is_universal: bool) -> str:
    """The world of a seed, and what is asked of it."""
    index, questions = random_case(seed, is_universal=is_universal)
    return pformat([*questions, *index.releases.values()], width=160)


async def _main(worlds: int, seed: int, kinds: list[bool]) -> int:
    traits: Counter[str] = Counter()
    wrong = 0
    started = time.perf_counter()
    for number in range(seed, seed + worlds):
        for is_universal in kinds:
            verdict = await judge(number, is_universal=is_universal)
            kind = "universal" if is_universal else "target"
            traits.update(f"{kind}: {trait}" for trait in verdict.traits)
            if verdict.faults:
                wrong += 1
                print(f"seed {number} {kind}:", *verdict.faults[:3], sep="\n    ", flush=True)
    print(f"{worlds} worlds x {len(kinds)} in {time.perf_counter() - started:.0f} s, {wrong} judged wrong")
    for trait, count in sorted(traits.items()):
        print(f"    {trait:30} {count / worlds:6.1%}")
    return 1 if wrong else 0


def main() -> int:
    """Run as a command."""
    parser = argparse.ArgumentParser(prog="python -m tests.properties.fuzz", description=__doc__)
    parser.add_argument("--worlds", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0, help="of the first world; the others follow")
    parser.add_argument("--kind", choices=("both", "target", "universal"), default="both")
    parser.add_argument("--show", action="store_true", help="print the first world instead")
    given = parser.parse_args()
    kinds = {"both": [False, True], "target": [False], "universal": [True]}[given.kind]
    if given.show:
        print(show(given.seed, is_universal=kinds[0]))
        return 0
    return asyncio.run(_main(given.worlds, given.seed, kinds))


if __name__ == "__main__":
    sys.exit(main())
