"""From a request to a hop: whose credential, which partition, which addresses. Derived anew for every URL.

The rule: a link's provenance is its index. The index's credential goes to the index's own origin and to the
origins in ``credential_hosts``, on every request, at the first try; nowhere else. A credential that a redirect
carries in its ``Location`` belongs to that hop's origin and that index, for a few minutes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

from .clock import Clock
from .credentials import Source, authorization, from_userinfo
from .errors import CredentialMissing
from .hop import Hop, Reach, Tally
from .keyring import RENEWED_AFTER, Keyring
from .message import Authenticate, Credential, Index, Kind, Request
from .origin import DEFAULT_PORTS, Origin, parse
from .partition import Partitions
from .redaction import KnownSecrets, redact

LEARNED_FOR = 300.0  # tokens in a Location live some minutes to hours; the next page brings a new one
MAX_DERIVED = 1024  # indexes named by requests come and go
MAX_LEARNED = 64
LOOPBACK = "loopback"
REFUSALS = frozenset({401, 403})
DENIALS = frozenset({401, 403, 404})  # how indexes turn strangers away; some would rather not say that a name exists
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
    user: str | None = None
    """Whose password is missing."""
    is_complete: bool = True
    """Whether the settings, the URL or netrc had all that it takes; else the keyring is worth asking."""
    is_late: bool = False
    """Whether the credential is the keyring's."""
    identity: str = ""
    """Who we are by our client certificate, now; the partition says it, too."""
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
        keyring: Keyring | None = None,
        identify: Callable[[Index], Awaitable[str]] | None = None,
        encodings: str,
        private_addresses: Literal["configured", "allow", "deny"],
        allowed_urls: tuple[str, ...],
    ) -> None:
        self._partitions = partitions
        self._known = known
        self._clock = clock
        self._netrc = netrc
        self._keyring = keyring
        self._identify = identify
        self._encodings = encodings
        self._private = private_addresses
        self._allow_loopback = LOOPBACK in allowed_urls
        self._prefixes = tuple(parse(prefix).url.rstrip("/") for prefix in allowed_urls if prefix != LOOPBACK)
        self._derived: dict[int, _Derived] = {}

    async def prepare(self, index: Index) -> None:
        """Learn what takes time and the first try needs: who we are by the client certificate, and from the keyring.

        The keyring is asked for a user's password, and with ``always`` for any.
        """
        derived = self._of(index)
        if index.client_cert is not None and self._identify is not None:
            identity = await self._identify(index)
            if identity != derived.identity:
                derived.identity = identity
                derived.partition = self._partitions.of(derived.index, derived.credential, identity)
        if self._keyring is None or derived.is_complete:
            return
        if derived.user is None and not derived.is_late and index.authenticate is not Authenticate.ALWAYS:
            return  # nobody said that there is anything to know; :meth:`reconsider` asks when the index objects
        self._adopt(derived, await self._keyring.find(index.url, derived.user))

    async def partition(self, index: Index) -> str:
        """Return the partition of a request to ``index`` that is made now, before any redirect."""
        await self.prepare(index)
        return self._of(index).partition

    async def reconsider(self, hop: Hop, status: int) -> bool:
        """Whether ``hop``, answered with ``status``, deserves a second try with a credential that it did not have."""
        if self._keyring is None or not hop.own or status not in DENIALS:
            return False
        index = hop.request.index
        derived = self._of(index)
        if derived.is_complete or (hop.secrets and (not derived.is_late or status not in REFUSALS)):
            return False
        if hop.secrets == derived.secrets:
            max_age = {"max_age": RENEWED_AFTER} if derived.is_late else {}
            self._adopt(derived, await self._keyring.find(index.url, derived.user, **max_age))
        return hop.secrets != derived.secrets  # perhaps somebody else's question was answered meanwhile

    def _adopt(self, derived: _Derived, found: Credential | None) -> None:
        if found is None or found == derived.credential:
            return
        derived.credential, derived.secrets = found, (authorization(found),)
        derived.partition = self._partitions.of(derived.index, found, derived.identity)
        derived.is_late = True
        self._known.add(found.secret.reveal(), derived.secrets[0][1].partition(" ")[2])

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
        partition, identity = derived.partition, derived.identity
        if own or parts.origin in derived.hosts:
            credential, secrets = derived.credential, derived.secrets
        if previous is not None:
            partition, identity = previous.partition, previous.identity
        if derived.index.authenticate is not Authenticate.NEVER:
            foreign = self._foreign(derived, parts.origin, parts.userinfo if previous is not None else None)
            if foreign is not None and (credential is None or parts.userinfo is not None):
                credential, secrets = foreign, (authorization(foreign),)
                partition = self._partitions.of(derived.index, foreign, identity)
        if own and derived.index.authenticate is Authenticate.ALWAYS and not _is_complete(credential):
            also = "netrc and the keyring" if self._keyring is not None else "netrc (network.keyring is off)"
            lacks = "no credential is configured" if credential is None else "the user has no password"
            raise CredentialMissing(
                f"index {request.index.name}: authenticate is 'always' and {lacks}; "
                f"searched the URL, the settings and the environment variables of the index, {also}",
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
            identity=identity,
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
        if not index.configured or _is_complete(given):
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
            user=credential.name if credential is not None else None,
            is_complete=not index.configured or index.authenticate is Authenticate.NEVER or _is_complete(credential),
        )
        while len(self._derived) >= MAX_DERIVED:
            del self._derived[next(iter(self._derived))]
        self._derived[id(index)] = derived
        return derived


def _is_complete(credential: Credential | None) -> bool:
    """Whether something can be proved with it: a user without a password only has a name."""
    return credential is not None and (credential.scheme != "basic" or bool(credential.secret.reveal()))


def _credential_host(host: str, own: Origin) -> Origin:
    """Read ``host``, ``host:port`` or ``scheme://host:port``; what is not said is as at the index, port excepted."""
    if "://" not in host:
        host = f"{own.scheme}://{host}"
    origin = parse(host).origin
    if origin.scheme not in DEFAULT_PORTS:
        raise ValueError("a credential host is not http or https")
    return origin
