"""What went wrong with a certificate or a handshake, said so that somebody can act on it."""

from __future__ import annotations

import ssl

# OpenSSL's X509_V_ERR_* codes that deserve their own words; the numbers are part of its ABI.
_VERIFY = {
    9: ("tls-not-yet-valid", "the certificate is not valid yet; if its dates look right, check this machine's clock"),
    10: ("tls-expired", "the certificate has expired"),
    18: ("tls-self-signed", "the certificate is self-signed; to trust it, name it as `ca` of the index"),
    19: ("tls-unknown-ca", "the chain ends in a root that is not trusted; name that root as `ca` of the index"),
    20: (
        "tls-unknown-ca",
        "no trusted issuer found: the server leaves out an intermediate, or its root is to be named as `ca`",
    ),
    62: ("tls-hostname-mismatch", "the certificate is for another name"),
    64: ("tls-hostname-mismatch", "the certificate is for another address"),
}

_ALERTS = {
    "CERTIFICATE_REQUIRED": (
        "tls-client-cert-required",
        "the server requires a client certificate; set client_cert for the index",
    ),
    "ALERT_UNKNOWN_CA": (
        "tls-client-cert-rejected",
        "the server rejected our client certificate: it does not know the issuer (is an intermediate missing?)",
    ),
    "ALERT_BAD_CERTIFICATE": ("tls-client-cert-rejected", "the server rejected our client certificate"),
    "ALERT_CERTIFICATE_EXPIRED": ("tls-client-cert-rejected", "the server says that our client certificate expired"),
    "ALERT_CERTIFICATE_REVOKED": ("tls-client-cert-rejected", "the server says that our certificate is revoked"),
    "ALERT_CERTIFICATE_UNKNOWN": ("tls-client-cert-rejected", "the server rejected our client certificate"),
    "ALERT_UNSUPPORTED_CERTIFICATE": ("tls-client-cert-rejected", "the server rejected our client certificate"),
    "ALERT_ACCESS_DENIED": ("tls-client-cert-rejected", "the server denied access to our client certificate"),
}

_PLAIN = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"})


def explain(error: ssl.SSLError, *, has_identity: bool) -> tuple[str, str]:
    """Return the kind and the text for ``error``; the text quotes OpenSSL, never the peer's own words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        code = getattr(error, "verify_code", 0)
        kind, text = _VERIFY.get(code, ("tls-certificate", "the certificate cannot be verified"))
        return kind, f"{text} (OpenSSL: {getattr(error, 'verify_message', '') or code})"
    reason = error.reason or ""
    for part, answer in _ALERTS.items():
        if part in reason:
            return answer
    if reason in _PLAIN:
        return "tls-not-spoken", "the server does not speak TLS on this port; is the URL meant to be http?"
    if "HANDSHAKE_FAILURE" in reason:
        if has_identity:
            return "tls-handshake", "the server refused the handshake; its TLS settings and ours have nothing in common"
        return (
            "tls-handshake",
            "the server refused the handshake: it may require a client certificate (client_cert of the index)",
        )
    return "tls-handshake", f"the handshake failed (OpenSSL: {reason or 'no reason given'})"
