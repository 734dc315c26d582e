"""What an operator may choose about the wire, with the reason for each default."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class TransportSettings:
    """Times are seconds, sizes are bytes."""

    connections_per_origin: int = 128
    """HTTP/1.1 needs width: the pages of a closure are asked for in one wave, and real ones have some 100 to 250."""
    connect: float = 10.0
    """TCP and TLS together."""
    first_byte: float = 30.0
    """From the request to the status line; never longer than ``total_retry``."""
    idle: float = 30.0
    """Between two reads."""
    page: float = 120.0
    """One whole answer that does make progress (pages, metadata, ranges)."""
    min_rate: int = 1024
    """Bytes per second over ``rate_window``; below it a server is dripping, not slow."""
    rate_window: float = 15.0
    retries: int = 3
    """After the first attempt."""
    total_retry: float = 20.0
    """From the first attempt of a fetch to the last moment at which a stalled one may end."""
    backoff: tuple[float, float] = (0.2, 4.0)
    breaker_failures: int = 4
    """Rounds of failures in a row after which an origin is left alone."""
    breaker_pause: float = 5.0
    """Then one attempt in so many seconds."""
    cache_dir: Path | None = None
    cache_max_bytes: int = 2048 * MIB
    memory_max_bytes: int = 128 * MIB
    page_wire: int = 16 * MIB
    page_decoded: int = 64 * MIB
    """The largest simple pages are near 25 MiB."""
    metadata: int = 4 * MIB
    range: int = 32 * MIB
    """A wheel's central directory is below 16 MiB even with 65,535 entries."""
    file: int = 512 * MIB
    private_addresses: Literal["configured", "allow", "deny"] = "configured"
    allowed_urls: tuple[str, ...] = ()
    """URL prefixes that a request may name as an index; ``loopback`` stands for every loopback host."""
    user_agent: str = "lockwright"
    netrc: Path | None = None
    """None: the file that ``NETRC`` names, else ``~/.netrc`` if there is one."""
    keyring: bool = False
    """Whether the ``keyring`` command is asked for credentials of configured indexes."""
    max_redirects: int = 10
