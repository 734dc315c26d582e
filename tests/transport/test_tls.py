"""Trust and identity over real handshakes."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import os
import ssl
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from transport.credentials import index_from_url
from transport.errors import IdentityInvalid, RedirectRefused, TlsFailure, TransportError
from transport.message import Index, Request
from transport.secret import Secret
from transport.stack import TransportSettings, open_stack
from transport.tls import Policy, Unusable, make_context

from .server import Server, TestClock, index, reply

CA = trustme.CA()
OTHER = trustme.CA()
CLIENTS = trustme.CA()
ME = CLIENTS.issue_cert("me@client.example", common_name="me")
PASSPHRASE = "c4nary"


def server_context(
    leaf: trustme.LeafCert, clients: trustme.CA | None = None, *, optional: bool = False
) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)
    if clients is not None:
        context.verify_mode = ssl.CERT_OPTIONAL if optional else ssl.CERT_REQUIRED
        clients.configure_trust(context)
    return context


PLAIN = server_context(CA.issue_cert("localhost", "127.0.0.1"))
MUTUAL = server_context(CA.issue_cert("localhost"), CLIENTS)
CURIOUS = server_context(CA.issue_cert("localhost"), CLIENTS, optional=True)


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    """A directory with every kind of file that people name in settings."""
    chain = b"".join(part.bytes() for part in ME.cert_chain_pems)
    key = ME.private_key_pem.bytes()
    loaded = serialization.load_pem_private_key(key, None)
    locked = loaded.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(PASSPHRASE.encode()),
    )
    foreign = CLIENTS.issue_cert("x.example").private_key_pem.bytes()
    for name, content in {
        "ca": CA.cert_pem.bytes(),
        "other-ca": OTHER.cert_pem.bytes(),
        "both": chain + key,
        "turned": key + chain,
        "chain": chain,
        "key": key,
        "locked": locked,
        "foreign": foreign,
        "bundle": CA.cert_pem.bytes() * 9,
        "junk": b"\x00\x01nothing",
        "der": ssl.PEM_cert_to_DER_cert(CA.cert_pem.bytes().decode()),
        "damaged": chain + b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        "partly": b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" + CA.cert_pem.bytes(),
    }.items():
        (tmp_path / f"{name}.pem").write_bytes(content)
    return tmp_path


def corp(server: Server, pem: Path, ca: str | None = "ca", **fields: object) -> Index:
    path = str(pem / f"{ca}.pem") if ca else None
    return index_from_url("corp", f"{server.url}/s/", ca=path, system_trust=False, **fields)


def subject(server: Server) -> str:
    certificate = server.seen[-1].peer_certificate
    return repr(certificate["subject"]) if isinstance(certificate, dict) and certificate else ""


async def body(one: Index, settings: TransportSettings | None = None) -> bytes:
    async with open_stack(settings or TransportSettings(), clock=TestClock()) as fetcher:
        return (await fetcher.fetch(Request(f"{one.url}a/", one))).body


async def test_each_index_trusts_its_own_ca_and_not_its_neighbours(pem: Path) -> None:
    theirs = server_context(OTHER.issue_cert("localhost"))
    async with index({"*": reply(b"a")}, PLAIN) as one, index({"*": reply(b"b")}, theirs) as two:
        async with open_stack(TransportSettings()) as fetcher:
            for server, ca, expected in [(one, "ca", b"a"), (two, "other-ca", b"b")]:
                its = corp(server, pem, ca)
                assert (await fetcher.fetch(Request(f"{its.url}x/", its))).body == expected
            crossed = corp(two, pem, "ca")
            with pytest.raises(TlsFailure) as caught:
                await fetcher.fetch(Request(f"{crossed.url}x/", crossed))
        assert caught.value.kind == "tls-unknown-ca"
        assert len(two.seen) == 1


@pytest.mark.parametrize(
    ("certificate", "key", "passphrase"),
    [("both", None, None), ("turned", None, None), ("chain", "key", None), ("chain", "locked", PASSPHRASE)],
)
async def test_the_server_sees_who_we_are(pem: Path, certificate: str, key: str | None, passphrase: str | None) -> None:
    async with index({"*": reply(b"ok")}, MUTUAL) as server:
        one = corp(
            server,
            pem,
            client_cert=str(pem / f"{certificate}.pem"),
            client_key=str(pem / f"{key}.pem") if key else None,
            client_key_password=Secret(passphrase) if passphrase else None,
        )
        assert await body(one) == b"ok"
        assert "'me'" in subject(server)


@pytest.mark.parametrize(
    ("certificate", "key", "passphrase", "kind"),
    [
        ("chain", "locked", None, "passphrase-missing"),
        ("chain", "locked", "wrong-c4nary", "passphrase-wrong"),
        ("chain", "foreign", None, "mismatch"),
        ("absent", None, None, "missing"),
        ("chain", "absent", None, "missing"),
        ("junk", None, None, "not-pem"),
        ("der", None, None, "not-pem"),
        ("chain", None, None, "no-key"),
        ("bundle", None, None, "no-key"),
        ("key", None, None, "no-certificate"),
        ("key", "chain", None, "no-certificate"),
        ("both", "chain", None, "no-key"),
        ("damaged", None, None, "damaged"),
    ],
)
async def test_an_unusable_identity_fails_before_connecting_and_says_why(
    pem: Path, certificate: str, key: str | None, passphrase: str | None, kind: str
) -> None:
    async with index({"*": reply(b"ok")}, MUTUAL) as server:
        one = corp(
            server,
            pem,
            client_cert=str(pem / f"{certificate}.pem"),
            client_key=str(pem / f"{key}.pem") if key else None,
            client_key_password=Secret(passphrase) if passphrase else None,
        )
        with pytest.raises(IdentityInvalid) as caught:
            await body(one)
        assert caught.value.kind == f"identity-{kind}"
        assert "c4nary" not in str(caught.value)
        assert server.connections == 0


async def test_another_origin_never_sees_our_identity(pem: Path) -> None:
    async with index({"*": reply(b"there")}, CURIOUS) as target:
        answers = {"*": reply(b"", 302, location=f"{target.url}/there/")}
        async with index(answers, MUTUAL) as source:
            one = corp(source, pem, client_cert=str(pem / "both.pem"))
            assert await body(one) == b"there"
            assert "'me'" in subject(source)
        assert subject(target) == ""
        at_home = corp(target, pem, client_cert=str(pem / "both.pem"))
        await body(at_home)
        assert "'me'" in subject(target)


async def test_two_identities_on_one_origin_never_share_a_connection(pem: Path) -> None:
    you = CLIENTS.issue_cert("you@client.example", common_name="you")
    (pem / "you.pem").write_bytes(you.private_key_and_cert_chain_pem.bytes())
    async with index({"*": reply(b"ok")}, MUTUAL) as server, open_stack(TransportSettings()) as fetcher:
        mine = corp(server, pem, client_cert=str(pem / "both.pem"))
        yours = corp(server, pem, client_cert=str(pem / "you.pem"))
        for turn in range(50):
            for one, name in ((mine, "'me'"), (yours, "'you'")):
                await fetcher.fetch(Request(f"{one.url}{turn}/", one))
                assert name in subject(server)
        assert server.connections == 2


async def test_a_rotated_identity_is_used_and_a_broken_one_is_not(pem: Path, caplog: pytest.LogCaptureFixture) -> None:
    mine, new = pem / "both.pem", CLIENTS.issue_cert("new@client.example", common_name="new")
    async with index({"*": reply(b"ok")}, MUTUAL) as server, open_stack(TransportSettings()) as fetcher:
        one = corp(server, pem, client_cert=str(mine))
        for content, name in [
            (None, "'me'"),
            (new.private_key_and_cert_chain_pem.bytes(), "'new'"),
            (b"broken", "'new'"),
        ]:
            if content is not None:
                (pem / "next.pem").write_bytes(content)
                (pem / "next.pem").replace(mine)
            await fetcher.fetch(Request(f"{one.url}a/", one))
            assert name in subject(server)
    assert "going on with what was loaded before" in caplog.text


def dated(days: int, length: int) -> ssl.SSLContext:
    start = dt.datetime.now(dt.UTC).replace(tzinfo=None) + dt.timedelta(days=days)
    return server_context(CA.issue_cert("localhost", not_before=start, not_after=start + dt.timedelta(days=length)))


@pytest.mark.parametrize(
    ("context", "ca", "kind"),
    [
        (dated(-20, 10), "ca", "tls-expired"),
        (dated(10, 10), "ca", "tls-not-yet-valid"),
        (server_context(CA.issue_cert("elsewhere.example")), "ca", "tls-hostname-mismatch"),
        (PLAIN, "other-ca", "tls-unknown-ca"),
    ],
)
async def test_a_handshake_that_fails_is_named_and_tried_once(
    pem: Path, context: ssl.SSLContext, ca: str, kind: str
) -> None:
    async with index({"*": reply(b"ok")}, context) as server:
        with pytest.raises(TlsFailure) as caught:
            await body(corp(server, pem, ca))
        assert (caught.value.kind, caught.value.attempts, caught.value.retryable) == (kind, 1, False)
        assert server.connections <= 1
        assert server.seen == []


async def test_a_port_that_speaks_plain_http_is_named_as_such(pem: Path) -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(reply(b"", 400, connection="close"))
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    listener = await asyncio.start_server(plain, "127.0.0.1", 0)
    one = index_from_url("corp", f"https://127.0.0.1:{listener.sockets[0].getsockname()[1]}/s/", ca=str(pem / "ca.pem"))
    with pytest.raises(TlsFailure) as caught:
        await body(one)
    assert (caught.value.kind, caught.value.attempts) == ("tls-plain-http", 1)
    listener.close()
    await listener.wait_closed()


async def test_verification_is_left_out_only_at_the_index_itself(pem: Path) -> None:
    theirs = server_context(OTHER.issue_cert("localhost"))
    async with index({"*": reply(b"there")}, theirs) as target:
        async with index({"/s/a/": reply(b"ok")}, PLAIN) as server:
            assert await body(corp(server, pem, None, verify=False)) == b"ok"
            server.answers = {"*": reply(b"", 302, location=f"{target.url}/")}
            with pytest.raises(TlsFailure):
                await body(corp(server, pem, None, verify=False))
        assert target.seen == []


@pytest.mark.parametrize("userinfo", ["", "u:c4nary@"])
async def test_a_redirect_to_plain_http_is_refused_before_connecting(pem: Path, userinfo: str) -> None:
    async with index({"*": reply(b"plain")}) as target:
        location = target.url.replace("://", f"://{userinfo}") + "/x"
        async with index({"*": reply(b"", 302, location=location)}, PLAIN) as server:
            with pytest.raises(RedirectRefused) as caught:
                await body(corp(server, pem))
            assert caught.value.kind == "redirect-downgrade"
            assert "c4nary" not in str(caught.value)
            assert target.connections == 0
            allowed = corp(server, pem, allow_downgrade=True)
            if userinfo:
                with pytest.raises(RedirectRefused):
                    await body(allowed)
            else:
                assert await body(allowed) == b"plain"


async def test_a_server_that_wants_a_certificate_leaves_an_error_of_ours(pem: Path) -> None:
    async with index({"*": reply(b"ok")}, MUTUAL) as server:
        with pytest.raises(TransportError):
            await body(corp(server, pem))
        assert server.seen == []


def roots(environ: dict[str, str], ca: str | None = None, *, system_trust: bool = True) -> int:
    return make_context(Policy(ca, system_trust), environ).cert_store_stats()["x509_ca"]


def test_the_environment_replaces_the_systems_roots_even_where_it_leads_nowhere(
    pem: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder, empty = pem / "dir", pem / "empty"
    folder.mkdir()
    empty.mkdir()
    (folder / "any name").write_bytes(CA.cert_pem.bytes() + OTHER.cert_pem.bytes())
    ca = str(pem / "ca.pem")
    assert roots({"SSL_CERT_FILE": ca}) == 1
    assert roots({"SSL_CERT_FILE": ca, "SSL_CERT_DIR": str(folder)}) == 2
    assert roots({"SSL_CERT_DIR": f"{pem / 'absent'}{os.pathsep}{folder}"}) == 2
    assert roots({"SSL_CERT_FILE": str(pem / "partly.pem")}) == 1
    caplog.clear()
    for environ in ({"SSL_CERT_FILE": str(pem / "absent")}, {"SSL_CERT_FILE": str(pem / "junk.pem")},
                    {"SSL_CERT_DIR": str(empty)}):  # fmt: skip
        assert roots(environ) == 0
    assert caplog.text.count("none is trusted") == 3


def test_an_empty_variable_is_no_variable_and_an_own_ca_stands_beside_or_alone(pem: Path) -> None:
    ca = str(pem / "ca.pem")
    assert roots({}, ca, system_trust=False) == 1
    assert roots({"SSL_CERT_FILE": str(pem / "other-ca.pem")}, ca) == 2
    assert roots({"SSL_CERT_FILE": ""}) == roots({"SSL_CERT_DIR": ""}) == roots({})
    assert roots({}, str(pem / "der.pem"), system_trust=False) == 1


@pytest.mark.parametrize("name", ["absent", "junk", "key"])
def test_a_ca_that_holds_no_certificate_is_an_error_and_not_an_empty_trust(pem: Path, name: str) -> None:
    with pytest.raises(Unusable, match="no usable certificate"):
        roots({}, str(pem / f"{name}.pem"))


async def test_a_tls_error_quotes_no_secret(pem: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with index({"*": reply(b"ok")}, PLAIN) as server:
        one = index_from_url(
            "corp", server.url.replace("://", "://u:c4nary@") + "/s/?sig=c4nary", ca=str(pem / "other-ca.pem")
        )
        with pytest.raises(TlsFailure) as caught:
            await body(one)
        assert "c4nary" not in str(caught.value) + caplog.text
