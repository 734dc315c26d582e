"""URLs, taken apart and put together without changing a byte that a server could have meant.

An :class:`Origin` is scheme, host and port in normal form: the unit to which credentials, identities, pauses
and address rules belong. Equality of origins decides who sees a secret, so it is decided here and nowhere else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

DEFAULT_PORTS = {"http": 80, "https": 443}

# RFC 3986 appendix B, with the authority split further; nothing is decoded.
_URI = re.compile(
    r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]*):)?"
    r"(?://(?P<authority>[^/?#]*))?"
    r"(?P<path>[^?#]*)"
    r"(?:\?(?P<query>[^#]*))?"
    r"(?:#(?P<fragment>.*))?",
    re.DOTALL,
)
_HOST_PORT = re.compile(r"(?P<host>\[[0-9A-Fa-f:.%A-Za-z]*\]|[^:\[\]]*)(?::(?P<port>[0-9]{0,5}))?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_UNSAFE = re.compile(r"[^\x21-\x7e]|[\"<>\\^`{|}]")


@dataclass(frozen=True, slots=True)
class Origin:
    """RFC 6454 origin: ``https://H.:443`` and ``https://h`` are one."""

    scheme: str
    host: str
    """Lower case, IDNA-encoded, without a trailing dot; IPv6 literals in brackets."""
    port: int

    def __str__(self) -> str:
        suffix = "" if DEFAULT_PORTS.get(self.scheme) == self.port else f":{self.port}"
        return f"{self.scheme}://{self.host}{suffix}"


@dataclass(frozen=True, slots=True)
class Parts:
    """One http(s) URL: where it goes, what to say there, and the userinfo that stood in it (still encoded)."""

    origin: Origin
    url: str
    """Without userinfo and fragment; ASCII."""
    userinfo: str | None


def _escape(match: re.Match[str]) -> str:
    # A header holds bytes; those beyond ASCII arrive as surrogates and leave as the same bytes, percent-encoded.
    return "".join(f"%{byte:02X}" for byte in match.group().encode("utf-8", "surrogateescape"))


def _host(raw: str) -> str:
    host = raw.removesuffix(".").lower()
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii").lower()
        except UnicodeError:
            raise ValueError("the host is not a valid name") from None
    if not host or _UNSAFE.search(host) or "%" in host:
        raise ValueError("the host is missing or not a valid name")
    return host


@lru_cache(maxsize=4096)  # some 600 bytes each
def parse(url: str) -> Parts:
    """Take an absolute http(s) URL apart.

    Characters that must not stand in a request line (blanks, quotes, bytes beyond ASCII) are percent-encoded;
    everything else is kept as it is: ``//`` in paths, ``%2B``, signatures.

    Raises:
        ValueError: another scheme, no host, a bad port, control characters. The text holds no part of the URL.
    """
    if _CONTROL.search(url):
        raise ValueError("the URL holds control characters")
    match = _URI.fullmatch(url)
    if match is None:
        raise ValueError("the URL cannot be read")
    scheme = (match["scheme"] or "").lower()
    if scheme not in DEFAULT_PORTS:
        raise ValueError("the scheme is not http or https")
    userinfo, at, rest = (match["authority"] or "").rpartition("@")
    place = _HOST_PORT.fullmatch(rest)
    if place is None or "\\" in rest:
        raise ValueError("the host or the port cannot be read")
    host = _host(place["host"])
    port = int(place["port"]) if place["port"] else DEFAULT_PORTS[scheme]
    if not 0 < port < 65536:
        raise ValueError("the port is out of range")
    origin = Origin(scheme, host, port)
    path = _UNSAFE.sub(_escape, match["path"] or "/")
    query = "" if match["query"] is None else "?" + _UNSAFE.sub(_escape, match["query"])
    return Parts(origin, f"{origin}{path}{query}", userinfo if at else None)


def resolve(base: str, reference: str) -> str:
    """Return ``reference`` (a ``Location``) as seen from ``base``: RFC 3986 §5.2, without the fragment.

    ``urllib.parse.urljoin`` collapses empty segments, which changes signed paths.
    """
    ref, of = _URI.fullmatch(reference), _URI.fullmatch(base)
    if ref is None or of is None:
        raise ValueError("the reference cannot be read")
    query = ref["query"]
    if ref["scheme"]:
        return reference.partition("#")[0]
    authority, path = ref["authority"], ref["path"]
    if authority is None:
        authority = of["authority"]
        if not path:
            path = of["path"]
            query = of["query"] if query is None else query
        elif not path.startswith("/"):
            path = _without_dots((of["path"] or "/").rpartition("/")[0] + "/" + path)
        else:
            path = _without_dots(path)
    return f"{of['scheme']}://{authority}{path}" + ("" if query is None else f"?{query}")


def _without_dots(path: str) -> str:
    """RFC 3986 §5.2.4; empty segments are segments."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            if kept:
                kept.pop()
        elif segment != ".":
            kept.append(segment)
    if segments and segments[-1] in {".", ".."}:
        kept.append("")
    return "/" + "/".join(kept)
