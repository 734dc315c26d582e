"""``POST /v1/lock`` and the finished locks below ``/v1/locks``: from HTTP to the use case and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aiohttp import web

from resolver.model import Stats

from . import bodies, negotiation, parameters, rendering
from .locks import Locks
from .problems import Problem, invalid
from .rendering import Rendered
from .schema import LockRequest, parse

LOCKS = web.AppKey("locks", Locks)
LIMITS = web.AppKey("limits", bodies.Limits)

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


async def _lock_request(request: web.Request) -> LockRequest:
    check_head(request)
    limits = request.app[LIMITS]
    if request.content_type == "application/json":
        check_parameters(request, frozenset({"format"}))
        return parse(bodies.decode_json(await bodies.read(request, limits)))
    pairs = [(name, value) for name, value in request.query.items() if name != "format"]
    if request.content_type in _BODIES:
        if request.charset not in {None, "utf-8", "us-ascii"}:
            raise Problem("unsupported-media-type", "Text bodies are UTF-8")
        options = parameters.to_request(pairs)
        name = _BODIES[request.content_type]
        text = bodies.decode_text(await bodies.read(request, limits), "the body")
        return parse({**options, "files": {name: text}, "roots": [name]})
    if request.content_type == "multipart/form-data":
        files, fields = await bodies.read_form(request, limits)
        return parse({**parameters.to_request([*pairs, *fields]), "files": files})
    raise Problem(
        "unsupported-media-type",
        f"Send one of {_ACCEPTED} (curl: -H 'Content-Type: text/plain')",
        headers={"Accept-Post": _ACCEPTED},
    )


async def lock(request: web.Request) -> web.Response:
    """Resolve and return a lock."""
    form = negotiation.choose(_accept(request), request.query.get("format"))
    asked = await _lock_request(request)
    answer = await request.app[LOCKS].answer(asked, refresh=wants_fresh(request))
    response = _to_response(
        answer.rendered, form, served_from=answer.served_from, outputs=asked.outputs, stats=answer.stats
    )
    parts = {
        "fetch": answer.stats.fetch,
        "solve": answer.stats.solve,
        "render": answer.stats.render,
        "total": answer.seconds,
    }
    response.headers["Server-Timing"] = ", ".join(f"{name};dur={value * 1000:.1f}" for name, value in parts.items())
    response.headers["Cache-Control"] = "no-store"  # an answer to POST; the lock itself has a URL to cache
    return response


def _to_response(
    rendered: Rendered, form: str, *, served_from: str, outputs: Sequence[str] = (), stats: Stats | None = None
) -> web.Response:
    body = rendering.to_body(rendered, form, served_from=served_from, outputs=outputs, stats=stats)
    headers = {
        "ETag": rendering.etag(rendered, form, outputs),
        "Content-Location": f"/v1/locks/{rendered.id}",
        "Vary": "Accept",
    }
    charset = "utf-8" if form in rendering.FILES else None
    return web.Response(body=body, content_type=negotiation.MEDIA_TYPES[form], charset=charset, headers=headers)


def _accept(request: web.Request) -> str | None:
    values = request.headers.getall("Accept", ())
    return ",".join(values) if values else None


def _is_known(request: web.Request, etag: str) -> bool:
    """Whether ``If-None-Match`` names the entity tag; the comparison is weak (RFC 9110 §13.1.2)."""
    tags = {tag.strip().removeprefix("W/") for tag in request.headers.get("If-None-Match", "").split(",")}
    return "*" in tags or etag in tags


async def _stored(request: web.Request, form: str) -> web.Response:
    rendered = await request.app[LOCKS].stored(request.match_info["id"])
    outputs = () if form in _TEXT_FORMS else tuple(sorted(rendered.texts))
    response = _to_response(rendered, form, served_from="stored", outputs=outputs)
    response.headers["Cache-Control"] = "max-age=31536000, immutable"
    if _is_known(request, response.headers["ETag"]):
        kept = ("ETag", "Content-Location", "Vary", "Cache-Control")
        return web.Response(status=304, headers={name: response.headers[name] for name in kept})
    return response


async def stored_lock(request: web.Request) -> web.Response:
    """Return a stored lock in the form that ``Accept`` or ``?format=`` asks for."""
    check_parameters(request, frozenset({"format"}))
    return await _stored(request, negotiation.choose(_accept(request), request.query.get("format")))


async def stored_pylock(request: web.Request) -> web.Response:
    """Return a stored lock as pylock.toml (PEP 751)."""
    return await _stored(request, "pylock")


async def stored_requirements(request: web.Request) -> web.Response:
    """Return a stored lock as a requirements file with hashes."""
    return await _stored(request, "requirements")
