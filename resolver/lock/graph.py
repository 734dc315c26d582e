"""The graph of a lock: why a package is in it.

Nodes are versions; every edge says the requirement that made it. A graph is made of the pins of one place of a
resolution, where each requirement is known in full, or of a lock that was read, which knows names and markers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from resolver.environment.space import EnvironmentSet, from_marker
from resolver.inputs import LockContent, LockedVersion
from resolver.model import Edge, LockedDependency, Pin, Stated

from .address import redacted

MAX_CHAINS = 50  # nobody reads more; their number may grow exponentially with the graph


@dataclass(frozen=True, slots=True, order=True)
class Node:
    """One version in the lock."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Link:
    """An edge: ``requirement`` is the text that asks for ``node``."""

    requirement: str
    node: Node


@dataclass(frozen=True, slots=True)
class Root:
    """A requirement of the caller and the version that meets it."""

    requirement: str
    origin: str
    node: Node


@dataclass(frozen=True, slots=True)
class Chain:
    """A way from a requirement of the caller to a package; each link's requirement is the previous node's."""

    root: Root
    links: tuple[Link, ...]

    @property
    def end(self) -> Node:
        """The package that it leads to."""
        return self.links[-1].node if self.links else self.root.node


@dataclass(frozen=True, slots=True)
class Graph:
    """Who requires whom."""

    roots: tuple[Root, ...]
    links: Mapping[Node, tuple[Link, ...]]
    """Every node is a key."""

    def chains(self, name: str) -> Iterator[Chain]:
        """Yield all the shortest chains from each of the roots to the versions of ``name``.

        The nearest roots come first. Their number may be exponential in the graph: stop at :data:`MAX_CHAINS`.
        """
        distance = self._distances(name)
        near = sorted((root for root in self.roots if root.node in distance), key=lambda root: distance[root.node])
        for root in near:
            pending: list[tuple[Node, tuple[Link, ...]]] = [(root.node, ())]
            while pending:
                node, links = pending.pop()
                if distance[node] == 0:
                    yield Chain(root, links)
                    continue
                nearer = [link for link in self.links[node] if distance.get(link.node, -1) == distance[node] - 1]
                pending.extend((link.node, (*links, link)) for link in reversed(nearer))

    def _distances(self, name: str) -> dict[Node, int]:
        """Node → the number of links to the nearest version of ``name``, for those from which there is a way."""
        above = self.inverted()
        distance = {node: 0 for node in self.links if node.name == name}
        pending = deque(distance)
        while pending:
            node = pending.popleft()
            for link in above[node]:
                if link.node not in distance:
                    distance[link.node] = distance[node] + 1
                    pending.append(link.node)
        return distance

    def inverted(self) -> dict[Node, tuple[Link, ...]]:
        """Node → the links to those that require it; the requirement is theirs."""
        above: dict[Node, list[Link]] = {node: [] for node in self.links}
        for node, links in self.links.items():
            for link in links:
                above[link.node].append(Link(link.requirement, node))
        return {node: tuple(links) for node, links in above.items()}


def of_pins(pins: Mapping[str, Pin], statements: Iterable[Stated]) -> Graph:
    """Return the graph of one place; ``statements`` are the caller's requirements that apply there."""
    nodes = {name: Node(name, pin.version) for name, pin in pins.items()}
    roots = [
        Root(_stated_text(stated), stated.origin, nodes[stated.requirement.name])
        for stated in statements
        if stated.requirement.name in nodes
    ]
    links = {
        nodes[name]: tuple(
            dict.fromkeys(
                Link(_edge_text(edge), nodes[edge.name])
                for edge in pin.requires
                if edge.name in nodes and edge.name != name
            )
        )
        for name, pin in sorted(pins.items())
    }
    return Graph(tuple(dict.fromkeys(roots)), links)


def _stated_text(stated: Stated) -> str:
    requirement = stated.requirement
    return requirement.text.replace(requirement.url, redacted(requirement.url)) if requirement.url else requirement.text


def _edge_text(edge: Edge) -> str:
    extras = f"[{','.join(edge.extras)}]" if edge.extras else ""
    text = f"{edge.name}{extras}{edge.specifier}"
    return f"{text}; {edge.marker}" if edge.marker else text


def of_lock(lock: LockContent) -> Graph:
    """Return the graph of a lock that records its edges.

    Its roots are the direct packages; where the format does not tell them, those that nothing requires, and one of
    each circle that nothing else leads to.

    Raises:
        RequirementError: a marker of the lock is none.
        DiagramLimitError: its markers combine too much to be compared.
    """
    by_name: dict[str, list[LockedVersion]] = {}
    for package in lock.packages:
        by_name.setdefault(package.name, []).append(package)
    links: dict[Node, dict[Link, None]] = {_node(package): {} for package in lock.packages}
    for package in lock.packages:
        for edge in package.requires:
            for other in _meant(package, edge, by_name.get(edge.name, ())):
                if other.name != package.name:
                    text = f"{edge.name}; {edge.marker}" if edge.marker else edge.name
                    links[_node(package)][Link(text, _node(other))] = None
    graph = Graph((), {node: tuple(found) for node, found in links.items()})
    direct = [_node(package) for package in lock.packages if package.direct]
    tops = dict.fromkeys(direct or (node for node, above in graph.inverted().items() if not above))
    reached = set[Node]()
    for node in (*tops, *graph.links):
        if node not in reached:
            tops[node] = None
            reached |= _reach(node, graph.links, reached)
    return Graph(tuple(Root(node.name, "", node) for node in tops), graph.links)


def _node(package: LockedVersion) -> Node:
    return Node(package.name, package.version)


def _meant(
    package: LockedVersion, edge: LockedDependency, candidates: Sequence[LockedVersion]
) -> Sequence[LockedVersion]:
    """Return those that the edge leads to: of several versions the ones that share an environment with it."""
    found = [one for one in candidates if edge.version is None or one.version == edge.version]
    if len(found) < 2:
        return found
    space = from_marker(package.marker) & _anyhow(from_marker(edge.marker), package.extras or ())
    return [one for one in found if not space.is_disjoint(from_marker(one.marker))]


def _anyhow(space: EnvironmentSet, extras: Sequence[str]) -> EnvironmentSet:
    return space.without_extras() | space.without_extras(extras)


def _reach(start: Node, links: Mapping[Node, Sequence[Link]], known: set[Node]) -> set[Node]:
    found = {start}
    pending = [start]
    while pending:
        for link in links[pending.pop()]:
            if link.node not in found and link.node not in known:
                found.add(link.node)
                pending.append(link.node)
    return found
