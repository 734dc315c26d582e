"""The service about itself: health, info, metrics, the API's description, tokens, and what is never said."""

from __future__ import annotations

import io
import logging
import re
from pathlib import Path
from typing import Any

import pytest
import structlog

from service import logs
from service.app import ROUTES
from service.pages import READINESS
from tests.service.support import TARGET, serving


async def test_health_readiness_and_draining(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        async with service.client.get("/healthz") as health, service.client.get("/readyz") as ready:
            assert (health.status, ready.status) == (200, 200)
        service.app[READINESS].is_ready = False
        async with service.client.get("/healthz") as health, service.client.get("/readyz") as ready:
            assert (health.status, ready.status) == (200, 503)
            assert (await ready.json(content_type=None))["type"] == "/problems/draining"
            assert int(ready.headers["Retry-After"]) > 0


async def test_info_says_which_index_is_used_and_why(tmp_path: Path) -> None:
    index = {"name": "corp", "url": "https://ci:hunter2@packages.corp.example/simple", "default": True}
    async with serving(tmp_path, settings={"index": [index]}) as service:
        async with service.client.get("/v1/info") as response:
            info, text = await response.json(), await response.text()
        async with service.client.get("/v1/indexes") as response:
            assert (await response.json())["indexes"] == info["indexes"]
    assert info["default_index"]["url"] == "https://packages.corp.example/simple/"
    assert "corp" in info["default_index"]["source"]
    assert info["indexes"][0]["credential"] == "basic"
    assert info["limits"]["max_body"] == 4 * 1024 * 1024
    assert "hunter2" not in text


@pytest.mark.parametrize(("given", "is_kept"), [("ci-42.a_B", True), ("x" * 65, False), ("a b", False), ("", False)])
async def test_a_sane_request_id_is_kept(tmp_path: Path, given: str, is_kept: bool) -> None:  # noqa: FBT001
    async with serving(tmp_path) as service:
        async with service.client.get("/nothing", headers={"X-Request-ID": given}) as response:
            problem = await response.json(content_type=None)
        assert (response.headers["X-Request-ID"] == given) is is_kept
        assert problem["instance"].endswith(response.headers["X-Request-ID"])


async def test_what_clients_send_never_becomes_a_label(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        await service.lock("a")
        await service.lock("a", "b")
        async with service.client.get("/secret-path"), service.client.request("PROPFIND", "/v1/lock") as response:
            assert response.status == 405
        async with service.client.get("/v1/locks/lk_zzz"), service.client.get("/metrics") as response:
            text = await response.text()
    assert 'lockwright_http_requests_total{method="POST",route="/v1/lock",status="200"} 1.0' in text
    assert 'method="other"' in text
    assert 'route="unmatched"' in text
    assert 'lockwright_locks_total{outcome="solved"} 1.0' in text
    assert 'lockwright_locks_total{outcome="resolution-impossible"} 1.0' in text
    assert not re.search("secret-path|zzz|PROPFIND", text)


async def test_a_wrong_method_names_the_right_ones(tmp_path: Path) -> None:
    async with serving(tmp_path) as service, service.client.get("/v1/lock") as response:
        problem = await response.json(content_type=None)
    assert (response.status, problem["type"]) == (405, "/problems/method-not-allowed")
    assert response.headers["Allow"] == "POST"


def _references(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {str(node["$ref"])} if "$ref" in node else set()
        return own.union(*map(_references, node.values()))
    return set().union(*map(_references, node)) if isinstance(node, list) else set()


async def test_the_description_covers_every_path_and_resolves(tmp_path: Path) -> None:
    async with serving(tmp_path) as service, service.client.get("/v1/openapi.json") as response:
        api = await response.json()
    assert api["openapi"].startswith("3.1")
    schemas = api["components"]["schemas"]
    assert {reference.rpartition("/")[2] for reference in _references(api)} <= set(schemas)
    pages = {"/", "/docs", "/web/{name}", "/problems/{name}"}  # for people, not of the API
    assert {getattr(route, "path", "") for route in ROUTES} - pages == set(api["paths"])
    assert schemas["LockRequest"]["additionalProperties"] is False
    lock = api["paths"]["/v1/lock"]["post"]["responses"]
    examples = {
        name
        for answer in lock.values()
        for name in answer.get("content", {}).get("application/problem+json", {}).get("examples", {})
    }
    assert {"resolution-impossible", "overloaded", "policy-denied", "index-timeout"} <= examples
    operations = [method["operationId"] for path in api["paths"].values() for method in path.values()]
    assert len(operations) == len(set(operations))


async def test_an_answer_has_the_described_members(tmp_path: Path) -> None:
    from service.answer import LockAnswer, ProblemAnswer  # noqa: PLC0415

    async with serving(tmp_path, "a 1.0: b\nb 1.0 yanked\nb 0.9") as service:
        lock = (await service.lock("a", outputs=["pylock"]))[1]
        LockAnswer.model_validate(lock)
        ProblemAnswer.model_validate((await service.lock("b>1"))[1])
        ProblemAnswer.model_validate((await service.lock(">"))[1])
        async with service.client.get(f"/v1/locks/{lock['id']}") as response:
            LockAnswer.model_validate(await response.json())


@pytest.mark.parametrize("path", ["/", "/docs", "/web/docs.js", "/web/style.css"])
async def test_pages_load_nothing_from_elsewhere(tmp_path: Path, path: str) -> None:
    async with serving(tmp_path) as service, service.client.get(path) as response:
        text = await response.text()
    assert response.status == 200
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert not re.search(r"(src|href)=\"(https?:)?//", text)
    assert "innerHTML" not in text


async def test_a_problem_type_can_be_looked_up(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        async with service.client.get("/problems/gone") as response:
            assert (await response.json())["status"] == 410
        async with service.client.get("/problems/nonsense") as response:
            assert response.status == 404
        async with service.client.get("/web/..%2fapp.py") as response:
            assert response.status == 404


async def test_with_tokens_only_their_holders_ask(tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text("# build farm\nopen-sesame\n\nsecond\n")
    body = {"requirements": ["a"], "targets": [TARGET]}
    async with serving(tmp_path, settings={"service": {"tokens_file": str(tmp_path / "tokens")}}) as service:
        for value, status in {"": 401, "Bearer nope": 401, "Basic second": 401, "bearer second": 200}.items():
            async with service.client.post("/v1/lock", json=body, headers={"Authorization": value}) as response:
                assert response.status == status
                assert ("WWW-Authenticate" in response.headers) == (status == 401)
        async with service.client.get("/v1/info") as info, service.client.get("/healthz") as health:
            assert (info.status, health.status) == (401, 200)
        for token in (b"\xff\xfe", "ü".encode()):
            answer = await service.raw(
                b"GET /v1/info HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + token + b"\r\n\r\n"
            )
            assert answer.startswith(b"HTTP/1.1 401 ")


async def test_the_log_is_json_with_the_request_id_and_without_secrets(tmp_path: Path) -> None:
    stream = io.StringIO()
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    logs.configure("debug", "json", stream)
    try:
        async with serving(tmp_path, settings={"policy": {"index_urls": "loopback"}}) as service:
            mine = {"name": "mine", "url": "http://u:hunter2@127.0.0.1:1/simple/"}
            headers = {"X-Request-ID": "req-1", "Authorization": "Bearer hunter2"}
            body = {"requirements": ["a"], "targets": [TARGET], "indexes": ["world", mine]}
            async with service.client.post("/v1/lock", json=body, headers=headers) as response:
                assert response.status == 200
                assert "hunter2" not in await response.text()
    finally:
        structlog.reset_defaults()
        root.handlers[:] = handlers
        root.setLevel(level)
    assert '"request_id": "req-1"' in stream.getvalue()
    assert '"status": 200' in stream.getvalue()
    assert "hunter2" not in stream.getvalue()


def test_a_traceback_in_the_log_has_no_values() -> None:
    stream = io.StringIO()
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    logs.configure("info", "console", stream)
    password = "hunter2"
    try:
        try:
            _ = {"": ""}[password[:1]]
        except KeyError:
            structlog.get_logger("lockwright.x").exception("failed")
    finally:
        structlog.reset_defaults()
        root.handlers[:] = handlers
        root.setLevel(level)
    assert "KeyError" in stream.getvalue()
    assert "hunter2" not in stream.getvalue()
