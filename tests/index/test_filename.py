"""File names: packaging is the oracle for what is valid; we may refuse more, never read differently."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

from resolver.index.filename import FilenameError, parse_filename, sdist_version, version_of

names = st.from_regex(r"[A-Za-z0-9](?:[A-Za-z0-9]|[._](?=[A-Za-z0-9])){0,8}", fullmatch=True)
versions = st.from_regex(r"[0-9]{1,3}(?:\.[0-9]{1,3}){0,3}(?:(?:a|b|rc|\.post|\.dev)[0-9]{1,2})?", fullmatch=True)
builds = st.sampled_from(["", "1-", "2abc-", "007-"])
tag_sets = st.sampled_from(
    ["py3-none-any", "py2.py3-none-any", "cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64", "cp39-abi3-win32"]
)


@given(names, versions, builds, tag_sets)
def test_a_valid_wheel_name_reads_as_packaging_reads_it(name: str, version: str, build: str, tags: str) -> None:
    filename = f"{name}-{version}-{build}{tags}.whl"
    expected = parse_wheel_filename(filename)
    found = parse_filename(filename)
    assert (found.name, found.version) == (expected[0], expected[1])
    assert (found.build is None) == (expected[2] == ())
    assert found.tags == tags


@given(st.text(st.sampled_from("fo-._10py3naeycbl! \n/"), max_size=24).map(lambda text: text + ".whl"))
def test_whatever_is_accepted_as_a_wheel_packaging_accepts_too(filename: str) -> None:
    try:
        found = parse_filename(filename)
    except FilenameError:
        return
    expected = parse_wheel_filename(filename)
    assert (found.name, found.version) == (expected[0], expected[1])


@given(names, versions, st.sampled_from([".tar.gz", ".zip"]))
def test_an_sdist_name_reads_as_packaging_reads_it(name: str, version: str, ending: str) -> None:
    found = parse_filename(f"{name}-{version}{ending}")
    assert (found.name, found.version) == parse_sdist_filename(f"{name}-{version}{ending}")
    assert found.tags is None


@given(st.text(max_size=40))
def test_any_text_is_a_file_name_or_an_error_of_ours(text: str) -> None:
    for filename in (text, text + ".whl", text + ".tar.gz", text + ".zip"):
        try:
            parse_filename(filename)
        except FilenameError:
            continue
        try:
            if filename.endswith(".whl"):
                parse_wheel_filename(filename)
            else:
                parse_sdist_filename(filename)
        except (InvalidWheelFilename, InvalidSdistFilename) as error:
            raise AssertionError(filename) from error


@pytest.mark.parametrize(
    ("stem", "name", "version"),
    [
        ("foo-bar-1.0", "foo-bar", "1.0"),
        ("foo_bar-1.0", "foo-bar", "1.0"),
        ("Foo.Bar-1.0-rc1", "foo-bar", "1.0-rc1"),
        ("foo-1.0-1", "foo", "1.0-1"),
        ("foo-bar-1.0", "foo", "bar-1.0"),
        ("other-1.0", "foo", None),
        ("foo", "foo", None),
    ],
)
def test_the_projects_name_tells_where_an_sdists_version_begins(stem: str, name: str, version: str | None) -> None:
    assert sdist_version(stem, name) == version


def test_versions_are_shared_and_absurd_ones_refused() -> None:
    assert version_of("1.0") is version_of("1.0")
    assert version_of("1.0") == Version("1.0.0")
    assert version_of("9" * 5000) is None
    assert version_of(" 1.0") is None
    assert version_of("1.0-bulbasaur") is None


def test_a_tag_set_that_multiplies_beyond_reason_is_refused() -> None:
    many = ".".join(f"py{number}" for number in range(100))
    with pytest.raises(FilenameError, match="multiply"):
        parse_filename(f"foo-1.0-{many}-{many}-any.whl")
