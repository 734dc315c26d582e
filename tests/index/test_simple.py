"""Project pages, in both forms."""

from __future__ import annotations

import tracemalloc
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from resolver.index.page import File, ProjectPage, Release
from resolver.index.simple import MalformedPage, PageTooLarge, parse_page
from resolver.index.simple_json import check_depth

URL = "https://index.example/simple/foo/"
JSON = "application/vnd.pypi.simple.v1+json"
SHA = "0123456789abcdef" * 4


def entry(filename: str = "foo-1.0-py3-none-any.whl", **more: Any) -> dict[str, Any]:
    values = {"filename": filename, "url": f"../../files/{filename}", "hashes": {"sha256": SHA}}
    return {**values, **{key.replace("_", "-"): value for key, value in more.items()}}


def read(*entries: Any, **more: Any) -> ProjectPage:
    page = {"meta": {"api-version": "1.1"}, "name": "foo", "files": entries, **more}
    return parse_page(orjson.dumps(page), JSON, URL, "foo")


def read_html(html: str, content_type: str = "text/html") -> ProjectPage:
    return parse_page(html.encode(), content_type, URL, "foo")


def files(page: ProjectPage) -> list[File]:
    return [file for one in page.releases for file in (*one.wheels, *([one.sdist] if one.sdist else []))]


def test_a_file_keeps_everything_its_page_says() -> None:
    page = read(
        entry(
            "foo-1.0-1-py2.py3-none-any.whl",
            size=7,
            upload_time="2024-01-02T03:04:05.678901Z",
            requires_python=">=3.8",
            yanked="broken\nbadly",
            core_metadata={"sha256": SHA},
        )
    )
    assert files(page) == [
        File(
            filename="foo-1.0-1-py2.py3-none-any.whl",
            url="https://index.example/files/foo-1.0-1-py2.py3-none-any.whl",
            hashes=(("sha256", SHA),),
            tags="py2.py3-none-any",
            build="1",
            size=7,
            upload_time="2024-01-02T03:04:05.678901Z",
            requires_python=">=3.8",
            yanked="broken badly",
            core_metadata=(("sha256", SHA),),
        )
    ]
    assert page.releases[0].signature == {("py2.py3-none-any", ">=3.8", True)}


def test_a_release_that_unpacks_itself_equals_one_that_was_made_of_files() -> None:
    (packed,) = read(entry(), entry("foo-1.0.tar.gz"), entry("foo-1.0.zip")).releases
    made = Release(packed.version, packed.text, packed.wheels, packed.sdist, packed.signature)
    (again,) = read(entry("foo-1.0.zip"), entry("foo-1.0.tar.gz"), entry()).releases
    assert again == made
    assert hash(again) == hash(made)
    assert made.sdist is not None
    assert made.sdist.filename == "foo-1.0.tar.gz"
    assert made.signature == {("py3-none-any", None, False), (None, None, False)}
    with pytest.raises(AttributeError):
        _ = again.nothing  # type: ignore[attr-defined]


def test_spellings_of_one_version_are_one_release_and_releases_ascend() -> None:
    page = read(
        entry("foo-10.0-py3-none-any.whl"),
        entry("foo-1.0.0-py3-none-any.whl"),
        entry("foo-1.0.tar.gz"),
        entry("foo-2.0RC1.tar.gz"),
    )
    assert [one.text for one in page.releases] == ["1.0.0", "2.0rc1", "10.0"]
    assert [one.version for one in page.releases] == [Version("1.0"), Version("2.0rc1"), Version("10")]
    assert len(page.releases[0].wheels) == 1
    assert page.releases[0].sdist is not None


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({}, "filename"),
        ([], "no object"),
        (entry("foo-1.0-py3-none-any.whl", url=7), "url"),
        (entry("foo-1.0-py3-none-any.whl", url="javascript:alert(1)"), "scheme"),
        (entry("foo-1.0-py3-none-any.whl", url="../../a\nb"), "control"),
        (entry("foo-1.0-py3-none-any.whl", hashes=[]), "hashes"),
        (entry("foo-1.0-py3-none-any.whl", hashes={"sha256": 1}), "hash"),
        (entry("foo-1.0-py3-none-any.whl", size="1"), "size"),
        (entry("foo-1.0-py3-none-any.whl", size=-1), "size"),
        (entry("foo-1.0-py3-none-any.whl", size=True), "size"),
        (entry("foo-1.0-py3-none-any.whl", upload_time=1), "upload-time"),
        (entry("foo-1.0-py3-none-any.whl", upload_time="2024\n"), "line break"),
        (entry("foo-1.0-py3-none-any.whl", requires_python=3), "requires-python"),
        (entry("foo-1.0-py3-none-any.whl", requires_python=[]), "wrong type"),
        (entry("foo-1.0-py3-none-any.whl", yanked=[]), "yanked"),
        (entry("foo-1.0-py3-none-any.whl", core_metadata="yes"), "core-metadata"),
        (entry("bar-1.0-py3-none-any.whl"), "another project"),
        (entry("bar-1.0.tar.gz"), "another project"),
        (entry("foo-one-py3-none-any.whl"), "PEP 440"),
        (entry("foo-1.0-py36+-none-any.whl"), "tag"),
        (entry("foo-1.0.whl"), ""),
    ],
)
def test_one_bad_entry_costs_that_entry_only(bad: Any, reason: str) -> None:
    page = read(entry("foo-2.0-py3-none-any.whl"), bad, entry("foo-3.0-py3-none-any.whl"))
    assert [one.text for one in page.releases] == ["2.0", "3.0"]
    assert page.skipped_count == 1
    assert reason in page.skipped[0][1]


