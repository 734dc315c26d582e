"""``lockwright explain``: why a package is in the lock, or why a version is not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import click

from .exits import NEGATIVE, USAGE, CommandError
from .options import locked, resolving, sources


@click.command()
@click.argument("package", metavar="PKG")
@sources
@click.option("--not", "wished", metavar="SPEC", help="Say why versions such as '<2' or 1.4.2 are not locked.")
@locked
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@resolving
def explain(package: str, wished: str | None, lock_file: str | None, form: str, **options: object) -> None:
    """Explain why PKG is in the lock of FILES: every shortest chain of requirements that leads to it.

    With --not: how the lock would change for other versions, or why they are impossible. Exits with 1 where PKG is
    not in the lock, or the wish is impossible. The versions of the lock that -l names are kept where possible.
    """
    from .locking import Invocation, ask, read  # noqa: PLC0415 - help needs no resolver
    from .outputs import previous_lock  # noqa: PLC0415
    from .report import printable  # noqa: PLC0415

    invocation = Invocation.of({**options, "form": "json"})
    lock = previous_lock((lock_file,)) if lock_file else None
    if lock_file and lock is None:
        raise CommandError(f"error: there is no lock in {lock_file}", USAGE)
    asked = read(invocation, lock)
    question = {"package": package} if wished is None else {"package": package, "not": wished}
    places = {"/package": f"error: {package!r}", "/not": f"--not {wished}"}
    answer = ask(
        invocation, replace(asked, body={**asked.body, **question}, places={**asked.places, **places}), "explain"
    )
    why_not = answer["why_not"]
    if form == "json":
        click.echo(json.dumps(answer, indent=2))
    else:
        lines = _why(answer) if why_not is None else _why_not(why_not)
        click.echo(printable("\n".join(lines)))
    if not (answer["locked"] if why_not is None else why_not["possible"]):
        raise CommandError("", NEGATIVE)


def _why(answer: Mapping[str, Any]) -> Iterator[str]:
    name = answer["package"]
    if not answer["locked"]:
        yield f"{name} is not in the lock: nothing requires it"
    several = len({target for locked in answer["locked"] for target in locked["targets"]}) > 1
    for one in answer["locked"]:
        yield f"{name} {one['version']}" + (f" ; {one['marker']}" if one["marker"] else "")
    for chain in answer["chains"]:
        origin = f" ({', '.join([chain['origin'], *(chain['targets'] if several else [])])})"
        first, *more = chain["steps"]
        yield f"  {first['requirement']}{origin}"
        before = first
        for depth, step in enumerate(more, 2):
            yield f"{'  ' * depth}{before['name']} {before['version']} requires {step['requirement']}"
            before = step
    if answer["truncated"]:
        yield "  and more, which are as long or longer"


def _why_not(why_not: Mapping[str, Any]) -> Iterator[str]:
    from .report import changed  # noqa: PLC0415 - as above

    if not why_not["possible"]:
        yield f"{why_not['requirement']} is impossible: {why_not['detail']}"
        yield from (f"hint: {hint}" for hint in why_not["hints"])
        return
    lines = list(changed(why_not["changes"]))
    yield f"{why_not['requirement']} is possible" + ("; the lock would change:" if lines else " and changes nothing")
    yield from (f"  {line}" for line in lines)
