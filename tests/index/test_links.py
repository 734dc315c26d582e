"""Links: urljoin is the definition of right, the fast way must agree with it."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from resolver.index.links import BadLink, Links, quoted

BASES = ["https://index.example/simple/foo/", "http://h.example:8080/a/b/c/", "https://h.example", "http://h.example/x"]
segment = st.text(st.sampled_from("ab1._-%~:,+"), max_size=5)
links = st.builds(
    lambda prefix, segments, suffix: prefix + "/".join(segments) + suffix,
    st.sampled_from(
        ["", "/", "//", "../", "../../", "../../../", "./", "https://f.example/", "http://f.example/", "?"]
    ),
    st.lists(segment, max_size=5),
    st.sampled_from(["", "/", "#sha256=ab", "?q=1", ";p", "/..", "/."]),
)


@given(st.sampled_from(BASES), links)
@example("https://index.example/simple/foo/", "../../files/ab/foo-1.0.tar.gz")
@example("https://h.example", "../../files/ab/foo-1.0.tar.gz")
@example("https://index.example/simple/foo/", "/a/../b")
@example("https://index.example/simple/foo/", "//1:1:")
def test_a_link_is_joined_as_urljoin_joins_it(base: str, link: str) -> None:
    try:
        joined = Links(base).join(link)
    except BadLink:
        expected = urlsplit(urljoin(base, link))
        if not re.fullmatch(r"[^:]*(:[0-9]*)?", expected.netloc):  # a port that is no number, or several
            return
        assert not link.partition("#")[0] or expected.scheme not in ("http", "https") or not expected.hostname
        return
    assert joined == urljoin(base, link.partition("#")[0]).rstrip("#")


@given(st.sampled_from(BASES), st.lists(links, min_size=1, max_size=6))
def test_links_joined_at_once_are_those_joined_one_by_one(base: str, several: list[str]) -> None:
    together = Links(base).join_plain(several)
    if together is not None:
        assert together == [urljoin(base, link) for link in several]


def test_the_usual_forms_are_joined_at_once() -> None:
    page = Links("https://index.example/simple/foo/")
    assert page.join_plain(["../../a/b", "../../c"]) == ["https://index.example/a/b", "https://index.example/c"]
    assert page.join_plain(["/a/b", "/c"]) == ["https://index.example/a/b", "https://index.example/c"]
    assert page.join_plain(["https://f.example/a"]) == ["https://f.example/a"]
    assert page.join_plain(["../../a", "/c"]) is None


@pytest.mark.parametrize(
    "link",
    ["javascript:alert(1)", "file:///etc/passwd", "ftp://h.example/x", "", "#x", "http://", "http:///x", "a\\b",
     "https://h.example\\@evil.example/", "a\x1bb", "http://[::1/x", "http://h.example:99999/x", "x" * 9000],
)  # fmt: skip
def test_a_link_that_cannot_be_fetched_is_refused(link: str) -> None:
    with pytest.raises(BadLink):
        Links("https://index.example/simple/foo/").join(link)


def test_userinfo_and_fragment_are_taken_off() -> None:
    page = Links("https://user:pass@index.example/simple/foo/")
    assert page.join("https://u:p@f.example/x#sha256=ab") == "https://f.example/x"
    assert page.join("x") == "https://index.example/simple/foo/x"
    assert page.join_plain(["https://u:p@f.example/x"]) is None


@given(st.text(max_size=30))
def test_any_text_is_a_link_or_an_error_of_ours(text: str) -> None:
    page = Links("https://index.example/simple/foo/")
    try:
        joined = page.join(text)
    except BadLink:
        return
    assert joined.startswith(("http://", "https://"))
    assert quoted(joined).isascii()
    assert quoted(joined).isprintable()
