"""``lockwright serve``: bind, announce, and run one worker or several."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import socket
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import structlog

from . import allocation, listening, logs, worker
from .asking import REQUESTS
from .configuration import Configuration
from .page_reader import PageReader
from .settings import SettingsError
from .shape import model_of
from .startup import settle
from .supervisor import USAGE, Supervisor

_log = structlog.get_logger("lockwright.server")


def run(
    configuration: Configuration,
    *,
    host: str = "127.0.0.1",
    port: int = 8080,
    uds: Path | None = None,
    workers: int = 1,
    port_file: Path | None = None,
) -> int:
    """Serve until told to stop; return the exit code.

    ``port`` 0 takes a free port. Where the server listens is printed to stderr when it answers, as
    ``listening on http://127.0.0.1:PORT``, and the port is written to ``port_file``.
    """
    service = configuration.settings.service
    logs.configure(service.log_level, service.log_format)
    settle()  # here, so that workers share what is made
    for kind in REQUESTS:
        model_of(kind)
    for warning in configuration.warnings:
        _log.warning("setting not used", detail=warning)
    try:
        sock = listening.bind_unix(uds) if uds is not None else listening.bind(host, port)
    except SettingsError as error:
        sys.stderr.write(f"lockwright: {error}\n")
        return USAGE
    if service.tokens_file is None and not _is_local(sock):
        _log.warning("anybody who reaches this address may use the service; set service.tokens_file")
    announce = partial(_announce, sock.dup(), port_file)
    try:
        if workers == 1:
            return _work(configuration, sock, None, announce)
        work = partial(_work, configuration, sock)
        patience = service.drain_grace + service.drain_limit
        return Supervisor(work, workers, stop_within=patience, release=sock.close).run(announce)
    finally:
        if uds is not None:
            uds.unlink(missing_ok=True)


def _work(configuration: Configuration, sock: socket.socket, lifeline: int | None, on_ready: Callable[[], None]) -> int:
    """Run one worker in this process, and beside it one that reads pages for it."""
    allocation.tune()
    reader = PageReader.start()
    try:
        with asyncio.Runner(loop_factory=worker.new_loop) as runner:
            runner.run(worker.serve(configuration, sock, on_ready=on_ready, lifeline=lifeline, reader=reader))
    except SettingsError as error:
        sys.stderr.write(f"lockwright: {error}\n")
        return USAGE
    finally:
        if reader is not None:
            reader.close()
    return 0


def _announce(sock: socket.socket, port_file: Path | None) -> None:
    """Say where the server listens; ``sock`` is a duplicate, closed here."""
    with sock:
        where, name = listening.describe(sock), sock.getsockname()
    if port_file is not None:
        temporary = port_file.with_name(f"{port_file.name}.{os.getpid()}")
        temporary.write_text(f"{name[1] if isinstance(name, tuple) else name}\n")
        temporary.rename(port_file)
    sys.stderr.write(f"listening on {where}\n")
    sys.stderr.flush()


def _is_local(sock: socket.socket) -> bool:
    name = sock.getsockname()
    return sock.family == socket.AF_UNIX or ipaddress.ip_address(name[0].partition("%")[0]).is_loopback
