"""Header fields of a response: which are kept (RFC 9111 §3.1), and what a 304 changes in them (§3.2)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

Headers = Mapping[str, str]

# RFC 9110 §7.6.1 and RFC 9111 §3.1: they speak of one connection, or to one proxy.
_HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authentication-info", "proxy-authorization",
     "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
)  # fmt: skip

# They describe bytes that we have, maybe in another form (decoded), and that a 304 does not send again.
_OF_THE_BODY = frozenset({"content-digest", "content-encoding", "content-length", "content-md5", "content-range"})


def kept(headers: Headers, unshared: str = "") -> dict[str, str]:
    """Return the fields that may be stored.

    Args:
        headers: of the response, lower-case names.
        unshared: names, with commas between them, of further fields that must not be served from a store: the list
            of a qualified ``no-cache`` (RFC 9111 §5.2.2.4).
    """
    dropped = _dropped(headers.get("connection", ""), unshared)
    return {name: value for name, value in headers.items() if name not in dropped}


@lru_cache(maxsize=256)
def _dropped(connection: str, unshared: str) -> frozenset[str]:
    """RFC 9110 §7.6.1: what Connection names is for the connection, too."""
    return _HOP_BY_HOP.union(name.strip() for name in f"{connection},{unshared}".lower().split(","))


def merged(stored: Headers, answer: Headers) -> dict[str, str]:
    """Return the stored fields after a 304; what it does not name stays.

    A 304 may add to the type of the body (a charset), and not change it: frameworks put their default type on every
    empty answer, and a page that was JSON a minute ago is not HTML now, byte for byte the same.
    """
    new = {name: value for name, value in kept(answer).items() if name not in _OF_THE_BODY}
    old = dict(stored)
    old.pop("age", None)  # the 304 says how old it is now, or that it is new
    if "content-type" in old and _essence(new.get("content-type", "")) != _essence(old["content-type"]):
        new.pop("content-type", None)
    return old | new


def _essence(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()
