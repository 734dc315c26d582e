"""A notation for tiny registries, and a driver that answers the solver from one.

    World({"a 1": ["b >=2"], "b 1": [], "b 2": []})

Versions are dotted numbers; a requirement is a name and comma-separated comparisons. ``b[x] >=1`` requires the extra
``x``; ``"b[x] 1": ["c"]`` says what it adds. A version's requirement ``!kind detail`` excludes it beforehand,
``?kind detail`` makes it unavailable when it is tried.
"""

from __future__ import annotations

import operator
import random
import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from resolver.solver import (
    Decided,
    Dependency,
    Exclusion,
    Explanation,
    Incompatibility,
    NeedDependencies,
    NeedVersions,
    Package,
    Solved,
    Solver,
    Underway,
    Unsolvable,
    explain,
    shortened,
)

_COMPARE: Mapping[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_CLAUSE = re.compile(r"(==|!=|>=|<=|>|<)([0-9.]+)")


def version_key(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


def admits(specifier: str, version: str) -> bool:
    return all(_COMPARE[op](version_key(version), version_key(bound)) for op, bound in _CLAUSE.findall(specifier))


@dataclass
class Table:
    """A version table over dotted numbers; highest first."""

    versions: Sequence[str]
    excluded: Sequence[Exclusion] = ()

    @property
    def count(self) -> int:
        return len(self.versions)

    def mask(self, key: Hashable, /) -> int:
        return sum(2 << i for i, version in enumerate(self.versions) if admits(str(key), version))

    def choose(self, allowed: int, /) -> int:
        return allowed.bit_length() - 1

    def exclusions(self) -> Sequence[Exclusion]:
        return self.excluded

    def describe(self, mask: int, /) -> str:
        """Describe the runs of versions that are in the mask, with bounds that are real versions."""
        runs: list[str] = []
        i = 1
        while i <= self.count:
            if not mask >> i & 1:
                i += 1
                continue
            start = i
            while i <= self.count and mask >> i & 1:
                i += 1
            lower = f">={self.versions[start - 1]}" if start > 1 else ""
            upper = f"<{self.versions[i - 1]}" if i <= self.count else ""
            if i - start == 1 and (lower or self.count > 1):
                runs.append(f"=={self.versions[start - 1]}")
            else:
                runs.append(",".join(filter(None, (lower, upper))) or "*")
        return " or ".join(runs) or "nothing"


@dataclass
class World:
    """A registry. ``releases`` maps "name version" to requirements; ``empty`` are names that are known to be absent."""

    releases: Mapping[str, Sequence[str]]
    dependencies: dict[tuple[str, str], list[Dependency]] = field(default_factory=dict)
    unavailable: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)

    def __post_init__(self) -> None:
        versions: dict[str, list[str]] = {}
        excluded: dict[str, dict[tuple[str, str], list[str]]] = {}
        for release, requirements in self.releases.items():
            name, version = release.split()
            versions.setdefault(name, []).append(version)
            stated = self.dependencies[name, version] = []
            if "[" in name:
                base = name.partition("[")[0]
                stated.append(Dependency(base, f"=={version}", f"{base}=={version}", is_exact=True))
            for text in requirements:
                if text[0] in "!?":
                    kind, _, detail = text[1:].partition(" ")
                    if text[0] == "!":
                        excluded.setdefault(name, {}).setdefault((kind, detail), []).append(version)
                    else:
                        self.unavailable[name, version] = (kind, detail)
                else:
                    stated.extend(dependencies_of(text))
        for name, known in versions.items():
            known.sort(key=version_key)
            self.tables[name] = Table(
                known,
                [
                    Exclusion(sum(2 << known.index(version) for version in which), kind, detail)
                    for (kind, detail), which in excluded.get(name, {}).items()
                ],
            )

    def table(self, package: Package) -> Table:
        absent = Table((), (Exclusion(0, "not-found", "was not found in the index"),))
        return self.tables.get(str(package), absent)

    def explain(self, event: Solved | Unsolvable) -> Explanation:
        assert isinstance(event, Unsolvable)
        return explain(event.incompatibility, dict(self.tables.items()), str)

    def shorten(self, event: Solved | Unsolvable) -> Incompatibility:
        assert isinstance(event, Unsolvable)
        return shortened(event.incompatibility, dict(self.tables.items()))

    def name_version(self, package: Package, number: int) -> tuple[str, str]:
        return str(package), self.table(package).versions[number - 1]

    def excluded(self, name: str, version: str) -> bool:
        table = self.tables[name]
        bit = 2 << list(table.versions).index(version)
        return (name, version) in self.unavailable or any(bit & one.mask for one in table.excluded)


def dependencies_of(text: str) -> list[Dependency]:
    """Read one requirement; one with an extra depends on the base, too."""
    name, _, specifier = text.partition(" ")
    exact = specifier.startswith("==") and "," not in specifier
    found = [Dependency(name, specifier, text, is_exact=exact)]
    if "[" in name:
        base = name.partition("[")[0]
        found.insert(0, Dependency(base, specifier, text, is_exact=exact))
    return found


def base_of(package: Package) -> Package | None:
    name, bracket, _ = str(package).partition("[")
    return name if bracket else None


@dataclass
class Run:
    """A finished solve."""

    solver: Solver
    event: Solved | Unsolvable
    pins: dict[str, str] | None
    trace: list[tuple[str, str]]
    longest_jump: int
    pauses: int = 0


@dataclass
class Prompter:
    """Answers a solver; with a seed, also tells it facts early, needlessly and in an order that the seed decides."""

    world: World
    solver: Solver
    seed: int | None = None

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._releases = list(self.world.dependencies)

    def chatter(self) -> None:
        if self.seed is None:
            return
        for _ in range(self._random.randrange(3)):
            name, version = self._random.choice(self._releases)
            if self._random.random() < 0.5:
                self.solver.add_versions(name, self.world.table(name))
            else:
                self.tell(name, version)

    def answer(self, question: NeedVersions | NeedDependencies) -> None:
        if isinstance(question, NeedDependencies):
            self.tell(*self.world.name_version(question.package, question.version))
            return
        packages = list(question.packages)
        if self.seed is not None:
            self._random.shuffle(packages)
            del packages[self._random.randint(1, len(packages)) :]
        for package in packages:
            self.solver.add_versions(package, self.world.table(package))

    def tell(self, name: str, version: str) -> None:
        number = list(self.world.tables[name].versions).index(version) + 1
        if (name, version) in self.world.unavailable:
            self.solver.add_unavailable(name, number, *self.world.unavailable[name, version])
        else:
            self.solver.add_dependencies(name, number, self.world.dependencies[name, version])


def solve(
    world: World,
    root: Iterable[str],
    *,
    max_decisions: int = 10_000,
    pause_steps: int = 1_000_000,
    seed: int | None = None,
    check: bool = False,
) -> Run:
    """Solve; with ``check``, verify the invariants of the partial solution after every event."""
    wanted = [dependency for text in root for dependency in dependencies_of(text)]
    solver = Solver(wanted, max_decisions=max_decisions, pause_steps=pause_steps, tie=base_of)
    prompter = Prompter(world, solver, seed)
    trace: list[tuple[str, str]] = []
    longest_jump = pauses = 0
    while True:
        prompter.chatter()
        level = solver._solution.level
        event = solver.next_event()
        longest_jump = max(longest_jump, level - solver._solution.level)
        if check:
            solver._solution.check()
        if isinstance(event, NeedVersions | NeedDependencies):
            prompter.answer(event)
        elif isinstance(event, Underway):
            pauses += 1
        elif isinstance(event, Decided):
            trace.append(world.name_version(event.package, event.version))
        else:
            pins = None
            if isinstance(event, Solved):
                pins = dict(world.name_version(*decision) for decision in event.decisions.items())
            return Run(solver, event, pins, trace, longest_jump, pauses)


# In this mix some two in five worlds have no solution, and a quarter of those that have one learn from conflicts.
_OPERATORS = ("==", "!=", ">=", "<=", "")


def random_world(rng: random.Random) -> tuple[World, list[str]]:
    """Make a small registry, and what to require of it.

    ``tests/properties/test_solver.py`` verifies that such worlds are hard often enough.
    """
    names = "abcdef"[: rng.randint(3, 6)]
    counts = {name: rng.randint(1, 5) for name in names}
    density = rng.choice((0.2, 0.3, 0.4))
    with_extra = rng.choice(names) if len(names) < 6 and rng.random() < 0.3 else None
    targets = [*names, f"{with_extra}[x]"] if with_extra else list(names)

    def requirement(name: str) -> str:
        comparison = rng.choice(_OPERATORS)
        return f"{name} {comparison}{rng.randint(1, counts[name[0]])}" if comparison else name

    releases: dict[str, list[str]] = {}
    for owner in targets:
        for version in range(1, counts[owner[0]] + 1):
            stated = [
                requirement(name)
                for name in targets
                if rng.random() < density and (name[0] != owner[0] or rng.random() < 0.1)
            ]
            if "[" not in owner:
                stated += rng.choices(
                    ([], ["!yanked broken"], ["!requires-python >=3.13"], ["?metadata is unreadable"]), (91, 3, 3, 3)
                )[0]
            releases[f"{owner} {version}"] = stated
    wanted = rng.sample(targets, min(len(targets), rng.randint(1, 3)))
    return World(releases), [*map(requirement, wanted), *(["absent"] if rng.random() < 0.02 else [])]
