"""Hash-checking input: which files the hashes of several statements leave."""

from __future__ import annotations

import hashlib

import pytest

from resolver.driver import resolve
from resolver.errors import NoSolution
from resolver.index.gateway import Gateway
from resolver.inputs import read_inputs
from resolver.lock.build import build
from resolver.lock.check import check
from resolver.model import Query, Universal

from .fake_index import World
from .test_driver import LINUX

WORLD = World("""
    a 1.0
    a 2.0
""")
FIRST, SECOND = (f"--hash=sha256:{hashlib.sha256(one.metadata).hexdigest()}" for one in WORLD.releases.values())
WRONG = f"--hash=sha256:{'0' * 64}"


async def locked(text: str, constraints: str = "", overrides: str = "", *, universal: bool = False) -> list[str]:
    files = {"in.txt": text, "limits.txt": constraints, "force.txt": overrides}
    inputs = read_inputs(files=files, roots=["in.txt"], constraint_files=["limits.txt"], override_files=["force.txt"])
    query = Query(
        requirements=inputs.requirements,
        constraints=inputs.constraints,
        overrides=inputs.overrides,
        indexes=(WORLD.index,),
        targets=() if universal else (LINUX,),
        universal=Universal(">=3.12") if universal else None,
    )
    resolution = await resolve(query, Gateway(WORLD))
    lock = build(resolution)
    assert check(lock, resolution) == ()
    return [f"{one.version}{f' ; {one.marker}' if one.marker else ''}" for one in lock.packages]


@pytest.mark.parametrize(
    ("text", "constraints", "version"),
    [
        (f"a {FIRST}", "", "1.0"),
        (f"a {WRONG} {FIRST}", "", "1.0"),
        ("a", f"a==1.0 {FIRST}", "1.0"),
        (f"a {FIRST} {SECOND}", f"a {WRONG} {FIRST}", "1.0"),
        (f"a {FIRST} {SECOND}\na ; sys_platform == 'win32' {WRONG}", "", "2.0"),
    ],
)
async def test_a_file_has_one_of_the_hashes_of_each_statement(text: str, constraints: str, version: str) -> None:
    assert await locked(text, constraints) == [version]


@pytest.mark.parametrize(("text", "constraints"), [("a", f"a==1.0 {WRONG}"), (f"a {FIRST}\na {SECOND}", "")])
async def test_statements_whose_hashes_no_file_has_are_unsatisfiable(text: str, constraints: str) -> None:
    with pytest.raises(NoSolution, match="none of the hashes"):
        await locked(text, constraints)


async def test_a_statement_that_an_override_replaces_demands_no_hash() -> None:
    assert await locked(f"a==1.0 {FIRST}", overrides="a==2.0") == ["2.0"]


async def test_hashes_are_demanded_where_their_statement_applies() -> None:
    text = f"a==1.0 ; sys_platform == 'win32' {FIRST}\na==2.0 ; sys_platform == 'linux'"
    assert await locked(text, universal=True) == ["1.0 ; sys_platform == 'win32'", "2.0 ; sys_platform == 'linux'"]
