"""``lockwright tree``: the packages of a lock below those that require them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from resolver.lock.graph import Graph, Link, Node
from service.cli.drawing import draw

from .conftest import IndexServer, Lock

LINUX = ("--python-version", "3.12", "--python-platform", "linux")
BOTH = ("--target", "ci=3.12:linux", "--target", "desk=3.13:windows")


@pytest.mark.parametrize("name", ["pylock.toml", "lock.json", "lock.msgpack"])
def test_a_lock_is_drawn_from_its_file_without_an_index(directory: Path, lock: Lock, cli: Lock, name: str) -> None:
    (directory / "requirements.in").write_text("app\nextra-lib\n")
    assert lock(*LINUX, "-o", name).code == 0
    done = cli("tree", name)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == ["app 2.0", "└── lib 2.1", "extra-lib 1.0"]


def test_the_lock_of_the_directory_is_drawn_when_nothing_is_named(directory: Path, lock: Lock, cli: Lock) -> None:
    (directory / "requirements.in").write_text("app\n")
    lock(*LINUX, "-o", "pylock.toml")
    assert cli("tree").out.splitlines() == ["app 2.0", "└── lib 2.1"]


def test_inputs_are_resolved_here_or_by_a_service(
    directory: Path, cli: Lock, index: IndexServer, start_service: Callable[..., str]
) -> None:
    (directory / "requirements.in").write_text("app<2\n")
    drawn = ["app 1.0", "├── extra-lib 1.0 ; sys_platform == 'win32'", "└── lib 2.1"]
    here = cli("tree", "-q", "--default-index", index.url, *BOTH)
    assert (here.code, here.out.splitlines()) == (0, drawn), here.err
    url = start_service(UV_DEFAULT_INDEX=index.url)
    assert cli("tree", "-q", "--server", url, *BOTH).out.splitlines() == drawn


def test_an_inverted_tree_shows_what_requires_a_package(directory: Path, lock: Lock, cli: Lock) -> None:
    (directory / "requirements.in").write_text("app<2\n")
    lock(*BOTH, "-o", "lock.json")
    done = cli("tree", "--invert", "Extra_Lib", "lock.json")
    assert done.out.splitlines() == ["extra-lib 1.0", "└── app 1.0 ; sys_platform == 'win32'"]
    missing = cli("tree", "--invert", "other", "lock.json")
    assert (missing.code, missing.out) == (1, "")
    assert "other is not in the lock" in missing.err


def test_of_two_versions_the_edge_leads_to_the_one_of_its_environment(directory: Path, lock: Lock, cli: Lock) -> None:
    (directory / "requirements.in").write_text("old ; sys_platform == 'win32'\napp ; sys_platform == 'linux'\n")
    for name in ("pylock.toml", "lock.json"):
        done = lock(*BOTH, "-o", name)
        assert done.code == 0, done.err
        assert cli("tree", name).out.splitlines() == ["app 2.0", "└── lib 2.1", "old 1.0", "└── lib 1.0"]


def test_what_is_drawn_already_is_marked_and_circles_end() -> None:
    a, b, c, d = (Node(name, "1") for name in "abcd")
    links = {a: (Link("b", b), Link("c; x", c)), b: (Link("c", c),), c: (Link("d", d), Link("a", a)), d: ()}
    assert list(draw([a], links, is_ascii=True)) == [
        "a 1",
        "|-- b 1",
        "|   `-- c 1",
        "|       |-- d 1",
        "|       `-- a 1 (*)",
        "`-- c 1 ; x (*)",
    ]


def test_a_circle_that_nothing_leads_to_is_in_the_tree(directory: Path, cli: Lock) -> None:
    lock = '{"packages": [%s]}' % ", ".join(  # noqa: UP031 - braces are JSON's
        f'{{"name": "{name}", "version": "1", "requires": [{{"name": "{other}"}}]}}' for name, other in ("ab", "ba")
    )
    (directory / "lock.json").write_text(lock)
    done = cli("tree", "lock.json")
    assert done.out.splitlines() == ["a 1", "└── b 1", "    └── a 1 (*)", "(*) drawn above"]


def test_a_long_chain_is_drawn_however_long(directory: Path, cli: Lock) -> None:
    import json  # noqa: PLC0415

    packages = [{"name": f"p{at}", "version": "1", "requires": [{"name": f"p{at + 1}"}]} for at in range(1500)]
    (directory / "lock.json").write_text(json.dumps({"packages": [*packages, {"name": "p1500", "version": "1"}]}))
    assert len(cli("tree", "lock.json").out.splitlines()) == 1501


def test_chains_are_the_shortest_ones_of_each_root() -> None:
    from resolver.lock.graph import Root  # noqa: PLC0415

    a, b, c = (Node(name, "1") for name in "abc")
    roots = (Root("a>0", "in:1", a), Root("b", "in:2", b))
    graph = Graph(roots, {a: (Link("b", b), Link("c<2", c)), b: (Link("c", c),), c: (Link("a", a),)})
    found = [(chain.root.requirement, [link.requirement for link in chain.links]) for chain in graph.chains("c")]
    assert found == [("a>0", ["c<2"]), ("b", ["c"])]
    assert {chain.end for chain in graph.chains("c")} == {c}


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("pylock.toml", "lock-version = 'x'", "lock-version"),
        ("lock.json", '{"bomFormat": "CycloneDX", "components": []}', "does not say which package requires which"),
        ("missing.json", None, "no lock in missing.json"),
    ],
)
def test_a_file_without_a_graph_is_exit_2(
    directory: Path, cli: Lock, name: str, content: str | None, words: str
) -> None:
    if content is not None:
        (directory / name).write_text(content)
    done = cli("tree", name)
    assert (done.code, done.out) == (2, "")
    assert words in done.err
