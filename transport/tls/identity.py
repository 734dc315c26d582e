"""A client certificate and its key, loaded or refused with a reason that somebody can act on.

OpenSSL answers a wrong passphrase, a missing key and a file of junk with one and the same error, and a missing
passphrase with a prompt on the terminal. So what can be known before is looked at before; also what every server
would say of the certificate: a refusal of ours names the file, a server's names nothing.
"""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from transport.secret import Secret

from .certificate import ANY_PURPOSE, CLIENT_AUTH, Certificate, from_pem, stamp

MAX_FILE = 1024 * 1024  # a chain and a key have some ten kilobytes
MAX_READS = 3  # a file that is replaced while it is read is replaced once

_CERTIFICATE = re.compile(rb"-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----")
_KEY = re.compile(rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----")
_ENCRYPTED = re.compile(rb"-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED")


class Unusable(Exception):
    """A file of the configuration cannot be used: ``kind`` is a slug, ``setting`` names the file, ``remedy`` helps."""

    def __init__(self, kind: str, setting: str, path: str, what: str, remedy: str) -> None:
        self.text = f"{setting} {path}: {what}; {remedy}"
        super().__init__(self.text)
        self.kind = kind
        self.setting = setting
        self.path = path
        self.what = what
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are to a server: our certificate, and those that lead from it to an authority."""

    path: str
    chain: tuple[Certificate, ...]
    """As in the file and as sent: ours first."""

    @property
    def spki(self) -> str:
        """What tells identities apart: the digest of the public key, the same in whatever file, and after a renewal."""
        return self.chain[0].spki

    def check(self, now: datetime) -> None:
        """Refuse what no server would accept.

        Raises:
            Unusable: ``identity-expired``, ``identity-not-yet-valid`` or ``identity-not-for-clients``.
        """
        ours = self.chain[0]
        about, here = f"the certificate of {ours.subject}", f"(it is {stamp(now)} here)"
        if now > ours.not_after:
            raise Unusable(
                "identity-expired",
                "client_cert",
                self.path,
                f"{about} expired on {stamp(ours.not_after)} {here}",
                "renew it; the file is read again without a restart",
            )
        if now < ours.not_before:
            raise Unusable(
                "identity-not-yet-valid",
                "client_cert",
                self.path,
                f"{about} is not valid before {stamp(ours.not_before)} {here}",
                "wait until then, or set this machine's clock if it is slow",
            )
        if ours.purposes is not None and not ours.purposes & {CLIENT_AUTH, ANY_PURPOSE}:
            raise Unusable(
                "identity-not-for-clients",
                "client_cert",
                self.path,
                f"{about} is not for clients: its extended key usage lacks clientAuth",
                "have one issued that has it",
            )

    def to_facts(self) -> dict[str, object]:
        """Return what an error tells of what was sent."""
        return {**self.chain[0].to_facts(), "certificates": len(self.chain)}


def load_identity(context: ssl.SSLContext, certificate: str, key: str | None, passphrase: Secret | None) -> Identity:
    """Give ``context`` the identity in ``certificate`` (chain, leaf first, perhaps with the key) and ``key``.

    Raises:
        Unusable: with one of the kinds ``identity-missing``, ``-not-pem``, ``-no-key``, ``-no-certificate``,
            ``-passphrase-missing``, ``-passphrase-wrong``, ``-mismatch``, ``-damaged``.
    """
    for _ in range(MAX_READS):
        chain = _read("client_cert", certificate)
        _load(context, chain, certificate, key, passphrase)
        if _read("client_cert", certificate) == chain:  # what OpenSSL read in between is what we read
            break
    found = from_pem(chain)
    if len(found) != len(_CERTIFICATE.findall(chain)):
        raise _damaged("client_cert", certificate, "a certificate in it cannot be read")
    return Identity(certificate, found)


def _load(context: ssl.SSLContext, chain: bytes, certificate: str, key: str | None, passphrase: Secret | None) -> None:
    secret = chain if key is None else _read("client_key", key)
    where = ("client_cert", certificate) if key is None else ("client_key", key)
    if not _CERTIFICATE.search(chain):
        remedy = "name the file that holds the certificate and its chain"
        if _KEY.search(chain):
            remedy = "it holds a private key: are client_cert and client_key swapped?"
        raise Unusable("identity-no-certificate", "client_cert", certificate, "there is no certificate in it", remedy)
    if not _KEY.search(secret):
        remedy = "set client_key"
        if key is not None:
            remedy = "are client_cert and client_key swapped?" if _KEY.search(chain) else "name the file of the key"
        elif any(one.is_authority for one in from_pem(secret)[:1]):
            remedy = "it looks like a CA bundle: is it meant to be `ca`?"
        raise Unusable("identity-no-key", *where, "there is no private key in it", remedy)
    is_encrypted = _ENCRYPTED.search(secret) is not None
    if is_encrypted and (passphrase is None or not passphrase.reveal()):
        raise Unusable(
            "identity-passphrase-missing",
            *where,
            "the key is encrypted, and there is no passphrase",
            "set client_key_password_file for the index",
        )
    try:
        # The callback is given always: without one OpenSSL asks at the terminal.
        context.load_cert_chain(certificate, key, lambda: passphrase.reveal() if passphrase is not None else "")
    except ssl.SSLError as error:
        if "MISMATCH" in (error.reason or ""):
            raise _mismatch(where, chain, certificate) from None
        if is_encrypted:
            raise Unusable(
                "identity-passphrase-wrong",
                *where,
                "the passphrase does not open the key, or the file is damaged",
                "compare client_key_password_file with what the key was encrypted with",
            ) from None
        raise _damaged(*where, "OpenSSL cannot read it") from None
    except (OSError, ValueError) as error:
        raise _damaged(*where, f"it cannot be loaded: {type(error).__name__}") from None


def _damaged(setting: str, path: str, what: str) -> Unusable:
    return Unusable("identity-damaged", setting, path, what, "the file is damaged: write it anew")


def _mismatch(where: tuple[str, str], chain: bytes, certificate: str) -> Unusable:
    remedy = "name the key that belongs to it"
    if any(one.is_authority for one in from_pem(chain)[:1]):
        remedy = "that one is an authority's: ours has to be the first"
    what = f"the key does not belong to the first certificate in {certificate}"
    return Unusable("identity-mismatch", *where, what, remedy)


def holds_key(path: str) -> bool:
    """Whether there is a private key in the file at ``path``."""
    try:
        with Path(path).open("rb") as file:
            return _KEY.search(file.read(MAX_FILE)) is not None
    except OSError:
        return False


def _read(setting: str, path: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_FILE)
    except FileNotFoundError:
        raise Unusable(
            "identity-missing", setting, path, "there is no such file", "name one, or put it there"
        ) from None
    except OSError as error:
        what = f"it cannot be read: {type(error).__name__}"
        raise Unusable("identity-missing", setting, path, what, "let the service read it") from None
    if b"-----BEGIN " not in content:
        remedy = "name a file that is"
        if content[:1] == b"\x30":
            remedy = "it looks like DER or PKCS#12: convert it"
        raise Unusable("identity-not-pem", setting, path, "it is not a PEM file", remedy)
    return content