def test_what_is_neither_wheel_nor_sdist_is_counted_only() -> None:
    page = read(*[entry(f"foo-1.0.{kind}") for kind in ("exe", "egg", "rpm", "tar.bz2", "tar.gz.asc", "msi")])
    assert (page.releases, page.skipped, page.skipped_count) == ((), (), 6)


def test_pep_714_the_newer_key_wins_where_both_are_given() -> None:
    def core(**keys: Any) -> Any:
        return files(read(entry(**keys)))[0].core_metadata

    assert core(core_metadata=False, dist_info_metadata={"sha256": SHA}) is None
    assert core(dist_info_metadata={"sha256": SHA}) == (("sha256", SHA),)
    assert core(core_metadata=True) == core(core_metadata={}) == ()
    assert core() is None


def test_hashes_of_every_algorithm_are_kept_in_lower_case() -> None:
    found = files(read(entry(hashes={"sha256": SHA.upper(), "blake2b_256": SHA, "md5": "ab" * 16})))
    assert found[0].hashes == (("blake2b_256", SHA), ("md5", "ab" * 16), ("sha256", SHA))


@pytest.mark.parametrize(
    ("said", "utc"),
    [("2024-01-02T03:04:05Z", "2024-01-02T03:04:05Z"), ("2024-01-02T03:04:05+02:00", "2024-01-02T01:04:05Z"),
     ("2024-99-02T03:04:05Z", None), ("yesterday", None), ("2024-01-02", None), ("0001-01-01T00:00:00+10:00", None)],
)  # fmt: skip
def test_upload_times_are_instants_in_utc_or_absent(said: str, utc: str | None) -> None:
    assert files(read(entry(upload_time=said)))[0].upload_time == utc


def test_files_without_an_upload_time_are_told_by_name_and_by_what_makes_them_themselves() -> None:
    wheel = "foo-1.0-{}-none-any.whl".format
    page = read(
        entry(wheel("py3"), upload_time="2024-01-02T03:04:05Z"),
        entry(wheel("cp311"), hashes={"sha256": SHA.upper(), "md5": "0" * 32}),
        entry(wheel("cp312"), hashes={"md5": "0" * 32}),
        entry(wheel("cp313"), hashes={}, url=f"/files/{wheel('cp313')}?signature=1"),
        entry(wheel("cp314"), upload_time="2024-01-02T03:04:05"),
        entry("foo-1.0.tar.gz", upload_time="2024-01-02T03:04:05+01:00"),
    )
    assert page.sightings is not None
    assert page.undated() == {
        wheel("cp311"): SHA,
        wheel("cp312"): "md5=" + "0" * 32,
        wheel("cp313"): f"https://index.example/files/{wheel('cp313')}",
        wheel("cp314"): SHA,
    }
    assert {file.filename for file in files(page) if file.upload_time is None} == set(page.undated())
    assert {one.sightings for one in page.releases} == {page.sightings}


