"""One request to one origin: what the layers below ``auth`` pass on.

A :class:`Request` says what is wanted and on whose behalf; a hop adds what was derived for exactly this URL.
Every redirect makes a new one, so nothing crosses an origin by inheritance.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol, TypeVar

from .errors import TransportError
from .message import Request, Response
from .origin import Origin
from .partial import Partial
from .redaction import redact

E = TypeVar("E", bound=TransportError)


class Reach(Enum):
    """Which addresses a connection may go to."""

    ANY = "any"
    """What the operator named: their own host, wherever it is."""
    PRIVATE = "private"
    """Public, private and loopback addresses, but never link-local ones, where clouds keep their secrets."""
    AS_HOME = "as-home"
    """What a page or redirect of a configured index names: as `PRIVATE` if the index itself lives on a private
    address, else as `PUBLIC`; a public index has no business in our network."""
    PUBLIC = "public"
    """Globally routable addresses only."""


class Tally:
    """How many requests left the machine on behalf of one fetch; the pool counts, the outermost layer reads."""

    __slots__ = ("sent",)

    def __init__(self) -> None:
        self.sent = 0


@dataclass(frozen=True, slots=True)
class Hop:
    """One request to one origin, complete."""

    request: Request
    url: str
    origin: Origin
    headers: tuple[tuple[str, str], ...]
    """What caches may see and vary on, lower-case names."""
    secrets: tuple[tuple[str, str], ...] = field(repr=False)
    """Authentication headers."""
    partition: str
    reach: Reach
    own: bool = True
    """Whether the origin is the index's own: only there its client identity is shown."""
    identity: str = ""
    """Who we are to the index, as :meth:`transport.tls.Contexts.identify` says; part of the partition."""
    tally: Tally = field(default_factory=Tally, compare=False, repr=False)
    insist: bool = True
    """Whether a failure is worth another attempt; False where a stale copy can answer instead."""
    patience: float | None = None
    """Seconds without progress after which this hop fails; None: as the settings say."""
    partial: Partial | None = field(default=None, compare=False, repr=False)
    """Of a file, what the attempts so far have brought; None: each attempt begins anew."""

    def header(self, name: str) -> str | None:
        """Return the value of the request header ``name``."""
        for key, value in self.headers:
            if key == name:
                return value
        return None

    def failure(
        self,
        error: type[E],
        text: str,
        kind: str,
        *,
        status: int | None = None,
        retry_after: float | None = None,
        facts: dict[str, object] | None = None,
    ) -> E:
        """Make an ``error`` that names this hop; ``text`` is what happened, without the place."""
        url = redact(self.url)
        return error(
            f"index {self.request.index.name}: {text} ({url})",
            index=self.request.index.name,
            url=url,
            kind=kind,
            status=status,
            retry_after=retry_after,
            facts=facts,
        )


class Sender(Protocol):
    """A layer below ``auth``."""

    async def fetch(self, hop: Hop) -> Response:
        """Answer ``hop`` with the response to exactly this URL; any status is an answer."""
        ...
