"""``POST /v1/check`` and ``POST /v1/explain``: from HTTP to the use cases and back."""

from __future__ import annotations

from typing import Any, TypeVar

import orjson
from aiohttp import web

from . import bodies
from .asking import CheckRequest, ExplainRequest
from .checking import check as check_lock
from .explaining import explain as explain_package
from .handlers import LOCKS, check_head, check_parameters, wants_fresh
from .problems import Problem
from .schema import LockRequest, parse_as

_JSON = "application/json"
_Asked = TypeVar("_Asked", bound=LockRequest)


async def _read(request: web.Request, model: type[_Asked]) -> _Asked:
    check_head(request)
    check_parameters(request, frozenset())
    if request.content_type != _JSON:
        raise Problem("unsupported-media-type", f"Send {_JSON}", headers={"Accept-Post": _JSON})
    return parse_as(model, bodies.decode_json(await bodies.read(request, request.app[bodies.LIMITS])))


def _answer(document: dict[str, Any]) -> web.Response:
    headers = {"Cache-Control": "no-store"}  # an answer to POST
    return web.Response(body=orjson.dumps(document), content_type=_JSON, headers=headers)


async def check(request: web.Request) -> web.Response:
    """Say whether a lock is still good."""
    asked = await _read(request, CheckRequest)
    return _answer(await check_lock(request.app[LOCKS], asked))


async def explain(request: web.Request) -> web.Response:
    """Say why a package is in the lock, and why another version is not."""
    asked = await _read(request, ExplainRequest)
    return _answer(await explain_package(request.app[LOCKS], asked, refresh=wants_fresh(request)))
