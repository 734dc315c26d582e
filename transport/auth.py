"""From a request to a hop: whose credential, which partition, which addresses. Derived anew for every URL.

The rule: a link's provenance is its index. The index's credential goes to the index's own origin and to the
origins in ``credential_hosts``, on every request, at the first try; nowhere else. A credential that a redirect
carries in its ``Location`` belongs to that hop's origin and that index, for a few minutes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from .clock import Clock
from .credentials import Source, authorization, from_userinfo
from .errors import CredentialMissing
from .hop import Hop, Reach, Tally
from .message import Authenticate, Credential, Index, Kind, Request
from .origin import DEFAULT_PORTS, Origin, parse
from .partition import Partitions
from .redaction import KnownSecrets, redact

LEARNED_FOR = 300.0  # tokens in a Location live some minutes to hours; the next page brings a new one
MAX_DERIVED = 1024  # indexes named by requests come and go
MAX_LEARNED = 64
LOOPBACK = "loopback"
_DOWNGRADE = ("https", "http")  # whatever leads from one to the other takes no secret along


@dataclass(slots=True)
class _Derived:
    """What follows from an index alone."""

    index: Index
    own: Origin
    hosts: frozenset[Origin]
    credential: Credential | None
    secrets: tuple[tuple[str, str], ...]
    partition: str
    allowed: bool
    learned: dict[Origin, tuple[Credential, float]] = field(default_factory=dict)


class Auth:
    """Makes hops."""

    def __init__(
        self,
        partitions: Partitions,
        known: KnownSecrets,
        clock: Clock,
        *,
        netrc: Source,
        encodings: str,
        private_addresses: Literal["configured", "allow", "deny"],
        allowed_urls: tuple[str, ...],
    ) -> None:
        self._partitions = partitions
        self._known = known
        self._clock = clock
        self._netrc = netrc
        self._encodings = encodings
        self._private = private_addresses
        self._allow_loopback = LOOPBACK in allowed_urls
        self._prefixes = tuple(parse(prefix).url.rstrip("/") for prefix in allowed_urls if prefix != LOOPBACK)
        self._derived: dict[int, _Derived] = {}

    def hop(
        self,
        request: Request,
        url: str,
        *,
        tally: Tally,
        previous: Hop | None = None,
    ) -> Hop:
        """Derive the hop to ``url``, for ``request`` itself or after a redirect from ``previous``.

        Raises:
            CredentialMissing: the index demands a credential and none is configured; nothing was sent.
            ValueError: ``url`` cannot be used.
        """
        derived = self._of(request.index)
        parts = parse(url)
        own = parts.origin == derived.own
        credential: Credential | None = None
        secrets: tuple[tuple[str, str], ...] = ()
        partition = derived.partition
        if own or parts.origin in derived.hosts:
            credential, secrets = derived.credential, derived.secrets
        if previous is not None:
            partition = previous.partition
        if derived.index.authenticate is not Authenticate.NEVER:
            foreign = self._foreign(derived, parts.origin, parts.userinfo if previous is not None else None)
            if foreign is not None and (credential is None or parts.userinfo is not None):
                credential, secrets = foreign, (authorization(foreign),)
                partition = self._partitions.of(derived.index, foreign)
        if credential is None and own and derived.index.authenticate is Authenticate.ALWAYS:
            raise CredentialMissing(
                f"index {request.index.name}: authenticate is 'always' and no credential is configured; "
                "searched the URL and the settings of the index, and netrc",
                index=request.index.name,
                url=redact(parts.url),
                kind="credential-missing",
            )
        return Hop(
            request=request,
            url=parts.url,
            origin=parts.origin,
            headers=self._headers(request),
            secrets=secrets,
            partition=partition,
            reach=self._reach(derived, parts.origin, parts.url, own=own),
            own=own,
            tally=tally,
        )

    def _headers(self, request: Request) -> tuple[tuple[str, str], ...]:
        # Byte positions and hashes are those of the file as it is: nothing may recode it on the way.
        plain = request.kind in {Kind.FILE, Kind.RANGE}
        return (*request.headers, ("accept-encoding", "identity" if plain else self._encodings))

    def _foreign(self, derived: _Derived, origin: Origin, userinfo: str | None) -> Credential | None:
        """Return what a Location said for ``origin``, now or lately."""
        credential = from_userinfo(userinfo) if userinfo else None
        now = self._clock.monotonic()
        if credential is not None:
            self._known.add(credential.secret.reveal(), authorization(credential)[1].partition(" ")[2])
            if origin != derived.own:  # at home the index's own credential comes back with the next request
                derived.learned[origin] = (credential, now + LEARNED_FOR)
                while len(derived.learned) > MAX_LEARNED:
                    del derived.learned[next(iter(derived.learned))]
            return credential
        known = derived.learned.get(origin)
        if known is not None and known[1] > now:
            return known[0]
        if origin == derived.own or not derived.index.configured or (derived.own.scheme, origin.scheme) == _DOWNGRADE:
            return None
        return self._netrc.find(origin)

    def _reach(self, derived: _Derived, origin: Origin, url: str, *, own: bool) -> Reach:
        if self._private == "deny":
            return Reach.PUBLIC
        if derived.allowed or derived.index.configured or self._private == "allow":
            if own or origin in derived.hosts:
                return Reach.ANY
            if self._private == "allow":
                return Reach.PRIVATE
            if derived.index.configured and not self._is_allowed(origin, url):
                return Reach.AS_HOME
        return Reach.ANY if self._is_allowed(origin, url) else Reach.PUBLIC

    def _is_allowed(self, origin: Origin, url: str) -> bool:
        if self._allow_loopback and (
            origin.host in {"localhost", "[::1]"} or (origin.host.startswith("127.") and origin.host.count(".") == 3)
        ):
            return True
        # By path segment: a rule for /simple says nothing about /simpleevil.
        return any(url == prefix or url.startswith((prefix + "/", prefix + "?")) for prefix in self._prefixes)

    def _credential(self, index: Index, own: Origin) -> Credential | None:
        """Return what ``index`` gets at home: its own credential, completed or replaced from netrc."""
        if index.authenticate is Authenticate.NEVER:
            return None
        given = index.credential
        if not index.configured or (given is not None and (given.scheme != "basic" or given.secret.reveal())):
            return given
        # A user without a password: netrc may know it, for that user only; else "user:" is a token of its own.
        return self._netrc.find(own, user=given.name if given is not None else None, is_home=True) or given

    def _of(self, index: Index) -> _Derived:
        derived = self._derived.get(id(index))
        if derived is not None and derived.index is index:
            return derived
        own = parse(index.url)
        credential = self._credential(index, own.origin)
        secrets: tuple[tuple[str, str], ...] = ()
        if credential is not None:
            secrets = (authorization(credential),)
            self._known.add(credential.secret.reveal(), secrets[0][1].partition(" ")[2])
        derived = _Derived(
            index=index,
            own=own.origin,
            hosts=frozenset(_credential_host(host, own.origin) for host in index.credential_hosts),
            credential=credential,
            secrets=secrets,
            partition=self._partitions.of(index, credential),
            allowed=self._is_allowed(own.origin, own.url),
        )
        while len(self._derived) >= MAX_DERIVED:
            del self._derived[next(iter(self._derived))]
        self._derived[id(index)] = derived
        return derived


def _credential_host(host: str, own: Origin) -> Origin:
    """Read ``host``, ``host:port`` or ``scheme://host:port``; what is not said is as at the index, port excepted."""
    if "://" not in host:
        host = f"{own.scheme}://{host}"
    origin = parse(host).origin
    if origin.scheme not in DEFAULT_PORTS:
        raise ValueError("a credential host is not http or https")
    return origin
