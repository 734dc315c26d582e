"""Second looks: why a handshake failed, found out with one more handshake that carries no request.

A look goes the way of the failed connection (the same addresses are allowed, the same proxy is used), at most once in
a while for the same thing: forty packages of one broken index, with retries, are one look.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import OrderedDict
from dataclasses import replace
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path

from transport import diagnosis, rejection
from transport.diagnosis import Circumstances, Diagnosis
from transport.errors import ConnectFailed, TlsFailure, TransportError
from transport.hop import Hop, Reach
from transport.probe import Finding, probe
from transport.proxy import read_proxy
from transport.tls import Contexts, Identity, Unusable
from transport.tls.certificate import from_pem

from . import faults
from .ways import directly, through

LOOK_FOR = 5.0  # seconds: the text of an error is not worth a longer wait
LOOK_AGAIN = 20.0  # seconds; covers the retries of one fetch
MAX_LOOKS = 256
MAX_KNOWN = 1024 * 1024  # of a file that is searched for the missing certificate

# How nginx words its statuses 495 and 496, which it sends as 400: after a handshake that it let pass.
_NGINX = {b"No required SSL certificate was sent": 496, b"The SSL certificate error": 495}
_REFUSALS = frozenset({495, 496})


class Look(Enum):
    """What a second look is for."""

    CHAIN = "chain"
    """The server's certificates, whatever they are worth: nothing is verified and nothing of ours is shown."""
    MANNERS = "manners"
    """What the server does with who we are: as in the failed attempt, on an own context."""


class Handshakes:
    """Explains the failures of TLS connections."""

    def __init__(self, contexts: Contexts, *, connect: float) -> None:
        """``connect`` bounds a look, in seconds."""
        self._contexts = contexts
        self._patience = min(connect, LOOK_FOR)
        self._looks: OrderedDict[tuple[object, ...], tuple[float, asyncio.Task[Finding | None]]] = OrderedDict()

    async def close(self) -> None:
        """End what is under way."""
        tasks = [task for _, task in self._looks.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def explain(
        self, hop: Hop, reach: Reach, shown: Identity | None, error: Exception, *, is_reused: bool
    ) -> TransportError | None:
        """Return the failure that ``error`` is; None: it has nothing to do with TLS."""
        if hop.origin.scheme != "https":
            return None
        found: Diagnosis | None = None
        cause = faults.tls_cause(error)
        if isinstance(cause, ssl.SSLCertVerificationError):
            finding = await self._look(hop, reach, Look.CHAIN)
            at = await asyncio.to_thread(_circumstances, hop, shown, search=True)
            found = diagnosis.of_certificate(cause, finding, at)
        elif cause is not None:
            finding = await self._look(hop, reach, Look.MANNERS) if rejection.may_be_refusal(cause) else None
            found = rejection.of_handshake(cause, finding, _circumstances(hop, shown))
        elif faults.is_drop(error, is_reused=is_reused):
            finding = await self._look(hop, reach, Look.MANNERS)
            found = rejection.of_drop(finding, _circumstances(hop, shown)) if finding is not None else None
        return _failure(hop, found) if found is not None else None

    async def refusal(
        self, hop: Hop, reach: Reach, shown: Identity | None, status: int, body: bytes
    ) -> TransportError | None:
        """Return the failure that an answer is which speaks of our certificate; None: it does not."""
        if hop.origin.scheme != "https":
            return None
        if status == 400:
            status = next((code for words, code in _NGINX.items() if words in body), status)
        if status not in _REFUSALS:
            return None
        finding = await self._look(hop, reach, Look.MANNERS)
        # A 495 without a certificate of ours, or a 496 with one, would be a server's riddle: our side is what we know.
        return _failure(hop, rejection.of_refusal("", finding, _circumstances(hop, shown), status=status))

    async def _look(self, hop: Hop, reach: Reach, look: Look) -> Finding | None:
        index = hop.request.index
        proxy = read_proxy(index.proxy) if index.proxy is not None else None
        if proxy is not None and proxy.is_tls:
            return None  # its own handshake may be what failed; ours inside of it cannot be told apart
        loop = asyncio.get_running_loop()
        key = (hop.origin, hop.partition, hop.own, reach, look)
        known = self._looks.get(key)
        if known is None or known[0] < loop.time():
            task = asyncio.create_task(self._probe(hop, reach, look))
            known = self._looks[key] = (loop.time() + LOOK_AGAIN, task)
            self._looks.move_to_end(key)
            while len(self._looks) > MAX_LOOKS and next(iter(self._looks.values()))[1].done():
                self._looks.popitem(last=False)
        return await asyncio.shield(known[1])

    async def _probe(self, hop: Hop, reach: Reach, look: Look) -> Finding | None:
        index = hop.request.index
        if look is Look.CHAIN:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        else:
            try:
                context = (await self._contexts.twin(index, own=hop.own)).context
            except Unusable:
                return None
        way = directly(hop.origin, reach) if index.proxy is None else through(read_proxy(index.proxy), hop.origin)
        return await probe(way, context, hop.origin.host.strip("[]"), patience=self._patience)


def _failure(hop: Hop, found: Diagnosis) -> TransportError:
    facts: dict[str, object] = {**found.facts, "remedy": found.remedy}
    return hop.failure(ConnectFailed if found.may_pass else TlsFailure, found.text, found.kind, facts=facts)


def _circumstances(hop: Hop, shown: Identity | None, *, search: bool = False) -> Circumstances:
    """Return what we know; with ``search`` the certificates in our own files, too, which takes reading."""
    index = hop.request.index
    here = Circumstances(
        host=hop.origin.host.strip("[]"),
        port=hop.origin.port,
        now=datetime.now(UTC),
        own=hop.own,
        shown=shown,
        has_ca=index.ca is not None,
    )
    if not search:
        return here
    known = shown.chain if shown is not None else ()
    if index.ca is not None:
        try:
            with Path(index.ca).open("rb") as file:
                known += from_pem(file.read(MAX_KNOWN))
        except OSError:
            pass  # it was read when the context was made; what it says about a missing certificate is a bonus
    return replace(here, known=known)
