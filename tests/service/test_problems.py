"""The table of problems: complete, true to the API's page, and silent about secrets."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

import resolver
import transport
from resolver.errors import BadIndexResponse, HashMismatch, IndexFailure, ResolverError
from service.problems import KINDS, TABLE, Problem, from_error, to_document
from service.replies import to_response
from transport.errors import BadStatus, Paused, Timeout, TlsFailure, TransportError, Unauthorized


def _errors() -> Iterator[type[Exception]]:
    for package in (resolver, transport):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            for _, found in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
                if issubclass(found, ResolverError | TransportError):
                    yield found


def test_every_public_error_is_in_the_table() -> None:
    assert sorted({error.__name__ for error in _errors() if error not in TABLE}) == []


def test_the_table_is_that_of_the_api_page() -> None:
    expected = {
        "invalid-request": (422, False),
        "requirement-invalid": (422, False),
        "resolution-impossible": (422, False),
        "budget-exhausted": (422, False),
        "policy-denied": (403, False),
        "unauthorized": (401, False),
        "index-unauthorized": (502, False),
        "index-bad-response": (502, True),
        "hash-mismatch": (502, False),
        "tls-failure": (502, False),
        "index-unavailable": (503, True),
        "index-timeout": (504, True),
        "overloaded": (429, True),
        "draining": (503, True),
        "payload-too-large": (413, False),
        "unsupported-media-type": (415, False),
        "not-acceptable": (406, False),
        "not-found": (404, False),
        "gone": (410, False),
    }
    assert {name: (KINDS[name].status, KINDS[name].is_retryable) for name in expected} == expected
    assert set(TABLE.values()) <= set(KINDS)


def _wrapped(cause: TransportError) -> IndexFailure:
    error = IndexFailure("the page of a", index="corp", package="a")
    error.__cause__ = cause
    return error


WHERE: Any = {"index": "corp", "url": "https://i.example/simple/a/"}


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (_wrapped(Timeout("slow", **WHERE)), "index-timeout"),
        (_wrapped(Unauthorized("no", **WHERE, status=401)), "index-unauthorized"),
        (_wrapped(TlsFailure("cert", **WHERE)), "tls-failure"),
        (_wrapped(BadStatus("503", **WHERE, status=503)), "index-unavailable"),
        (_wrapped(BadStatus("400", **WHERE, status=400)), "index-bad-response"),
        (IndexFailure("gone", index="corp"), "index-unavailable"),
        (BadIndexResponse("html", index="corp"), "index-bad-response"),
        (HashMismatch("other", index="corp"), "hash-mismatch"),
        (Paused("later", **WHERE, retry_after=12.3), "index-unavailable"),
        (KeyError("secret"), "internal-error"),
    ],
)
def test_an_error_is_named(error: Exception, name: str) -> None:
    problem = from_error(error)
    assert problem.name == name
    assert "secret" not in str(to_document(problem))
    if name.startswith("index-"):
        assert problem.members["index"] == "corp"


def test_retry_after_is_the_origins_own_where_it_named_one() -> None:
    response = to_response(from_error(Paused("later", **WHERE, retry_after=12.3)), "id1")
    assert response.headers["Retry-After"] == "13"
    assert "Retry-After" in to_response(Problem("draining", "x")).headers
    assert "Retry-After" not in to_response(Problem("invalid-request", "x")).headers


def test_extension_members_never_replace_the_standard_ones() -> None:
    problem = Problem("not-found", "x", {"status": 200, "type": "y", "more": 1})
    document = orjson.loads(bytes(to_response(problem, "id1").body or b""))  # type: ignore[arg-type]
    assert (document["status"], document["type"], document["more"]) == (404, "/problems/not-found", 1)
    assert document["instance"].endswith("id1")
