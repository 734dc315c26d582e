"""``POST /v1/indexes/{name}/doctor`` and ``lockwright index doctor`` against indexes with known ailments."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import os
import ssl
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest
import trustme

from tests.service.indexes import JSON, Wheel, authorizations, basic, content, guarded, page, serving
from tests.transport.server import RESET, Answer, Seen, index, reply

ROOT = Path(__file__).resolve().parents[2]
CANARY = "c4nary-s3cret"
WHEEL = Wheel("a", "1.0")
FILE = f"/files/{WHEEL.filename}"


def healthy() -> dict[str, Answer | list[Answer]]:
    """An index that does everything one could wish for."""
    body = page("a", WHEEL).partition(b"\r\n\r\n")[2]

    def ask(seen: Seen) -> bytes:
        if seen.headers.get("if-none-match") == '"1"':
            return reply(b"", 304, etag='"1"')
        return reply(gzip.compress(body), content_type=JSON, content_encoding="gzip", etag='"1"')

    listing = orjson.dumps({"meta": {"api-version": "1.1"}, "projects": [{"name": "A"}]})
    return {
        **content(WHEEL),
        "/simple/": reply(listing, content_type=JSON),
        "/simple/a/": ask,
        FILE: reply(b"x" * 512, 206, content_range="bytes 0-511/1000"),
    }


async def examine(
    directory: Path, table: Mapping[str, Any], *, body: Mapping[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    url = f"/v1/indexes/{table['name']}/doctor"
    async with serving(directory, [table], **more) as service, service.client.post(url, json=body or {}) as response:
        assert response.status == 200
        found: dict[str, Any] = await response.json()
        return found


def about(report: Mapping[str, Any]) -> set[str]:
    return {one["about"] for one in report["advice"]}


async def test_a_healthy_index_gets_no_advice(tmp_path: Path) -> None:
    async with index(healthy()) as server:
        report = await examine(tmp_path, {"name": "corp", "url": f"{server.url}/simple"})
    assert report["ok"] is True
    assert report["project"] == "a"
    assert set(report["supports"].values()) == {True}
    assert len(report["supports"]) == 9
    assert report["advice"] == []
    assert report["problem"] is None
    assert [step["name"] for step in report["steps"]] == ["name", "connect", "page", "metadata"]
    assert report["timing"]["median_ms"] > 0
    assert report["missing_status"] == 404
    assert report["requests"] == len(server.seen) <= 12


async def test_what_an_index_lacks_is_named_with_what_to_set(tmp_path: Path) -> None:
    link = f'<a href="{FILE}#sha256={hashlib.sha256(b"").hexdigest()}">{WHEEL.filename}</a>'
    answers: dict[str, Answer | list[Answer]] = {
        "/simple/a/": reply(link.encode(), content_type="text/html"),
        FILE: reply(b"x" * 5000),
        "*": reply(b"", 403),
    }
    async with index(answers) as server:
        report = await examine(tmp_path, {"name": "corp", "url": f"{server.url}/simple"}, body={"project": "A"})
        assert len(server.seen) <= 12
    lacking = {name for name, value in report["supports"].items() if value is False}
    expected = {"json", "gzip", "validators", "not_modified", "upload_times", "sizes", "core_metadata", "ranges"}
    assert lacking == expected
    assert {"json", "gzip", "upload_times", "core_metadata", "ranges", "cache_control", "ignore_error_codes"} == about(
        report
    )
    assert report["missing_status"] == 403


async def test_it_tells_what_strangers_see_and_shows_no_secret(tmp_path: Path) -> None:
    some = healthy()
    few = page("a")
    answers = guarded(
        {**some, "*": reply(b"", 404)},
        basic("u", CANARY),
        otherwise=lambda seen: few if seen.target == "/simple/a/" else reply(b"", 401),
    )
    async with index(answers) as server:
        table = {"name": "corp", "url": server.url.replace("://", f"://u:{CANARY}@") + "/simple"}
        report = await examine(tmp_path, table)
        assert authorizations(server).count(None) == 1
        assert len(server.seen) <= 12
    assert report["authentication"] == {"policy": "auto", "sent": True, "anonymous": "other"}
    assert {"authenticate", "url"} <= about(report)
    assert CANARY not in json.dumps(report)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [(reply(b"", 401), "index-unauthorized"), (reply(b"", 503), "index-unavailable"), (RESET, "index-unavailable")],
)
async def test_a_sick_index_is_an_answer_with_the_problem_that_a_lock_would_have(
    tmp_path: Path, answer: Answer, problem: str
) -> None:
    async with index({"*": answer}) as server:
        report = await examine(tmp_path, {"name": "corp", "url": f"{server.url}/simple"})
        assert len(server.seen) <= 2
    assert report["ok"] is False
    assert report["problem"]["type"] == f"/problems/{problem}"
    assert [step["ok"] for step in report["steps"]] == [True, True, False]


async def test_metadata_that_is_not_what_was_promised_is_told(tmp_path: Path) -> None:
    async with index({**healthy(), f"{FILE}.metadata": reply(b"something else")}) as server:
        report = await examine(tmp_path, {"name": "corp", "url": f"{server.url}/simple"})
    assert (report["ok"], report["integrity"]) == (False, False)


async def test_a_handshake_is_told_step_by_step(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    identity = authority.issue_cert("me")
    identity.private_key_and_cert_chain_pem.write_to_path(tmp_path / "me.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_OPTIONAL
    async with index(healthy(), tls=context) as server:
        table = {"name": "corp", "url": f"{server.url}/simple", "ca": str(tmp_path / "ca.pem")}
        without = await examine(tmp_path / "one", table)
        shown = await examine(tmp_path / "two", {**table, "client_cert": str(tmp_path / "me.pem")})
        unknown = await examine(tmp_path / "three", {"name": "corp", "url": table["url"]})
    tls = next(step for step in without["steps"] if step["name"] == "tls")
    assert tls["ok"] is True
    assert tls["detail"].startswith("TLSv1.")
    assert "a client certificate is asked for, and none is set" in tls["detail"]
    assert tls["facts"]["chain"]
    assert "asked for, and shown" in next(step["detail"] for step in shown["steps"] if step["name"] == "tls")
    assert unknown["problem"]["type"] == "/problems/tls-failure"
    assert [step["name"] for step in unknown["steps"] if not step["ok"]] == ["tls", "page"]


async def test_unknown_indexes_and_projects_that_are_none_are_refused(tmp_path: Path) -> None:
    async with serving(tmp_path, [{"name": "corp", "url": "http://127.0.0.1:9/simple"}]) as service:
        async with service.client.post("/v1/indexes/other/doctor") as response:
            assert response.status == 404
        for body in ({"project": "../x"}, {"projekt": "a"}, ["a"]):
            async with service.client.post("/v1/indexes/corp/doctor", json=body) as response:
                assert response.status == 422
        async with service.client.post("/v1/indexes/corp/doctor?project=a") as response:
            assert (await response.json())["problem"]["type"] == "/problems/index-unavailable"


async def cli(*arguments: str, **environ: str) -> tuple[int, str, str]:
    """Run the command line in a process of its own: the index lives in this one's event loop."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "service",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **environ, "LOCKWRIGHT_DEFAULT_INDEX": "explicit"},
        cwd=ROOT,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


