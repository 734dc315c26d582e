"""Servers that send too much, or nonsense: a typed error, and never "there are no versions" (55, F-16 to F-21)."""

from __future__ import annotations

import gzip
import io
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from tests.service.indexes import JSON, Wheel, content, metadata, versions
from tests.transport.server import Answer, index, reply

from .service import entry, listed, serving, table

MIB = 1024 * 1024
A = Wheel("a", "1.0")


def bomb(pack: Callable[[bytes], bytes], coding: str) -> bytes:
    return reply(pack(bytes(200 * MIB)), 200, content_type=JSON, content_encoding=coding)


def linked(count: int) -> bytes:
    links = b"".join(b'<a href="a-%d.0-py3-none-any.whl">x</a>' % number for number in range(count))
    return reply(links, 200, content_type="text/html")


TOO_MUCH: dict[str, Callable[[], bytes]] = {
    "gzip": lambda: bomb(gzip.compress, "gzip"),
    "deflate": lambda: bomb(zlib.compress, "deflate"),
    "gzip twice": lambda: bomb(lambda data: gzip.compress(gzip.compress(data)), "gzip, gzip"),
    "three codings": lambda: reply(b"x", 200, content_type=JSON, content_encoding="gzip, gzip, gzip"),
    "an unknown coding": lambda: reply(b"x", 200, content_type=JSON, content_encoding="snappy"),
    "announced": lambda: reply(b"", 200, content_type=JSON, content_length=str(200 * MIB)),
    "one header": lambda: reply(b"{}", 200, content_type=JSON, x_long="x" * MIB),
    "many headers": lambda: reply(b"{}", 200, content_type=JSON, **{f"x-{number}": "x" for number in range(30_000)}),
    "many files": lambda: linked(210_000),
}


@pytest.mark.parametrize("what", TOO_MUCH)
async def test_too_much_is_a_typed_error_asked_for_once_in_little_memory(tmp_path: Path, what: str) -> None:
    answer = TOO_MUCH[what]()
    async with index({"/simple/a/": answer}) as server, serving(tmp_path, table(server)) as service:
        tracemalloc.start()
        try:
            status, said = await service.lock("a")
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert (status, said["type"], said["index"]) == (502, "/problems/index-bad-response", "corp")
        assert server.paths == ["/simple/a/"]
        assert peak < 3 * 64 * MIB  # 64 MiB are the most that a page may decode to
        assert (await service.lock("b"))[1]["type"] == "/problems/resolution-impossible"  # it is alive


def deep() -> bytes:
    return b'{"meta": ' + b"[" * 200_000 + b"]" * 200_000 + b"}"


NONSENSE: dict[str, bytes] = {
    "a login page": reply(b"<html><form>Log in</form></html>", 200, content_type=JSON),
    "nothing": reply(b"", 200, content_type=JSON),
    "no page of HTML": reply(b"", 200, content_type="image/png"),
    "no type": reply(b"<a href=x>"),
    "bad UTF-8": reply(b'{"meta": {"api-version": "1.0"}, "name": "a\xff", "files": []}', 200, content_type=JSON),
    "types": reply(orjson.dumps({"meta": {"api-version": "1.1"}, "name": "a", "files": {}}), 200, content_type=JSON),
    "another major version": reply(
        orjson.dumps({"meta": {"api-version": "2.0"}, "name": "a", "files": []}), 200, content_type=JSON
    ),
    "deep": reply(deep(), 200, content_type=JSON),
    "another project": listed("b"),
}


@pytest.mark.parametrize("what", NONSENSE)
async def test_what_is_no_project_page_is_an_error_and_not_an_empty_project(tmp_path: Path, what: str) -> None:
    answers: dict[str, Answer | list[Answer]] = {"/simple/a/": NONSENSE[what]}
    async with index(answers) as server, index(content(A)) as public:
        async with serving(tmp_path, table(server), table(public, "public")) as service:
            status, said = await service.lock("a")
        assert (status, said["type"], said["index"]) == (502, "/problems/index-bad-response", "corp")
        assert server.paths == ["/simple/a/"]
        assert public.seen == []


def huge_wheel() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a-2.0.dist-info/METADATA", metadata("a", "2.0") + bytes(50 * MIB))
    return buffer.getvalue()


async def test_a_version_with_metadata_beyond_all_measure_is_passed_over(tmp_path: Path) -> None:
    body = huge_wheel()
    older = entry("a-1.0-py3-none-any.whl", b"", **{"core-metadata": True})
    answers: dict[str, Answer | list[Answer]] = {
        "/simple/a/": listed("a", entry("a-2.0-py3-none-any.whl", body), older),
        "/files/a-2.0-py3-none-any.whl": reply(body),
        "/files/a-1.0-py3-none-any.whl.metadata": reply(metadata("a", "1.0")),
    }
    async with index(answers) as server, serving(tmp_path, table(server)) as service:
        tracemalloc.start()
        try:
            status, lock = await service.lock("a")
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert (status, versions(lock)) == (200, {"a": ("1.0", "corp")})
        assert peak < 32 * MIB
        status, said = await service.lock("a>1")
        assert (status, said["type"]) == (422, "/problems/resolution-impossible")
        assert "a-2.0-py3-none-any.whl" in said["detail"]


async def test_pigeonholes_are_proved_impossible_or_exhaust_their_budget(tmp_path: Path) -> None:
    holes = 7
    pigeons = [
        Wheel(
            f"p{pigeon}",
            f"{hole}.0",
            tuple(f"h{hole}x{min(pigeon, o)}x{max(pigeon, o)}=={pigeon}.0" for o in range(holes + 1) if o != pigeon),
        )
        for pigeon in range(holes + 1)
        for hole in range(holes)
    ]
    places = [
        Wheel(f"h{hole}x{one}x{two}", f"{which}.0")
        for hole in range(holes)
        for one in range(holes + 1)
        for two in range(one + 1, holes + 1)
        for which in (one, two)
    ]
    async with index(content(*pigeons, *places)) as server, serving(tmp_path, table(server)) as service:
        names = [f"p{pigeon}" for pigeon in range(holes + 1)]
        status, said = await service.lock(*names, budget={"decisions": 500})
        assert (status, said["type"]) == (422, "/problems/budget-exhausted")
        assert said["packages"]
        assert said["spent"]["decisions"] <= 501
        assert (await service.lock("p0"))[0] == 200
