"""Every configuration of ``docs/private-indexes.md`` at work, with loopback servers in place of its hosts."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from tests.service.indexes import Wheel, basic, content, guarded, page, serving, versions
from tests.transport.server import Answer, Server, index, reply

PAGE = Path(__file__).resolve().parents[1] / "docs" / "private-indexes.md"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")

SERVERS, CLIENTS = trustme.CA(), trustme.CA()
ME = CLIENTS.issue_cert("ci@client.example", common_name="ci")
PASSWORD, TOKEN, PASSPHRASE = "the-password", "the-token", "the-passphrase"
WHEELS = (Wheel("a", "1.0", ("b",)), Wheel("b", "1.0"))
LOCKED = {"a": "1.0", "b": "1.0"}

Answers = Mapping[str, Answer | list[Answer]]


@dataclass
class Section:
    """A heading of the page and its blocks of code."""

    title: str
    blocks: dict[str, str] = field(default_factory=dict)

    @property
    def hosts(self) -> list[str]:
        """The hosts that its settings name, in order."""
        return list(dict.fromkeys(re.findall(r"[a-z]+(?:\.[a-z]+)*\.example", self.blocks["toml"])))


def sections() -> Iterator[Section]:
    section = Section("")
    for heading, language, text in re.findall(r"(?m)^## (.+)$|^```(\w+)\n((?:.*\n)*?)^```$", PAGE.read_text("utf-8")):
        if heading:
            section = Section(heading)
            continue
        assert language not in section.blocks, f"two {language} blocks below {section.title!r}: give each a heading"
        section.blocks[language] = text
        if language == "toml":
            yield section


SECTIONS = {section.title: section for section in sections()}


def for_basic(user: str, password: str, root: str = "/simple/", files: str = "/files/", status: int = 401) -> Answers:
    answers = content(*WHEELS, root=root, files=files)
    return guarded(answers, basic(user, password), otherwise=lambda _: reply(b"", status))


def password(_: Mapping[str, Server]) -> list[Answers]:
    return [for_basic("ci", PASSWORD)]


def anyone(_: Mapping[str, Server]) -> list[Answers]:
    return [content(*WHEELS)]


def bearer(_: Mapping[str, Server]) -> list[Answers]:
    return [guarded(content(*WHEELS), f"Bearer {TOKEN}")]


def api_key(_: Mapping[str, Server]) -> list[Answers]:
    answers = content(*WHEELS, root="/artifactory/api/pypi/python/simple/", files="/artifactory/api/pypi/python/f/")
    return [guarded(answers, TOKEN, header="x-jfrog-art-api")]


def nexus(_: Mapping[str, Server]) -> list[Answers]:
    return [for_basic("ci", PASSWORD, "/repository/python/simple/", "/repository/python/packages/")]


def redirector(servers: Mapping[str, Server]) -> list[Answers]:
    target = servers["domain.codeartifact.example"].url.replace("://", "://aws:short-lived@")
    moved: dict[str, Answer | list[Answer]] = {
        f"/simple/{name}/": reply(b"", 302, location=f"{target}/pypi/simple/{name}/") for name in LOCKED
    }
    return [moved, for_basic("aws", "short-lived", "/pypi/simple/", "/pypi/files/")]


def gitlab(_: Mapping[str, Server]) -> list[Answers]:
    root, files = "/api/v4/groups/42/-/packages/pypi/simple/", "/api/v4/projects/7/packages/pypi/files/"
    return [for_basic("__token__", TOKEN, root, files, status=404)]


def devpi(_: Mapping[str, Server]) -> list[Answers]:
    return [for_basic("ci", PASSWORD, "/team/dev/+simple/", "/team/base/+f/")]


def elsewhere(servers: Mapping[str, Server]) -> list[Answers]:
    files = for_basic("ci", PASSWORD)
    pages = {
        f"/simple/{one.name}/": page(one.name, one, files=f"{servers['files.corp.example'].url}/files/")
        for one in WHEELS
    }
    return [guarded(pages, basic("ci", PASSWORD)), files]


def three(_: Mapping[str, Server]) -> list[Answers]:
    mine = guarded({**content(WHEELS[0]), "*": reply(b"", 403)}, basic("ci", PASSWORD))
    return [mine, content(Wheel("a", "99.0"), Wheel("b", "99.0")), content(Wheel("a", "98.0"), WHEELS[1])]


# Heading → what its hosts answer, in the order in which the section names them (then those that it names not).
SCENARIOS: Mapping[str, Callable[[Mapping[str, Server]], list[Answers]]] = {
    "User and password": password,
    "Environment variables": password,
    "netrc": password,
    "Keyring": password,
    "Bearer tokens": bearer,
    "A header of the index's own": api_key,
    "A CA of your own": anyone,
    "Client certificates": anyone,
    "Client certificates with a locked key": anyone,
    "Artifactory or Nexus behind nginx": nexus,
    "A redirector with short-lived tokens": redirector,
    "GitLab": gitlab,
    "devpi": devpi,
    "Files on another host": elsewhere,
    "A private index and a public one": three,
}
UNNAMED = {"A redirector with short-lived tokens": ["domain.codeartifact.example"]}


def secrets(directory: Path, section: Section, places: Mapping[str, Server]) -> None:
    """Write the files that the page puts below /run/secrets, /etc/ssl and /etc/nginx."""
    key = ME.private_key_pem.bytes()
    chain = b"".join(part.bytes() for part in ME.cert_chain_pems)
    locked = serialization.load_pem_private_key(key, None).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(PASSPHRASE.encode()),
    )
    server = SERVERS.issue_cert("localhost")
    lines = section.blocks.get("netrc", "")
    for host, running in places.items():
        lines = lines.replace(host, f"localhost:{running.port}")
    for name, text in {
        "corp-password": f"{PASSWORD}\n".encode(),
        "corp-token": f"{TOKEN}\n".encode(),
        "passphrase": f"{PASSPHRASE}\n".encode(),
        "netrc": lines.encode(),
        "client.pem": chain + key,
        "client.crt": chain,
        "client.key": locked,
        "corp-ca.pem": SERVERS.cert_pem.bytes(),
        "clients-ca.pem": CLIENTS.cert_pem.bytes(),
        "server.pem": b"".join(part.bytes() for part in server.cert_chain_pems),
        "server.key": server.private_key_pem.bytes(),
    }.items():
        (directory / name).write_bytes(text)
        (directory / name).chmod(0o600)


def fitted(text: str, directory: Path, places: Mapping[str, Server]) -> str:
    """Return ``text`` with the machine of this test in place of the page's."""
    for host, server in sorted(places.items(), key=lambda item: -len(item[0])):
        text = text.replace(host, f"localhost:{server.port}")
    return re.sub(r"/run/secrets/|/etc/ssl/|/etc/nginx/", f"{directory}/", text)


def tls(*, is_mutual: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    SERVERS.issue_cert("localhost").configure_cert(context)
    if is_mutual:
        context.verify_mode = ssl.CERT_REQUIRED
        CLIENTS.configure_trust(context)
    return context


def keyring(directory: Path) -> None:
    script = directory / "keyring"
    script.write_text(f"#!{sys.executable}\nimport sys\nassert sys.argv[3] == 'ci'\nprint({PASSWORD!r})\n")
    script.chmod(0o755)
    os.environ["PATH"] = f"{directory}{os.pathsep}{os.environ['PATH']}"


@asynccontextmanager
async def nginx(block: str, directory: Path, backend: Server) -> AsyncIterator[Server]:
    """Run nginx with the page's server block in front of ``backend``."""
    assert NGINX is not None
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        block = block.replace("listen 443 ssl", f"listen 127.0.0.1:{port} ssl")
        block = block.replace("http://nexus.internal.example:8081", backend.url)
        temporary = "".join(
            f"{kind}_temp_path {directory}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        file = directory / "nginx.conf"
        file.write_text(
            f"daemon off; worker_processes 1; pid {directory}/nginx.pid; error_log {directory}/error.log;\n"
            f"events {{}}\nhttp {{ access_log off;\n{temporary}{fitted(block, directory, {})}}}\n"
        )
        # It inherits the socket that listens already (as in its upgrades): no port is guessed, nothing is awaited.
        process = await asyncio.create_subprocess_exec(
            NGINX,
            *("-p", directory, "-c", file, "-e", directory / "error.log"),
            env={**os.environ, "NGINX": f"{listener.fileno()};"},
            pass_fds=[listener.fileno()],
        )
        try:
            yield Server({}, scheme="https", port=port, host="localhost")
        finally:
            process.terminate()
            await process.wait()


def test_every_example_is_tried() -> None:
    assert list(SECTIONS) == list(SCENARIOS)


@pytest.mark.parametrize("title", SCENARIOS)
async def test_the_example_works(title: str, tmp_path: Path) -> None:
    section = SECTIONS[title]
    if "nginx" in section.blocks and NGINX is None:
        pytest.skip("there is no nginx here")
    names = [*section.hosts, *UNNAMED.get(title, ())]
    is_mutual = "client_cert" in section.blocks["toml"]
    async with AsyncExitStack() as stack:
        servers: dict[str, Server] = {}
        for name in names:
            is_plain = "nginx" in section.blocks
            servers[name] = await stack.enter_async_context(index({}, None if is_plain else tls(is_mutual=is_mutual)))
        for server, answers in zip(servers.values(), SCENARIOS[title](servers), strict=True):
            server.answers = answers
        places = dict(servers)
        secrets(tmp_path, section, places)
        if "nginx" in section.blocks:
            front = await stack.enter_async_context(nginx(section.blocks["nginx"], tmp_path, servers[names[0]]))
            places[names[0]] = front
        if title == "Keyring":
            keyring(tmp_path)
        os.environ["SSL_CERT_FILE"] = str(tmp_path / "corp-ca.pem")
        file = tmp_path / "lockwright.toml"
        file.write_text(fitted(section.blocks["toml"], tmp_path, places))
        environ = dict(re.findall(r"(?m)^export (\w+)=(.*)$", section.blocks.get("sh", "")))
        service = await stack.enter_async_context(serving(tmp_path, file, environ=environ))
        status, lock = await service.lock("a", outputs=["pylock"])
        assert (status, {name: one[0] for name, one in versions(lock).items()}) == (200, LOCKED), lock
        for secret in (PASSWORD, TOKEN, PASSPHRASE, "short-lived"):
            assert secret not in str(lock)
        if title == "A private index and a public one":
            assert versions(lock) == {"a": ("1.0", "corp"), "b": ("1.0", "public")}
            assert servers[names[1]].seen == []
            pinned = {"packages": {"b": {"index": "gpu"}}}
            assert versions((await service.lock("a", options=pinned))[1])["b"] == ("99.0", "gpu")
        if title != "Keyring" and "authenticate" in section.blocks["toml"]:
            # Nobody comes as a stranger; that the credential is the right one, the servers have checked.
            seen = [one for server in servers.values() for one in server.seen]
            assert seen
            assert {one.headers["authorization"] for one in seen} == {seen[0].headers["authorization"]}
        if is_mutual and "nginx" not in section.blocks:
            assert all(one.peer_certificate for server in servers.values() for one in server.seen)