@pytest.mark.parametrize(
    ("answers", "code", "said"),
    [
        (healthy(), 0, "corp"),
        ({"*": reply(b"", 401)}, 2, "FAIL credential"),
        ({"*": reply(b"", 503)}, 3, "FAIL page"),
        ({**healthy(), f"{FILE}.metadata": reply(b"other")}, 4, "FAIL metadata"),
        ({**healthy(), "/simple/a/": reply(b"<", content_type="text/plain")}, 1, "FAIL page"),
    ],
)
async def test_the_command_line_exits_as_a_lock_would(
    tmp_path: Path, answers: dict[str, Answer | list[Answer]], code: int, said: str
) -> None:
    async with index(answers) as server:
        file = tmp_path / "lockwright.toml"
        file.write_text(f'[[index]]\nname = "corp"\nurl = "{server.url.replace("://", f"://u:{CANARY}@")}/simple"\n')
        found, out, err = await cli("index", "doctor", "corp", "--config", str(file))
    assert (found, err) == (code, "")
    assert said in out
    assert CANARY not in out


async def test_a_service_examines_its_own_indexes_for_the_command_line(tmp_path: Path) -> None:
    async with index(healthy()) as server, serving(tmp_path, [{"name": "corp", "url": f"{server.url}/simple"}]) as own:
        address = str(own.client._base_url)
        code, out, _ = await cli("index", "doctor", "--format", "json", "--server", address)
        assert code == 0
        assert [report["ok"] for report in json.loads(out)] == [True]
        code, _, err = await cli("index", "doctor", "nobody", LOCKWRIGHT_SERVER=address)
    assert code == 2
    assert "nobody" in err