def test_a_page_with_all_upload_times_has_no_room_for_sightings() -> None:
    page = read(entry(upload_time="2024-01-02T03:04:05Z"), entry("foo-2.0.tar.gz", upload_time="2024-01-02T03:04:05Z"))
    assert page.sightings is None
    assert page.undated() == {}
    assert all(one.first_seen(file) is None for one in page.releases for file in one.wheels)


@pytest.mark.parametrize(
    ("body", "content_type", "reason"),
    [
        (b"{", JSON, "not JSON"),
        (b"\xff", JSON, "not JSON"),
        (b"[]", JSON, "no object"),
        (b"{}", JSON, "files"),
        (b'{"files": {}}', JSON, "files"),
        (b'{"files": [], "meta": {"api-version": "2.0"}}', JSON, "only 1.x"),
        (b'{"files": [], "meta": {"api-version": 1}}', JSON, "api-version"),
        (b'{"files": []}', "application/json", "api-version"),
        (b'{"files": [], "name": "bar"}', JSON, "not about foo"),
        (b'{"files": [], "name": 7}', JSON, "name"),
        (b"[" * 40 + b"]" * 40, JSON, "deep"),
        (b"<a href=x>", "text/plain", "text/plain"),
        (b"<a href=x>", None, "no content type"),
        (b"<a href=x>", "image/\x1b[31m" + "x" * 500, "x1b"),
        (b"", "text/html", "empty"),
        (b"plain words", "text/html", "empty"),
        (b"<html>\xff", "text/html", "at byte 6"),
        (b"<html>\0", "text/html", "zero byte"),
        (b"<html>", "text/html; charset=utf-16", "utf-16"),
        (b"<title>Links for bar</title>", "text/html", "not about foo"),
        (b'<meta name="pypi:repository-version" content="2.0"><body>', "text/html", "only 1.x"),
        (b"<html><form><input name=u><input type=PASSWORD></form>", "text/html", "login"),
        (b"<html><form action=/search></form><a href='/about'>about</a>", "text/html", "form"),
        (b"<html><body><div id=root></div><script src=app.js></script>", "text/html", "scripts"),
        (b"<base href='ftp://h.example/'><a href='foo-1.0.zip'>", "text/html", "base"),
    ],
)
def test_what_is_no_project_page_is_never_an_empty_project(body: bytes, content_type: str | None, reason: str) -> None:
    with pytest.raises(MalformedPage, match=reason) as caught:
        parse_page(body, content_type, URL, "foo")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300


def test_too_much_is_refused() -> None:
    with pytest.raises(PageTooLarge, match="files"):
        parse_page(b'{"files": [' + b"0," * 200_000 + b"0]}", JSON, URL, "foo")
    with pytest.raises(PageTooLarge, match="bytes"):
        parse_page(bytes((64 << 20) + 1), JSON, URL, "foo")


@pytest.mark.parametrize("value", [b"[[[[]]]]", b'{"a":{"a":{}}}', b"0", b"[]"])
def test_a_page_of_very_many_values_is_refused_before_they_are_made(value: bytes) -> None:
    body = b'{"meta": {"api-version": "1.0"}, "files": [], "more": [' + (value + b",") * 4_100_000 + b"0]}"
    tracemalloc.start()
    try:
        with pytest.raises(PageTooLarge, match="values"):
            parse_page(body, JSON, URL, "foo")
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_json_depth_is_that_of_its_structure_not_of_its_strings() -> None:
    check_depth(b'{"a": "' + b"[" * 100 + b'\\"[[", "b": [' + b"[]," * 50 + b"[]]}")
    check_depth(b"[" * 32 + b"]" * 32)
    for deep in (b"[" * 33 + b"]" * 33, b'{"a":' * 40, b'["' + b"[" * 9 + b'",' + b"[{" * 20):
        with pytest.raises(MalformedPage, match="deep"):
            check_depth(deep)


