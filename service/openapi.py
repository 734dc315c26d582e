"""The OpenAPI 3.1 description, made from the pydantic models and the table of problems."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from importlib.metadata import version
from typing import Any

from pydantic.json_schema import models_json_schema

from .answer import LockAnswer, ProblemAnswer
from .asking import REQUESTS, CheckAnswer, ExplainAnswer
from .negotiation import MEDIA_TYPES
from .parameters import KNOWN
from .problems import KINDS, Problem, to_document
from .replies import CONTENT_TYPE
from .shape import model_of

_REF = "#/components/schemas/{model}"
_LOCK_PROBLEMS = tuple(name for name in KINDS if name not in {"not-found", "gone", "method-not-allowed"})
_STORED_PROBLEMS = ("not-found", "gone", "not-acceptable", "invalid-request", "unauthorized")
_ANY_PROBLEMS = ("unauthorized", "internal-error")
_EXAMPLE_DETAIL = "What happened, and what to change"
_LOCK_ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "pattern": "^lk_[0-9a-f]{40}$"}}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": _REF.format(model=name)}


def _problems(names: Iterable[str]) -> dict[str, Any]:
    """Return responses by status; problems of one status are examples of one response."""
    found: dict[str, Any] = {}
    for name in names:
        kind = KINDS[name]
        response = found.setdefault(
            str(kind.status),
            {
                "description": "",
                "content": {CONTENT_TYPE: {"schema": _ref("ProblemAnswer"), "examples": {}}},
            },
        )
        response["description"] = "; ".join(filter(None, (response["description"], kind.title)))
        response["content"][CONTENT_TYPE]["examples"][name] = {"value": to_document(Problem(name, _EXAMPLE_DETAIL))}
        if kind.status in {429, 503, 504}:
            response["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds"}}
    return found


def _lock_content() -> dict[str, Any]:
    return {
        MEDIA_TYPES["json"]: {"schema": _ref("LockAnswer")},
        MEDIA_TYPES["msgpack"]: {"schema": {"type": "string", "format": "binary"}},
        MEDIA_TYPES["pylock"]: {"schema": {"type": "string"}},
        MEDIA_TYPES["requirements"]: {"schema": {"type": "string"}},
    }


def _query(name: str, **schema: object) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema or {"type": "string"}}


_FORMAT = _query("format", type="string", enum=list(MEDIA_TYPES))
_HEADERS = {
    "ETag": {"schema": {"type": "string"}, "description": "Strong; of the lock and its form"},
    "Content-Location": {"schema": {"type": "string"}, "description": "/v1/locks/{id}"},
    "X-Request-ID": {"schema": {"type": "string"}},
}


def _post_lock() -> dict[str, Any]:
    return {
        "operationId": "lock",
        "summary": "Resolve requirements and return a lock",
        "description": "Bodies other than JSON take their options as query parameters.",
        "parameters": [
            _FORMAT,
            *(_query(name) for name in KNOWN),
            {
                "name": "Cache-Control",
                "in": "header",
                "schema": {"type": "string"},
                "description": "no-cache revalidates every index page",
            },
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": _ref("LockRequest")},
                "text/plain": {
                    "schema": {"type": "string", "description": "A requirements file"},
                    "example": "sqlalchemy~=2.0\n",
                },
                "application/toml": {"schema": {"type": "string", "description": "A pyproject.toml"}},
                "text/x-python": {
                    "schema": {"type": "string", "description": "A script with inline metadata (PEP 723)"}
                },
                "multipart/form-data": {
                    "schema": {"type": "object", "additionalProperties": {"type": "string", "format": "binary"}},
                },
            },
        },
        "responses": {
            "200": {
                "description": "The lock",
                "headers": {**_HEADERS, "Server-Timing": {"schema": {"type": "string"}}},
                "content": _lock_content(),
                "links": {"stored": {"operationId": "storedLock", "parameters": {"id": "$response.body#/id"}}},
            },
            **_problems(_LOCK_PROBLEMS),
        },
    }


def _post_question(operation: str, summary: str, description: str, schema: str) -> dict[str, Any]:
    return {
        "operationId": operation,
        "summary": summary,
        "description": description,
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _ref(f"{schema}Request")}},
        },
        "responses": {
            "200": {"description": summary, "content": {"application/json": {"schema": _ref(f"{schema}Answer")}}},
            **_problems(name for name in _LOCK_PROBLEMS if name != "not-acceptable"),
        },
    }


_CHECK = (
    "Answered from the lock alone: no index is asked. A lock that is no longer good is an answer, too: 200 with "
    "ok = false. What a lock does not record is not judged: the specifiers between its packages, in which "
    "environments one requires another, and extras outside of the JSON form."
)
_EXPLAIN = (
    "Resolves the request and shows the shortest chains from its requirements to the package. With not or version it "
    "resolves once more with that wish: the answer is how the lock would change, or why that is impossible."
)


def _get_stored(operation: str, summary: str, content: dict[str, Any]) -> dict[str, Any]:
    return {
        "operationId": operation,
        "summary": summary,
        "parameters": [_LOCK_ID, *([_FORMAT] if operation == "storedLock" else [])],
        "responses": {
            "200": {"description": "The lock; it never changes", "headers": _HEADERS, "content": content},
            "304": {"description": "As If-None-Match says"},
            **_problems(_STORED_PROBLEMS),
        },
    }


def _get(operation: str, summary: str, media: str, problems: Iterable[str] = _ANY_PROBLEMS) -> dict[str, Any]:
    schema = {"type": "object"} if media == "application/json" else {"type": "string"}
    return {
        "operationId": operation,
        "summary": summary,
        "responses": {
            "200": {"description": summary, "content": {media: {"schema": schema}}},
            **_problems(problems),
        },
    }


def _post_doctor() -> dict[str, Any]:
    project = {"type": "string", "description": "A project that the index has; without one a guess is made"}
    name = {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}
    report = {
        "type": "object",
        "required": ["index", "url", "ok", "steps", "supports", "timing", "advice", "requests"],
        "properties": {
            "index": {"type": "string"},
            "url": {"type": "string"},
            "ok": {"type": "boolean"},
            "project": {"type": ["string", "null"]},
            "steps": {"type": "array", "items": {"type": "object"}},
            "authentication": {"type": "object"},
            "supports": {"type": "object", "additionalProperties": {"type": ["boolean", "null"]}},
            "missing_status": {"type": ["integer", "null"]},
            "timing": {"type": "object"},
            "advice": {"type": "array", "items": {"type": "object"}},
            "requests": {"type": "integer"},
            "seconds": {"type": "number"},
            "problem": {"anyOf": [_ref("ProblemAnswer"), {"type": "null"}]},
            "integrity": {"type": "boolean"},
        },
    }
    return {
        "operationId": "doctorIndex",
        "summary": "Examine a configured index",
        "description": "Asks the index a dozen times at most. A sick index is an answer, too: 200 with ok = false.",
        "parameters": [name, {**_query("project"), "schema": project}],
        "requestBody": {
            "required": False,
            "content": {"application/json": {"schema": {"type": "object", "properties": {"project": project}}}},
        },
        "responses": {
            "200": {"description": "The report", "content": {"application/json": {"schema": report}}},
            **_problems(("not-found", "invalid-request", *_ANY_PROBLEMS)),
        },
    }


@lru_cache(maxsize=1)
def describe() -> dict[str, Any]:
    """Return the document. It is built once."""
    _, schemas = models_json_schema(
        [
            *((model_of(kind), "validation") for kind in REQUESTS),
            (LockAnswer, "serialization"),
            (CheckAnswer, "serialization"),
            (ExplainAnswer, "serialization"),
            (ProblemAnswer, "serialization"),
        ],
        ref_template=_REF,
    )
    text = {"schema": {"type": "string"}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Lockwright",
            "version": version("lockwright"),
            "description": "POST requirements, get a lockfile.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "security": [{}, {"token": []}],
        "paths": {
            "/v1/lock": {"post": _post_lock()},
            "/v1/locks/{id}": {"get": _get_stored("storedLock", "A finished lock", _lock_content())},
            "/v1/locks/{id}/pylock.toml": {
                "get": _get_stored(
                    "storedPylock", "A finished lock as pylock.toml (PEP 751)", {"application/toml": text}
                )
            },
            "/v1/locks/{id}/requirements.txt": {
                "get": _get_stored("storedRequirements", "A finished lock as a requirements file", {"text/plain": text})
            },
            "/v1/check": {"post": _post_question("check", "Whether a lock is still good", _CHECK, "Check")},
            "/v1/explain": {"post": _post_question("explain", "Why, or why not, a package", _EXPLAIN, "Explain")},
            "/v1/indexes": {"get": _get("indexes", "The configured indexes", "application/json")},
            "/v1/indexes/{name}/doctor": {"post": _post_doctor()},
            "/v1/info": {"get": _get("info", "What runs here, and its limits", "application/json")},
            "/v1/openapi.json": {"get": _get("openapi", "This document", "application/json")},
            "/healthz": {"get": _get("healthz", "The process is alive", "text/plain", ())},
            "/readyz": {"get": _get("readyz", "New requests are welcome", "text/plain", ("draining",))},
            "/metrics": {"get": _get("metrics", "Metrics for Prometheus", "text/plain")},
        },
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }
