"""Servers of other people that ask for client certificates: ``openssl s_server`` and nginx, on ports of the system."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from .authority import Authority, Leaf

OPENSSL = shutil.which("openssl")
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")

needs_openssl = pytest.mark.skipif(OPENSSL is None, reason="the openssl command is not installed")
needs_nginx = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")

TLS_12, TLS_13 = "1.2", "1.3"


def _files(directory: Path, leaf: Leaf, clients: Authority) -> tuple[str, str, str]:
    for name, content in (("server", leaf.chain), ("server-key", leaf.key), ("clients", clients.pem)):
        (directory / f"{name}.pem").write_bytes(content)
    chain, key, roots = (str(directory / f"{name}.pem") for name in ("server", "server-key", "clients"))
    return chain, key, roots


@asynccontextmanager
async def _running(process: asyncio.subprocess.Process) -> AsyncIterator[asyncio.subprocess.Process]:
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.communicate()


@asynccontextmanager
async def s_server(directory: Path, leaf: Leaf, clients: Authority, version: str) -> AsyncIterator[int]:
    """OpenSSL's test server: it sends alerts, names the authorities that it accepts, and answers any GET."""
    assert OPENSSL is not None
    chain, key, roots = _files(directory, leaf, clients)
    process = await asyncio.create_subprocess_exec(
        OPENSSL, "s_server", "-accept", "127.0.0.1:0", f"-tls{version.replace('.', '_')}", "-www",
        "-cert", chain, "-cert_chain", chain, "-key", key, "-CAfile", roots, "-Verify", "3", "-verify_return_error",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    async with _running(process):
        assert process.stdout is not None
        async for line in process.stdout:
            if match := re.match(rb"ACCEPT .*:(\d+)", line):
                break
        else:
            raise AssertionError("openssl s_server did not start")
        yield int(match[1])


@asynccontextmanager
async def nginx(directory: Path, leaf: Leaf, clients: Authority, version: str) -> AsyncIterator[int]:
    """nginx, which lets every client finish the handshake, and then answers 400 to those that it does not like."""
    assert NGINX is not None
    chain, key, roots = _files(directory, leaf, clients)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port: int = listener.getsockname()[1]
        (directory / "nginx.conf").write_text(f"""
            daemon off; worker_processes 1; pid {directory}/nginx.pid; error_log stderr notice;
            events {{ }}
            http {{
                access_log off; default_type text/html;
                client_body_temp_path {directory}/b; proxy_temp_path {directory}/p; fastcgi_temp_path {directory}/f;
                uwsgi_temp_path {directory}/u; scgi_temp_path {directory}/s;
                server {{
                    listen 127.0.0.1:{port} ssl; server_name localhost; root {directory};
                    ssl_certificate {chain}; ssl_certificate_key {key}; ssl_protocols TLSv{version};
                    ssl_client_certificate {roots}; ssl_verify_client on; ssl_verify_depth 3;
                    location = /whoami/ {{ return 200 $ssl_client_s_dn; }}
                }}
            }}
        """)
        os.set_inheritable(listener.fileno(), True)  # noqa: FBT003 - positional only
        process = await asyncio.create_subprocess_exec(
            NGINX, "-p", str(directory), "-c", str(directory / "nginx.conf"), "-e", "stderr",
            # The variable by which nginx hands its sockets to its successor: so the port is ours from the start.
            env={**os.environ, "NGINX": f"{listener.fileno()};"}, pass_fds=(listener.fileno(),),
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        async with _running(process):
            assert process.stderr is not None
            heard = b""
            while b"start worker process " not in heard:
                line = await process.stderr.readline()
                assert line, f"nginx did not start: {heard.decode()}"
                heard += line
            yield port
