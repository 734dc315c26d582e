"""The last gate for URLs: none that carries a credential is ever written into a lock.

URLs lose their userinfo where they enter the program; this is the check that they did, and it refuses rather
than repairs: a URL that still has userinfo here came past a border that should have seen it.
"""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import urlsplit

from .errors import LockError


@lru_cache(maxsize=65_536)  # some 10 MB; the URLs of a few hundred locks
def plain(url: str) -> str:
    """Return ``url`` as it is.

    Raises:
        LockError: it has userinfo, or characters that no URL has (spaces, line ends). The text omits the URL.
    """
    if any(char <= " " or char == "\x7f" for char in url):
        raise LockError("a URL with spaces or control characters cannot be locked; percent-encode them")
    if "@" not in url:
        return url
    try:
        authority = urlsplit(url).netloc
    except ValueError:
        raise LockError("a URL that cannot be read cannot be locked") from None
    if "@" in authority:
        host = authority.rpartition("@")[2]
        raise LockError(f"a URL at {host} has a user name or password in it; configure the credential for the index")
    return url


def redacted(url: str) -> str:
    """Return ``url`` without its userinfo, for texts that repeat what the caller wrote."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url
    authority, slash, path = rest.partition("/")
    return f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}"
