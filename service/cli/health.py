"""``lockwright health``: does a service answer? Made for the health checks of containers."""

from __future__ import annotations

import click


@click.command()
@click.option(
    "--server",
    metavar="URL",
    envvar="LOCKWRIGHT_SERVER",
    show_envvar=True,
    default="http://127.0.0.1:8080",
    show_default=True,
    help="Where it should answer.",
)
@click.option("--timeout", default=3.0, show_default=True, type=click.FloatRange(0.1, 60), help="Seconds to wait.")
def health(server: str, timeout: float) -> None:
    """Ask a service for its health: 0 it answers, 3 it does not."""
    from . import remote  # noqa: PLC0415 - help needs no HTTP client

    remote.health(server, timeout)
    click.echo("ok")
