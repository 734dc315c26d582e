"""What the environment says about the road to every index: trust, client certificate, proxy, netrc.

These variables are the operator's, so they apply to configured indexes only, never to one that a request names; and
whatever the index's own table says is stronger. ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` are the transport's: they
replace what "the system's roots" means.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

_TRUST = ("PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_IDENTITY = ("SSL_CLIENT_CERT", "PIP_CLIENT_CERT")


def _first(environ: Mapping[str, str], names: Iterable[str]) -> tuple[str, str] | None:
    return next(((environ[name], name) for name in names if environ.get(name)), None)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_exempt(host: str, port: int | None, no_proxy: str) -> bool:
    """Whether ``NO_PROXY`` names the host: itself or a parent domain, perhaps with a port; a network; or ``*``."""
    for entry in no_proxy.replace(",", " ").lower().split():
        has_port = entry.count(":") == 1 or "]:" in entry  # an IPv6 address needs brackets before a port
        name, _, only_port = entry.rpartition(":") if has_port else (entry, "", "")
        name = name.removeprefix("[").removesuffix("]")
        if only_port and only_port != str(port):
            continue
        name = name.lstrip("*").lstrip(".")
        if not name or host == name or host.endswith(f".{name}"):
            return True
        try:
            if ipaddress.ip_address(host) in ipaddress.ip_network(name, strict=False):
                return True
        except ValueError:
            continue
    return False


def _proxy(environ: Mapping[str, str], url: str) -> tuple[str, str] | None:
    """Return the proxy for ``url`` and its variable. Loopback is never proxied: the proxy's own is another."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    no_proxy = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    try:
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme.lower())
    except ValueError:  # said when the index itself is checked
        return None
    if not host or _is_loopback(host) or _is_exempt(host, port, no_proxy):
        return None
    # HTTP_PROXY in upper case is not read where a web server could have set it from a client's Proxy header.
    scheme = parts.scheme.lower()
    names = [f"{scheme}_proxy", f"{scheme.upper()}_PROXY", "all_proxy", "ALL_PROXY"]
    if environ.get("REQUEST_METHOD") and "HTTP_PROXY" in names:
        names.remove("HTTP_PROXY")
    return _first(environ, names)


def apply(tables: Iterable[dict[str, Any]], environ: Mapping[str, str], origins: dict[str, str]) -> None:
    """Complete the index tables, and note the origins of what was added."""
    has_roots = environ.get("SSL_CERT_FILE") or environ.get("SSL_CERT_DIR")
    for table in tables:
        url = str(table.get("url", ""))
        found = {"proxy": _proxy(environ, url)}
        if url.lower().startswith("https:"):
            found["ca"] = None if has_roots or "system_trust" in table else _first(environ, _TRUST)
            found["client_cert"] = _first(environ, _IDENTITY)
        for key, value in found.items():
            if value is not None and key not in table:
                table[key], origins[f"index.{table.get('name')}.{key}"] = value
