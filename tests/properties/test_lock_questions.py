"""Questions about a lock against slow and obvious answers: is it still good, and which ways lead to a package?"""

from __future__ import annotations

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.markers import Marker
from packaging.specifiers import SpecifierSet

from resolver.environment.target import Target
from resolver.inputs import LockContent, LockedVersion
from resolver.lock.graph import Graph, Link, Node, Root
from resolver.lock.satisfies import satisfies
from resolver.model import Query, Universal
from resolver.requirement import parse
from tests.lock.world import stated, target

PLATFORMS = {"linux": "linux", "windows": "win32", "macos": "darwin"}
GRID = [
    target(f"{python}-{platform}", python, platform)
    for python in ("3.10", "3.11", "3.12", "3.13")
    for platform in PLATFORMS
]
# No more environments than the grid has, as far as the markers below can tell them apart.
UNIVERSAL = Universal(">=3.10,<3.14", tuple(f"sys_platform == '{value}'" for value in PLATFORMS.values()))

_comparison = st.one_of(
    st.builds("sys_platform {} '{}'".format, st.sampled_from(["==", "!="]), st.sampled_from([*PLATFORMS.values()])),
    st.builds("python_version {} '3.{}'".format, st.sampled_from(["<", ">="]), st.integers(10, 14)),
)
_marker = st.one_of(
    st.none(),
    _comparison,
    st.builds("{} {} {}".format, _comparison, st.sampled_from(["and", "or"]), _comparison),
)
_name = st.sampled_from("abc")
_package = st.builds(
    lambda name, version, marker: LockedVersion(name, version, marker=marker),
    _name,
    st.sampled_from(["1.0", "2.0", "3.0rc1"]),
    _marker,
)
_text = st.builds(
    lambda name, specifier, marker: f"{name}{specifier}" + (f" ; {marker}" if marker else ""),
    _name,
    st.sampled_from(["", ">=2", "<2", "!=1.0", "==1.*", ">=3.0a0"]),
    _marker,
)


def _holds(marker: str | None, place: Target) -> bool:
    return marker is None or Marker(marker).evaluate({**place.markers, "extra": ""})


def _expected(
    packages: list[LockedVersion], requirements: list[str], constraints: list[str], place: Target
) -> set[str]:
    """What is at fault in one environment, said without sets."""
    here = [package for package in packages if _holds(package.marker, place)]
    wrong = {one.name for one, other in combinations(here, 2) if one.name == other.name}
    for text in (*requirements, *constraints):
        requirement = parse(text)
        if requirement.marker is not None and not _holds(str(requirement.marker), place):
            continue
        versions = [package.version for package in here if package.name == requirement.name]
        admitted = SpecifierSet(requirement.specifier)
        if (not versions and text in requirements) or not all(admitted.contains(v, prereleases=True) for v in versions):
            wrong.add(requirement.text)
    return wrong


@settings(deadline=None, max_examples=150)
@given(st.lists(_package, max_size=5), st.lists(_text, max_size=4), st.lists(_text, max_size=2))
def test_a_lock_is_judged_as_each_environment_would_judge_it(
    packages: list[LockedVersion], requirements: list[str], constraints: list[str]
) -> None:
    lock = LockContent("requirements", tuple(packages))
    asked = Query(
        tuple(map(stated, requirements)), (), constraints=tuple(map(stated, constraints)), targets=tuple(GRID)
    )
    expected = {place.name: _expected(packages, requirements, constraints, place) for place in GRID}
    found: dict[str, set[str]] = {place.name: set() for place in GRID}
    for fault in satisfies(lock, asked):
        assert fault.target is not None
        found[fault.target].add(fault.requirement)
    assert found == expected
    everywhere = Query(asked.requirements, (), constraints=asked.constraints, universal=UNIVERSAL)
    where: dict[str, set[str]] = {place.name: set() for place in GRID}
    for fault in satisfies(lock, everywhere):
        for place in GRID:
            if _holds(fault.environment, place):
                where[place.name].add(fault.requirement)
    assert where == expected


NODES = [Node(name, "1") for name in "abcdef"]
_edges = st.lists(st.tuples(st.sampled_from(NODES), st.sampled_from(NODES)), max_size=14, unique=True)


def _ways(edges: list[tuple[Node, Node]], start: Node, end: Node) -> list[list[Node]]:
    """All the ways that visit no node twice."""
    pending, found = [[start]], []
    while pending:
        way = pending.pop()
        if way[-1] == end:
            found.append(way)
            continue
        pending += [[*way, after] for before, after in edges if before == way[-1] and after not in way]
    return found


@settings(deadline=None)
@given(_edges, st.lists(st.sampled_from(NODES), min_size=1, max_size=3, unique=True))
def test_chains_are_all_the_shortest_ways_from_each_root(edges: list[tuple[Node, Node]], tops: list[Node]) -> None:
    links = {node: tuple(Link(after.name, after) for before, after in edges if before == node) for node in NODES}
    graph = Graph(tuple(Root(node.name, "", node) for node in tops), links)
    for top in tops:
        ways = _ways(edges, top, NODES[-1])
        shortest = sorted(way for way in ways if len(way) == min(map(len, ways)))
        chains = [chain for chain in graph.chains(NODES[-1].name) if chain.root.node == top]
        assert sorted([top, *(link.node for link in chain.links)] for chain in chains) == shortest
