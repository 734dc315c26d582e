"""What went wrong with a certificate or a handshake, said so that somebody can act on it.

Pure: OpenSSL's verdict and what a probe saw go in, a :class:`Diagnosis` comes out. Its ``kind`` is a stable slug, its
``facts`` are for programs, its text is for whoever has to change something. Texts quote certificates and OpenSSL,
never the peer's own words, and hold no path and no secret.
"""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from .probe import Finding
from .tls.certificate import Certificate, stamp
from .tls.identity import Identity
from .tls.presented import Presented, walk

MAX_LISTED = 20  # names or authorities in an error; more help nobody


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What is wrong, and what to do about it."""

    kind: str
    text: str
    remedy: str
    facts: dict[str, object] = field(default_factory=dict)
    may_pass: bool = False
    """Whether it may be different the next time: certificates are not."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What was known on our side."""

    host: str
    port: int
    now: datetime
    own: bool
    """Whether the origin is the index's own; an identity is shown to no other."""
    shown: Identity | None
    """Who we were there."""
    has_ca: bool
    """Whether the index has roots of its own."""
    known: tuple[Certificate, ...] = ()
    """Certificates in our files that may be the ones missing."""

    def facts(self, **more: object) -> dict[str, object]:
        """Return facts that begin with the place."""
        return {"host": self.host, "port": self.port, **more}


def of_certificate(error: ssl.SSLError, finding: Finding | None, at: Circumstances) -> Diagnosis:
    """Explain a server's certificate that did not pass; ``finding`` is a look at its chain."""
    code = getattr(error, "verify_code", 0)
    said = getattr(error, "verify_message", "") or str(code)
    presented = walk(finding.chain) if finding is not None and finding.chain else None
    found = _VERIFY.get(code, _other)(presented, at)
    facts = at.facts(verify_code=code, verify_message=said, **found.facts)
    if presented is not None:
        facts |= {"certificates_sent": presented.sent, "leaf": presented.leaf.to_facts()}
    return Diagnosis(found.kind, f"{found.text}; {found.remedy} (OpenSSL: {said})", found.remedy, facts)


def _no_issuer(presented: Presented | None, at: Circumstances) -> Diagnosis:
    if presented is None:
        return Diagnosis(
            "tls-unknown-ca",
            "no trusted issuer was found for the server's certificate",
            "name its root as `ca` of the index, unless the server leaves out an intermediate",
        )
    facts: dict[str, object] = {"missing_issuer": presented.root, "ca_issuers": presented.top.ca_issuers}
    number = f"{presented.sent} certificate{'s' * (presented.sent != 1)}"
    if presented.lacks_intermediate(at.known):
        where = f", which can be had at {presented.top.ca_issuers}" if presented.top.ca_issuers else ""
        return Diagnosis(
            "tls-incomplete-chain",
            f"the certificate chain of {at.host} is incomplete: it sends {number} (its own is that of "
            f"{presented.leaf.subject}) but not the one of {presented.root}{where}; "
            "that is the server's configuration",
            "have the server send its intermediate certificates, too; until then the missing one can be added to "
            "`ca` of the index",
            facts,
        )
    if presented.top.is_self_issued:
        facts = {"root": presented.root, "root_sha256": presented.top.digest}
        ends = f"the chain of {at.host} ends in the root {presented.root}"
    else:
        facts["root"] = presented.root
        ends = f"the chain of {at.host} ({number}) leads to {presented.root}"
    whom = "by the `ca` of the index" if at.has_ca else "by this machine"
    remedy = "name that root as `ca` of the index, if you trust it"
    if _is_replaced(presented, at):
        remedy = "`ca` has that name with another key: if it was replaced, and you trust it, name the new one as `ca`"
    elif len(presented.path) == 1 and not presented.top.is_self_issued:
        remedy += "; should it be no root but an intermediate, the server has to send it"
    return Diagnosis("tls-unknown-ca", f"{ends}, which is not trusted {whom}", remedy, facts)


def _is_replaced(presented: Presented, at: Circumstances) -> bool:
    """Whether the root's name is known, so that it must be the key that is not."""
    return any(one.subject_der == presented.top.issuer_der and one.is_self_issued for one in at.known)


