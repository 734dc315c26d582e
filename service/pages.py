"""Everything about the service itself: health, info, indexes, metrics, the API's description and pages for people."""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files

import orjson
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from transport.message import Index

from . import bodies
from .configuration import Configuration
from .doctor import Doctor
from .handlers import LOCKS
from .openapi import describe
from .problems import KINDS, Problem, invalid
from .telemetry import Telemetry

CONFIGURATION = web.AppKey("configuration", Configuration)
TELEMETRY = web.AppKey("telemetry", Telemetry)
DOCTOR = web.AppKey("doctor", Doctor)
_PROJECT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")


@dataclass(slots=True)
class Readiness:
    """Whether a load balancer should send requests here."""

    is_ready: bool = True


READINESS = web.AppKey("readiness", Readiness)

# Everything comes from this server: no page loads from, frames or sends to anywhere else.
_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
_ASSETS: Mapping[str, str] = {"docs.js": "text/javascript", "style.css": "text/css"}


def _json(document: object) -> web.Response:
    return web.Response(body=orjson.dumps(document, option=orjson.OPT_INDENT_2), content_type="application/json")


def _web(name: str, content_type: str) -> web.Response:
    text = files("service").joinpath("web", name).read_text("utf-8")
    return web.Response(text=text, content_type=content_type, headers=_PAGE_HEADERS)


async def healthz(_request: web.Request) -> web.Response:
    """Say that the event loop turns; touches nothing else."""
    return web.Response(text="ok\n")


async def readyz(request: web.Request) -> web.Response:
    """Say whether new requests are welcome."""
    if not request.app[READINESS].is_ready:
        raise Problem("draining", "This server is shutting down")
    return web.Response(text="ready\n")


async def metrics(request: web.Request) -> web.Response:
    """Return the metrics in Prometheus' text format."""
    return web.Response(body=request.app[TELEMETRY].exposition(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _index(index: Index) -> dict[str, object]:
    """Describe an index; its URL holds no userinfo, and of the credential only the kind is told."""
    return {
        "name": index.name,
        "url": index.url,
        "default": index.default,
        "explicit": index.explicit,
        "authenticate": index.authenticate.value,
        "credential": index.credential.scheme if index.credential is not None else None,
        "verify": index.verify,
        "client_certificate": index.client_cert is not None,
    }


async def indexes(request: web.Request) -> web.Response:
    """List the configured indexes in order of priority."""
    return _json({"indexes": [_index(index) for index in request.app[LOCKS].indexes]})


async def doctor(request: web.Request) -> web.Response:
    """Examine a configured index: what it supports, how it lets us in, how fast it is, and what to change."""
    name = request.match_info["name"]
    indexes = request.app[LOCKS].indexes
    found = next((index for index in indexes if index.name == name), None)
    if found is None and name == "default":
        found = next((index for index in indexes if index.default), None)
    if found is None:
        raise Problem("not-found", f"No index is called {name[:80]!r}; /v1/indexes lists them")
    report = await request.app[DOCTOR].examine(found, await _project(request))
    return _json(report.to_json())


async def _project(request: web.Request) -> str | None:
    """Return the project that the query or a JSON body names."""
    unknown = sorted(set(request.query) - {"project"})
    project: object = request.query.get("project")
    if request.content_type == "application/json":
        body = bodies.decode_json(await bodies.read(request, request.app[bodies.LIMITS]))
        if not isinstance(body, dict):
            raise invalid("", 'the body is an object, such as {"project": "NAME"}')
        unknown += sorted(set(body) - {"project"})
        project = body.get("project", project)
    if unknown:
        raise invalid(f"/{unknown[0][:80]}", "unknown field; project is the only one")
    if project is None:
        return None
    if not isinstance(project, str) or len(project) > 128 or not _PROJECT.fullmatch(project):
        raise invalid("/project", "not the name of a project")
    return re.sub(r"[-_.]+", "-", project).lower()


async def info(request: web.Request) -> web.Response:
    """Say what runs here, which indexes it uses and why, and what its limits are."""
    configuration = request.app[CONFIGURATION]
    settings = configuration.settings
    default = next((index for index in request.app[LOCKS].indexes if index.default), None)
    service, policy = settings.service, settings.policy
    return _json(
        {
            "name": "lockwright",
            "version": version("lockwright"),
            "python": platform.python_version(),
            "implementation": platform.python_implementation().lower(),
            "default_index": {
                "name": default.name if default else None,
                "url": default.url if default else None,
                "source": configuration.default_index_origin,
            },
            "indexes": [_index(index) for index in request.app[LOCKS].indexes],
            "limits": {
                "max_body": service.max_body,
                "max_concurrent_solves": service.max_concurrent_solves,
                "max_waiting_solves": service.max_waiting_solves,
                "max_seconds": service.max_seconds,
            },
            "policy": {
                "index_urls": policy.index_urls,
                "min_release_age_seconds": policy.min_release_age,
                "builds": policy.builds.value,
                "unsafe_index_strategies": policy.unsafe_index_strategies,
            },
            "warnings": list(configuration.warnings),
        }
    )


async def openapi(_request: web.Request) -> web.Response:
    """Return the OpenAPI description."""
    return _json(describe())


async def problem(request: web.Request) -> web.Response:
    """Explain a problem's type: the ``type`` members of problem documents lead here."""
    kind = KINDS.get(request.match_info["name"])
    if kind is None:
        raise Problem("not-found", "No problem has this name")
    return _json({"name": kind.name, "title": kind.title, "status": kind.status, "retryable": kind.is_retryable})


async def landing(_request: web.Request) -> web.Response:
    """Return the front page."""
    return _web("index.html", "text/html")


async def docs(_request: web.Request) -> web.Response:
    """Return the page that shows the OpenAPI description."""
    return _web("docs.html", "text/html")


async def asset(request: web.Request) -> web.Response:
    """Return a script or a style sheet of the pages."""
    name = request.match_info["name"]
    if name not in _ASSETS:
        raise Problem("not-found", "No such file")
    return _web(name, _ASSETS[name])
