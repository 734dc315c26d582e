"""The messages that every transport layer passes on: a request, a response, and whose they are.

A request is a URL, the index that the URL came from, and what to do with the body. Credentials, client
identity, trust, proxy and cache partition are derived from ``index`` anew for every hop (they are never
attributes of the request), so that nothing is inherited across an origin.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from .secret import Secret


class Authenticate(StrEnum):
    """When credentials are sent to an index (``authenticate`` in the settings)."""

    ALWAYS = "always"
    AUTO = "auto"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Credential:
    """What to prove ourselves with: ``basic`` (user, password), ``bearer`` (token) or ``header`` (name, value)."""

    scheme: str
    name: str
    secret: Secret


@dataclass(frozen=True, slots=True)
class Index:
    """One configured package index: the provenance of every link that was found on its pages.

    ``url`` ends in a slash and never holds userinfo. Two indexes are the same only where all fields are:
    the cache partition and the pools are derived from them.
    """

    name: str
    url: str
    credential: Credential | None = None
    authenticate: Authenticate = Authenticate.AUTO
    explicit: bool = False
    default: bool = False
    ignore_error_codes: frozenset[int] = frozenset()
    credential_hosts: tuple[str, ...] = ()
    ca: str | None = None
    system_trust: bool = True
    client_cert: str | None = None
    client_key: str | None = None
    client_key_password: Secret | None = None
    verify: bool = True
    allow_downgrade: bool = False
    proxy: Secret | None = None
    cache_control: Mapping[str, str] = field(default_factory=dict, hash=False)
    stale_if_error: float | None = None
    """Seconds for which a stale copy may answer when the index cannot."""
    configured: bool = True
    """False for an index that a request named by URL: the address policy is stricter there."""


class Kind(StrEnum):
    """What a body is, which decides limits, freshness overrides and logging."""

    PAGE = "page"
    METADATA = "metadata"
    FILE = "file"
    RANGE = "range"


class CacheStatus(StrEnum):
    """Where the body came from."""

    HIT = "hit"
    REVALIDATED = "revalidated"
    STALE = "stale"
    MISS = "miss"
    JOINED = "joined"


@dataclass(frozen=True, slots=True)
class Request:
    """One fetch. ``url`` is absolute, has no userinfo and no fragment."""

    url: str
    index: Index
    kind: Kind = Kind.PAGE
    headers: tuple[tuple[str, str], ...] = ()
    """Extra request headers with lower-case names: ``accept``, ``range``."""
    method: str = "GET"
    refresh: bool = False
    """Ask the origin whatever the freshness of a stored response (``Cache-Control: no-cache``)."""
    deadline: float | None = None
    """On the clock of ``asyncio``'s loop (``loop.time()``), seconds; None: the default for ``kind``."""
    max_bytes: int | None = None
    """Cap on decoded body bytes; None: the default for ``kind``."""
    sha256: str | None = None
    """What the index promised for the body, hex: an answer with another digest is returned, but never stored."""
    known: Callable[[Response], bool] | None = field(default=None, compare=False, repr=False)
    """Whether the caller knows by its digest what follows from a stored response, which is shown to it without its
    body: then the body need not be read, and is not given."""


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer. ``body`` is decoded; ``digest`` is the SHA-256 of ``body`` in hex."""

    status: int
    url: str
    """Final URL after redirects, without userinfo: the base of relative links."""
    headers: Mapping[str, str]
    """Lower-case names."""
    body: bytes
    digest: str
    partition: str
    """Who may share what is derived from this body: facts are keyed by (partition, digest)."""
    cache: CacheStatus = CacheStatus.MISS
    requests: int = 1
    """How many requests went to the network for this answer, retries and redirects included."""
    age: float = 0.0
    """Seconds since the origin answered."""
    fresh_until: float = 0.0
    """Until when the same request would get the same answer without asking anybody (RFC 9111 §4.2), in seconds on the
    monotonic clock; 0: it has to be made again. That a page is not there is not stored, and may be taken for granted by
    the caller as long."""
    has_body: bool = True
    """False where ``body`` was left out because a :attr:`Request.known` said so."""
