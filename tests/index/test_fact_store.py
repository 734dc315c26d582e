"""Facts as records: what comes back is what was parsed, and nobody can tell the difference."""

from __future__ import annotations

import random
import re
from typing import Any

import msgpack
import orjson
import pytest
from packaging.version import Version

from resolver.index import release as reading
from resolver.index.fact_store import FactStore, LostFactsError
from resolver.index.instants import Instants
from resolver.index.metadata import parse_metadata
from resolver.index.packed import PackedReleases
from resolver.index.page import File, ProjectPage, Release
from resolver.index.simple import parse_page
from resolver.provider.requirements import Metadata, read
from resolver.provider.versions import VersionList

from .kept import Clocks, Kept

JSON = "application/vnd.pypi.simple.v1+json"
SUFFIXES = ("", "", ".0", "rc1", ".dev2", ".post1")
TAILS = ("-py3-none-any.whl", "-1-cp311-abi3-win32.whl", "-cp39-none-any.whl", ".tar.gz", "?")
URL = "https://index.example/simple/foo/"
FILE = File("foo-1.0-py3-none-any.whl", "https://index.example/foo-1.0.whl", (("sha256", "00" * 32),), "py3-none-any")


def page(seed: int) -> ProjectPage:
    """A page with all that pages have."""
    chance = random.Random(seed)
    files: list[dict[str, Any]] = []
    for number in range(chance.randrange(60)):
        version = (
            f"{chance.randrange(4)}.{chance.randrange(12)}{chance.choice(['', '', '.0', 'rc1', '.dev2', '.post1'])}"
        )
        tail = chance.choice(
            ["-py3-none-any.whl", "-1-cp311-abi3-win32.whl", f"-cp3{number}-none-any.whl", ".tar.gz", "?"]
        )
        late = f"{2023 + number % 2}-{number % 12 + 1:02}-{28 + number % 4}T03:04:05Z"  # some of them never were
        files.append(
            {
                "filename": f"foo-{version}{tail}",
                "url": chance.choice(
                    [f"../../f/foo-{version}{tail}", f"https://files.example/{number}?é=#x", "data:x"]
                ),
                "hashes": chance.choice([{"sha256": f"{number:064x}"}, {}, {"md5": "ab" * 16}]),
                "requires-python": chance.choice([None, ">=3.8", ">=3.9,<4"]),
                "yanked": chance.choice([False, False, True, "bröken\nbadly"]),
                "core-metadata": chance.choice([False, True, {"sha256": "ab" * 32}]),
                "size": chance.choice([None, number]),
                "upload-time": chance.choice([None, "2024-01-02T03:04:05Z", "yesterday", late]),
            }
        )
    said = {"meta": {"api-version": "1.1"}, "name": "foo", "files": files, "project-status": {"status": "archived"}}
    return parse_page(orjson.dumps(said), JSON, URL, "foo")


@pytest.mark.parametrize("seed", range(60))
def test_a_page_comes_back_as_it_was_parsed(seed: int) -> None:
    parsed, store = page(seed), FactStore(Kept(), Instants())
    store.keep_page(parsed, VersionList(parsed.texts), "public", "digest")
    found = store.page("public", "digest")
    assert found is not None
    again, versions, weight = found
    assert again == parsed
    assert [(one.wheels, one.sdist, one.version) for one in again.releases] == [
        (one.wheels, one.sdist, Version(one.text)) for one in parsed.releases
    ]
    assert again.signatures() == parsed.signatures()
    assert (versions.texts, versions.prereleases) == (parsed.texts, VersionList(parsed.texts).prereleases)
    assert weight > 0
    assert store.page("private", "digest") is None


def test_generated_pages_have_releases_skipped_files_and_yanked_ones() -> None:
    pages = [page(seed) for seed in range(240)]
    releases = [one for each in pages for one in each.releases]
    assert any(each.skipped for each in pages)
    assert any(not each.releases for each in pages)
    assert any(one.sdist is not None and len(one.wheels) > 1 for one in releases)
    assert {reason for one in releases for reason in one.yanked_reasons} == {"", "bröken badly"}