def _bad_signature(presented: Presented | None, at: Circumstances) -> Diagnosis:
    # OpenSSL takes an issuer by its name where key identifiers are missing, and then finds that the key is not its.
    return (_no_issuer if presented is not None and _is_replaced(presented, at) else _other)(presented, at)


def _self_signed(presented: Presented | None, at: Circumstances) -> Diagnosis:
    whose = f" of {presented.leaf.subject}" if presented is not None else ""
    return Diagnosis(
        "tls-self-signed",
        f"the certificate{whose} that {at.host} sends is self-signed: nobody vouches for it",
        "to trust it, and only it, name it as `ca` of the index; better have one issued by an authority",
        {"sha256": presented.leaf.digest} if presented is not None else {},
    )


def _expired(presented: Presented | None, at: Circumstances) -> Diagnosis:
    late = _first(presented, lambda one: one.not_after < at.now)
    facts: dict[str, object] = {"now": stamp(at.now)}
    what = f"a certificate in the chain of {at.host} has expired"
    if late is not None:
        what = f"the certificate of {late.subject} that {at.host} sends expired on {stamp(late.not_after)}"
        facts |= {"expired": late.to_facts()}
    return Diagnosis(
        "tls-expired",
        f"{what}; this machine's clock says {stamp(at.now)}",
        "have the server's certificate renewed; if the date is still to come, set this machine's clock",
        facts,
    )


def _early(presented: Presented | None, at: Circumstances) -> Diagnosis:
    early = _first(presented, lambda one: one.not_before > at.now)
    facts: dict[str, object] = {"now": stamp(at.now)}
    what = f"a certificate in the chain of {at.host} is not valid yet"
    if early is not None:
        what = f"the certificate of {early.subject} that {at.host} sends is not valid before {stamp(early.not_before)}"
        facts |= {"not_yet_valid": early.to_facts()}
    return Diagnosis(
        "tls-not-yet-valid",
        f"{what}; this machine's clock says {stamp(at.now)}",
        "set this machine's clock if it is slow; else wait, or have the server use a certificate that is valid",
        facts,
    )


def _first(presented: Presented | None, holds: Callable[[Certificate], bool]) -> Certificate | None:
    return next(filter(holds, presented.path), None) if presented is not None else None


def _other_name(presented: Presented | None, at: Circumstances) -> Diagnosis:
    names = presented.leaf.names if presented is not None else ()
    is_address = _is_address(at.host)
    what = "address" if is_address else "name"
    listed = f"is for {listing(names)}" if names else "does not name it"
    text = f"the certificate is for another {what}: {at.host} was asked for, and the certificate {listed}"
    if presented is not None and not names:
        text += " (it has no subject alternative names, and common names do not count)"
    remedy = f"use one of those names in the URL, or have a certificate issued that names {at.host}"
    facts: dict[str, object] = {"asked": at.host, "names": list(names[:MAX_LISTED]), "names_in_all": len(names)}
    return Diagnosis("tls-address-mismatch" if is_address else "tls-hostname-mismatch", text, remedy, facts)


def _other(presented: Presented | None, at: Circumstances) -> Diagnosis:
    whose = f" of {presented.leaf.subject}" if presented is not None else ""
    return Diagnosis(
        "tls-certificate",
        f"the certificate{whose} that {at.host} sends cannot be verified",
        "have the server's certificate replaced",
    )


# OpenSSL's X509_V_ERR_* codes that deserve their own words; the numbers are part of its ABI.
_VERIFY = {
    2: _no_issuer,
    7: _bad_signature,
    9: _early,
    10: _expired,
    18: _self_signed,
    19: _no_issuer,
    20: _no_issuer,
    21: _no_issuer,
    62: _other_name,
    64: _other_name,
}


def listing(names: Iterable[str]) -> str:
    """Return ``names`` as an error quotes them."""
    listed = list(names)
    more = f" and {len(listed) - MAX_LISTED} more" if len(listed) > MAX_LISTED else ""
    return " · ".join(listed[:MAX_LISTED]) + more


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