def test_a_html_page_reads_as_its_json_form_does() -> None:
    html = f"""<!DOCTYPE html><html><head><meta name="pypi:repository-version" content="1.3">
      <meta name="pypi:project-status" content="archived"><title>Links for Foo</title></head><body><h1>Links</h1>
      <a href="../../files/foo-1.0-py3-none-any.whl#sha256={SHA}" data-requires-python="&gt;=3.8, &lt;4"
         data-yanked="it&#39;s bad" data-core-metadata="sha256={SHA}" data-dist-info-metadata="false">x</a><br/>
      <a href="https://u:p@files.example/foo-1.1.tar.gz#egg=foo&sha256={SHA}" data-yanked
         data-dist-info-metadata="true">y</a>
      <a href="../">Parent</a> <a name="top"></a> <a href="mailto:x@y.example">mail</a></body></html>"""
    page = read_html(html, "Application/vnd.PyPI.simple.v1+HTML; charset=UTF-8")
    same = read(
        entry(requires_python=">=3.8, <4", yanked="it's bad", core_metadata={"sha256": SHA}),
        entry("foo-1.1.tar.gz", url="https://files.example/foo-1.1.tar.gz", yanked=True, dist_info_metadata=True),
        **{"project-status": {"status": "archived"}},
    )
    assert page.releases == same.releases
    assert page.status == same.status == "archived"


def test_links_of_a_html_page_are_relative_to_its_base() -> None:
    page = read_html(
        '<base href="/f/"><base href="/g/"><a href="x/foo-1.0%2Bcu.1-py3-none-any.whl#sha256=' + SHA + '">'
    )
    (file,) = files(page)
    assert file.url == "https://index.example/f/x/foo-1.0%2Bcu.1-py3-none-any.whl"
    assert file.filename == "foo-1.0+cu.1-py3-none-any.whl"


def test_an_empty_project_is_legal_in_both_forms() -> None:
    assert read().releases == ()
    assert (
        read_html("<!DOCTYPE html><html><head><title>Links for foo</title></head><body></body></html>").releases == ()
    )
    assert read_html("<html><body></body></html>").releases == ()


HOSTILE = [
    "<a ",
    "<!--",
    "<div>",
    "<a href=x>",
    '<a href="',
    "<",
    "&",
    "</a",
    "<x></y>",
    "<b><i>",
    "<script>",
    "<![CDATA[",
]


@pytest.mark.parametrize("pattern", HOSTILE)
def test_a_hostile_megabyte_of_html_ends(pattern: str) -> None:
    """Linear time is what keeps this under the suite's limit: quadratic patterns take half a minute to hours."""
    html = "<html>" + pattern * ((1 << 20) // len(pattern))
    try:
        assert read_html(html).releases == ()
    except MalformedPage as error:
        assert len(str(error)) < 200  # noqa: PT017 - either outcome is fine, and is looked at


words = st.sampled_from(
    [
        "<a",
        ' href="',
        "foo-1.0.zip",
        '"',
        ">",
        "</a>",
        "<!--",
        "-->",
        "<base",
        "<title>",
        "#sha256=",
        "&",
        "\0",
        "é",
        "data-yanked",
    ]
)


@given(st.lists(words, max_size=20).map("".join))
def test_any_text_is_a_html_page_or_an_error_of_ours(html: str) -> None:
    try:
        page = read_html(html)
    except MalformedPage:
        return
    assert all(file.url.startswith("http") for file in files(page))


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.sampled_from(["foo-1.0-py3-none-any.whl", "../../x", "", "\n", SHA]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["sha256", "md5", ""]), inner, max_size=2)
    ),
    max_leaves=4,
)
keys = st.sampled_from(
    [
        "filename",
        "url",
        "hashes",
        "size",
        "yanked",
        "core-metadata",
        "requires-python",
        "upload-time",
        "dist-info-metadata",
    ]
)


@given(st.lists(st.dictionaries(keys, values) | values, max_size=3), st.data())
def test_any_json_is_a_page_whose_files_can_be_unpacked(entries: list[Any], data: st.DataObject) -> None:
    twisted = {**entry(), data.draw(keys): data.draw(values)}
    page = read(*entries, twisted, entry("foo-2.0.tar.gz"))
    assert Version("2.0") in [one.version for one in page.releases]
    for one in page.releases:
        found = {
            (file.tags, file.requires_python, file.yanked is not None) for file in (*one.wheels, one.sdist) if file
        }
        assert found == one.signature


@given(st.binary(max_size=100), st.sampled_from([JSON, "application/json", "text/html", None, ""]))
def test_any_bytes_are_a_page_or_an_error_of_ours(body: bytes, content_type: str | None) -> None:
    try:
        parse_page(body, content_type, URL, "foo")
    except MalformedPage as error:
        assert str(error).isprintable()  # noqa: PT017 - either outcome is fine
