"""``lockwright lock``: the options. What they do is in ``locking``, imported when it runs."""

from __future__ import annotations

import click

from .options import resolving, sources

FORMATS = ("pylock", "requirements", "json", "msgpack")

_FILE = click.Path(dir_okay=False)


@click.command()
@sources
@click.option(
    "-o",
    "--output-file",
    "outputs",
    multiple=True,
    type=_FILE,
    help="Write the lock to FILE: pylock.toml, "
    "NAME.txt, NAME.json or NAME.msgpack; its versions are kept where possible. Repeatable.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="What to print to stdout.  [default: pylock, or nothing with -o]",
)
@click.option("-U", "--upgrade", is_flag=True, help="Do not keep the versions of an existing output.")
@click.option(
    "-P",
    "--upgrade-package",
    "upgrade_packages",
    multiple=True,
    metavar="PACKAGE",
    help="Do not keep this one's version.",
)
@click.option("--no-header", is_flag=True, help="Leave out the comment at the top of the lock.")
@resolving
def lock(**options: object) -> None:
    """Lock FILES (requirements.in, pyproject.toml, script.py, - for stdin).

    Without FILES: requirements.in or pyproject.toml of this directory.
    """
    from .locking import Invocation, run  # noqa: PLC0415 - it imports the resolver

    run(Invocation.of(options))
