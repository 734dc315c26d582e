"""Why there is no answer, split by who is at fault.

    TransportError
    ├── Refused            us: policy, configuration, a limit of ours
    │   ├── AddressDenied      the connected address (or scheme) is not allowed: SSRF guard
    │   ├── RedirectRefused    too many, a loop, a downgrade, a bad Location
    │   ├── CredentialMissing  ``authenticate = "always"`` and nothing complete to send
    │   └── IdentityInvalid    a client certificate, key or CA bundle of ours is unusable
    ├── RemoteError        them: they answered, and the answer cannot be used
    │   ├── Unauthorized       401, 403 or 407
    │   ├── BadStatus          a status that is neither an answer nor worth (more) retries
    │   ├── TooLarge           body, headers or decoded bytes exceed the cap
    │   ├── BadResponse        framing, content coding, or a body shorter than promised
    │   └── TlsFailure         certificate or handshake: never retried
    └── Unreachable        the road: a retry makes sense
        ├── ConnectFailed      DNS, refused, reset, proxy
        ├── Timeout            connect, first byte, idle, too slow, deadline
        └── Paused             429 or 503 with a Retry-After beyond our patience, or an open circuit

Any other exception that leaves the transport is a bug. Texts are written here once, from redacted facts.
"""

from __future__ import annotations

from collections.abc import Mapping


class TransportError(Exception):
    """A fetch failed. The text names the index and the redacted URL, and what to change where we know it."""

    retryable = False

    def __init__(
        self,
        text: str,
        *,
        index: str,
        url: str,
        kind: str = "",
        attempts: int = 1,
        status: int | None = None,
        retry_after: float | None = None,
        facts: Mapping[str, object] | None = None,
    ) -> None:
        """``url`` must be redacted by the caller; ``kind`` is a stable slug; ``retry_after`` is in seconds."""
        super().__init__(text)
        self.text = text
        self.index = index
        self.url = url
        self.kind = kind
        self.attempts = attempts
        self.status = status
        self.retry_after = retry_after
        self.facts: Mapping[str, object] = facts or {}


class Refused(TransportError):
    """Ours: nothing was sent, or nothing more."""


class AddressDenied(Refused):
    """The scheme, the port or the connected address is not allowed."""


class RedirectRefused(Refused):
    """A redirect that is not followed; ``facts["chain"]`` holds the redacted URLs."""


class CredentialMissing(Refused):
    """The index demands credentials and none is complete."""


class IdentityInvalid(Refused):
    """A certificate, key, passphrase or CA bundle of the configuration cannot be used."""


class RemoteError(TransportError):
    """Theirs: they answered."""


class Unauthorized(RemoteError):
    """401, 403 or 407 with what we sent."""


class BadStatus(RemoteError):
    """A 5xx (or 4xx that is not an answer) that stayed after the retries."""

    retryable = True


class TooLarge(RemoteError):
    """A limit of ours on sizes was exceeded; the connection was dropped."""


class BadResponse(RemoteError):
    """The bytes do not make an HTTP answer, or stop early."""

    retryable = True


class TlsFailure(RemoteError):
    """The handshake or a certificate failed; ``kind`` says how."""


class Unreachable(TransportError):
    """The road."""

    retryable = True


class ConnectFailed(Unreachable):
    """No connection, or it was lost."""


class Timeout(Unreachable):
    """Too slow."""


class Paused(Unreachable):
    """The origin asked for a pause (or failed too often); ``retry_after`` says how long."""