@pytest.mark.parametrize("seed", range(20))
def test_the_masks_of_signatures_say_which_release_has_which(seed: int) -> None:
    releases = page(seed).releases
    assert isinstance(releases, PackedReleases)
    plain: dict[object, int] = {}
    for bit, release in enumerate(releases, 1):
        plain[release.signature] = plain.get(release.signature, 0) | 1 << bit
        reasons = {file.yanked for file in (*release.wheels, release.sdist) if file and file.yanked is not None}
        assert release.yanked_reasons == reasons
    assert dict(releases.masks()) == plain


def test_releases_are_a_sequence_like_any_other() -> None:
    releases = next(one for one in (page(seed).releases for seed in range(9)) if len(one) > 5)
    plain = tuple(releases)
    assert (releases[-1], releases[1:3], list(reversed(releases))) == (plain[-1], plain[1:3], list(reversed(plain)))
    assert releases[0] is releases[0]
    assert releases == plain
    with pytest.raises(IndexError):
        _ = releases[len(plain)]


@pytest.mark.parametrize("seed", range(60))
def test_rows_that_are_read_in_one_go_are_read_as_any(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [(one.wheels, one.sdist) for one in page(seed).releases]
    monkeypatch.setattr(reading, "_PLAIN_FILE", re.compile(r"(?!)"))
    assert made == [(one.wheels, one.sdist) for one in page(seed).releases]


@pytest.mark.parametrize("seed", range(60))
def test_wheels_with_some_tags_are_those_of_all_wheels_in_whatever_order_they_are_asked_for(seed: int) -> None:
    def has(tags: str) -> bool:
        return tags != "py3-none-any"

    for all_first, some_first in zip(page(seed).releases, page(seed).releases, strict=True):
        wheels, sdist, files = all_first.wheels, all_first.sdist, all_first.files
        some = some_first.wheels_with("some", has)
        assert some == tuple(file for file in wheels if has(file.tags or "")) == all_first.wheels_with("some", has)
        assert some_first.is_yanked == all_first.is_yanked == all(file.yanked is not None for file in files)
        assert (some_first.sdist, some_first.wheels) == (sdist, wheels)
        for one in (all_first, some_first):  # each file is one object, however it was asked for
            own = {id(file) for file in one.wheels}
            assert {id(file) for file in one.wheels_with("some", has)} <= own
            assert {id(file) for file in one.wheels_with("all", bool)} == own


def test_of_a_file_that_is_listed_twice_the_first_row_counts() -> None:
    row = "foo-1-py3-none-any.whl\nhttps://f.example/{0}/\n" + "ab" * 32 + "\n\n1\n\n\n{1}"
    packed = "\n".join([row.format(1, "y"), row.format(2, ""), row.format(3, "why")])

    def release() -> Release:
        return Release.from_packed("1", packed, frozenset)

    one, other = release(), release()
    assert [file.url for file in one.wheels_with("py3", bool)] == ["https://f.example/1/foo-1-py3-none-any.whl"]
    assert one.wheels == one.wheels_with("py3", bool) == other.wheels
    assert one.is_yanked
    assert other.is_yanked
    assert one.yanked_reasons == {""}


def test_some_rows_are_read_in_one_go_and_some_are_not() -> None:
    rows = [row for seed in range(20) for one in page(seed).releases for row in rows_of(one.packed or "")]
    assert {reading._PLAIN_FILE.fullmatch(row) is None for row in rows} == {True, False}


def rows_of(packed: str) -> list[str]:
    fields = packed.split("\n")
    return ["\n".join(fields[at : at + 8]) for at in range(0, len(fields), 8)]


def metadata(*lines: str) -> Metadata:
    head = ["Metadata-Version: 2.1", "Name: foo", "Version: 1.0", "Requires-Python: >=3.8", "Provides-Extra: Dev_x"]
    return read(parse_metadata("\n".join([*head, *(f"Requires-Dist: {one}" for one in lines)]).encode()))


def test_metadata_comes_back_with_its_requirements_and_what_is_unreadable() -> None:
    parsed = metadata(
        "a>=1,<2", "B[x,Y] ; extra == 'dev-x'", "c (>=1)", "d @ https://d.example/d.whl", "!!", "e; os_name=='nt'"
    )
    kept = Kept()
    FactStore(kept, Instants()).keep_metadata(parsed, "public", FILE)
    found = FactStore(kept, Instants()).metadata("public", FILE)
    assert found is not None
    assert (found[0].core, found[0].unreadable) == (parsed.core, parsed.unreadable)
    assert found[0].requires == parsed.requires  # requirements are interned, so equal ones are one object
    assert [str(one.marker) for one in found[0].requires] == [str(one.marker) for one in parsed.requires]
    assert FactStore(kept, Instants()).metadata("private", FILE) is None


def test_a_file_without_a_hash_has_no_record() -> None:
    kept, unproved = Kept(), File(FILE.filename, FILE.url, (), FILE.tags)
    FactStore(kept, Instants()).keep_metadata(metadata("a"), "public", unproved)
    assert not kept
    assert FactStore(kept, Instants()).metadata("public", unproved) is None


@pytest.mark.parametrize("record", [b"", b"\xc1", msgpack.packb(7), msgpack.packb([]), msgpack.packb(["a"] * 12)])
def test_a_record_of_another_shape_is_none(record: bytes) -> None:
    kept = Kept()
    store = FactStore(kept, Instants())
    store.keep_metadata(metadata("a"), "public", FILE)
    store.keep_page(page(1), VersionList(page(1).texts), "public", "digest")
    for key in list(kept):
        kept[key] = record
    assert store.metadata("public", FILE) is None
    assert store.page("public", "digest") is None


def dated(count: int) -> ProjectPage:
    """A page whose files all give an upload time, so that rows need not be read at once."""
    files = [
        {
            "filename": f"foo-{number}.0-py3-none-any.whl",
            "url": f"https://files.example/{number:064x}/foo-{number}.0-py3-none-any.whl",
            "hashes": {"sha256": f"{number:064x}"},
            "upload-time": "2024-01-02T03:04:05Z",
        }
        for number in range(count)
    ]
    return parse_page(orjson.dumps({"meta": {"api-version": "1.1"}, "name": "foo", "files": files}), JSON, URL, "foo")


@pytest.mark.parametrize("count", [1, 300])
def test_the_files_of_a_release_are_read_when_they_are_asked_for(count: int) -> None:
    parsed, kept = dated(count), Kept()
    FactStore(kept, Instants()).keep_page(parsed, VersionList(parsed.texts), "public", "digest")
    assert ({key[0] for key in kept} == {"page", "rows"}) == (count > 1)  # what is short is in one piece
    found = FactStore(kept, Instants()).page("public", "digest")
    assert found is not None
    assert found[0] == parsed
    assert [one.wheels for one in found[0].releases] == [one.wheels for one in parsed.releases]


def test_a_page_whose_files_are_gone_is_none_and_one_that_loses_them_says_so() -> None:
    parsed, kept = dated(300), Kept()
    FactStore(kept, Instants()).keep_page(parsed, VersionList(parsed.texts), "public", "digest")
    found = FactStore(kept, Instants()).page("public", "digest")
    assert found is not None
    (key,) = (key for key in kept if key[0] == "rows")
    kept[key] = kept[key].replace(f"foo-{7}.0".encode(), b"bar-7.0")
    assert found[0].releases[8].wheels == parsed.releases[8].wheels
    with pytest.raises(LostFactsError):
        found[0].releases[7].wheels  # noqa: B018 - it is read on access
    del kept[key]
    assert FactStore(kept, Instants()).page("public", "digest") is None


def test_metadata_without_a_proof_last_as_long_as_what_they_were_read_of() -> None:
    kept, clocks = Kept(), Clocks()
    FactStore(kept, clocks.instants).keep_metadata(metadata("a"), "public", FILE, clocks.monotonic + 60.0)
    found = FactStore(kept, clocks.instants).metadata("public", FILE)
    assert found is not None
    assert found[0].core == metadata("a").core
    clocks.advance(60.0)
    assert FactStore(kept, clocks.instants).metadata("public", FILE) is None
