"""A certificate, read for people: who, from whom, for what, how long (RFC 5280). It decides nothing about trust.

Whether a chain holds is OpenSSL's to say. These facts serve to explain its verdict, to look at our own certificates
before they are sent, and to tell identities apart. Texts come from strangers: they are cut and hold no control
characters.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from . import der
from .der import Element, Malformed

CLIENT_AUTH = "1.3.6.1.5.5.7.3.2"  # RFC 5280 §4.2.1.12
ANY_PURPOSE = "2.5.29.37.0"
MAX_TEXT = 200  # characters of one value that an error quotes

_SHORT = {  # RFC 4514 §3; others stay numbers
    "2.5.4.3": "CN",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "STREET",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "0.9.2342.19200300.100.1.1": "UID",
    "0.9.2342.19200300.100.1.25": "DC",
}
_CONSTRAINTS, _NAMES, _PURPOSES, _ACCESS = "2.5.29.19", "2.5.29.17", "2.5.29.37", "1.3.6.1.5.5.7.1.1"
_CA_ISSUERS = "1.3.6.1.5.5.7.48.2"
_DNS, _URI, _IP = 0x82, 0x86, 0x87  # context tags of GeneralName
_VERSION, _EXTENSIONS = 0xA0, 0xA3  # context tags of TBSCertificate
_PEM = re.compile(
    rb"-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----(.+?)-----END (?:TRUSTED |X509 )?CERTIFICATE-----", re.DOTALL
)
_SPECIAL = re.compile(r'["+,;<>\\]')


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a certificate says."""

    subject: str
    """As RFC 4514 writes names: ``CN=me,O=corp.example``."""
    issuer: str
    subject_der: bytes
    issuer_der: bytes
    serial: str
    """Hex, upper case."""
    not_before: datetime
    not_after: datetime
    spki: str
    """SHA-256 of the public key with its algorithm, hex: who somebody is, whatever file it was read from."""
    digest: str
    """SHA-256 of the whole certificate, hex."""
    names: tuple[str, ...] = ()
    """The hosts and addresses that it is for."""
    ca_issuers: str | None = None
    """Where the issuer's certificate can be had (RFC 5280 §4.2.2.1), if http(s); never fetched by us."""
    is_authority: bool = False
    purposes: frozenset[str] | None = None
    """Object identifiers of what it may be used for; None: anything."""

    @property
    def is_self_issued(self) -> bool:
        """Whether subject and issuer are one: a root, or a self-signed leaf."""
        return self.subject_der == self.issuer_der

    def to_facts(self) -> dict[str, object]:
        """Return what an error tells of it."""
        return {
            "subject": self.subject,
            "issuer": self.issuer,
            "serial": self.serial,
            "not_before": stamp(self.not_before),
            "not_after": stamp(self.not_after),
        }


