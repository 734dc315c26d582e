"""Who we are: refused here where no server would accept it, told apart by its key, renewed without a restart."""

from __future__ import annotations

import asyncio
import logging
import os
import pty
import select
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from transport.credentials import index_from_url
from transport.errors import IdentityInvalid, Refused
from transport.message import Index, Request
from transport.partition import Partitions
from transport.secret import Secret
from transport.stack import TransportSettings, open_stack
from transport.tls import Contexts, Unusable, certificate

from .authority import CLIENT, DAY, SERVER, Authority, Leaf
from .server import Server, TestClock, index, reply

PROJECT = Path(__file__).resolve().parents[2]
ROOT = Authority("Corp Root CA")
CLIENTS = Authority("Corp Clients Root")
HERE = ROOT.issue("localhost")
ME = CLIENTS.issue("me.client.example", common="me")
YOU = CLIENTS.issue("you.client.example", common="you")
PASSPHRASE = "c4nary-phrase"


@pytest.fixture
def mutual(tmp_path: Path) -> ssl.SSLContext:
    context = HERE.context(tmp_path)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=CLIENTS.pem.decode())
    return context


def put(path: Path, content: bytes) -> str:
    """Replace a file as careful people do."""
    fresh = path.with_suffix(".fresh")
    fresh.write_bytes(content)
    fresh.replace(path)
    return str(path)


def both(leaf: Leaf) -> bytes:
    return leaf.key + leaf.chain


def corp(url: str, directory: Path, **fields: Any) -> Index:
    ca = put(directory / "ca.pem", ROOT.pem)
    return index_from_url("corp", f"{url}/s/", **{"ca": ca, "system_trust": False, **fields})


def subject(server: Server) -> str:
    certificate = server.seen[-1].peer_certificate
    assert isinstance(certificate, dict)
    return str(dict(one[0] for one in certificate["subject"])["commonName"])


@pytest.mark.parametrize(
    ("leaf", "kind", "told"),
    [
        (CLIENTS.issue(common="old", since=-9 * DAY, until=-2 * DAY), "identity-expired", "renew it"),
        (CLIENTS.issue(common="early", since=2 * DAY), "identity-not-yet-valid", "clock if it is slow"),
        (CLIENTS.issue(common="server", purposes=(SERVER,)), "identity-not-for-clients", "clientAuth"),
    ],
)
async def test_what_no_server_would_accept_is_refused_here(
    tmp_path: Path, mutual: ssl.SSLContext, leaf: Leaf, kind: str, told: str
) -> None:
    async with index({"*": reply(b"ok")}, mutual) as server, open_stack(TransportSettings()) as fetcher:
        one = corp(server.url, tmp_path, client_cert=put(tmp_path / "me.pem", both(leaf)))
        with pytest.raises(IdentityInvalid) as caught:
            await fetcher.fetch(Request(f"{one.url}a/", one))
        assert server.connections == 0
    assert (caught.value.kind, caught.value.attempts, caught.value.retryable) == (kind, 1, False)
    for part in (told, "me.pem", leaf.certificate.subject.rfc4514_string()):
        assert part in str(caught.value)


@pytest.mark.parametrize("purposes", [None, (CLIENT,), (SERVER, CLIENT)])
async def test_a_certificate_for_clients_or_for_anything_is_used(
    tmp_path: Path, mutual: ssl.SSLContext, purposes: Any
) -> None:
    leaf = CLIENTS.issue(common="fit", purposes=purposes)
    async with index({"*": reply(b"ok")}, mutual) as server, open_stack(TransportSettings()) as fetcher:
        one = corp(server.url, tmp_path, client_cert=put(tmp_path / "me.pem", both(leaf)))
        await fetcher.fetch(Request(f"{one.url}a/", one))
        assert subject(server) == "fit"


async def test_a_loaded_certificate_that_expires_is_refused_from_then_on(tmp_path: Path) -> None:
    leaf = CLIENTS.issue(common="short")
    one = corp("https://localhost:1", tmp_path, client_cert=put(tmp_path / "me.pem", both(leaf)))
    loaded = await Contexts({}).get(one, own=True)
    assert loaded.identity is not None
    last = leaf.certificate.not_valid_after_utc
    loaded.identity.check(last)
    with pytest.raises(Unusable, match="expired"):
        loaded.identity.check(last + DAY)


