"""Settings become a transport, a gateway and the use case: all that answers a request, without a web server."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from resolver.driver import resolve as drive
from resolver.index.gateway import Gateway
from resolver.index.reading import Reader
from transport.clock import SYSTEM
from transport.clock import Clock as SystemClock
from transport.derived import Derived
from transport.settings import TransportSettings
from transport.stack import RequestRecord, open_stack
from transport.turns import Turns

from .counts import Counts
from .indexes import Indexes
from .ledger import Ledger
from .locks import Clock, Locks
from .logs import Log
from .settings import Settings
from .stored import StoredLocks

_log = Log("lockwright.transport")

# Seconds that a parsing thread may keep the interpreter from the event loop, which gives it up with each piece that it
# inflates or hashes: with Python's 5 ms sixteen pieces are a stall of 80 ms.
SWITCH = 0.0005
FACTS_MAX_BYTES = 512 * 1024 * 1024  # parsed facts on disk; those of 600 projects take some 70 MB


def transport_settings(settings: Settings) -> TransportSettings:
    """Return the transport's part of the settings."""
    network, policy = settings.network, settings.policy
    allowed = (policy.index_urls,) if policy.index_urls == "loopback" else policy.index_urls
    return TransportSettings(
        connections_per_origin=network.connections_per_origin,
        connect=network.timeout.connect,
        first_byte=network.timeout.first_byte,
        idle=network.timeout.idle,
        page=network.timeout.page,
        retries=network.retries,
        cache_dir=settings.cache.dir,
        private_addresses=policy.private_addresses,
        allowed_urls=() if allowed == "none" else tuple(allowed),
        netrc=network.netrc,
        keyring=network.keyring,
    )


def _log_hop(record: RequestRecord) -> None:
    """Log one request to an index (the record holds no secret)."""
    _log.debug(
        "index request",
        index=record.index,
        kind=record.kind,
        url=record.url,
        status=record.status,
        cache=record.cache,
        bytes=record.size,
        ms=round(record.seconds * 1000, 1),
        error=record.error or None,
    )


def _derived(settings: Settings) -> Derived | None:
    """Open the store of parsed facts, or go on without: an unusable directory makes a restart slower, not wrong."""
    try:
        return Derived(Path(settings.cache.dir), FACTS_MAX_BYTES)
    except OSError as error:
        _log.warning("parsed facts are not kept: the cache directory cannot be used", error=type(error).__name__)
        return None


def clock() -> datetime:
    """Return the time in UTC, or the instant that ``SOURCE_DATE_EPOCH`` fixes for reproducible answers."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    return datetime.fromtimestamp(int(epoch), UTC) if epoch.isdecimal() else datetime.now(UTC)


@asynccontextmanager
async def open_locks(
    settings: Settings,
    indexes: Indexes,
    counts: Counts,
    *,
    stored: StoredLocks | None = None,
    now: Clock = clock,
    system: SystemClock = SYSTEM,
    reader: Reader | None = None,
) -> AsyncIterator[Locks]:
    """Give the use case for as long as the block runs; leaving it ends what is under way and closes everything.

    Finished locks are ``stored`` in the cache directory unless it is said where. ``now`` is what ages in requests are
    counted from; ``system`` is what copies age by, and when a file is seen. ``reader`` reads large pages; without one
    they are read here.

    Raises:
        ValueError: a netrc file that was named cannot be used.
    """
    if stored is None:
        stored = StoredLocks(Path(settings.cache.dir) / "locks", limit=settings.service.stored_locks)
    turns = Turns()
    ledger = Ledger(settings.cache.dir, system)
    given = transport_settings(settings)
    on_request = _log_hop if logging.getLogger("lockwright.transport").isEnabledFor(logging.DEBUG) else None
    async with open_stack(given, clock=system, on_request=on_request, turns=turns) as fetcher:
        derived = await asyncio.to_thread(_derived, settings)
        terms = repr((given.private_addresses, given.allowed_urls))
        gateway = Gateway(fetcher, turns, system.monotonic, ledger, derived, system.wall, terms, reader)
        locks = Locks(settings, indexes, partial(drive, gateway=gateway), stored, counts, now, gateway.holds, turns)
        try:
            yield locks
        finally:
            await locks.close()
            if derived is not None:
                await derived.close()
    await ledger.close()
