"""What is asked of everybody: requirements, limits on versions, and the environment."""

from __future__ import annotations

import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
PLATFORM = "x86_64-unknown-linux-gnu"


@dataclass(frozen=True, slots=True)
class Question:
    """A set of requirements to be locked, from wheels only."""

    name: str
    """Of the set."""
    requirements: tuple[str, ...]
    """PEP 508, one each."""
    python: str
    """Such as ``3.11``: the target's, or the oldest of a universal lock."""
    constraints: tuple[str, ...] = ()
    is_universal: bool = False

    @property
    def text(self) -> str:
        """A requirements file."""
        return "".join(f"{line}\n" for line in self.requirements)


def read_requirements(text: str) -> tuple[str, ...]:
    """The requirements of a plain requirements file, without comments."""
    lines = (line.split(" #")[0].strip() for line in text.splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))


def questions(snapshot: Path, only: Sequence[str], python: str = HERE) -> list[Question]:
    """The sets of the snapshot whose names begin with one of ``only``; without ``only`` all of them.

    A set that the recorded answers call unsatisfiable for ``python`` is asked for the newest Python that has an answer.
    """
    found = []
    for path in sorted((snapshot / "sets").glob("*.in")):
        name = path.stem
        if only and not any(name.startswith(one) for one in only):
            continue
        found.append(Question(name, read_requirements(path.read_text()), _python_of(snapshot, name, python)))
    return found


def _python_of(snapshot: Path, name: str, python: str) -> str:
    if not (snapshot / "oracle" / f"{name}.{python}.unsat.txt").exists():
        return python
    known = [f"3.{minor}" for minor in range(20, 7, -1)]
    return next((one for one in known if (snapshot / "oracle" / f"{name}.{one}.txt").exists()), python)


def variants(question: Question, pins: Mapping[str, str], count: int, seed: int) -> list[tuple[Question, Question]]:
    """Questions that resemble ``question`` and were not asked before, each with a sibling.

    A third leaves out some requirements (where there are several), a third bounds packages at the version that they
    have, a third below it. The sibling bounds one more package at the version that it has: who answers it has every
    fact that the variant needs, but not its answer.
    """
    choose = random.Random(f"{seed} {question.name}")
    names = sorted(pins)
    made: dict[Question, Question] = {}
    for attempt in range(count * 20):
        if len(made) == count:
            break
        kind = attempt % 3
        one, other, sibling = (choose.choice(names) for _ in range(3))
        variant = replace(question, constraints=(f"{one}<={pins[one]}", f"{other}<={pins[other]}"))
        if kind == 1 and len(question.requirements) > 2:
            kept = choose.sample(question.requirements, choose.randint(2, len(question.requirements) - 1))
            variant = replace(question, requirements=tuple(sorted(kept)), constraints=(f"{one}<={pins[one]}",))
        elif kind == 2:
            variant = replace(question, constraints=(f"{one}<{pins[one]}",))
        if variant not in made and sibling not in {one, other}:
            made[variant] = replace(variant, constraints=(*variant.constraints, f"{sibling}<={pins[sibling]}"))
    return list(made.items())


def broken(question: Question, pins: Mapping[str, str]) -> list[str]:
    """The constraints of ``question`` that ``pins`` do not keep."""
    faults = []
    for text in question.constraints:
        constraint = Requirement(text)
        version = pins.get(canonicalize_name(constraint.name))
        if version is not None and not constraint.specifier.contains(version, prereleases=True):
            faults.append(f"{text} got {version}")
    return faults
