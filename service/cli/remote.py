"""Ask a running service. The client is the standard library's: one request needs no pool, and no event loop."""

from __future__ import annotations

import http.client
import ipaddress
import json
import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from .exits import UNAVAILABLE, USAGE, CommandError, Declined

MAX_ANSWER = 256 * 1024 * 1024  # a lock of 5,000 packages with all their files is some 50 MB
# The service ends a solve itself and says so; this catches a connection that is dead.
PATIENCE = 120.0  # seconds without a byte: the default budget, the queue before it, and some more


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirected POST would arrive as a GET, and its token at another host."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Follow none: the answer is shown as it is."""


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")  # RFC 6761 §6.3


def _open(request: urllib.request.Request, timeout: float) -> tuple[int, bytes]:
    """Send ``request`` and return status and body of the answer, whatever the status."""
    host = urlsplit(request.full_url).hostname or ""
    handlers: list[urllib.request.BaseHandler] = [_NoRedirects()]
    if _is_loopback(host):
        handlers.append(urllib.request.ProxyHandler({}))  # a proxy would look for the service on its own machine
    shown = f"{request.type}://{request.host}"
    try:
        with urllib.request.build_opener(*handlers).open(request, timeout=timeout) as response:
            return int(response.status), _body(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, _body(error)
    except (OSError, http.client.HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        if isinstance(reason, ssl.SSLCertVerificationError):
            text = f"error: the certificate of {shown} is not trusted: {reason.verify_message}"
            raise CommandError(f"{text}; name its CA in SSL_CERT_FILE", USAGE) from None
        why = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
        hint = "; is it running? (lockwright serve)" if isinstance(reason, ConnectionRefusedError) else ""
        raise CommandError(f"error: no answer from the service at {shown}: {why}{hint}", UNAVAILABLE) from None


def _body(response: Any) -> bytes:
    body = response.read(MAX_ANSWER + 1)
    assert isinstance(body, bytes)
    if len(body) > MAX_ANSWER:
        raise CommandError(f"error: the answer is larger than {MAX_ANSWER // 1024**2} MiB", UNAVAILABLE)
    return body


def check(server: str) -> str:
    """Return ``server`` if it is a URL that may be shown.

    Raises:
        CommandError: it is none, or holds a password.
    """
    parts = urlsplit(server)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise CommandError("error: --server is a URL such as http://127.0.0.1:8080", USAGE)
    if parts.username is not None or parts.query or parts.fragment:
        raise CommandError("error: --server is a plain URL; a token belongs in LOCKWRIGHT_TOKEN", USAGE)
    return server.rstrip("/")


def _request(server: str, path: str, data: bytes | None = None) -> urllib.request.Request:
    headers = {"Accept": "application/json", "User-Agent": "lockwright"}
    if data is not None:
        headers["Content-Type"] = "application/json"
    token = os.environ.get("LOCKWRIGHT_TOKEN")
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return urllib.request.Request(check(server) + path, data=data, headers=headers)  # noqa: S310 - http(s) only


# What an answer has, by which a service is told from anything else that speaks JSON.
_EXPECTED = {"lock": "packages", "check": "modes", "explain": "chains"}


def ask(server: str, question: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """POST ``body`` to ``/v1/{question}`` and return the answer.

    Raises:
        Declined: it answered with a problem.
        CommandError: it did not answer, or not as Lockwright does.
    """
    return _ask(_request(server, f"/v1/{question}", json.dumps(body).encode()), server, _EXPECTED[question])


def _ask(request: urllib.request.Request, server: str, expected: str) -> dict[str, Any]:
    """Send ``request`` and return the JSON object that answers it, which has the list or table ``expected``."""
    status, content = _open(request, PATIENCE)
    try:
        answer = json.loads(content)
    except ValueError:
        answer = None
    if isinstance(answer, dict):
        if status == 200 and isinstance(answer.get(expected), list | dict):
            return answer
        if status >= 400 and str(answer.get("type", "")).startswith("/problems/"):
            raise Declined(answer)
    code = UNAVAILABLE if status >= 500 else USAGE
    raise CommandError(f"error: {server} answered {status}, and not as a lockwright service does; check --server", code)


def indexes(server: str) -> list[str]:
    """Return the names of the service's indexes.

    Raises:
        Declined, CommandError: as :func:`ask`.
    """
    return [str(one["name"]) for one in _ask(_request(server, "/v1/indexes"), server, "indexes")["indexes"]]


def doctor(server: str, name: str, project: str | None) -> dict[str, Any]:
    """Have the service examine one of its indexes.

    Raises:
        Declined, CommandError: as :func:`ask`.
    """
    body = b"{}" if project is None else json.dumps({"project": project}).encode()
    return _ask(_request(server, f"/v1/indexes/{quote(name, safe='')}/doctor", body), server, "steps")


def health(server: str, timeout: float) -> None:
    """Ask whether the service lives.

    Raises:
        CommandError: it does not say so.
    """
    status, _ = _open(_request(server, "/healthz"), timeout)
    if status != 200:
        raise CommandError(f"error: {server} answered {status}", UNAVAILABLE)
