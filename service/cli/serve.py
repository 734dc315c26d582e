"""``lockwright serve``: the service in the foreground."""

from __future__ import annotations

import click


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--uds", type=click.Path(dir_okay=False), help="Listen on a unix socket instead.")
@click.option("--port-file", type=click.Path(dir_okay=False), help="Write the port to FILE when the service answers.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 256), help="Processes on one socket.")
@click.option("--config", type=click.Path(dir_okay=False), help="Read settings from FILE.")
@click.option("--cache-dir", type=click.Path(file_okay=False), help="Keep the cache here.")
def serve(
    host: str,
    port: int,
    uds: str | None,
    port_file: str | None,
    workers: int,
    config: str | None,
    cache_dir: str | None,
) -> int:
    """Serve POST /v1/lock until told to stop (SIGTERM drains first)."""
    from pathlib import Path  # noqa: PLC0415 - as below

    from service.server import run  # noqa: PLC0415 - it imports the resolver and the HTTP stack

    from .local import configure  # noqa: PLC0415

    configuration = configure(config, cache_dir, is_verbose=False)
    return run(
        configuration,
        host=host,
        port=port,
        uds=None if uds is None else Path(uds),
        workers=workers,
        port_file=None if port_file is None else Path(port_file),
    )
