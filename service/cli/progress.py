"""A sign of life on stderr: a live line for people, a line now and then for logs."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

import click

EVERY = 5.0  # seconds between lines of a log; the service's own heartbeat
APPEARS = 0.2  # seconds before the live line appears: a warm lock is done before, and should not flicker


def is_live() -> bool:
    """Whether stderr is a terminal that can redraw a line, watched by a person."""
    if os.environ.get("CI") or os.environ.get("TERM", "") in {"", "dumb"}:
        return False
    return sys.stderr.isatty()


@contextmanager
def progress(text: str, *, quiet: bool) -> Iterator[None]:
    """Show that ``text`` is going on, and for how long."""
    if quiet:
        yield
        return
    stop = threading.Event()
    show = _live if is_live() else _plain
    thread = threading.Thread(target=show, args=(text, stop), name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _plain(text: str, stop: threading.Event) -> None:
    click.echo(f"{text} ...", err=True)
    started = monotonic()
    while not stop.wait(EVERY):
        click.echo(f"{text} ... {monotonic() - started:.0f} s", err=True)


def _live(text: str, stop: threading.Event) -> None:
    if stop.wait(APPEARS):
        return
    # Imported here: it costs as much as a warm lock.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    console = Console(stderr=True)  # it knows NO_COLOR
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        bar.add_task(text)
        stop.wait()
