"""Servers that want to know who we are, and do not like the answer: with alerts, with a status, and without a word."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvloop

from transport.credentials import index_from_url
from transport.errors import ConnectFailed, TlsFailure, TransportError
from transport.message import Index, Request
from transport.secret import Secret
from transport.stack import TransportSettings, open_stack

from .authority import Authority
from .peers import TLS_12, TLS_13, needs_nginx, needs_openssl, nginx, s_server
from .server import TestClock, index, reply

ROOT = Authority("Corp Root CA")
CLIENTS = Authority("Corp Clients Root")
STAFF = CLIENTS.below("Corp Staff 2")
STRANGERS = Authority("Strange Root CA")
HERE = ROOT.issue("localhost")
ME = STAFF.issue("me.client.example", common="me")
STRANGER = STRANGERS.issue("me.client.example", common="stranger")

VERSIONS = (TLS_12, TLS_13)
PEERS = (
    "asyncio",
    pytest.param("openssl", marks=needs_openssl),
    pytest.param("nginx", marks=needs_nginx),
)


@asynccontextmanager
async def demanding(kind: str, directory: Path, version: str) -> AsyncIterator[int]:
    """A server that lets nobody in but clients of :data:`CLIENTS`."""
    if kind == "openssl":
        async with s_server(directory, HERE, CLIENTS, version) as port:
            yield port
    elif kind == "nginx":
        async with nginx(directory, HERE, CLIENTS, version) as port:
            yield port
    else:
        context = HERE.context(directory)
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=CLIENTS.pem.decode())
        context.minimum_version = context.maximum_version = {
            TLS_12: ssl.TLSVersion.TLSv1_2,
            TLS_13: ssl.TLSVersion.TLSv1_3,
        }[version]
        async with index({"*": reply(b"ok")}, context) as server:
            yield server.port


def corp(port: int, directory: Path, identity: bytes | None = None, **fields: Any) -> Index:
    (directory / "ca.pem").write_bytes(ROOT.pem)
    if identity is not None:
        (directory / "me.pem").write_bytes(identity)
        fields["client_cert"] = str(directory / "me.pem")
    url = f"https://localhost:{port}/s/"
    return index_from_url("corp", url, ca=str(directory / "ca.pem"), system_trust=False, **fields)


async def fetch(one: Index, path: str = "a/") -> bytes:
    async with open_stack(TransportSettings(), clock=TestClock()) as fetcher:
        return (await fetcher.fetch(Request(f"{one.url}{path}", one))).body


async def failure(one: Index) -> TransportError:
    with pytest.raises(TransportError) as caught:
        await fetch(one)
    error = caught.value
    assert str(error.facts["remedy"]) in str(error)
    assert "PRIVATE KEY" not in repr(error.facts) + str(error)
    return error


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("peer", PEERS)
async def test_a_server_that_requires_a_certificate_is_said_to(tmp_path: Path, peer: str, version: str) -> None:
    async with demanding(peer, tmp_path, version) as port:
        error = await failure(corp(port, tmp_path))
    assert isinstance(error, TlsFailure)
    assert (error.kind, error.attempts) == ("tls-client-certificate-required", 1)
    assert error.facts["requested"] is True
    assert error.facts["sent"] is None
    assert "set client_cert" in str(error)
    if peer != "asyncio":  # it does not say whom it accepts
        assert error.facts["accepted_authorities"] == ["CN=Corp Clients Root"]
        assert "CN=Corp Clients Root" in str(error)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("peer", PEERS)
@pytest.mark.parametrize("who", ["stranger", "without-intermediate"])
async def test_a_server_that_rejects_our_certificate_is_said_to_and_what_was_sent(
    tmp_path: Path, peer: str, version: str, who: str
) -> None:
    leaf, sent = (STRANGER, STRANGER.chain) if who == "stranger" else (ME, ME.alone)
    async with demanding(peer, tmp_path, version) as port:
        error = await failure(corp(port, tmp_path, leaf.key + sent))
    assert isinstance(error, TlsFailure)
    assert (error.kind, error.attempts) == ("tls-client-certificate-rejected", 1)
    shown = error.facts["sent"]
    assert isinstance(shown, dict)
    issuer = leaf.certificate.issuer.rfc4514_string()
    until = leaf.certificate.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert shown["subject"] == leaf.certificate.subject.rfc4514_string()
    assert (shown["issuer"], shown["not_after"], shown["certificates"]) == (issuer, until, 1)
    for part in (issuer, until, "chain of 1 certificate"):
        assert part in str(error)
    assert "intermediate" in str(error)
    if peer != "asyncio":
        assert error.facts["accepted_authorities"] == ["CN=Corp Clients Root"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("peer", PEERS)
async def test_the_right_chain_is_let_in(tmp_path: Path, peer: str, version: str) -> None:
    async with demanding(peer, tmp_path, version) as port:
        one = corp(port, tmp_path, ME.key + ME.chain)
        if peer == "nginx":
            assert await fetch(one, "../whoami/") == b"CN=me"
        else:
            assert await fetch(one)


@needs_openssl
@pytest.mark.parametrize("version", VERSIONS)
def test_the_event_loop_of_the_service_makes_no_difference(tmp_path: Path, version: str) -> None:
    async def both() -> list[str]:
        kinds = []
        for peer in ("asyncio", "openssl"):
            async with demanding(peer, tmp_path, version) as port:
                kinds.append((await failure(corp(port, tmp_path))).kind)
                kinds.append((await failure(corp(port, tmp_path, STRANGER.key + STRANGER.chain))).kind)
        return kinds

    kinds = uvloop.run(both())
    assert kinds == ["tls-client-certificate-required", "tls-client-certificate-rejected"] * 2


class Rude:
    """Reads what a client begins with, and leaves."""

    def __init__(self, *, reset: bool) -> None:
        self.reset = reset
        self.connections = 0
        self.said: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.said.append(await reader.read(65536))
        if self.reset:
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()
        else:
            writer.close()


@pytest.mark.parametrize("reset", [True, False])
@pytest.mark.parametrize("has_identity", [True, False])
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_connection_that_ends_in_the_handshake_is_tried_again_and_explained(
    tmp_path: Path, loop: str, *, reset: bool, has_identity: bool
) -> None:
    async def run() -> tuple[Rude, TransportError]:
        rude = Rude(reset=reset)
        listener = await asyncio.start_server(rude.serve, "127.0.0.1", 0)
        async with listener:
            identity = ME.key + ME.chain if has_identity else None
            one = corp(listener.sockets[0].getsockname()[1], tmp_path, identity)
            error = await failure(one)
        return rude, error

    rude, error = (uvloop.run if loop == "uvloop" else asyncio.run)(run())
    assert isinstance(error, ConnectFailed)
    assert (error.kind, error.attempts, error.retryable) == ("tls-reset", 4, True)
    assert rude.connections == 4 + 1  # the attempts and one look
    assert all(said[:1] == b"\x16" for said in rude.said)  # nothing but handshakes
    causes = error.facts["causes"]
    assert isinstance(causes, list)
    assert len(causes) == 3
    if has_identity:
        assert "bundle of client authorities" in causes[0]
        assert "policy" in causes[1]
        assert "firewall" in causes[2]
        shown = error.facts["sent"]
        assert isinstance(shown, dict)
        assert (shown["subject"], shown["certificates"]) == ("CN=me", 2)
    else:
        assert "requires a client certificate" in causes[0]
        assert error.facts["sent"] is None
    assert error.facts["end"] == ("reset" if reset else "closed")


async def test_a_server_that_crashes_on_a_request_is_not_said_to_reject_us(tmp_path: Path) -> None:
    context = HERE.context(tmp_path)
    context.verify_mode = ssl.CERT_OPTIONAL
    context.load_verify_locations(cadata=CLIENTS.pem.decode())
    async with index({"*": "close"}, context) as server:
        for identity in (None, ME.key + ME.chain):
            with pytest.raises(TransportError) as caught:
                await fetch(corp(server.port, tmp_path, identity))
            assert caught.value.kind == "disconnected"
            assert caught.value.attempts == 4


async def test_a_handshake_with_nothing_in_common_is_no_matter_of_certificates(tmp_path: Path) -> None:
    context = HERE.context(tmp_path)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-AES128-SHA")
    context.minimum_version = ssl.TLSVersion.TLSv1_2

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.write(bytes([21, 3, 3, 0, 2, 2, 40]))  # the alert handshake_failure
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listener:
        error = await failure(corp(listener.sockets[0].getsockname()[1], tmp_path))
    assert (error.kind, error.facts["alert"], error.attempts) == ("tls-handshake", "handshake_failure", 1)


@needs_openssl
async def test_another_origin_that_wants_a_certificate_does_not_get_ours_and_the_error_says_why(
    tmp_path: Path,
) -> None:
    async with s_server(tmp_path, HERE, CLIENTS, TLS_13) as port:
        away = {"*": reply(b"", 302, location=f"https://localhost:{port}/x/")}
        async with index(away, HERE.context(tmp_path)) as home:
            error = await failure(corp(home.port, tmp_path, ME.key + ME.chain))
    assert error.kind == "tls-client-certificate-required"
    assert error.facts["sent"] is None
    assert "own origin only" in str(error)


async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seen: list[bytes]) -> None:
    """Serve one CONNECT."""
    head = await reader.readuntil(b"\r\n\r\n")
    seen.append(head)
    port = int(head.split()[1].rpartition(b":")[2])
    there, onward = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")

    async def pour(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                target.write(data)
        except OSError:
            pass
        finally:
            target.close()

    await asyncio.gather(pour(reader, onward), pour(there, writer))


@needs_openssl
async def test_a_look_takes_the_proxy_that_the_request_took(tmp_path: Path) -> None:
    seen: list[bytes] = []
    proxy = await asyncio.start_server(lambda reader, writer: tunnel(reader, writer, seen), "127.0.0.1", 0)
    async with proxy, s_server(tmp_path, HERE, CLIENTS, TLS_12) as port:
        given = Secret(f"http://u:c4nary@127.0.0.1:{proxy.sockets[0].getsockname()[1]}")
        assert await fetch(corp(port, tmp_path, ME.key + ME.chain, proxy=given))
        error = await failure(corp(port, tmp_path, STRANGER.key + STRANGER.chain, proxy=given))
    assert error.kind == "tls-client-certificate-rejected"
    assert error.facts["accepted_authorities"] == ["CN=Corp Clients Root"]
    assert len(seen) == 3  # two requests and a look
    assert len({head.partition(b"Proxy-Authorization: ")[2].partition(b"\r\n")[0] for head in seen}) == 1
    assert "c4nary" not in str(error) + repr(error.facts)
