"""Reading certificates, with ``cryptography`` as the oracle."""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID
from hypothesis import example, given, settings
from hypothesis import strategies as st

from transport.tls import certificate, der

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
OIDS = [NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME, NameOID.EMAIL_ADDRESS]


@cache
def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def make(
    subject: x509.Name,
    issuer: x509.Name,
    extensions: tuple[x509.ExtensionType, ...] = (),
    since: dt.datetime = dt.datetime(2020, 1, 2, 3, 4, 5, tzinfo=dt.UTC),
    days: int = 10,
) -> x509.Certificate:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key().public_key())
    builder = builder.serial_number(0xABC).not_valid_before(since).not_valid_after(since + dt.timedelta(days=days))
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(key(), hashes.SHA256())


@cache
def sound() -> bytes:
    extensions = (
        x509.BasicConstraints(ca=True, path_length=0),
        x509.SubjectAlternativeName([x509.DNSName("a.example")]),
    )
    return make(named("a"), named("b"), extensions).public_bytes(Encoding.DER)


def named(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


printable = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x2FF).filter(str.isprintable), min_size=1, max_size=9
)
attributes = st.builds(x509.NameAttribute, st.sampled_from(OIDS), printable)
relative = st.lists(attributes, min_size=1, max_size=2, unique_by=lambda one: one.oid).map(
    x509.RelativeDistinguishedName
)
names = st.lists(relative, max_size=4).map(x509.Name)
moments = st.integers(-631_152_000, 13_569_465_600).map(lambda second: EPOCH + dt.timedelta(seconds=second))


@settings(max_examples=150, deadline=None)
@example(named(" "), named(" # "), EPOCH, 0)
@example(named("#"), named('a"+,;<>\\b'), EPOCH, 0)
@given(names, names, moments, st.integers(0, 50_000))
def test_names_and_dates_read_as_cryptography_reads_them(
    subject: x509.Name, issuer: x509.Name, since: dt.datetime, days: int
) -> None:
    oracle = make(subject, issuer, since=since, days=days)
    read = certificate.from_der(oracle.public_bytes(Encoding.DER))
    assert read.subject == oracle.subject.rfc4514_string()
    assert read.issuer == oracle.issuer.rfc4514_string()
    assert (read.not_before, read.not_after) == (oracle.not_valid_before_utc, oracle.not_valid_after_utc)
    assert read.is_self_issued == (oracle.subject.public_bytes() == oracle.issuer.public_bytes())


def test_extensions_key_and_digest_are_those_of_the_certificate() -> None:
    access = [
        x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier("http://o.example")),
        x509.AccessDescription(
            AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier("http://ca.example/issuing.der")
        ),
    ]
    alternatives = [x509.DNSName("a.example"), x509.IPAddress(ipaddress.ip_address("::1")), x509.RFC822Name("m@a.b")]
    oracle = make(
        named("a"),
        named("b"),
        (
            x509.SubjectAlternativeName(alternatives),
            x509.AuthorityInformationAccess(access),
            x509.BasicConstraints(ca=True, path_length=0),
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]),
        ),
    )
    read = certificate.from_der(oracle.public_bytes(Encoding.DER))
    spki = oracle.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert read.spki == hashlib.sha256(spki).hexdigest()
    assert read.digest == oracle.fingerprint(hashes.SHA256()).hex()
    assert int(read.serial, 16) == 0xABC
    assert read.names == ("a.example", "::1")
    assert read.ca_issuers == "http://ca.example/issuing.der"
    assert read.is_authority
    assert read.purposes == frozenset({"1.3.6.1.5.5.7.3.1"})
    plain = certificate.from_der(make(named("a"), named("b")).public_bytes(Encoding.DER))
    assert (plain.names, plain.ca_issuers, plain.is_authority, plain.purposes) == ((), None, False, None)


@pytest.mark.parametrize("url", ["ldap://ca.example/x", "http://u:c4nary@ca.example/x", "http://[ca.example/x"])
def test_an_issuer_url_that_nobody_should_be_shown_is_left_out(url: str) -> None:
    access = x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier(url))
    made = make(named("a"), named("b"), (x509.AuthorityInformationAccess([access]),))
    assert certificate.from_der(made.public_bytes(Encoding.DER)).ca_issuers is None


def test_texts_of_strangers_are_cut_and_hold_no_control_characters() -> None:
    email = x509.NameAttribute(NameOID.COMMON_NAME, "a\x1b[31m\r\nb")
    long = [x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "x" * 64) for _ in range(9)]
    read = certificate.from_der(make(x509.Name([email]), x509.Name(long)).public_bytes(Encoding.DER))
    assert read.subject == r"CN=a\1B[31m\0D\0Ab"
    assert len(read.issuer) == certificate.MAX_TEXT


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damaged_bytes_are_malformed_and_nothing_else(data: st.DataObject) -> None:
    whole = bytearray(sound())
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    damaged = bytes(whole[: data.draw(st.integers(0, len(whole)))])
    try:
        certificate.from_der(damaged)
    except der.Malformed:
        assert certificate.from_chain([damaged]) == ()
    else:
        assert len(certificate.from_chain([damaged])) == 1


def test_a_pem_file_gives_its_certificates_in_order_and_skips_what_is_none() -> None:
    one, two = make(named("one"), named("x")), make(named("two"), named("x"))
    junk = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    content = b"text\n" + one.public_bytes(Encoding.PEM) + junk + two.public_bytes(Encoding.PEM)
    assert [read.subject for read in certificate.from_pem(content)] == ["CN=one", "CN=two"]
