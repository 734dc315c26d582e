"""The only place that constructs things: settings become a transport, a gateway, the use case and an application."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import structlog
from aiohttp import web

from resolver.driver import resolve as drive
from resolver.index.gateway import Gateway
from transport.clock import SYSTEM
from transport.clock import Clock as SystemClock
from transport.derived import Derived
from transport.settings import TransportSettings
from transport.stack import RequestRecord, open_stack
from transport.turns import Turns

from . import bodies, handlers, middleware, pages, questions
from .configuration import Configuration
from .connection import Connections
from .doctor import Doctor
from .garbage import keep_house, tune
from .indexes import Indexes
from .ledger import Ledger
from .locks import Clock, Holds, Locks, Resolve
from .settings import Settings
from .stored import StoredLocks
from .telemetry import Telemetry
from .tokens import Tokens

_log = structlog.get_logger("lockwright.transport")

# Seconds that a parsing thread may keep the interpreter from the event loop, which gives it up with each piece that it
# inflates or hashes: with Python's 5 ms sixteen pieces are a stall of 80 ms.
SWITCH = 0.0005
FACTS_MAX_BYTES = 512 * 1024 * 1024  # parsed facts on disk; those of 600 projects take some 70 MB

ROUTES = (
    web.post("/v1/lock", handlers.lock),
    web.get("/v1/locks/{id}", handlers.stored_lock),
    web.get("/v1/locks/{id}/pylock.toml", handlers.stored_pylock),
    web.get("/v1/locks/{id}/requirements.txt", handlers.stored_requirements),
    web.post("/v1/check", questions.check),
    web.post("/v1/explain", questions.explain),
    web.get("/v1/indexes", pages.indexes),
    web.post("/v1/indexes/{name}/doctor", pages.doctor),
    web.get("/v1/info", pages.info),
    web.get("/v1/openapi.json", pages.openapi),
    web.get("/problems/{name}", pages.problem),
    web.get("/healthz", pages.healthz),
    web.get("/readyz", pages.readyz),
    web.get("/metrics", pages.metrics),
    web.get("/docs", pages.docs),
    web.get("/web/{name}", pages.asset),
    web.get("/", pages.landing),
)


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


def make_app(
    configuration: Configuration,
    *,
    resolve: Resolve | None = None,
    holds: Holds | None = None,
    now: Clock = clock,
    system: SystemClock = SYSTEM,
) -> web.Application:
    """Return the application. ``resolve`` replaces the resolver and its transport (tests, embedding).

    ``holds`` goes with it: without, finished answers are not served again. ``now`` is what ages in requests are counted
    from, and may be fixed; ``system`` is what copies age by, and when a file is seen.

    Raises:
        SettingsError: a file of secrets cannot be read.
    """
    settings = configuration.settings
    service = settings.service
    indexes = Indexes(settings.index)
    tokens = None if service.tokens_file is None else Tokens.read(service.tokens_file)
    telemetry = Telemetry()
    app = web.Application(
        middlewares=[middleware.observe(telemetry), middleware.authenticate(tokens)],
        client_max_size=service.max_body,
    )
    app[pages.CONFIGURATION] = configuration
    app[pages.TELEMETRY] = telemetry
    app[pages.DOCTOR] = Doctor(transport_settings(settings))
    app[pages.READINESS] = pages.Readiness()
    app[middleware.CONNECTIONS] = Connections(service.header_timeout)
    app[handlers.LIMITS] = bodies.Limits(service.max_body, service.body_timeout)
    stored = StoredLocks(Path(settings.cache.dir) / "locks", limit=service.stored_locks)

    async def lifespan(app: web.Application) -> AsyncIterator[None]:
        if resolve is not None:
            app[handlers.LOCKS] = locks = Locks(settings, indexes, resolve, stored, telemetry, now, holds)
            yield
            await locks.close()
            return
        turns = Turns()
        ledger = Ledger(settings.cache.dir, system)
        given = transport_settings(settings)
        on_request = _log_hop if logging.getLogger("lockwright.transport").isEnabledFor(logging.DEBUG) else None
        async with open_stack(given, clock=system, on_request=on_request, turns=turns) as fetcher:
            derived = await asyncio.to_thread(_derived, settings)
            terms = repr((given.private_addresses, given.allowed_urls))
            gateway = Gateway(fetcher, turns, system.monotonic, ledger, derived, system.wall, terms)
            solve = partial(drive, gateway=gateway)
            app[handlers.LOCKS] = locks = Locks(settings, indexes, solve, stored, telemetry, now, gateway.holds)
            tune()
            sys.setswitchinterval(SWITCH)
            house = asyncio.create_task(keep_house(lambda: locks.is_idle, lambda: locks.solved))
            yield
            house.cancel()
            await locks.close()
            if derived is not None:
                await derived.close()
        await ledger.close()

    app.cleanup_ctx.append(lifespan)
    app.add_routes(ROUTES)
    return app
