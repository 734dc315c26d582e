"""The layers, put together in the one order that works; see the table in the architecture notes.

    redirects + auth → coalesce → cache → retry → resume → limit → pool

This is the only module that knows more than one layer.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from .auth import Auth
from .cache import Cache
from .clock import SYSTEM, Clock
from .coalesce import Coalesce
from .fetch import Fetcher
from .keyring import Keyring
from .late import Late
from .limit import Limit
from .memory import Memory
from .netrc import read_netrc
from .partition import Partitions, load_key
from .pool.decoding import accepted
from .redaction import KnownSecrets
from .redirects import Redirects, RequestRecord
from .resume import Resume
from .retry import Retry
from .settings import TransportSettings
from .storage import Storage
from .tls import Contexts
from .turns import Turns

__all__ = ["RequestRecord", "TransportSettings", "open_stack"]

if TYPE_CHECKING:
    from .pool.connections import Pool

log = logging.getLogger("transport.stack")


@asynccontextmanager
async def open_stack(
    settings: TransportSettings,
    *,
    clock: Clock = SYSTEM,
    on_request: Callable[[RequestRecord], None] | None = None,
    turns: Turns | None = None,
) -> AsyncIterator[Fetcher]:
    """Give a fetcher for as long as the block runs; leaving it cancels what is under way and closes everything.

    Args:
        settings: sizes, times, the cache, the address policy.
        clock: time, sleep and chance for pauses, retries and ages (not for sockets).
        turns: of the event loop, shared with whoever else computes in it.
        on_request: told of every hop, cache hits included; must be quick and raise nothing.

    Raises:
        ValueError: a netrc file that was named cannot be used.
    """
    storage = await asyncio.to_thread(_storage, settings)
    key = await asyncio.to_thread(load_key, settings.cache_dir if storage is not None else None)
    netrc = await asyncio.to_thread(read_netrc, settings.netrc, os.environ)
    known = KnownSecrets()
    keyring = Keyring(clock) if settings.keyring else None
    contexts = Contexts()
    pool = Late(partial(_pool, settings, contexts, turns or Turns()))
    limit = Limit(
        pool,
        clock,
        connections=settings.connections_per_origin,
        failures=settings.breaker_failures,
        pause=settings.breaker_pause,
        patience=settings.total_retry,
    )
    retry = Retry(Resume(limit), clock, retries=settings.retries, total=settings.total_retry, backoff=settings.backoff)
    cache = Cache(retry, Memory(settings.memory_max_bytes), storage, clock)
    coalesce = Coalesce(cache, cache.ready)
    auth = Auth(
        Partitions(key),
        known,
        clock,
        netrc=netrc,
        keyring=keyring,
        identify=contexts.identify,
        encodings=accepted(),
        private_addresses=settings.private_addresses,
        allowed_urls=settings.allowed_urls,
    )
    try:
        yield Redirects(coalesce, auth, known, limit=settings.max_redirects, on_request=on_request)
    finally:
        await coalesce.close()
        await cache.close()
        await pool.close()
        if keyring is not None:
            await keyring.close()


def _pool(settings: TransportSettings, contexts: Contexts, turns: Turns) -> Pool:
    from .pool.connections import Pool  # noqa: PLC0415 - the HTTP client takes a tenth of a second to import

    return Pool(settings, contexts, turns)


def _storage(settings: TransportSettings) -> Storage | None:
    """Open the disk cache, or go on without: an unusable directory makes us slower, not wrong."""
    if settings.cache_dir is None:
        return None
    try:
        return Storage(settings.cache_dir, settings.cache_max_bytes)
    except OSError as error:
        log.warning("the cache directory cannot be used, going on in memory: %s", type(error).__name__)
        return None
