"""The same bytes again: they are not read anew, and what is not in them still counts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from service import recall
from service.identity import Identity
from service.recall import Recall, Understood
from tests.blackbox.service import fresh_for, table
from tests.service.indexes import Service, Wheel, content, serving, versions
from tests.transport.server import index

A1, A2, B1 = Wheel("a", "1.0", ("b",)), Wheel("a", "2.0", ("b ; python_version < '3.13'",)), Wheel("b", "1.0")
TARGET = {"python": "3.13", "platform": "linux"}
BODY = orjson.dumps({"requirements": ["a"], "targets": [TARGET], "outputs": ["requirements"]})
JSON = {"Content-Type": "application/json"}


@asynccontextmanager
async def warm(directory: Path, **settings: Any) -> AsyncIterator[Service]:
    answers = {
        **content(A1, A2, B1),
        "/simple/a/": fresh_for(6000, A1, A2),
        "/simple/b/": fresh_for(6000, B1),
    }
    async with index(answers) as server, serving(directory, [table(server)], **settings) as service:
        yield service


async def post(service: Service, body: bytes = BODY, query: str = "", **headers: str) -> tuple[int, str, bytes]:
    """Post bytes; return the status, the type and the body."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with service.client.post(f"/v1/lock{query}", data=body, headers={**JSON, **named}) as response:
        return response.status, response.content_type, await response.read()


async def test_the_second_answer_differs_in_where_it_came_from_and_what_it_cost_only(tmp_path: Path) -> None:
    async with warm(tmp_path) as service:
        first, second, third = [orjson.loads((await post(service))[2]) for _ in range(3)]
        assert (first.pop("served_from"), second.pop("served_from")) == ("solved", "stored")
        assert first.pop("stats")["decisions"] > second.pop("stats")["decisions"] == 0
        assert first == second
        assert list(first["outputs"]) == ["requirements.txt"]
        assert third["served_from"] == "stored"


async def test_the_form_is_not_part_of_what_is_remembered(tmp_path: Path) -> None:
    async with warm(tmp_path) as service:
        assert (await post(service))[1] == "application/json"
        status, kind, body = await post(service, Accept="text/plain")
        assert (status, kind, b"a==2.0" in body) == (200, "text/plain", True)
        assert (await post(service, query="?format=pylock"))[1] == "application/toml"
        assert (await post(service, Accept="image/png"))[0] == 406
        assert (await post(service))[1] == "application/json"


async def test_the_same_bytes_of_another_type_or_with_other_parameters_are_another_question(tmp_path: Path) -> None:
    async with warm(tmp_path) as service:
        for _ in range(2):
            new = await post(service, b"a", "?python=3.13&platform=linux", Content_Type="text/plain")
            old = await post(service, b"a", "?python=3.12&platform=linux", Content_Type="text/plain")
            assert sorted(versions(orjson.loads(new[2]))) == ["a"]
            assert sorted(versions(orjson.loads(old[2]))) == ["a", "b"]
            assert (await post(service, b"a"))[0] == 422
            assert (await post(service, b"a", Content_Type="image/png"))[0] == 415


async def test_a_body_in_pieces_is_the_same_body(tmp_path: Path) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(BODY), 10):
            yield BODY[at : at + 10]

    async with warm(tmp_path) as service:
        await post(service)
        async with service.client.post("/v1/lock", data=pieces(), headers=JSON) as response:
            assert (response.status, (await response.json())["served_from"]) == (200, "stored")


async def test_a_body_that_is_too_large_is_refused_though_it_came_whole(tmp_path: Path) -> None:
    async with warm(tmp_path, service={"max_body": "100 B"}) as service:

        async def piece() -> AsyncIterator[bytes]:
            yield BODY + b" " * 100

        assert (await post(service, BODY + b" " * 100))[0] == 413
        async with service.client.post("/v1/lock", data=piece(), headers=JSON) as response:
            assert response.status == 413


async def test_who_may_ask_is_asked_each_time(tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text("secret\n")
    async with warm(tmp_path, service={"tokens_file": str(tmp_path / "tokens")}) as service:
        assert (await post(service, Authorization="Bearer secret"))[0] == 200
        assert (await post(service, Authorization="Bearer other"))[0] == 401
        assert (await post(service))[0] == 401
        assert (await post(service, Authorization="Bearer secret"))[0] == 200


async def test_no_cache_is_heard_though_the_bytes_are_known(tmp_path: Path) -> None:
    async with warm(tmp_path) as service:
        await post(service)
        body = (await post(service, Cache_Control="no-cache"))[2]
        assert orjson.loads(body)["served_from"] == "solved"
        assert orjson.loads(body)["stats"]["requests"] > 0


@pytest.mark.parametrize("form", ["json", "pylock", "requirements", "msgpack"])
async def test_head_has_the_fields_of_get_and_no_body(tmp_path: Path, form: str) -> None:
    async with warm(tmp_path) as service:
        identifier = orjson.loads((await post(service))[2])["id"]
        path = f"/v1/locks/{identifier}?format={form}"
        async with service.client.get(path) as got, service.client.head(path) as head:
            names = ("Content-Length", "Content-Type", "ETag", "Content-Location", "Vary", "Cache-Control")
            assert [got.headers[name] for name in names] == [head.headers[name] for name in names]
            assert len(await got.read()) == int(got.headers["Content-Length"])
            assert await head.read() == b""
            etag = got.headers["ETag"]
        for method in ("GET", "HEAD"):
            async with service.client.request(method, path, headers={"If-None-Match": etag}) as known:
                assert (known.status, known.headers["ETag"], await known.read()) == (304, etag, b"")
        assert (await post(service, If_None_Match="*"))[0] == 200  # a condition on what POST does not have


def test_only_so_many_requests_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recall, "MAX_REQUESTS", 2)
    kept, server = Recall(), ()
    understood = Understood(Identity("sha256:0", ()), (), (), server)
    kept.put(b"1", understood)
    kept.put(b"2", understood)
    assert kept.get(b"1", server) is understood
    kept.put(b"3", understood)
    assert [kept.get(name, server) for name in (b"1", b"2", b"3")] == [understood, None, understood]
