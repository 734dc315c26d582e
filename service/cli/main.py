"""The ``lockwright`` command: finds its subcommands, and turns how they end into exit codes."""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Sequence

import click

from .exits import INTERRUPTED, UNAVAILABLE, USAGE, CommandError

# Name → module of this package that has a command of that name.
_COMMANDS = {name: name for name in ("check", "config", "explain", "health", "index", "lock", "serve", "tree")}


class _LazyGroup(click.Group):
    """Imports a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name them in the order of the alphabet."""
        del ctx
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one."""
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f".{_COMMANDS[cmd_name]}", __package__)
        command = getattr(module, cmd_name)
        assert isinstance(command, click.Command)
        return command


def _tell_version(ctx: click.Context, param: click.Parameter, value: bool) -> None:  # noqa: FBT001 - as click calls it
    del param
    if value and not ctx.resilient_parsing:
        from service import build  # noqa: PLC0415 - it takes 10 ms, and nobody else needs it

        click.echo(f"lockwright {build.describe()}")
        ctx.exit()


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_tell_version,
    help="Show the version and exit.",
)
def lockwright() -> None:
    """A lock service for Python: requirements in, a lockfile out."""


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: nothing here leaves the process."""
    try:
        code = lockwright.main(args=arguments, prog_name="lockwright", standalone_mode=False)
    except CommandError as error:
        if error.text:
            click.echo(error.text, err=True)
        return error.code
    except click.UsageError as error:
        error.show()
        return USAGE
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except SystemExit:
        # Click ends so, and only so, when nobody reads stdout any more (head, less): they have seen enough.
        return 0
    except Exception:  # noqa: BLE001 - Python's own exit code for a crash is 1, which here means "no solution"
        traceback.print_exc()
        click.echo("error: this is a fault of lockwright itself; the lines above say where", err=True)
        return UNAVAILABLE
    return code if isinstance(code, int) else 0
