"""What is said of a server's certificate that does not pass: over real handshakes, with the look that explains them."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from transport.credentials import index_from_url
from transport.errors import TlsFailure, TransportError
from transport.message import Request
from transport.stack import TransportSettings, open_stack

from .authority import DAY, Authority, Leaf
from .server import TestClock, index, reply

ROOT = Authority("Corp Root CA")
ISSUING = ROOT.below("Corp TLS 7", aia="http://pki.example/root.der")
AIA = "http://pki.example/corp-tls-7.der"
OTHER = Authority("Other Root CA")


class Listener:
    """A TLS server that counts: connections, handshakes, and what was said after them."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.context = context
        self.connections = 0
        self.said = b""
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await writer.start_tls(self.context)
            self.said += await reader.read(65536)
        except (OSError, ssl.SSLError):
            pass
        finally:
            writer.transport.abort()


@asynccontextmanager
async def listening(context: ssl.SSLContext) -> AsyncIterator[Listener]:
    listener = Listener(context)
    server = await asyncio.start_server(listener.serve, "127.0.0.1", 0)
    listener.port = server.sockets[0].getsockname()[1]
    try:
        yield listener
    finally:
        server.close()
        await server.wait_closed()


async def failure(
    listener: Listener, directory: Path, trusted: bytes, host: str = "localhost", pages: int = 1, **fields: str
) -> TransportError:
    ca = directory / "trusted.pem"
    ca.write_bytes(trusted)
    one = index_from_url("corp", f"https://{host}:{listener.port}/s/", ca=str(ca), system_trust=False, **fields)
    async with open_stack(TransportSettings(), clock=TestClock()) as fetcher:
        found = await asyncio.gather(
            *(fetcher.fetch(Request(f"{one.url}{page}/", one)) for page in range(pages)), return_exceptions=True
        )
    assert all(isinstance(error, TlsFailure) for error in found)
    error = found[0]
    assert isinstance(error, TlsFailure)
    assert (error.attempts, error.retryable) == (1, False)
    assert error.facts["host"] == host
    assert str(error.facts["remedy"]) in str(error)
    return error


async def test_a_server_that_leaves_out_its_intermediate_is_told_so(tmp_path: Path) -> None:
    leaf = ISSUING.issue("localhost", aia=AIA)
    async with listening(leaf.context(tmp_path, leaf.alone)) as listener:
        error = await failure(listener, tmp_path, ROOT.pem)
    assert error.kind == "tls-incomplete-chain"
    assert error.facts["missing_issuer"] == "CN=Corp TLS 7"
    assert error.facts["ca_issuers"] == AIA
    assert error.facts["certificates_sent"] == 1
    shown = error.facts["leaf"]
    assert isinstance(shown, dict)
    assert (shown["subject"], shown["issuer"]) == ("CN=localhost", "CN=Corp TLS 7")
    for part in ("localhost", "CN=localhost", "CN=Corp TLS 7", AIA, "1 certificate ", "the server's configuration"):
        assert part in str(error)
    assert listener.connections == 2  # the request's and the look's
    assert listener.said == b""


async def test_many_pages_of_a_broken_server_are_one_look(tmp_path: Path) -> None:
    leaf = ISSUING.issue("localhost", aia=AIA)
    async with listening(leaf.context(tmp_path, leaf.alone)) as listener:
        await failure(listener, tmp_path, ROOT.pem, pages=8)
    assert listener.connections == 8 + 1


@pytest.mark.parametrize("below", [0, 1, 2])
@pytest.mark.parametrize("with_root", [False, True])
async def test_a_whole_chain_of_a_stranger_is_no_incomplete_one(tmp_path: Path, below: int, *, with_root: bool) -> None:
    authority = root = Authority("Strange Root CA")
    for depth in range(below):
        authority = authority.below(f"Strange {depth}", aia="http://pki.example/x.der")
    leaf = authority.issue("localhost", aia="http://pki.example/y.der")
    sent = leaf.chain + (root.pem if with_root else b"")
    async with listening(leaf.context(tmp_path, sent)) as listener:
        error = await failure(listener, tmp_path, OTHER.pem)
    assert error.kind == "tls-unknown-ca"
    assert error.facts["root"] == "CN=Strange Root CA"
    assert error.facts["certificates_sent"] == 1 + below + with_root
    assert "CN=Strange Root CA" in str(error)
    assert "incomplete" not in str(error)


async def test_a_lone_certificate_of_a_nameless_authority_leaves_both_open_and_says_so(tmp_path: Path) -> None:
    leaf = Authority("Strange").issue("localhost")
    async with listening(leaf.context(tmp_path)) as listener:
        error = await failure(listener, tmp_path, OTHER.pem)
    assert error.kind == "tls-unknown-ca"
    assert "should it be no root but an intermediate" in str(error)


async def test_a_wrong_intermediate_is_a_missing_one(tmp_path: Path) -> None:
    leaf = ISSUING.issue("localhost")
    async with listening(leaf.context(tmp_path, leaf.alone + OTHER.below("Other 3").pem)) as listener:
        error = await failure(listener, tmp_path, ROOT.pem)
    assert (error.kind, error.facts["missing_issuer"]) == ("tls-incomplete-chain", "CN=Corp TLS 7")
    assert error.facts["certificates_sent"] == 2


async def test_a_certificate_that_is_sent_twice_is_no_sign_of_a_missing_one(tmp_path: Path) -> None:
    leaf = Authority("Strange").issue("localhost")
    async with listening(leaf.context(tmp_path, leaf.alone * 2)) as listener:
        error = await failure(listener, tmp_path, ROOT.pem)
    assert (error.kind, error.facts["certificates_sent"]) == ("tls-unknown-ca", 2)


