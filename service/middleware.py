"""What every request gets: an id, a log line, a place in the metrics, and errors as problem documents."""

from __future__ import annotations

import asyncio
import re
import secrets
from time import perf_counter

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from . import replies
from .connection import Connections
from .telemetry import Telemetry
from .tokens import Tokens

CONNECTIONS = web.AppKey("connections", Connections)
REQUEST_ID = web.RequestKey("request_id", str)
_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_CLIENT_GONE = 499  # what proxies log for it; it is never sent
_OPEN = frozenset({"/healthz", "/readyz"})  # probes carry no tokens

_log = structlog.get_logger("lockwright.http")


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unmatched"


def _request_id(request: web.Request) -> str:
    given = request.headers.get("X-Request-ID", "")
    return given if _SANE_ID.fullmatch(given) else secrets.token_hex(8)


def _problem(error: Exception, request_id: str) -> web.Response:
    found = replies.from_any(error)
    if found.name == "internal-error":
        _log.error("unexpected error", exc_info=error)
    return replies.to_response(found, request_id)


async def _answer(request: web.Request, handler: Handler, request_id: str) -> web.StreamResponse:
    try:
        response = await handler(request)
    except Exception as error:  # noqa: BLE001 - the border: whatever it is becomes a document
        response = _problem(error, request_id)
    if not response.prepared:
        response.headers["X-Request-ID"] = request_id
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Server"] = "lockwright"  # the versions below it are nobody's business
    return response


def observe(telemetry: Telemetry) -> Middleware:
    """Return the outermost middleware."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        started = perf_counter()
        request.app[CONNECTIONS].heard(request)
        request_id = request[REQUEST_ID] = _request_id(request)
        structlog.contextvars.bind_contextvars(request_id=request_id)
        status = _CLIENT_GONE
        try:
            response = await _answer(request, handler, request_id)
            status = response.status
        except asyncio.CancelledError:
            _log.info("client went away", method=request.method, route=_route(request))
            raise
        finally:
            seconds = perf_counter() - started
            telemetry.request(request.method, _route(request), status, seconds)
            _log.debug(
                "request", method=request.method, route=_route(request), status=status, ms=round(seconds * 1000, 1)
            )
            structlog.contextvars.unbind_contextvars("request_id")
        return response

    return middleware


def authenticate(tokens: Tokens | None) -> Middleware:
    """Return the middleware that asks for a token, where the server has any."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if tokens is not None and request.path not in _OPEN:
            tokens.check(request.headers.get("Authorization"))
        return await handler(request)

    return middleware
