"""Where credentials come from, and how each is said in a header."""

from __future__ import annotations

import base64
import re
from typing import Any, Protocol
from urllib.parse import unquote

from .message import Authenticate, Credential, Index
from .origin import Origin, parse
from .secret import Secret

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 §5.6.2
_AMBIGUOUS = re.compile(r":[^@?#]*@")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Source(Protocol):
    """A place that knows credentials by host: netrc today."""

    def find(self, origin: Origin, *, user: str | None = None, is_home: bool = False) -> Credential | None:
        """Return the credential for ``origin``; of ``user``, if one is asked for."""
        ...


def index_from_url(name: str, url: str, **fields: Any) -> Index:
    """Make the index ``name`` from a URL as users write it: ``https://user:password@host/simple``.

    Userinfo (percent-encoded; ``user``, ``user:password`` and ``:token`` alike) becomes the credential, unless
    ``fields`` gives one. The URL loses userinfo and fragment and gains a trailing slash.

    Raises:
        ValueError: a URL that cannot be used; the text names the index and no part of the userinfo.
    """
    try:
        parts = parse(url)
        credential = from_userinfo(parts.userinfo) if parts.userinfo is not None else None
    except ValueError as error:
        raise ValueError(f"index {name}: {error}") from None
    head, mark, query = parts.url.partition("?")
    if parts.userinfo is None and _AMBIGUOUS.search(head.partition("://")[2].partition("/")[2]):
        # ``https://user/x:pw@host/``: a slash in the password makes the user the host, and the password a path.
        raise ValueError(f"index {name}: a '/', '?' or '#' in the user name or password must be percent-encoded")
    given = fields.pop("credential", None) or credential
    authenticate = Authenticate(fields.pop("authenticate", Authenticate.AUTO))
    if authenticate is Authenticate.NEVER and given is not None:
        raise ValueError(f"index {name}: has a credential although authenticate is 'never'; remove one of the two")
    return Index(
        name=name,
        url=head.rstrip("/") + "/" + mark + query,
        credential=given,
        authenticate=authenticate,
        **fields,
    )


def from_userinfo(userinfo: str) -> Credential | None:
    """Decode the userinfo of a URL (RFC 3986 §3.2.1) into a basic credential; None where it is empty.

    Raises:
        ValueError: it is not UTF-8, or holds control characters; the text does not quote it.
    """
    user, _, password = userinfo.partition(":")
    if not user and not password:
        return None
    return basic(_decode(user), _decode(password))


def _decode(text: str) -> str:
    try:
        return unquote(text, encoding="utf-8", errors="strict")
    except UnicodeError:
        raise ValueError("the user name or password in the URL is not percent-encoded UTF-8") from None


def basic(user: str, password: str) -> Credential:
    """Make a user and password (RFC 7617); either may be empty, the user may hold no colon."""
    if ":" in user or _CONTROL.search(user + password):
        raise ValueError("a user name holds a colon, or a user name or password holds control characters")
    return Credential("basic", user, Secret(password))


def bearer(token: str) -> Credential:
    """Make a bearer token (RFC 6750)."""
    if not token or not token.isascii() or _CONTROL.search(token) or " " in token:
        raise ValueError("a bearer token is empty, or holds blanks or characters beyond ASCII")
    return Credential("bearer", "", Secret(token))


def header(name: str, value: str) -> Credential:
    """Make a header of the index's own, such as ``X-JFrog-Art-Api``."""
    if not _TOKEN.fullmatch(name) or not value or _CONTROL.search(value):
        raise ValueError("a credential header has no valid name or value")
    if name.lower() in {"host", "content-length", "transfer-encoding", "connection", "range", "accept-encoding"}:
        raise ValueError(f"the header {name} cannot carry a credential")
    return Credential("header", name, Secret(value))


def authorization(credential: Credential) -> tuple[str, str]:
    """Return the header, name in lower case, that proves ``credential``."""
    value = credential.secret.reveal()
    if credential.scheme == "basic":
        return "authorization", "Basic " + base64.b64encode(f"{credential.name}:{value}".encode()).decode("ascii")
    if credential.scheme == "bearer":
        return "authorization", f"Bearer {value}"
    if credential.scheme == "header":
        return credential.name.lower(), value
    raise ValueError(f"unknown credential scheme {credential.scheme!r}")
