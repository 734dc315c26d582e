"""The application: routes and middleware over the use case, which ``engine`` makes."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

from aiohttp import web

from resolver.index.reading import Reader
from transport.clock import SYSTEM
from transport.clock import Clock as SystemClock

from . import bodies, handlers, middleware, pages, questions
from .configuration import Configuration
from .connection import Connections
from .doctor import Doctor
from .engine import SWITCH, clock, open_locks, transport_settings
from .garbage import keep_house, tune
from .indexes import Indexes
from .locks import Clock, Holds, Locks, Resolve
from .stored import StoredLocks
from .telemetry import Telemetry
from .tokens import Tokens

_get = partial(web.get, expect_handler=bodies.expect)
_post = partial(web.post, expect_handler=bodies.expect)

ROUTES = (
    _post("/v1/lock", handlers.lock),
    _get("/v1/locks/{id}", handlers.stored_lock),
    _get("/v1/locks/{id}/pylock.toml", handlers.stored_pylock),
    _get("/v1/locks/{id}/requirements.txt", handlers.stored_requirements),
    _post("/v1/check", questions.check),
    _post("/v1/explain", questions.explain),
    _get("/v1/indexes", pages.indexes),
    _post("/v1/indexes/{name}/doctor", pages.doctor),
    _get("/v1/info", pages.info),
    _get("/v1/openapi.json", pages.openapi),
    _get("/problems/{name}", pages.problem),
    _get("/healthz", pages.healthz),
    _get("/readyz", pages.readyz),
    _get("/metrics", pages.metrics),
    _get("/docs", pages.docs),
    _get("/web/{name}", pages.asset),
    _get("/", pages.landing),
)


def make_app(
    configuration: Configuration,
    *,
    resolve: Resolve | None = None,
    holds: Holds | None = None,
    now: Clock = clock,
    system: SystemClock = SYSTEM,
    reader: Reader | None = None,
) -> web.Application:
    """Return the application. ``resolve`` replaces the resolver and its transport (tests, embedding).

    ``holds`` goes with it: without, finished answers are not served again. ``now`` is what ages in requests are counted
    from, and may be fixed; ``system`` is what copies age by, and when a file is seen. ``reader`` reads large pages.

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
    app[bodies.LIMITS] = bodies.Limits(service.max_body, service.body_timeout)
    stored = StoredLocks(Path(settings.cache.dir) / "locks", limit=service.stored_locks)

    async def lifespan(app: web.Application) -> AsyncIterator[None]:
        if resolve is not None:
            app[handlers.LOCKS] = locks = Locks(settings, indexes, resolve, stored, telemetry, now, holds)
            yield
            await locks.close()
            return
        async with open_locks(
            settings, indexes, telemetry, stored=stored, now=now, system=system, reader=reader
        ) as locks:
            app[handlers.LOCKS] = locks
            tune()
            sys.setswitchinterval(SWITCH)
            house = asyncio.create_task(keep_house(lambda: locks.is_idle, lambda: locks.solved))
            yield
            house.cancel()

    app.cleanup_ctx.append(lifespan)
    app.add_routes(ROUTES)
    return app