def stamp(moment: datetime) -> str:
    """Return ``moment`` as it stands in errors: ``2026-01-31T12:00:00Z``."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def from_der(data: bytes) -> Certificate:
    """Read a certificate.

    Raises:
        Malformed: it is none.
    """
    try:
        return _from_parts(der.first(data))
    except Malformed:
        raise
    except (IndexError, ValueError):  # too few to take, or to tell apart
        raise Malformed("a part of the certificate is missing") from None


def from_pem(content: bytes) -> tuple[Certificate, ...]:
    """Read every certificate of a PEM file, in its order; those that cannot be read are left out."""
    found = []
    for match in _PEM.finditer(content):
        try:
            found.append(from_der(base64.b64decode(match[1], validate=False)))
        except (binascii.Error, Malformed):
            continue
    return tuple(found)


def from_chain(chain: Iterable[bytes]) -> tuple[Certificate, ...]:
    """Read what a server presented; certificates that cannot be read are left out."""
    found = []
    for data in chain:
        try:
            found.append(from_der(data))
        except Malformed:
            continue
    return tuple(found)


def name(data: bytes) -> str:
    """Return a distinguished name (in DER) as RFC 4514 writes it, the most specific part first.

    Raises:
        Malformed: it is none.
    """
    parts = []
    for relative in der.first(data).of(der.SEQUENCE).parts():
        values = []
        for attribute in relative.of(der.SET).parts():
            kind, value = attribute.of(der.SEQUENCE).parts()[:2]
            key = der.dotted(kind.of(der.OID).value)
            values.append(f"{_SHORT.get(key, key)}={_escaped(der.text(value))}")
        parts.append("+".join(values))
    return _cut(",".join(reversed(parts)))


def _escaped(value: str) -> str:
    value = _SPECIAL.sub(lambda match: f"\\{match[0]}", value)
    if value[-1:] == " ":
        value = f"{value[:-1]}\\ "
    if value[:1] in {"#", " "}:
        value = f"\\{value}"
    return _printable(value)


def _printable(value: str) -> str:
    """Write what no terminal should see as hex pairs."""
    if value.isprintable():
        return value
    return "".join(
        char if char.isprintable() else "".join(f"\\{byte:02X}" for byte in char.encode("utf-8", "replace"))
        for char in value
    )


def _cut(value: str) -> str:
    return value if len(value) <= MAX_TEXT else f"{value[: MAX_TEXT - 1]}…"


def _from_parts(whole: Element) -> Certificate:
    parts = whole.of(der.SEQUENCE).parts()[0].of(der.SEQUENCE).parts()
    if parts[0].tag == _VERSION:
        parts = parts[1:]
    serial, _, issuer, validity, subject, key = parts[:6]
    since, until = validity.of(der.SEQUENCE).parts()[:2]
    extensions = _extensions(parts[6:])
    return Certificate(
        subject=name(subject.whole),
        issuer=name(issuer.whole),
        subject_der=subject.whole,
        issuer_der=issuer.whole,
        serial=serial.of(der.INTEGER).value.hex().upper(),
        not_before=_moment(since),
        not_after=_moment(until),
        spki=hashlib.sha256(key.of(der.SEQUENCE).whole).hexdigest(),
        digest=hashlib.sha256(whole.whole).hexdigest(),
        names=_names(extensions.get(_NAMES)),
        ca_issuers=_ca_issuers(extensions.get(_ACCESS)),
        is_authority=_is_authority(extensions.get(_CONSTRAINTS)),
        purposes=_purposes(extensions.get(_PURPOSES)),
    )


def _extensions(parts: list[Element]) -> dict[str, Element]:
    found: dict[str, Element] = {}
    for part in parts:
        if part.tag != _EXTENSIONS:
            continue
        for extension in der.first(part.value).of(der.SEQUENCE).parts():
            kind, *_, value = extension.of(der.SEQUENCE).parts()
            found[der.dotted(kind.of(der.OID).value)] = der.first(value.of(der.OCTET_STRING).value)
    return found


def _moment(element: Element) -> datetime:
    # RFC 5280 §4.1.2.5: UTC, with seconds; two digits of a year are 1950 to 2049.
    digits = element.value.decode("ascii", "replace").removesuffix("Z")
    if element.tag == der.UTC_TIME:
        digits = ("20" if digits < "50" else "19") + digits
    elif element.tag != der.GENERALIZED_TIME:
        raise Malformed("not a time")
    if len(digits) != 14 or not digits.isdecimal():
        raise Malformed("not a time")
    try:
        return datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        raise Malformed("not a time") from None


def _names(element: Element | None) -> tuple[str, ...]:
    found = []
    for one in element.parts() if element is not None else ():
        if one.tag == _DNS:
            found.append(_cut(_printable(one.value.decode("ascii", "replace"))))
        elif one.tag == _IP and len(one.value) in {4, 16}:
            found.append(str(ipaddress.ip_address(one.value)))
    return tuple(found)


def _ca_issuers(element: Element | None) -> str | None:
    for access in element.parts() if element is not None else ():
        method, place = access.of(der.SEQUENCE).parts()[:2]
        if der.dotted(method.value) != _CA_ISSUERS or place.tag != _URI:
            continue
        url = place.value.decode("ascii", "replace")
        if url.lower().startswith(("http://", "https://")) and "@" not in _authority(url):
            return _cut(_printable(url))
    return None


def _authority(url: str) -> str:
    try:
        return urlsplit(url).netloc
    except ValueError:
        return "@"


def _is_authority(element: Element | None) -> bool:
    parts = element.parts() if element is not None else []
    return bool(parts) and parts[0].tag == der.BOOLEAN and parts[0].value != b"\x00"


def _purposes(element: Element | None) -> frozenset[str] | None:
    if element is None:
        return None
    return frozenset(der.dotted(one.of(der.OID).value) for one in element.parts())
