"""Bodies that are wrong: each gets the right status, a problem document, and the next request an answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.bodies import MAX_DEPTH, MAX_MEMBERS, MAX_STRINGS, MAX_VALUES, decode_json, is_too_deep, structure_of
from service.problems import Problem
from tests.service.support import TARGET, serving

GOOD = json.dumps({"requirements": ["a"], "targets": [TARGET]}).encode()


def _post(body: bytes, *headers: str, length: int | None = None) -> bytes:
    lines = ["POST /v1/lock HTTP/1.1", "Host: lock.example", "Connection: close", *headers]
    if not any(line.startswith("Transfer-Encoding") for line in headers):
        lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


CHUNKS = b"900\r\n" + b" " * 0x900 + b"\r\n0\r\n\r\n"
JSON = "Content-Type: application/json"


@pytest.mark.parametrize(
    ("request_bytes", "status", "name"),
    [
        (_post(b"{", JSON), 422, "invalid-request"),
        (_post(b'{"requirements": NaN}', JSON), 422, "invalid-request"),
        (_post(b"[]", JSON), 422, "invalid-request"),
        (_post(b"null", JSON), 422, "invalid-request"),
        (_post(b"", JSON), 422, "invalid-request"),
        (_post(b'{"requirements": ["\\ud800"]}', JSON), 422, "invalid-request"),
        (_post(b"\xff\xfe", JSON), 422, "invalid-request"),
        (_post(b'{"a":' * 100_000, JSON), 422, "invalid-request"),
        (_post(b"a\xff\n", "Content-Type: text/plain"), 422, "invalid-request"),
        (_post(GOOD, "Content-Type: text/html"), 415, "unsupported-media-type"),
        (_post(GOOD), 415, "unsupported-media-type"),
        (_post(GOOD, JSON, "Content-Encoding: gzip"), 415, "unsupported-media-type"),
        (_post(GOOD, JSON, JSON), 400, "bad-request"),
        (_post(GOOD, JSON, "Accept: image/png"), 406, "not-acceptable"),
        (_post(GOOD, JSON, "Accept: text/event-stream"), 406, "not-acceptable"),
        (_post(b"", JSON, length=10**9), 413, "payload-too-large"),
        (_post(b" " * 3000 + GOOD, JSON), 413, "payload-too-large"),
        (
            _post(b"900\r\n" + b" " * 0x900 + b"\r\n0\r\n\r\n", JSON, "Transfer-Encoding: chunked"),
            413,
            "payload-too-large",
        ),
        (_post(b"--x\r\n\r\n", "Content-Type: multipart/form-data"), 422, "invalid-request"),
        (_post(b"nothing", "Content-Type: multipart/form-data; boundary=x"), 422, "invalid-request"),
    ],
)
async def test_a_bad_body_gets_its_problem(tmp_path: Path, request_bytes: bytes, status: int, name: str) -> None:
    limit = "2 KiB" if len(request_bytes) < 10_000 else "4 MiB"  # deep JSON is not small
    async with serving(tmp_path, settings={"service": {"max_body": limit}}) as service:
        answer = await service.raw(request_bytes)
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.split(b" ")[1] == str(status).encode(), answer[:300]
        assert b"application/problem+json" in head
        problem = json.loads(body)
        assert (problem["type"], problem["status"]) == (f"/problems/{name}", status)
        assert problem["retryable"] is False
        assert (await service.lock("a"))[0] == 200


@pytest.mark.parametrize("cut", range(1, len(GOOD), 7))
async def test_a_body_that_is_cut_off_is_not_called_deep(tmp_path: Path, cut: int) -> None:
    async with serving(tmp_path) as service:
        answer = await service.raw(_post(GOOD[:cut], JSON))
    assert b"the body is not JSON" in answer


async def test_faults_of_shape_name_no_class_of_ours(tmp_path: Path) -> None:
    bodies: tuple[dict[str, object], ...] = ({"targets": [1]}, {"options": []}, {"budget": {"seconds": True}})
    async with serving(tmp_path) as service:
        faults = [(await service.lock("a", **body))[1]["errors"] for body in bodies]
    assert [[one["pointer"] for one in found] for found in faults] == [
        ["/targets/0"],
        ["/options"],
        ["/budget/seconds"],
    ]
    assert "Model" not in str(faults)


async def test_a_body_that_the_client_holds_back_is_asked_for_unless_it_is_too_large(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        head = _post(b"", JSON, "Expect: 100-continue", length=len(GOOD))
        assert (await service.raw(head + GOOD, until_end=True)).startswith(
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 "
        )
        refused = await service.raw(_post(b"", JSON, "Expect: 100-continue", length=10**9))
        assert refused.startswith(b"HTTP/1.1 413 ")
        old = _post(GOOD, JSON, "Expect: 100-continue").replace(b"HTTP/1.1", b"HTTP/1.0", 1)
        assert (await service.raw(old)).split(b" ")[1] == b"200"


@pytest.mark.parametrize("value", [b"\xff\xfe", b"nonsense", b""])
async def test_another_expectation_is_ignored(tmp_path: Path, value: bytes) -> None:
    async with serving(tmp_path) as service:
        answer = await service.raw(_post(GOOD, JSON).replace(b"Host:", b"Expect: " + value + b"\r\nHost:", 1))
    assert answer.startswith(b"HTTP/1.1 200 ")


async def test_two_lengths_are_refused_and_end_the_connection(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        answer = await service.raw(_post(GOOD, JSON, "Content-Length: 3"), until_end=True)
        assert b"/problems/bad-request" in answer
        assert answer.count(b"HTTP/1.") == 1


async def test_a_body_that_drips_ends_with_its_deadline(tmp_path: Path) -> None:
    async with serving(tmp_path, settings={"service": {"body_timeout": 0.05}}) as service:
        answer = await service.raw(_post(GOOD[:-1], JSON, length=len(GOOD)))
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"/problems/request-timeout" in answer


async def test_a_head_that_never_ends_ends_the_connection(tmp_path: Path) -> None:
    async with serving(tmp_path, settings={"service": {"header_timeout": 0.05}}) as service:
        assert await service.raw(b"GET / HTTP/1.1\r\nHost: ", until_end=True) == b""
        assert await service.raw(b"", until_end=True) == b""


async def test_an_unknown_query_parameter_is_refused(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        url = "/v1/lock?python=3.13&pyhton=3.12&no_deps=perhaps"
        async with service.client.post(url, data=b"a", headers={"Content-Type": "text/plain"}) as response:
            problem = await response.json(content_type=None)
        assert response.status == 422
        assert [fault["pointer"] for fault in problem["errors"]] == ["/pyhton", "/no_deps"]
        async with service.client.post("/v1/lock?python=3.13", json={}) as response:
            assert response.status == 422


NESTED = st.recursive(
    st.none() | st.text() | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


def _depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    return 1 + max(map(_depth, value), default=0) if isinstance(value, list) else 0


@given(NESTED, st.integers(0, 2 * MAX_DEPTH), st.sampled_from(["list", "object"]))
def test_depth_is_what_a_parser_finds(value: object, more: int, kind: str) -> None:
    for _ in range(more):
        value = [value] if kind == "list" else {'[{\\"': value}
    assert is_too_deep(structure_of(json.dumps(value).encode())) == (_depth(value) > MAX_DEPTH)


@given(st.binary())
def test_depth_of_garbage_is_no_error(body: bytes) -> None:
    assert is_too_deep(structure_of(body)) in {True, False}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'{"requirements":[' + b'"a",' * MAX_STRINGS + b'"a"]}', "strings"),
        (b'{"requirements":[' + b'"\\\\",' * 2 * MAX_STRINGS + b'"a"]}', "strings"),
        (b'{"requirements":[' + b"[]," * MAX_VALUES + b"1]}", "values"),
        (b"[" * MAX_VALUES * 2, "values"),
        (json.dumps({f"k{i}": i for i in range(MAX_MEMBERS + 1)}).encode(), "members"),
    ],
)
def test_json_of_very_many_values_is_refused_before_it_is_read(body: bytes, why: str) -> None:
    with pytest.raises(Problem) as refusal:
        decode_json(body)
    assert why in str(refusal.value.detail)


def test_what_stands_in_strings_is_not_counted() -> None:
    text = '[{"a": ["b", {}]}], ' * MAX_VALUES
    assert decode_json(json.dumps({"files": {"uv.lock": text}}).encode()) == {"files": {"uv.lock": text}}
