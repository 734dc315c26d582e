"""What ``lockwright lock`` does: read, ask (a service or ourselves), write."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from time import monotonic
from typing import Any

import click

from . import outputs
from .exits import USAGE, CommandError, Declined
from .progress import progress
from .report import printable, summary, to_error
from .request import Asked, Choices, make_request
from .sources import STDIN, read_sources

_DEFAULT_SOURCES = ("requirements.in", "pyproject.toml")


@dataclass(frozen=True, slots=True)
class Invocation:
    """The command line, taken apart."""

    files: tuple[str, ...]
    constraints: tuple[str, ...]
    overrides: tuple[str, ...]
    indexes: tuple[tuple[str, str], ...]
    """(name, URL)."""
    default_index: str | None
    server: str | None
    config: str | None
    cache_dir: str | None
    quiet: bool
    verbose: bool
    choices: Choices
    outputs: tuple[str, ...] = ()
    form: str | None = None
    no_header: bool = False

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Invocation:
        """Sort the options of the click command."""
        chosen = {one.name: options[one.name] for one in fields(Choices) if one.name in options}
        made_here = {"choices", "files", "indexes"}
        own = {one.name: options[one.name] for one in fields(cls) if one.name in options.keys() - made_here}
        files = options["files"] or _default_files(options["groups"])
        return cls(**own, files=files, indexes=_named(options["indexes"]), choices=Choices(**chosen))

    @property
    def forms(self) -> tuple[str, ...]:
        """Every format that is needed."""
        printed = (self.printed,) if self.printed else ()
        return (*printed, *map(outputs.format_of, self.outputs))

    @property
    def printed(self) -> str | None:
        """The format for stdout, if anything is to be printed."""
        return self.form or (None if self.outputs else "pylock")


def _default_files(groups: object) -> tuple[str, ...]:
    found = next((name for name in _DEFAULT_SOURCES if Path(name).is_file()), None)
    if groups:
        return ()  # groups alone are a question too
    if found is None:
        names = " or ".join(_DEFAULT_SOURCES)
        raise CommandError(f"error: name the files to lock; there is no {names} in this directory", USAGE)
    return (found,)


def _named(values: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    named = []
    for at, value in enumerate(values, 1):
        name, equals, url = value.partition("=")
        named.append((name, url) if equals and "/" not in name else (f"index-{at}", value))
    return tuple(named)


def run(invocation: Invocation) -> None:
    """Make the lock.

    Raises:
        CommandError: with the exit code of whatever went wrong; no file was touched.
    """
    started = monotonic()
    sources = (*invocation.files, *invocation.constraints, *invocation.overrides)
    outputs.check(invocation.outputs, [name for name in sources if name != STDIN])
    previous = outputs.previous_lock(invocation.outputs)
    asked = read(invocation, previous)
    answer = ask(invocation, asked)
    made = {
        form: outputs.to_bytes(answer, form, header=not invocation.no_header)
        for form in dict.fromkeys(invocation.forms)
    }
    changed = outputs.write({name: made[outputs.format_of(name)] for name in invocation.outputs})
    if invocation.printed:
        sys.stdout.flush()
        sys.stdout.buffer.write(made[invocation.printed])
        sys.stdout.buffer.flush()
    if not invocation.quiet:
        for line in summary(answer, monotonic() - started, has_previous=previous is not None):
            click.echo(line, err=True)
        for name in invocation.outputs:
            click.echo(f"{'Wrote' if name in changed else 'Unchanged:'} {name}", err=True)


def read(invocation: Invocation, lock: tuple[str, str] | None = None) -> Asked:
    """Read the files, and return the request that they and the options make; ``lock`` is an earlier one: (file, text).

    Raises:
        CommandError: a file or an option cannot be read.
    """
    sources = read_sources(
        invocation.files,
        invocation.constraints,
        invocation.overrides,
        stdin=sys.stdin.buffer,
        groups=bool(invocation.choices.groups),
    )
    asked = make_request(
        invocation.choices,
        sources,
        previous=lock[1] if lock else None,
        outputs=outputs.rendered(invocation.forms),
    )
    return replace(asked, places={**asked.places, "/lock": lock[0]}) if lock else asked


def ask(invocation: Invocation, asked: Asked, question: str = "lock") -> dict[str, Any]:
    """Have ``question`` (of ``/v1``) answered, by a service or in this process.

    Raises:
        CommandError: with the exit code of whatever went wrong.
    """
    try:
        return _answer(invocation, asked, question)
    except Declined as declined:
        raise to_error(declined, asked.places) from None


def _answer(invocation: Invocation, asked: Asked, question: str) -> dict[str, Any]:
    many = len(asked.body.get("targets", ()))
    verb = "Checking" if question == "check" else "Resolving"
    where = " for every environment" if not many else f" for {many} targets" if many > 1 else ""
    text = f"{verb} {', '.join(invocation.files) or 'groups'}{where}"
    if invocation.server:
        if invocation.config or invocation.cache_dir:
            raise CommandError("error: --config and --cache-dir are the service's own, not for --server", USAGE)
        from . import remote  # noqa: PLC0415 - who locks here needs no HTTP client

        with progress(f"{text} at {remote.check(invocation.server)}", quiet=invocation.quiet):
            return remote.ask(invocation.server, question, {**asked.body, **_indexes(invocation)})
    # Resolving here needs the whole service; asking one does not.
    from . import local  # noqa: PLC0415

    configuration = local.with_indexes(
        local.configure(
            invocation.config,
            invocation.cache_dir,
            is_verbose=invocation.verbose,
            names_default=invocation.default_index is not None,
        ),
        list(invocation.indexes),
        invocation.default_index,
    )
    if invocation.choices.index_strategy is not None:
        configuration = local.with_any_strategy(configuration)
    if not invocation.quiet:
        for warning in dict.fromkeys(configuration.warnings):
            click.echo(printable(f"warning: {warning}"), err=True)
    with progress(text, quiet=invocation.quiet):
        return local.ask(configuration, question, asked.body)


def _indexes(invocation: Invocation) -> dict[str, Any]:
    """Return the ``indexes`` member that says the same to a service as the options say to this process."""
    if not invocation.indexes and invocation.default_index is None:
        return {}
    last: Any = "default" if invocation.default_index is None else {"name": "cli", "url": invocation.default_index}
    return {"indexes": [*({"name": name, "url": url} for name, url in invocation.indexes), last]}
