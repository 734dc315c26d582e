"""Problems as HTTP answers."""

from __future__ import annotations

import orjson
from aiohttp import web

from .problems import KINDS, Problem, from_error, to_document

CONTENT_TYPE = "application/problem+json"
_RETRY_AFTER = 5  # seconds; a circuit of the transport is open about as long


def from_any(error: BaseException) -> Problem:
    """The problem that ``error`` is to a client: the web framework's own as well."""
    return _from_http(error) if isinstance(error, web.HTTPException) else from_error(error)


def _from_http(error: web.HTTPException) -> Problem:
    match error.status:
        case 404:
            return Problem("not-found", "No such path; / lists what there is")
        case 405:
            allowed = error.headers.get("Allow", "")
            return Problem("method-not-allowed", f"Use {allowed}", headers={"Allow": allowed})
        case 413:
            return Problem("payload-too-large", "The body is larger than this server accepts")
        case _:
            return Problem("bad-request", error.reason)


def to_response(problem: Problem, instance: str | None = None) -> web.Response:
    """Return the HTTP answer, with ``Retry-After`` wherever a retry helps after a while."""
    kind = KINDS[problem.name]
    headers = dict(problem.headers)
    if kind.is_retryable and kind.status in {429, 503, 504}:
        headers.setdefault("Retry-After", str(_RETRY_AFTER))
    if kind.status == 401:
        headers.setdefault("WWW-Authenticate", 'Bearer realm="lockwright"')
    headers["Cache-Control"] = "no-store"
    body = orjson.dumps(to_document(problem, instance), default=str)
    return web.Response(status=kind.status, body=body, content_type=CONTENT_TYPE, headers=headers)
