"""The proxy of an index, taken apart as users write it: ``http://user:password@proxy.example:3128``."""

from __future__ import annotations

from dataclasses import dataclass

from .credentials import from_userinfo
from .message import Credential
from .origin import parse
from .secret import Secret


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where to go, and what to say there; ``url`` holds no userinfo."""

    url: str
    credential: Credential | None
    is_tls: bool


def read_proxy(given: Secret) -> Proxy:
    """Read a proxy setting; without a scheme, ``http://`` is meant.

    Raises:
        ValueError: another scheme (SOCKS needs a library that is not there), or no host. The text quotes nothing.
    """
    text = given.reveal()
    parts = parse(text if "://" in text else f"http://{text}")
    credential = from_userinfo(parts.userinfo) if parts.userinfo else None
    return Proxy(f"{parts.origin}", credential, parts.origin.scheme == "https")
