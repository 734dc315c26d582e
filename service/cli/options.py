"""The options that every command has that resolves: what for, with which rules, from where."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import TypeVar

import click

# The words of resolver.model, written out so that ``--help`` imports nothing; a test compares them.
FORK_STRATEGIES = ("requires-python", "fewest")
RESOLUTIONS = ("highest", "lowest", "lowest-direct")
PRERELEASES = ("disallow", "allow", "if-necessary", "explicit", "if-necessary-or-explicit")
BUILDS = ("never", "static")
INDEX_STRATEGIES = ("first-index", "unsafe-first-match", "unsafe-best-match")

_Command = TypeVar("_Command", bound=Callable[..., object])
_FILE = click.Path(dir_okay=False)
_OPTIONS = (
    click.option(
        "--python-version", metavar="VERSION", help="Lock for this Python, such as 3.13.  [default: this one]"
    ),
    click.option(
        "--python-platform", metavar="PLATFORM", help="Lock for this platform, such as linux.  [default: this]"
    ),
    click.option(
        "--target",
        "targets",
        multiple=True,
        metavar="NAME=PYTHON:PLATFORM",
        help="Lock for an environment, such as ci=3.13:linux. Repeatable: one lock for all of them.",
    ),
    click.option(
        "--universal", is_flag=True, help="Lock for every environment, from --python-version on, with markers."
    ),
    click.option("-c", "--constraint", "constraints", multiple=True, type=_FILE, help="Limit versions. Repeatable."),
    click.option(
        "--override", "overrides", multiple=True, type=_FILE, help="Replace what packages require. Repeatable."
    ),
    click.option("--exclude", "excludes", multiple=True, metavar="PACKAGE", help="Leave out wherever it is required."),
    click.option("--extra", "extras", multiple=True, metavar="EXTRA", help="Include an extra of the project."),
    click.option("--all-extras", is_flag=True, help="Include all of them."),
    click.option("--group", "groups", multiple=True, metavar="GROUP", help="Include a dependency group (PEP 735)."),
    click.option("--resolution", type=click.Choice(RESOLUTIONS), help="Which versions to prefer.  [default: highest]"),
    click.option("--prerelease", type=click.Choice(PRERELEASES), help="When to take pre-releases."),
    click.option(
        "--exclude-newer", metavar="WHEN", help="Ignore what was uploaded later: RFC 3339, or an age like P7D."
    ),
    click.option("--no-binary", multiple=True, metavar="PACKAGE", help="Ignore its wheels; :all: for every package."),
    click.option("--only-binary", multiple=True, metavar="PACKAGE", help="Ignore its sdists; :all: for every package."),
    click.option("--builds", type=click.Choice(BUILDS), help="Whether an sdist with static metadata counts."),
    click.option("--no-deps", is_flag=True, help="Lock what is named, without what it requires."),
    click.option("--index", "indexes", multiple=True, metavar="[NAME=]URL", help="Ask this index first. Repeatable."),
    click.option(
        "-i",
        "--default-index",
        "--index-url",
        "default_index",
        metavar="URL",
        help="Ask this index last, in place of the configured default.",
    ),
    click.option(
        "--index-strategy",
        type=click.Choice(INDEX_STRATEGIES),
        help="How several indexes answer for one name.  [default: first-index]",
    ),
    click.option(
        "--fork-strategy",
        type=click.Choice(FORK_STRATEGIES),
        help="How --universal trades versions for parts.  [default: requires-python]",
    ),
    click.option(
        "--server",
        metavar="URL",
        envvar="LOCKWRIGHT_SERVER",
        show_envvar=True,
        help="Ask a running service instead of resolving here.",
    ),
    click.option("--config", type=_FILE, help="Read settings from FILE."),
    click.option("--cache-dir", type=click.Path(file_okay=False), help="Keep the cache here."),
    click.option("-q", "--quiet", is_flag=True, help="Print errors only."),
    click.option("-v", "--verbose", is_flag=True, help="Print what is fetched."),
)


def resolving(command: _Command) -> _Command:
    """Decorate a command with the options, in their order, as the last ones."""
    return reduce(lambda decorated, option: option(decorated), reversed(_OPTIONS), command)


sources = click.argument("files", nargs=-1, type=click.Path(dir_okay=False, allow_dash=True))
locked = click.option("-l", "--lock", "lock_file", type=_FILE, help="The lock: pylock.toml, NAME.txt or NAME.json.")
