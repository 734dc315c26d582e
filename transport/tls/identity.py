"""A client certificate and its key, loaded or refused with a reason that somebody can act on.

OpenSSL answers a wrong passphrase, a missing key and a file of junk with one and the same error, and a missing
passphrase with a prompt on the terminal. So what can be known before is looked at before.
"""

from __future__ import annotations

import re
import ssl
from pathlib import Path

from transport.secret import Secret

MAX_FILE = 1024 * 1024  # a chain and a key have some ten kilobytes

_CERTIFICATE = re.compile(rb"-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----")
_KEY = re.compile(rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----")
_ENCRYPTED = re.compile(rb"-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED")


class Unusable(Exception):
    """A file of the configuration cannot be used; ``kind`` is a slug."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind
        self.text = text


def load_identity(context: ssl.SSLContext, certificate: str, key: str | None, passphrase: Secret | None) -> None:
    """Give ``context`` the identity in ``certificate`` (chain, leaf first, perhaps with the key) and ``key``.

    Raises:
        Unusable: with one of the kinds ``identity-missing``, ``-not-pem``, ``-no-key``, ``-no-certificate``,
            ``-passphrase-missing``, ``-passphrase-wrong``, ``-mismatch``, ``-damaged``.
    """
    chain = _read("client_cert", certificate)
    secret = chain if key is None else _read("client_key", key)
    where = f"client_cert {certificate}" if key is None else f"client_key {key}"
    if not _CERTIFICATE.search(chain):
        hint = "; it holds a private key: are client_cert and client_key swapped?" if _KEY.search(chain) else ""
        raise Unusable("identity-no-certificate", f"client_cert {certificate}: there is no certificate in it{hint}")
    if not _KEY.search(secret):
        hint = "set client_key"
        if key is not None and _KEY.search(chain):
            hint = "but client_cert holds one: are the two swapped?"
        elif len(_CERTIFICATE.findall(secret)) > 3:
            hint = "it looks like a CA bundle: is it meant to be `ca`?"
        raise Unusable("identity-no-key", f"{where}: there is no private key in it; {hint}")
    is_encrypted = _ENCRYPTED.search(secret) is not None
    if is_encrypted and (passphrase is None or not passphrase.reveal()):
        raise Unusable(
            "identity-passphrase-missing", f"{where}: the key is encrypted; set client_key_password_file for the index"
        )
    try:
        # The callback is given always: without one OpenSSL asks at the terminal.
        context.load_cert_chain(certificate, key, lambda: passphrase.reveal() if passphrase is not None else "")
    except ssl.SSLError as error:
        if "MISMATCH" in (error.reason or ""):
            raise Unusable(
                "identity-mismatch", f"{where}: the key does not belong to the first certificate in {certificate}"
            ) from None
        if is_encrypted:
            raise Unusable(
                "identity-passphrase-wrong", f"{where}: the passphrase does not open the key, or the file is damaged"
            ) from None
        raise Unusable("identity-damaged", f"{where}: OpenSSL cannot read it; the file is damaged") from None
    except (OSError, ValueError) as error:
        raise Unusable("identity-damaged", f"{where}: cannot be loaded: {type(error).__name__}") from None


def _read(setting: str, path: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_FILE)
    except FileNotFoundError:
        raise Unusable("identity-missing", f"{setting} {path}: there is no such file") from None
    except OSError as error:
        raise Unusable("identity-missing", f"{setting} {path}: cannot be read: {type(error).__name__}") from None
    if b"-----BEGIN " not in content:
        hint = "; it looks like DER or PKCS#12, which has to be converted" if content[:1] == b"\x30" else ""
        raise Unusable("identity-not-pem", f"{setting} {path}: is not a PEM file{hint}")
    return content
