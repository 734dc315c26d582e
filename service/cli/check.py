"""``lockwright check``: is the lock still good for what it is made from?"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import click

from .exits import NEGATIVE, USAGE, CommandError
from .options import locked, resolving, sources

_DEFAULT = "pylock.toml"


@click.command()
@sources
@locked
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@resolving
def check(lock_file: str | None, form: str, **options: object) -> None:
    """Check whether a lock satisfies FILES (requirements.in, pyproject.toml, script.py): 0 it does, 1 it does not.

    Give the options that the lock was made with. The lock is pylock.toml unless -l names another. No index is asked:
    what is newer there is no fault of the lock.
    """
    from .locking import Invocation, ask, read  # noqa: PLC0415 - help needs no resolver
    from .outputs import previous_lock  # noqa: PLC0415
    from .report import printable  # noqa: PLC0415

    invocation = Invocation.of({**options, "form": "json"})
    name = lock_file or _DEFAULT
    lock = previous_lock((name,))
    if lock is None:
        raise CommandError(
            f"error: there is no lock in {name}; name it with -l, or make it with lockwright lock", USAGE
        )
    answer = ask(invocation, read(invocation, lock), "check")
    if form == "json":
        click.echo(json.dumps(answer, indent=2))
    elif not answer["ok"]:
        for line in _lines(answer):
            click.echo(printable(line))
    elif not invocation.quiet:
        click.echo(printable(f"{name} satisfies {', '.join(invocation.files) or 'the groups'}"), err=True)
    if not answer["ok"]:
        raise CommandError("", NEGATIVE)


def _lines(answer: Mapping[str, Any]) -> Iterator[str]:
    faults = [fault for mode in answer["modes"].values() for fault in mode["faults"]]
    several = len({fault.get("target") for fault in faults}) > 1
    for fault in faults:
        place = fault.get("environment") or (fault.get("target") if several else None)
        yield f"{fault['detail']}{f' (where {place})' if fault.get('environment') else f' ({place})' if place else ''}"
