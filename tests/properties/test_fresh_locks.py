"""A lock that was just made satisfies what it was made from, in whatever form it is read back."""

from __future__ import annotations

import json
from random import Random

import pytest

from resolver.driver import resolve
from resolver.errors import NoSolution
from resolver.index.gateway import Gateway
from resolver.inputs import read_lock
from resolver.lock.satisfies import satisfies
from resolver.model import Query, Universal
from service.problems import Problem
from service.rendering import render
from tests.fake_index import BASE, World
from tests.lock.world import stated, target
from transport.message import Index

NAMES = "abcde"
MARKERS = ("", "", "; sys_platform == 'win32'", "; python_version < '3.12'", "; sys_platform != 'darwin'")
SPECIFIERS = ("", "", ">=2", "<3", "!=2.0", "==1.0")


def _world(random: Random) -> World:
    lines = []
    for name in NAMES:
        others = [other for other in NAMES if other != name]
        for version in ("1.0", "2.0", "3.0"):
            requires = [_text(random, others) for _ in range(random.randint(0, 2))]
            lines.append(f"{name} {version}" + (f": {' & '.join(requires)}" if requires else ""))
            if random.random() < 0.5:
                lines.append(f"{name} {version} [x]: {random.choice(others)}{random.choice(SPECIFIERS)}")
    return World("\n".join(lines))


def _text(random: Random, names: list[str]) -> str:
    extra = random.choice(("", "[x]", "[nonesuch]"))
    return f"{random.choice(names)}{extra}{random.choice(SPECIFIERS)}{random.choice(MARKERS)}"


def _query(random: Random) -> Query:
    names = list(NAMES)
    is_universal = random.random() < 0.5
    return Query(
        tuple(stated(_text(random, names)) for _ in range(random.randint(1, 3))),
        (Index("world", BASE, default=True),),
        targets=() if is_universal else (target("t", "3.11"), target("u", "3.13", "windows")),
        universal=Universal(">=3.10") if is_universal else None,
        constraints=tuple(stated(f"{random.choice(names)}<3") for _ in range(random.randint(0, 1))),
        overrides=tuple(
            stated(f"{random.choice(names)}{random.choice(SPECIFIERS)}{random.choice(MARKERS)}")
            for _ in range(random.randint(0, 1))
        ),
        excludes=frozenset(random.choice(names) for _ in range(random.randint(0, 1))),
    )


@pytest.mark.parametrize("seed", range(60))
async def test_a_fresh_lock_satisfies_its_query(seed: int) -> None:
    random = Random(seed)
    world, query = _world(random), _query(random)
    try:
        rendered = render(await resolve(query, Gateway(world)), "sha256:0")
    except (NoSolution, Problem):
        return  # nothing was locked
    for text in (*rendered.texts.values(), json.dumps(rendered.document)):
        assert satisfies(read_lock(text), query) == ()
