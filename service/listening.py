"""Listening sockets, bound before any worker starts: a free port is known at once, and workers share one queue."""

from __future__ import annotations

import contextlib
import socket
import stat
from pathlib import Path

from .settings import SettingsError

BACKLOG = 4096  # a burst of a thousand clients is not refused; the kernel caps it at net.core.somaxconn


def bind(host: str, port: int) -> socket.socket:
    """Return a listening TCP socket; port 0 takes a free one.

    Raises:
        SettingsError: the address cannot be used.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(address)
            sock.listen(BACKLOG)
        except OSError:
            sock.close()
            raise
    except OSError as error:
        raise SettingsError(f"cannot listen on {host} port {port}: {error.strerror or error}") from None
    return sock


def bind_unix(path: Path) -> socket.socket:
    """Return a listening Unix socket that its owner may connect to; a socket that nobody listens on is replaced.

    Raises:
        SettingsError: something else is there.
    """
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.stat().st_mode):
            raise SettingsError(f"{path} exists and is no socket")
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(str(path)) == 0:
                raise SettingsError(f"another server listens on {path}")
        path.unlink()
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.bind(str(path))
        path.chmod(0o600)
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        raise SettingsError(f"cannot listen on {path}: {error.strerror or error}") from None
    return sock


def describe(sock: socket.socket) -> str:
    """Return where ``sock`` listens, as a URL."""
    name = sock.getsockname()
    if sock.family == socket.AF_UNIX:
        return f"unix:{name}"
    host = f"[{name[0]}]" if ":" in name[0] else name[0]
    return f"http://{host}:{name[1]}"
