"""``POST /v1/lock`` and the finished locks below ``/v1/locks``: from HTTP to the use case and back."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from aiohttp import web

from . import bodies, negotiation, parameters, rendering
from .answered import Answered, to_headers
from .locks import Answer, Locks
from .problems import Problem, invalid
from .schema import LockRequest, parse

LOCKS = web.AppKey("locks", Locks)

_TEXT_FORMS = frozenset({"pylock", "requirements"})
_BODIES: Mapping[str, str] = {
    "text/plain": "requirements.txt",
    "application/toml": "pyproject.toml",
    "text/x-python": "script.py",
}
_ACCEPTED = ", ".join(("application/json", *_BODIES, "multipart/form-data"))
_SINGULAR = ("Content-Type", "Content-Length", "Host")  # more than one of these and two readers may disagree


def check_parameters(request: web.Request, known: frozenset[str]) -> None:
    """Refuse what is none of ``known``.

    Raises:
        Problem: ``invalid-request``.
    """
    unknown = sorted(set(request.query) - known)
    if unknown:
        raise invalid(
            f"/{unknown[0][:80]}", f"unknown query parameter; known here: {', '.join(sorted(known)) or 'none'}"
        )


def wants_fresh(request: web.Request) -> bool:
    """Whether the client wants every index page revalidated."""
    directives = ",".join(request.headers.getall("Cache-Control", ())).lower().split(",")
    return "no-cache" in {directive.strip() for directive in directives}


def check_head(request: web.Request) -> None:
    """Refuse a request that two readers may read differently.

    Raises:
        Problem: ``bad-request``.
    """
    for name in _SINGULAR:
        if len(request.headers.getall(name, ())) > 1:
            raise Problem("bad-request", f"more than one {name} header")


async def _form_request(request: web.Request) -> LockRequest:
    files, fields = await bodies.read_form(request, request.app[bodies.LIMITS])
    pairs = [(name, value) for name, value in request.query.items() if name != "format"]
    return parse({**parameters.to_request([*pairs, *fields]), "files": files})


def _check_content(request: web.Request) -> None:
    """Refuse what is no lock request before its body is read.

    Raises:
        Problem: ``invalid-request`` for an unknown parameter, ``unsupported-media-type``.
    """
    if request.content_type == "application/json":
        check_parameters(request, frozenset({"format"}))
    elif request.content_type in _BODIES:
        if request.charset not in {None, "utf-8", "us-ascii"}:
            raise Problem("unsupported-media-type", "Text bodies are UTF-8")
    elif request.content_type != "multipart/form-data":
        raise Problem(
            "unsupported-media-type",
            f"Send one of {_ACCEPTED} (curl: -H 'Content-Type: text/plain')",
            headers={"Accept-Post": _ACCEPTED},
        )


def _lock_request(request: web.Request, body: bytes) -> LockRequest:
    if request.content_type == "application/json":
        return parse(bodies.decode_json(body))
    options = parameters.to_request([(name, value) for name, value in request.query.items() if name != "format"])
    name = _BODIES[request.content_type]
    return parse({**options, "files": {name: bodies.decode_text(body, "the body")}, "roots": [name]})


def _digest(request: web.Request, body: bytes) -> bytes:
    """Return a digest of all that is read of a request, but who asks and for which form.

    The media type's parameters were checked, and change nothing.
    """
    found = hashlib.sha256(f"{request.content_type} {request.rel_url.raw_query_string}\n".encode())
    found.update(body)
    return found.digest()


async def lock(request: web.Request) -> web.StreamResponse:
    """Resolve and return a lock."""
    form = negotiation.choose(_accept(request), request.query.get("format"))
    check_head(request)
    _check_content(request)
    locks = request.app[LOCKS]
    if request.content_type == "multipart/form-data":  # each with a boundary of its own
        asked = await _form_request(request)
        return _to_response(await locks.answer(asked, refresh=wants_fresh(request)), form)
    body = await bodies.read(request, request.app[bodies.LIMITS])
    seen = None if wants_fresh(request) else _digest(request, body)
    answer = None if seen is None else await locks.again(seen)
    if answer is None:
        answer = await locks.answer(_lock_request(request, body), refresh=seen is None, seen=seen)
    return _to_response(answer, form)


def _to_response(answer: Answer, form: str) -> web.StreamResponse:
    stats = answer.stats
    parts = rendering.to_parts(
        answer.rendered, form, served_from=answer.served_from, outputs=answer.outputs, stats=stats
    )
    response = Answered(parts, to_headers(answer.rendered, form, answer.outputs))
    response.headers["Server-Timing"] = (
        f"fetch;dur={stats.fetch * 1000:.1f}, solve;dur={stats.solve * 1000:.1f},"
        f" render;dur={stats.render * 1000:.1f}, total;dur={answer.seconds * 1000:.1f}"
    )
    response.headers["Cache-Control"] = "no-store"  # an answer to POST; the lock itself has a URL to cache
    return response


def _accept(request: web.Request) -> str | None:
    values = request.headers.getall("Accept", ())
    return ",".join(values) if values else None


def _is_known(request: web.Request, etag: str) -> bool:
    """Whether ``If-None-Match`` names the entity tag; the comparison is weak (RFC 9110 §13.1.2)."""
    tags = {tag.strip().removeprefix("W/") for tag in request.headers.get("If-None-Match", "").split(",")}
    return "*" in tags or etag in tags


async def _stored(request: web.Request, form: str) -> web.StreamResponse:
    rendered = await request.app[LOCKS].stored(request.match_info["id"])
    outputs = () if form in _TEXT_FORMS else tuple(sorted(rendered.texts))
    headers = to_headers(rendered, form, outputs)
    headers["Cache-Control"] = "max-age=31536000, immutable"
    if form in _TEXT_FORMS:
        rendered.text(form)  # what cannot be had is not unchanged either
    if _is_known(request, headers["ETag"]):
        del headers["Content-Type"]
        return web.Response(status=304, headers=headers)
    return Answered(rendering.to_parts(rendered, form, served_from="stored", outputs=outputs), headers)


async def stored_lock(request: web.Request) -> web.StreamResponse:
    """Return a stored lock in the form that ``Accept`` or ``?format=`` asks for."""
    check_parameters(request, frozenset({"format"}))
    return await _stored(request, negotiation.choose(_accept(request), request.query.get("format")))


async def stored_pylock(request: web.Request) -> web.StreamResponse:
    """Return a stored lock as pylock.toml (PEP 751)."""
    return await _stored(request, "pylock")


async def stored_requirements(request: web.Request) -> web.StreamResponse:
    """Return a stored lock as a requirements file with hashes."""
    return await _stored(request, "requirements")
