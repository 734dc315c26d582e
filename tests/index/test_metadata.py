"""Core metadata: the standard library's mail parser is the oracle."""

from __future__ import annotations

from email.parser import BytesHeaderParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.index.metadata import MalformedMetadata, parse_metadata
from resolver.index.sdist import static_metadata

HEAD = b"Metadata-Version: 2.1\nName: Foo.Bar\nVersion: 1.0\n"


def test_what_a_resolver_needs_is_read() -> None:
    found = parse_metadata(
        HEAD + b"License: MIT\n  Requires-Dist: not a field\nRequires-Dist: a>=1;\n extra == 'x'\n"
        b"requires-dist: b\nRequires-Python: >=3.9\nProvides-Extra: Some_Extra\nDynamic: Version\n"
        b"Author: J\xe9r\xf4me\n\nRequires-Dist: of the description\n"
    )
    assert (found.name, found.version, found.metadata_version) == ("foo-bar", "1.0", "2.1")
    assert found.requires_dist == ("a>=1; extra == 'x'", "b")
    assert found.requires_python == ">=3.9"
    assert found.provides_extra == {"some-extra"}
    assert found.dynamic == {"version"}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "Name"),
        (b"Name: foo\n", "Version"),
        (b"Name: foo\nVersion: one\n", "Version"),
        (b"Name: foo\nVersion: " + b"9" * 5_000 + b"\n", "Version"),
        (b"Name: -foo-\nVersion: 1\n", "Name"),
        (b"Name: foo\nVersion: 1\nName: bar\n", "2 times"),
        (b"Metadata-Version: 3.0\nName: foo\nVersion: 1\n", "Metadata-Version"),
        (b"\nName: foo\nVersion: 1\n", "Name"),
        (b"\0" * ((4 << 20) + 1), "at most"),
        (HEAD + b"Requires-Dist: a\n" * 10_001, "at most"),
        (HEAD + b"Requires-Dist: a\n" + b" b" * 40_000 + b"\n" + b" b\n" * 40_000, "more than"),
    ],
)
def test_metadata_that_cannot_be_used_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(MalformedMetadata, match=reason):
        parse_metadata(body)


lines = st.sampled_from(
    [b"Requires-Dist: a", b"requires-dist:b>1", b"Requires-Dist:  c ; x", b" folded", b"\tfolded", b"Summary: s", b"no",
     b"X : y", b": z",
     b"", b" ", b"From x", b"Requires-Python: >=3", b"Requires-Dist :d", b"Na\xc3\xafve: x", b"Bad: \xff"]
)  # fmt: skip


@given(st.lists(lines, max_size=12), st.sampled_from([b"\n", b"\r\n", b"\r"]))
def test_fields_are_those_of_a_mail_parser(several: list[bytes], newline: bytes) -> None:
    body = HEAD.replace(b"\n", newline) + newline.join(several)
    expected = BytesHeaderParser().parsebytes(body)
    values = [" ".join(str(value).split()) for value in expected.get_all("Requires-Dist") or ()]
    try:
        found = parse_metadata(body)
    except MalformedMetadata:
        return
    assert [" ".join(value.split()) for value in found.requires_dist] == [value for value in values if value]
    assert (found.requires_python or "") == " ".join(str(expected.get("Requires-Python", "")).split())


@given(st.binary(max_size=200))
def test_any_bytes_are_metadata_or_an_error_of_ours(body: bytes) -> None:
    for whole in (body, HEAD + body):
        try:
            parse_metadata(whole)
        except MalformedMetadata as error:
            assert str(error).isprintable()  # noqa: PT017 - either outcome is fine


@pytest.mark.parametrize(
    ("version", "dynamic", "is_static"),
    [("2.1", b"", False), ("2.2", b"", True), ("2.4", b"Dynamic: Version\n", True), ("2.10", b"", True),
     ("2.2", b"Dynamic: Requires-Dist\n", False), ("2.2", b"Dynamic: requires-python\n", False),
     ("2.2", b"Dynamic: Provides-Extra\n", False), ("2.x", b"", False)],
)  # fmt: skip
def test_an_sdist_is_static_when_it_says_so(version: str, dynamic: bytes, is_static: bool) -> None:  # noqa: FBT001
    body = b"Metadata-Version: " + version.encode() + b"\nName: foo\nVersion: 1\n" + dynamic
    assert static_metadata(parse_metadata(body)) is is_static