@pytest.mark.parametrize(
    ("chain", "key", "kind", "hint"),
    [
        (CLIENTS.pem, None, "identity-no-key", "is it meant to be `ca`"),
        (ME.chain, YOU.key, "identity-mismatch", "does not belong"),
        (CLIENTS.pem + ME.chain, ME.key, "identity-mismatch", "ours has to be the first"),
        (ME.key, ME.chain, "identity-no-certificate", "swapped"),
        (both(ME), ME.chain, "identity-no-key", "swapped"),
        (ME.chain, None, "identity-no-key", "set client_key"),
    ],
)
async def test_files_in_the_wrong_place_are_told_from_wrong_files(
    tmp_path: Path, chain: bytes, key: bytes | None, kind: str, hint: str
) -> None:
    fields = {"client_cert": put(tmp_path / "cert.pem", chain)}
    if key is not None:
        fields["client_key"] = put(tmp_path / "key.pem", key)
    with pytest.raises(Unusable, match=hint) as caught:
        await Contexts({}).get(corp("https://localhost:1", tmp_path, **fields), own=True)
    assert caught.value.kind == kind


async def test_a_bundle_and_an_identity_that_took_each_others_place_are_recognized(tmp_path: Path) -> None:
    bundle, identity = put(tmp_path / "bundle.pem", CLIENTS.pem), put(tmp_path / "me.pem", both(ME))
    with pytest.raises(Unusable, match="client_cert and ca swapped") as caught:
        await Contexts({}).get(corp("https://localhost:1", tmp_path, client_cert=bundle, ca=identity), own=True)
    assert caught.value.kind == "identity-no-key"


CONTROL = """
import fcntl, os, termios
if os.isatty(0):
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # the terminal is ours: /dev/tty opens it
"""
PROGRAM = (
    CONTROL
    + """
import asyncio, sys
from transport.credentials import index_from_url
from transport.secret import Secret
from transport.tls import Contexts, Unusable

async def main():
    phrase = Secret(sys.argv[3]) if len(sys.argv) > 3 else None
    one = index_from_url("corp", "https://localhost:1/", client_cert=sys.argv[1], client_key=sys.argv[2],
                         client_key_password=phrase)
    try:
        await Contexts({}).get(one, own=True)
    except Unusable as error:
        print(error.kind)
    else:
        print("loaded")

asyncio.run(main())
"""
)


def ask(files: tuple[str, str], phrase: str | None, terminal: int | None) -> str:
    """Load an identity in a process of its own: on a terminal, or with nothing to read from."""
    command = [sys.executable, "-c", PROGRAM, *files, *([phrase] if phrase is not None else [])]
    done = subprocess.run(
        command,
        cwd=PROJECT,
        stdin=terminal if terminal is not None else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        timeout=30,
        check=True,
    )
    return done.stdout.decode().strip()


@pytest.mark.parametrize("on_terminal", [True, False])
@pytest.mark.parametrize("old_style", [True, False])
def test_an_encrypted_key_never_asks_for_its_passphrase(tmp_path: Path, *, on_terminal: bool, old_style: bool) -> None:
    locked = ME.locked(PASSPHRASE, old_style=old_style)
    files = (put(tmp_path / "me.pem", ME.chain), put(tmp_path / "key.pem", locked))
    ours, theirs = pty.openpty()
    try:
        terminal = theirs if on_terminal else None
        assert ask(files, PASSPHRASE, terminal) == "loaded"
        assert ask(files, "wrong", terminal) == "identity-passphrase-wrong"
        assert ask(files, "", terminal) == "identity-passphrase-missing"
        assert ask(files, None, terminal) == "identity-passphrase-missing"
        readable, _, _ = select.select([ours], [], [], 0)
        assert readable == []  # nothing was printed there
    finally:
        os.close(ours)
        os.close(theirs)


def test_the_terminal_would_show_a_prompt_if_there_was_one(tmp_path: Path) -> None:
    bare = f"{CONTROL}\nimport ssl, sys; ssl.create_default_context().load_cert_chain(*sys.argv[1:])"
    files = (put(tmp_path / "me.pem", ME.chain), put(tmp_path / "key.pem", ME.locked(PASSPHRASE)))
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", bare, *files]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True) as process:
        assert b"pass phrase" in os.read(ours, 1000)
        process.kill()
    os.close(ours)
    os.close(theirs)


