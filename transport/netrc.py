"""Credentials from the operator's ``netrc`` file: read once, exact hosts, never for what a tenant named.

A host may carry a port (``machine h.example:8443``), which then has to match; without one any port does, as in
other tools. ``default`` is for the home of a configured index only: a redirect or a link could name any host.
"""

from __future__ import annotations

import logging
import netrc
import os
from collections.abc import Mapping
from pathlib import Path

from .credentials import basic
from .message import Credential
from .origin import Origin

log = logging.getLogger("transport.netrc")

DEFAULT = "~/_netrc" if os.name == "nt" else "~/.netrc"


class Netrc:
    """What the file says, by host."""

    def __init__(self, entries: Mapping[str, tuple[str, str]]) -> None:
        """``entries``: host (or host:port, or ``default``) to user and password."""
        self._entries = {host.lower().removesuffix("."): entry for host, entry in entries.items()}

    def find(self, origin: Origin, *, user: str | None = None, is_home: bool = False) -> Credential | None:
        """Return the credential for ``origin``; of ``user``, if one is asked for."""
        names = [f"{origin.host}:{origin.port}", origin.host, origin.host.strip("[]")]
        if is_home:
            names.append("default")
        for name in names:
            entry = self._entries.get(name)
            if entry is not None and (user is None or entry[0] in {user, ""}):
                try:
                    return basic(entry[0] if user is None else user, entry[1])
                except ValueError:
                    log.warning("the netrc entry for %s holds characters that cannot be sent", name)
        return None


def read_netrc(path: Path | None, environ: Mapping[str, str]) -> Netrc:
    """Read ``path``, else the file that ``NETRC`` names, else ``~/.netrc``; blocks.

    Raises:
        ValueError: a file that was named cannot be read or parsed. The text has the line, never its content.
    """
    named = path is not None or bool(environ.get("NETRC"))
    try:
        file = path or Path(environ.get("NETRC") or DEFAULT)
        file = file.expanduser()
        if not file.exists():  # then the parser need not be imported
            return _failed(f"netrc file {file}: there is no such file", named=named, quiet=True)
        hosts = netrc.netrc(str(file)).hosts
    except netrc.NetrcParseError as error:
        return _failed(f"netrc file {file}: cannot be parsed at line {error.lineno}", named=named)
    except (OSError, UnicodeError, RuntimeError) as error:
        return _failed(f"netrc file: cannot be read: {type(error).__name__}", named=named)
    return Netrc({host: (login or "", password or "") for host, (login, _, password) in hosts.items()})


def _failed(text: str, *, named: bool, quiet: bool = False) -> Netrc:
    # Going on without a file that somebody named would mean anonymous requests: other answers, not fewer.
    if named:
        raise ValueError(text)
    if not quiet:
        log.warning("%s; going on without", text)
    return Netrc({})
