"""Mutual TLS from the settings to the index and back: a lock, or a problem that says what to change."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.service.indexes import Wheel, basic, content, guarded, serving, versions
from tests.transport.authority import DAY, Authority, Leaf
from tests.transport.peers import TLS_13, needs_nginx, nginx
from tests.transport.server import Server, index

ROOT = Authority("Corp Root CA")
CLIENTS = Authority("Corp Clients Root")
HERE = ROOT.issue("localhost")
ME = CLIENTS.below("Corp Staff 2").issue(common="resolver")
STRANGER = Authority("Strange Root CA").issue(common="stranger")
WORLD = content(Wheel("a", "1.0", ("b>=2",)), Wheel("b", "2.0"), Wheel("b", "1.0"))
PASSPHRASE = "c4nary-phrase"
PROBLEM_KEYS = {"type", "title", "status", "detail", "retryable", "instance", "index", "reason", "facts", "remedy"}


def table(directory: Path, url: str, leaf: Leaf | None = ME, phrase: str = PASSPHRASE) -> dict[str, Any]:
    """The settings of an index whose identity is in three files."""
    for name, data in {
        "ca.pem": ROOT.pem,
        "me.pem": leaf.chain if leaf else b"",
        "me.key": leaf.locked(PASSPHRASE) if leaf else b"",
        "phrase": f"{phrase}\n".encode(),
    }.items():
        (directory / name).write_bytes(data)
    found = {"name": "corp", "url": f"{url}/simple/", "ca": str(directory / "ca.pem")}
    if leaf is not None:
        found |= {
            "client_cert": str(directory / "me.pem"),
            "client_key": str(directory / "me.key"),
            "client_key_password_file": str(directory / "phrase"),
        }
    return found


def mutual(directory: Path) -> ssl.SSLContext:
    context = HERE.context(directory)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=CLIENTS.pem.decode())
    return context


def subjects(server: Server) -> set[str]:
    return {str(seen.peer_certificate["subject"]) for seen in server.seen if isinstance(seen.peer_certificate, dict)}


async def ask(directory: Path, settings: Mapping[str, Any], caplog: pytest.LogCaptureFixture) -> tuple[int, Any]:
    caplog.set_level(logging.DEBUG)
    async with serving(directory, [settings], service={"log_level": "debug"}) as service:
        status, document = await service.lock("a")
    said = orjson.dumps(document).decode() + caplog.text
    assert "c4nary" not in said
    assert "PRIVATE KEY" not in said
    return status, document


async def test_an_index_behind_mutual_tls_and_a_password_gives_a_lock(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with index(guarded(WORLD, basic("u", "c4nary")), mutual(tmp_path)) as server:
        settings = table(tmp_path, server.url) | {"username": "u", "password": "c4nary"}
        status, lock = await ask(tmp_path, settings, caplog)
        assert status == 200
        assert versions(lock) == {"a": ("1.0", "corp"), "b": ("2.0", "corp")}
        assert subjects(server) == {"((('commonName', 'resolver'),),)"}
        assert all(seen.headers["authorization"] == basic("u", "c4nary") for seen in server.seen)


async def test_a_rejected_certificate_is_a_problem_with_what_was_sent_and_what_to_do(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with index(WORLD, mutual(tmp_path)) as server:
        status, problem = await ask(tmp_path, table(tmp_path, server.url, STRANGER), caplog)
        assert server.seen == []
    assert (status, problem["type"], problem["retryable"]) == (502, "/problems/tls-failure", False)
    assert problem.keys() >= PROBLEM_KEYS
    assert (problem["reason"], problem["index"]) == ("tls-client-certificate-rejected", "corp")
    sent = problem["facts"]["sent"]
    assert (sent["subject"], sent["issuer"], sent["certificates"]) == ("CN=stranger", "CN=Strange Root CA", 1)
    assert problem["facts"]["host"] == "localhost"
    assert problem["remedy"] in problem["detail"]
    assert "CN=Strange Root CA" in problem["remedy"]


async def test_an_incomplete_chain_is_a_problem_that_blames_the_server(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    aia = "http://pki.example/issuing.der"
    leaf = ROOT.below("Corp TLS 7").issue("localhost", aia=aia)
    async with index(WORLD, leaf.context(tmp_path, leaf.alone)) as server:
        status, problem = await ask(tmp_path, table(tmp_path, server.url, None), caplog)
    assert (status, problem["type"], problem["reason"]) == (502, "/problems/tls-failure", "tls-incomplete-chain")
    facts = problem["facts"]
    assert (facts["missing_issuer"], facts["ca_issuers"], facts["certificates_sent"]) == ("CN=Corp TLS 7", aia, 1)
    assert facts["leaf"]["subject"] == "CN=localhost"
    assert "server's configuration" in problem["detail"]
    assert "intermediate" in problem["remedy"]


@pytest.mark.parametrize(
    ("leaf", "phrase", "reason"),
    [
        (ME, "wrong-c4nary", "identity-passphrase-wrong"),
        (ME, "", "identity-passphrase-missing"),
        (CLIENTS.issue(common="old", since=-9 * DAY, until=-2 * DAY), PASSPHRASE, "identity-expired"),
    ],
)
async def test_an_identity_that_cannot_be_used_is_a_problem_before_any_connection(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, leaf: Leaf, phrase: str, reason: str
) -> None:
    async with index(WORLD, mutual(tmp_path)) as server:
        status, problem = await ask(tmp_path, table(tmp_path, server.url, leaf, phrase), caplog)
        assert server.connections == 0
    assert (status, problem["type"], problem["reason"]) == (502, "/problems/tls-failure", reason)
    assert problem["remedy"] in problem["detail"]


@needs_nginx
async def test_nginx_without_our_certificate_is_a_tls_failure_and_not_a_bad_request(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with nginx(tmp_path, HERE, CLIENTS, TLS_13) as port:
        status, problem = await ask(tmp_path, table(tmp_path, f"https://localhost:{port}", None), caplog)
    assert (status, problem["reason"]) == (502, "tls-client-certificate-required")
    assert problem["facts"]["accepted_authorities"] == ["CN=Corp Clients Root"]
    assert "client_cert" in problem["remedy"]
