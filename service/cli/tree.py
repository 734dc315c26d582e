"""``lockwright tree``: the packages of a lock, drawn below those that require them."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .exits import NEGATIVE, USAGE, CommandError
from .options import resolving, sources

if TYPE_CHECKING:  # help needs no resolver
    from resolver.lock.graph import Graph

_DEFAULT = "pylock.toml"


@click.command()
@sources
@click.option("--invert", metavar="PKG", help="Draw what requires PKG instead.")
@resolving
def tree(files: tuple[str, ...], invert: str | None, **options: object) -> None:
    """Draw the tree of a lock (pylock.toml, NAME.json or NAME.msgpack), or of what FILES would be locked to.

    Without FILES: pylock.toml, else requirements.in or pyproject.toml of this directory. Exits with 1 where the
    package of --invert is not in the lock.
    """
    from packaging.utils import canonicalize_name  # noqa: PLC0415 - help needs no resolver

    from .drawing import REPEATED, draw  # noqa: PLC0415
    from .report import printable  # noqa: PLC0415

    named = files or ((_DEFAULT,) if Path(_DEFAULT).is_file() else ())
    locks = [name for name in named if _is_lock(name)]
    if locks and len(named) > 1:
        raise CommandError(f"error: {locks[0]} is a lock; draw it alone", USAGE)
    graph = _of_file(locks[0]) if locks else _of_inputs({**options, "files": files, "form": "json"})
    if invert is None:
        tops, links = [root.node for root in graph.roots], graph.links
    else:
        name = str(canonicalize_name(invert))
        tops, links = [node for node in graph.links if node.name == name], graph.inverted()
        if not tops:
            raise CommandError(printable(f"error: {invert} is not in the lock"), NEGATIVE)
    lines = list(draw(tops, links, is_ascii=not (sys.stdout.encoding or "").lower().startswith("utf")))
    if any(line.endswith(REPEATED) for line in lines):
        lines.append(f"{REPEATED} drawn above")
    for line in lines:
        click.echo(printable(line))


def _is_lock(name: str) -> bool:
    from .outputs import format_of  # noqa: PLC0415 - as above

    try:
        return format_of(name) != "requirements"  # those hold no edges, but can be resolved
    except CommandError:
        return False


def _of_file(name: str) -> Graph:
    from .outputs import previous_lock  # noqa: PLC0415 - as above

    lock = previous_lock((name,))
    if lock is None:
        raise CommandError(f"error: there is no lock in {name}", USAGE)
    return _graph(lock[1], name)


def _of_inputs(options: Mapping[str, Any]) -> Graph:
    from .locking import Invocation, ask, read  # noqa: PLC0415 - as above

    invocation = Invocation.of(options)
    return _graph(json.dumps(ask(invocation, read(invocation))), "the answer")


def _graph(text: str, name: str) -> Graph:
    from resolver.environment.space import DiagramLimitError  # noqa: PLC0415 - as above
    from resolver.errors import InvalidQuery  # noqa: PLC0415
    from resolver.inputs import read_lock  # noqa: PLC0415
    from resolver.lock.graph import of_lock  # noqa: PLC0415

    from .report import printable  # noqa: PLC0415

    try:
        lock = read_lock(text)
        if not lock.has_edges:
            raise CommandError(f"error: {name} does not say which package requires which", USAGE)
        return of_lock(lock)
    except InvalidQuery as error:
        reasons = "; ".join(fault.detail for fault in error.faults)
        raise CommandError(printable(f"error: {name}: {reasons}"), USAGE) from None
    except (ValueError, DiagramLimitError) as error:
        raise CommandError(printable(f"error: {name}: a marker cannot be used: {error}"), USAGE) from None
