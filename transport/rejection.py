"""Why a server ended a handshake: it wants to know who we are, or does not like whom it was shown.

Pure, as :mod:`transport.diagnosis`. With TLS 1.3 a server judges our certificate after our side is done, and some
say nothing but goodbye; so an alert, and what a probe heard, count for more than the moment at which it ended.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterable

from .diagnosis import MAX_LISTED, Circumstances, Diagnosis, listing
from .probe import End, Finding
from .tls.certificate import stamp
from .tls.identity import Identity

_PLAIN = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"})
_ALERT = re.compile(r"ALERT_([A-Z_]+)$")
_ABOUT_US = {  # alerts that speak of the client's certificate (RFC 8446 §6.2)
    "certificate_required": "",
    "unknown_ca": "it does not know the issuer",
    "bad_certificate": "it says that the certificate is bad",
    "certificate_expired": "it says that the certificate has expired",
    "certificate_revoked": "it says that the certificate is revoked",
    "certificate_unknown": "it does not accept the certificate",
    "unsupported_certificate": "it does not support that type of certificate",
    "access_denied": "it says that access is denied",
    "decrypt_error": "it says that our signature does not fit",
    "bad_certificate_hash_value": "it says that the certificate is bad",
}


def alert_of(reason: str) -> str:
    """Return the alert in OpenSSL's ``reason`` as RFC 8446 calls it; empty if there is none."""
    match = _ALERT.search(reason)
    return match[1].lower() if match else ""


def may_be_refusal(error: ssl.SSLError) -> bool:
    """Whether the server is the one that ended it, so that asking again without a request may show why."""
    return not isinstance(error, ssl.SSLCertVerificationError) and (error.reason or "") not in _PLAIN


def of_handshake(error: ssl.SSLError, finding: Finding | None, at: Circumstances) -> Diagnosis:
    """Explain a handshake that one side ended with an alert; ``finding`` is a second look without a request."""
    reason = error.reason or ""
    if reason in _PLAIN:
        remedy = "write http:// in the URL if that is meant, or name the port on which the server speaks TLS"
        return Diagnosis(
            "tls-plain-http",
            f"port {at.port} of {at.host} does not speak TLS, more likely plain HTTP; {remedy}",
            remedy,
            at.facts(reason=reason),
        )
    alert = alert_of(reason)
    # Some alerts have other reasons as well; a server that did not ask who we are cannot mean that.
    speaks_of_us = alert in _ABOUT_US and (finding is None or finding.is_identity_wanted or not finding.chain)
    if speaks_of_us or (finding is not None and finding.is_refused):
        return of_refusal(alert, finding, at)
    text = f"the server refused the handshake ({alert or reason or 'no reason given'})"
    remedy = "compare the TLS versions and ciphers that the server accepts; TLS 1.2 and 1.3 are spoken here"
    if finding is None:
        remedy += "; or the server may require a client certificate (client_cert of the index)"
    return Diagnosis("tls-handshake", f"{text}; {remedy}", remedy, at.facts(reason=reason, alert=alert or None))


def of_refusal(alert: str, finding: Finding | None, at: Circumstances, *, status: int | None = None) -> Diagnosis:
    """Explain that a server will not have us without a client certificate, or not with the one that we have."""
    authorities = finding.authorities if finding is not None else ()
    facts = at.facts(
        alert=alert or None,
        requested=True if finding is None else finding.is_identity_wanted,
        sent=at.shown.to_facts() if at.shown is not None else None,
        accepted_authorities=list(authorities[:MAX_LISTED]),
        accepted_authorities_in_all=len(authorities),
    )
    if status is not None:
        facts["upstream_status"] = status
    accepts = f"; it accepts certificates of {listing(authorities)}" if authorities else ""
    if at.shown is None:
        remedy = "set client_cert (and client_key) of the index"
        if not at.own:
            remedy = "the identity of an index is shown to its own origin only: name this origin as an index of its own"
        text = f"{at.host} requires a client certificate, and none was sent{accepts}"
        return Diagnosis("tls-client-certificate-required", f"{text}; {remedy}", remedy, facts)
    said = _ABOUT_US.get(alert) or (f"it says {alert}" if alert else "it ended the connection without a word")
    if status is not None:
        said = "it let the handshake pass and then refused the request for it"
    remedy = _trust_us(at.shown, authorities, alert)
    text = f"{at.host} rejected our client certificate: {said}; sent was {_sent(at.shown)}{accepts}"
    return Diagnosis("tls-client-certificate-rejected", f"{text}; {remedy}", remedy, facts)


def _trust_us(shown: Identity, authorities: Iterable[str], alert: str) -> str:
    """Say what most likely has to change for a server to accept ``shown``."""
    issuer, top = shown.chain[0].issuer, shown.chain[-1].issuer
    accepted = set(authorities)
    if accepted and not accepted & {one.issuer for one in shown.chain}:
        return (
            f"have a certificate issued by one of those, or have the server accept {top} (if an intermediate lies "
            "between, add it to client_cert, behind ours)"
        )
    if alert in {"certificate_expired", "certificate_revoked"}:
        return "renew the certificate; if it is valid, check the server's clock and revocation list"
    if len(shown.chain) == 1:
        return (
            f"the server has to know {issuer}: if that is an intermediate, add its certificate to client_cert, "
            "behind ours; else have the server's list of client authorities include it"
        )
    return f"have the server's list of client authorities include {top}"


def of_drop(finding: Finding, at: Circumstances) -> Diagnosis | None:
    """Explain a connection that ended without a word while hands were shaken; None: a second look went well."""
    if finding.is_refused:
        return of_refusal(alert_of(finding.reason), finding, at)
    if finding.is_established or finding.end not in {End.CLOSED, End.RESET}:
        return None
    if at.shown is not None:
        issuer = at.shown.chain[-1].issuer
        causes = [
            f"the server's bundle of client authorities lacks {issuer}, who issued ours, or an intermediate above",
            "the server's policy wants another client certificate for this name or path",
            "a firewall or proxy on the way does not let this connection through",
        ]
        sent = f"our client certificate is configured: {_sent(at.shown)}"
    else:
        causes = [
            "the server (or a load balancer before it) requires a client certificate; none is configured for the index"
            if at.own
            else "the server requires a client certificate; the index's own is shown to its own origin only",
            "the server does not serve this host name on that port",
            "a firewall or proxy on the way does not let this connection through",
        ]
        sent = "no client certificate is configured"
    how = "was reset" if finding.end is End.RESET else "was closed"
    listed = "; ".join(f"{number}. {cause}" for number, cause in enumerate(causes, 1))
    facts = at.facts(causes=causes, sent=at.shown.to_facts() if at.shown is not None else None, end=finding.end.value)
    remedy = "look into the log of the server or load balancer at the time of this request, for the causes in order"
    return Diagnosis(
        "tls-reset",
        f"the connection to {at.host} {how} in the middle of the TLS handshake, without an alert; {sent}. "
        f"Likely causes, in order: {listed}; {remedy}",
        remedy,
        facts,
        may_pass=True,
    )


def _sent(shown: Identity) -> str:
    ours, number = shown.chain[0], len(shown.chain)
    return (
        f"{ours.subject}, issued by {ours.issuer}, valid until {stamp(ours.not_after)}, in a chain of {number} "
        f"certificate{'s' * (number != 1)}"
    )
