"""Certificates of every kind that a test needs: intermediates, AIA, purposes, dates.

root = Authority("Corp Root CA")
issuing = root.below("Corp Issuing CA", aia="http://pki.example/root.der")
leaf = issuing.issue("localhost", aia="http://pki.example/issuing.der")
leaf.chain        # PEM: the leaf and the intermediates
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

CLIENT, SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH
DAY = dt.timedelta(days=1)


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


@dataclass(frozen=True)
class Leaf:
    """A certificate with its key, and those above it but for the root."""

    certificate: x509.Certificate
    private: ec.EllipticCurvePrivateKey
    above: tuple[x509.Certificate, ...]

    @property
    def alone(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def chain(self) -> bytes:
        return self.alone + b"".join(one.public_bytes(Encoding.PEM) for one in self.above)

    @property
    def key(self) -> bytes:
        return self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def locked(self, passphrase: str, *, old_style: bool = False) -> bytes:
        """The key, encrypted; the old style says so in a header inside the PEM block."""
        how = BestAvailableEncryption(passphrase.encode())
        form = PrivateFormat.TraditionalOpenSSL if old_style else PrivateFormat.PKCS8
        return self.private.private_bytes(Encoding.PEM, form, how)

    def context(self, directory: Path, chain: bytes | None = None) -> ssl.SSLContext:
        """A server's context; ``chain`` is what it sends, if not the whole chain."""
        path = directory / f"server-{self.certificate.serial_number}.pem"
        path.write_bytes(self.key + (self.chain if chain is None else chain))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


class Authority:
    """One that issues certificates."""

    def __init__(
        self, name: str, parent: Authority | None = None, aia: str | None = None, until: dt.timedelta = 100 * DAY
    ) -> None:
        self._private = ec.generate_private_key(ec.SECP256R1())
        self.parent = parent
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        self.certificate = (parent or self)._sign(
            self.name, self._private, [(constraints, True)], aia, (now() - 50 * DAY, now() + until)
        )

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def subject(self) -> str:
        return self.certificate.subject.rfc4514_string()

    def below(self, name: str, aia: str | None = None, until: dt.timedelta = 100 * DAY) -> Authority:
        """An intermediate."""
        return Authority(name, self, aia, until)

    def issue(
        self,
        *names: str,
        common: str = "",
        aia: str | None = None,
        purposes: tuple[x509.ObjectIdentifier, ...] | None = (CLIENT, SERVER),
        since: dt.timedelta = -DAY,
        until: dt.timedelta = 30 * DAY,
        private: ec.EllipticCurvePrivateKey | None = None,
    ) -> Leaf:
        private = private or ec.generate_private_key(ec.SECP256R1())
        extensions: list[tuple[x509.ExtensionType, bool]] = []
        if names:
            extensions.append((x509.SubjectAlternativeName([_general(name) for name in names]), False))
        if purposes is not None:
            extensions.append((x509.ExtendedKeyUsage(purposes), False))
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common or names[0])])
        made = self._sign(subject, private, extensions, aia, (now() + since, now() + until))
        above, at = list[x509.Certificate](), self
        while at.parent is not None:
            above.append(at.certificate)
            at = at.parent
        return Leaf(made, private, tuple(above))

    def _sign(
        self,
        subject: x509.Name,
        private: ec.EllipticCurvePrivateKey,
        extensions: list[tuple[x509.ExtensionType, bool]],
        aia: str | None,
        valid: tuple[dt.datetime, dt.datetime],
    ) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(private.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(valid[0])
            .not_valid_after(valid[1])
        )
        if aia is not None:
            place = x509.UniformResourceIdentifier(aia)
            access = x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, place)
            extensions = [*extensions, (x509.AuthorityInformationAccess([access]), False)]
        for extension, is_critical in extensions:
            builder = builder.add_extension(extension, critical=is_critical)
        return builder.sign(self._private, hashes.SHA256())


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