def test_a_closed_standard_input_makes_no_difference(tmp_path: Path) -> None:
    files = (put(tmp_path / "me.pem", ME.chain), put(tmp_path / "key.pem", ME.locked(PASSPHRASE)))
    program = PROGRAM.removeprefix(CONTROL)
    command = ["sh", "-c", 'exec "$@" <&-', "sh", sys.executable, "-c", program, *files]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, timeout=30, check=True)
    assert (done.stdout.strip(), done.stderr) == (b"identity-passphrase-missing", b"")


async def test_a_wrong_passphrase_is_in_no_text(
    tmp_path: Path, mutual: ssl.SSLContext, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    fields = {
        "client_cert": put(tmp_path / "me.pem", ME.chain),
        "client_key": put(tmp_path / "key.pem", ME.locked(PASSPHRASE)),
        "client_key_password": Secret("c4nary-wrong"),
    }
    async with index({"*": reply(b"ok")}, mutual) as server, open_stack(TransportSettings()) as fetcher:
        one = corp(server.url, tmp_path, **fields)
        with pytest.raises(IdentityInvalid) as caught:
            await fetcher.fetch(Request(f"{one.url}a/", one))
        assert server.connections == 0
    assert caught.value.kind == "identity-passphrase-wrong"
    assert "c4nary" not in str(caught.value) + repr(one) + caplog.text


async def test_two_identities_on_one_port_see_only_their_own_pages_and_share_no_connection(
    tmp_path: Path, mutual: ssl.SSLContext
) -> None:
    def page(seen: Any) -> bytes:
        name = dict(one[0] for one in seen.peer_certificate["subject"])["commonName"]
        return reply(name.encode(), cache_control="private, max-age=600")

    async with index({"*": page}, mutual) as server, open_stack(TransportSettings()) as fetcher:
        mine = corp(server.url, tmp_path, client_cert=put(tmp_path / "me.pem", both(ME)))
        yours = corp(server.url, tmp_path, client_cert=put(tmp_path / "you.pem", both(YOU)))
        requests = [(one, name, turn) for turn in range(50) for one, name in ((mine, b"me"), (yours, b"you"))]

        async def get(one: Index, name: bytes, turn: int) -> None:
            assert (await fetcher.fetch(Request(f"{one.url}{turn}/", one))).body == name

        for one, name, turn in requests:
            await get(one, name, turn)
        assert server.connections == 2
        assert len(server.seen) == 100
        await asyncio.gather(*(get(*one) for one in requests))
        assert len(server.seen) == 100  # each from its own part of the cache
        by_connection: dict[int, set[str]] = {}
        for seen in server.seen:
            assert isinstance(seen.peer_certificate, dict)
            by_connection.setdefault(seen.connection, set()).add(str(seen.peer_certificate["subject"]))
        assert [len(names) for names in by_connection.values()] == [1, 1]


async def test_a_rotated_identity_opens_nothing_that_another_stored(tmp_path: Path, mutual: ssl.SSLContext) -> None:
    answers = {"*": reply(b"page", cache_control="private, max-age=600")}
    async with index(answers, mutual) as server, open_stack(TransportSettings()) as fetcher:
        one = corp(server.url, tmp_path, client_cert=put(tmp_path / "me.pem", both(ME)))
        partitions = []
        for leaf in (ME, ME, YOU, ME):
            put(tmp_path / "me.pem", both(leaf))
            partitions.append((await fetcher.fetch(Request(f"{one.url}a/", one))).partition)
        assert partitions[0] == partitions[1] == partitions[3] != partitions[2]
        assert len(server.seen) == 2


async def test_a_renewed_certificate_with_the_same_key_keeps_its_cache_and_is_the_one_that_is_shown(
    tmp_path: Path, mutual: ssl.SSLContext
) -> None:
    renewed = CLIENTS.issue(common="me-renewed", private=ME.private)
    answers = {"/s/a/": reply(b"page", cache_control="private, max-age=600"), "/s/b/": reply(b"b")}
    async with index(answers, mutual) as server, open_stack(TransportSettings()) as fetcher:
        one = corp(server.url, tmp_path, client_cert=put(tmp_path / "me.pem", both(ME)))
        await fetcher.fetch(Request(f"{one.url}a/", one))
        put(tmp_path / "me.pem", both(renewed))
        await fetcher.fetch(Request(f"{one.url}a/", one))
        assert len(server.seen) == 1
        await fetcher.fetch(Request(f"{one.url}b/", one))
        assert subject(server) == "me-renewed"


async def test_a_rotation_in_two_steps_goes_on_with_the_old_identity_until_both_are_there(
    tmp_path: Path, mutual: ssl.SSLContext, caplog: pytest.LogCaptureFixture
) -> None:
    async with index({"*": reply(b"ok")}, mutual) as server, open_stack(TransportSettings(), clock=TestClock()) as got:
        chain, key = tmp_path / "me.pem", tmp_path / "key.pem"
        one = corp(server.url, tmp_path, client_cert=put(chain, ME.chain), client_key=put(key, ME.key))
        await got.fetch(Request(f"{one.url}1/", one))
        put(chain, YOU.chain)
        for turn in (2, 3):
            await got.fetch(Request(f"{one.url}{turn}/", one))
            assert subject(server) == "me"
        assert caplog.text.count("going on with what was loaded before") == 1
        put(key, YOU.key)
        await got.fetch(Request(f"{one.url}4/", one))
        assert subject(server) == "you"


async def test_who_began_as_one_identity_ends_as_it_whatever_the_file_says(tmp_path: Path) -> None:
    one = corp("https://localhost:1", tmp_path, client_cert=put(tmp_path / "me.pem", both(ME)))
    contexts = Contexts({})
    first = await contexts.identify(one)
    put(tmp_path / "me.pem", both(YOU))
    second = await contexts.identify(one)
    assert first != second
    for name, leaf in ((first, ME), (second, YOU)):
        identity = (await contexts.get(one, own=True, identity=name)).identity
        assert identity is not None
        assert identity.chain[0].subject == leaf.certificate.subject.rfc4514_string()
    away = await contexts.get(one, own=False)
    assert away.identity is None
    with pytest.raises(Unusable, match="try again"):
        await contexts.get(one, own=True, identity="0" * 64)


async def test_a_broken_file_that_comes_while_a_good_one_is_read_leaves_the_good_one(tmp_path: Path) -> None:
    one = corp("https://localhost:1", tmp_path, client_cert=put(tmp_path / "me.pem", both(ME)))
    contexts = Contexts({})
    await contexts.identify(one)
    put(tmp_path / "me.pem", both(YOU))
    good = asyncio.create_task(contexts.identify(one))
    await asyncio.sleep(0)
    put(tmp_path / "me.pem", b"broken")
    assert await contexts.identify(one) in {await good, certificate.from_pem(ME.alone)[0].spki}


async def test_no_identity_is_shown_to_a_proxy_that_is_spoken_to_by_tls(tmp_path: Path, mutual: ssl.SSLContext) -> None:
    async with index({"*": reply(b"ok")}, mutual) as server, open_stack(TransportSettings()) as fetcher:
        proxy = Secret(server.url.replace("://", "://u:c4nary@"))
        one = corp("https://localhost:1", tmp_path, client_cert=put(tmp_path / "me.pem", both(ME)), proxy=proxy)
        with pytest.raises(Refused) as caught:
            await fetcher.fetch(Request(f"{one.url}a/", one))
        assert server.connections == 0
    assert caught.value.kind == "proxy-identity"
    assert "c4nary" not in str(caught.value)


async def test_an_unusable_identity_is_read_again_and_works_once_it_is_right(
    tmp_path: Path, mutual: ssl.SSLContext
) -> None:
    async with index({"*": reply(b"ok")}, mutual) as server, open_stack(TransportSettings()) as fetcher:
        one = corp(server.url, tmp_path, client_cert=str(tmp_path / "me.pem"))
        with pytest.raises(IdentityInvalid):
            await fetcher.fetch(Request(f"{one.url}a/", one))
        put(tmp_path / "me.pem", both(ME))
        assert (await fetcher.fetch(Request(f"{one.url}a/", one))).body == b"ok"


def test_a_partition_is_named_by_the_key_and_not_by_the_path() -> None:
    names = Partitions(b"k" * 32)
    here = index_from_url("a", "https://a.example/", client_cert="/one.pem")
    there = index_from_url("a", "https://a.example/", client_cert="/two.pem", client_key="/three.pem")
    assert names.of(here, None, "aa") == names.of(there, None, "aa") != names.of(here, None, "bb")
    assert names.of(here, None) not in {names.of(there, None), names.of(here, None, "aa"), "public"}
