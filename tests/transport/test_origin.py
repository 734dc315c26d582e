"""URLs and origins; the standard library's own parser is the oracle where it is right."""

from __future__ import annotations

from urllib.parse import urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transport.origin import Origin, parse, resolve


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://h.example:443/", "https://h.example/"),
        ("http://h.example:80/", "http://h.example/"),
        ("https://H.Example./x", "https://h.example/"),
        ("HTTPS://h.example", "https://h.example/"),
        ("https://u:p@h.example/", "https://h.example/"),
        ("https://b\u00fccher.example/", "https://xn--bcher-kva.example/"),
        ("https://h.example:/", "https://h.example/"),
    ],
)
def test_two_spellings_are_one_origin(one: str, other: str) -> None:
    assert parse(one).origin == parse(other).origin


@pytest.mark.parametrize("other", ["http://h.example/", "https://h.example:444/", "https://x.h.example/"])
def test_scheme_host_and_port_tell_origins_apart(other: str) -> None:
    assert parse(other).origin != parse("https://h.example/").origin


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://u:p@h.example/a//b/%2B%2f?x=a+b%20&y=/#frag", "https://h.example/a//b/%2B%2f?x=a+b%20&y=/"),
        ("https://h.example", "https://h.example/"),
        ("https://h.example?q", "https://h.example/?q"),
        ("https://h.example/a b\u00e9", "https://h.example/a%20b%C3%A9"),
        ("https://h.example/\udcff", "https://h.example/%FF"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x"),
        ("https://h.example/../x", "https://h.example/../x"),
    ],
)
def test_nothing_is_changed_but_what_cannot_be_sent(url: str, kept: str) -> None:
    assert parse(url).url == kept


@pytest.mark.parametrize(
    "url",
    ["", "h.example", "//h.example/", "ftp://h.example/", "file:///x", "https://", "https:///x", "https://h:0/",
     "https://h:99999/", "https://h:x/", "https://a\\b/", "https://h/\r\nx: y", "https://h/\x00", "https://a b/",
     "https://[::1/", "https://%41.example/"],
)  # fmt: skip
def test_what_is_no_url_of_ours_is_refused_without_quoting_it(url: str) -> None:
    with pytest.raises(ValueError, match=r"host|port|scheme|control|URL") as caught:
        parse(url)
    assert len(url) < 6 or url not in str(caught.value)


def test_an_origin_prints_as_it_is_written() -> None:
    assert str(Origin("https", "h.example", 443)) == "https://h.example"
    assert str(Origin("https", "h.example", 8443)) == "https://h.example:8443"


# RFC 3986 §5.4.1 and §5.4.2, with the base given there.
RFC3986 = [
    ("g", "http://a/b/c/g"),
    ("./g", "http://a/b/c/g"),
    ("g/", "http://a/b/c/g/"),
    ("/g", "http://a/g"),
    ("//g", "http://g"),
    ("?y", "http://a/b/c/d;p?y"),
    ("g?y", "http://a/b/c/g?y"),
    (";x", "http://a/b/c/;x"),
    ("g;x=1/../y", "http://a/b/c/y"),
    ("", "http://a/b/c/d;p?q"),
    (".", "http://a/b/c/"),
    ("./", "http://a/b/c/"),
    ("..", "http://a/b/"),
    ("../", "http://a/b/"),
    ("../g", "http://a/b/g"),
    ("../..", "http://a/"),
    ("../../g", "http://a/g"),
    ("../../../g", "http://a/g"),
    ("/./g", "http://a/g"),
    ("/../g", "http://a/g"),
    ("g.", "http://a/b/c/g."),
    ("..g", "http://a/b/c/..g"),
    ("./g/.", "http://a/b/c/g/"),
    ("g/../h", "http://a/b/c/h"),
    ("g?y/../x", "http://a/b/c/g?y/../x"),
    ("https://other/x//y", "https://other/x//y"),
]


@pytest.mark.parametrize(("reference", "target"), RFC3986)
def test_references_resolve_as_the_rfc_says(reference: str, target: str) -> None:
    assert resolve("http://a/b/c/d;p?q", reference) == target


@given(st.lists(st.sampled_from(["a", "b", ".", ".."]), min_size=1, max_size=6), st.booleans())
def test_references_resolve_as_the_standard_library_does_where_no_segment_is_empty(
    segments: list[str],
    is_rooted: bool,  # noqa: FBT001
) -> None:
    reference = ("/" if is_rooted else "") + "/".join(segments)
    assert resolve("http://h/x/y/z", reference) == urljoin("http://h/x/y/z", reference)