async def test_a_root_that_was_replaced_under_its_name_is_recognized(tmp_path: Path) -> None:
    leaf = Authority("Corp Root CA").below("Corp TLS 8").issue("localhost")
    async with listening(leaf.context(tmp_path)) as listener:
        error = await failure(listener, tmp_path, ROOT.pem)
    assert error.kind == "tls-unknown-ca"
    assert "another key" in str(error)


async def test_an_intermediate_that_stands_behind_our_own_certificate_is_known_to_be_one(tmp_path: Path) -> None:
    nameless = ROOT.below("Corp 7")
    leaf, mine = nameless.issue("localhost"), nameless.issue(common="me")
    (tmp_path / "me.pem").write_bytes(mine.key + mine.chain)
    async with listening(leaf.context(tmp_path, leaf.alone)) as listener:
        anonymous = await failure(listener, tmp_path, ROOT.pem)
        known = await failure(listener, tmp_path, ROOT.pem, client_cert=str(tmp_path / "me.pem"))
    assert (anonymous.kind, known.kind) == ("tls-unknown-ca", "tls-incomplete-chain")


async def test_an_intermediate_that_we_trust_makes_a_lone_certificate_pass_on_every_python(tmp_path: Path) -> None:
    leaf = ISSUING.issue("localhost")
    for trusted in (ISSUING.pem, ROOT.pem + ISSUING.pem):
        (tmp_path / "ca.pem").write_bytes(trusted)
        async with index({"*": reply(b"ok")}, leaf.context(tmp_path, leaf.alone)) as server:
            one = index_from_url("corp", f"{server.url}/s/", ca=str(tmp_path / "ca.pem"), system_trust=False)
            async with open_stack(TransportSettings()) as fetcher:
                assert (await fetcher.fetch(Request(f"{one.url}a/", one))).body == b"ok"


def self_signed() -> Leaf:
    one = Authority("localhost")
    return Leaf(one.certificate, one._private, ())


@pytest.mark.parametrize(
    ("leaf", "host", "kind", "told"),
    [
        (ROOT.issue("localhost", since=-9 * DAY, until=-2 * DAY), "localhost", "tls-expired", "clock says"),
        (ROOT.issue("localhost", since=2 * DAY), "localhost", "tls-not-yet-valid", "clock says"),
        (ROOT.issue("a.example", "b.example"), "localhost", "tls-hostname-mismatch", "a.example · b.example"),
        (ROOT.issue("127.0.0.2", "a.example"), "127.0.0.1", "tls-address-mismatch", "127.0.0.2"),
        (ROOT.issue(common="localhost"), "localhost", "tls-hostname-mismatch", "common names do not count"),
        (self_signed(), "localhost", "tls-self-signed", "name it as `ca`"),
    ],
)
async def test_each_fault_of_a_certificate_has_its_own_kind_and_words(
    tmp_path: Path, leaf: Leaf, host: str, kind: str, told: str
) -> None:
    async with listening(leaf.context(tmp_path)) as listener:
        error = await failure(listener, tmp_path, ROOT.pem, host)
    assert error.kind == kind
    assert told in str(error)
    assert listener.connections == 2
    assert listener.said == b""


async def test_dates_and_names_are_facts(tmp_path: Path) -> None:
    expired = ROOT.issue("localhost", since=-9 * DAY, until=-2 * DAY)
    async with listening(expired.context(tmp_path)) as listener:
        error = await failure(listener, tmp_path, ROOT.pem)
    until = expired.certificate.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ")
    told = error.facts["expired"]
    assert isinstance(told, dict)
    assert told["not_after"] == until
    assert until in str(error)
    here = dt.datetime.strptime(str(error.facts["now"]), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=dt.UTC)
    assert abs(dt.datetime.now(dt.UTC) - here) < dt.timedelta(minutes=5)

    many = [f"h{number}.example" for number in range(30)]
    async with listening(ROOT.issue(*many).context(tmp_path)) as listener:
        error = await failure(listener, tmp_path, ROOT.pem)
    assert error.facts["asked"] == "localhost"
    assert error.facts["names"] == many[:20]
    assert error.facts["names_in_all"] == 30
    assert "and 10 more" in str(error)


async def test_an_expired_intermediate_is_the_one_that_is_named(tmp_path: Path) -> None:
    leaf = ROOT.below("Corp TLS 6", until=-2 * DAY).issue("localhost")
    async with listening(leaf.context(tmp_path)) as listener:
        error = await failure(listener, tmp_path, ROOT.pem)
    told = error.facts["expired"]
    assert isinstance(told, dict)
    assert (error.kind, told["subject"]) == ("tls-expired", "CN=Corp TLS 6")


async def test_a_look_goes_to_no_address_that_the_request_may_not_go_to(tmp_path: Path) -> None:
    leaf = ISSUING.issue("localhost", str(ipaddress.ip_address("127.0.0.1")), aia=AIA)
    async with listening(leaf.context(tmp_path, leaf.alone)) as listener:
        one = index_from_url("named", f"https://127.0.0.1:{listener.port}/s/", configured=False)
        async with open_stack(TransportSettings(), clock=TestClock()) as fetcher:
            with pytest.raises(TransportError) as caught:
                await fetcher.fetch(Request(f"{one.url}a/", one))
    assert caught.value.kind == "address-denied"
    assert listener.connections == 0
