"""A graph drawn as trees, one line a package."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from resolver.lock.graph import Link, Node

_UNICODE = ("├── ", "└── ", "│   ")
_ASCII = ("|-- ", "`-- ", "|   ")
REPEATED = "(*)"


def draw(tops: Iterable[Node], links: Mapping[Node, Sequence[Link]], *, is_ascii: bool = False) -> Iterator[str]:
    """Yield the lines. What hangs below a package is drawn where it comes first, and marked (*) elsewhere.

    A marker stands where the edge has one. Circles end at the package that was drawn already.
    """
    branch, last, bar = _ASCII if is_ascii else _UNICODE
    drawn: set[Node] = set()
    pending: list[tuple[Link, str, str]] = [(Link(node.name, node), "", "") for node in reversed(list(tops))]
    while pending:
        link, lead, below = pending.pop()
        node, children = link.node, links.get(link.node, ())
        marker = link.requirement.partition(";")[2].strip()
        is_repeated = node in drawn and bool(children)
        parts = (f"{node.name} {node.version}", f"; {marker}" if marker else "", REPEATED if is_repeated else "")
        yield lead + " ".join(filter(None, parts))
        if node in drawn:
            continue
        drawn.add(node)
        for at, child in enumerate(reversed(children)):
            pending.append((child, below + (branch if at else last), below + (bar if at else "    ")))
