"""A part, a head or a "not modified", made from a whole copy."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from transport import ranges, validation
from transport.reply import fitted

NOW = 1_700_000_000.0
TAGGED = {"etag": '"1"', "content-type": "text/plain", "content-length": "10", "cache-control": "max-age=9"}


def at(seconds: float) -> str:
    return formatdate(NOW + seconds, usegmt=True)


def positions(value: str, size: int) -> list[int]:
    """Return the positions that a single valid range names, by looking at each one (the oracle)."""
    first, _, last = value.removeprefix("bytes=").partition("-")
    if first == "":
        return [at for at in range(size) if size - at <= int(last)]
    return [at for at in range(size) if at >= int(first) and (last == "" or at <= int(last))]


@given(size=st.integers(0, 12), first=st.integers(0, 15), length=st.integers(0, 15), form=st.sampled_from("ab-"))
@example(size=0, first=0, length=0, form="-")
def test_a_range_names_the_bytes_that_looking_at_each_one_finds(size: int, first: int, length: int, form: str) -> None:
    value = {"a": f"bytes={first}-{first + length}", "b": f"bytes={first}-", "-": f"bytes=-{length}"}[form]
    expected = positions(value, size)
    if not expected:
        with pytest.raises(ranges.Unsatisfiable):
            ranges.bounds(value, size)
        return
    found = ranges.bounds(value, size)
    assert found is not None
    assert list(range(*found)) == expected


@pytest.mark.parametrize(
    "value", ["bytes=1-2,5-6", "bytes=-", "bytes=5-2", "lines=1-2", "bytes", "bytes=a-b", "", "bytes=1-2;", "bytes=--5"]
)
def test_what_is_not_one_range_of_bytes_is_answered_with_the_whole(value: str) -> None:
    assert ranges.bounds(value, 10) is None


def test_a_part_says_where_it_was_cut_and_how_long_it_is() -> None:
    status, headers, body = fitted("GET", {"range": "bytes=2-4"}, TAGGED, b"0123456789", NOW)
    assert (status, body, headers["content-range"], headers["content-length"]) == (206, b"234", "bytes 2-4/10", "3")
    assert headers["etag"] == '"1"'
    status, headers, body = fitted("GET", {"range": "bytes=10-"}, TAGGED, b"0123456789", NOW)
    assert (status, body, headers["content-range"]) == (416, b"", "bytes */10")


def test_no_part_is_cut_from_a_body_that_was_decoded() -> None:
    coded = TAGGED | {"content-encoding": "gzip"}
    assert fitted("GET", {"range": "bytes=0-1"}, coded, b"0123456789", NOW) == (200, coded, b"0123456789")


def test_head_has_the_fields_of_the_whole_and_no_body() -> None:
    assert fitted("HEAD", {"range": "bytes=0-1"}, TAGGED, b"0123456789", NOW) == (200, TAGGED, b"")


@pytest.mark.parametrize(
    ("asked", "is_unmodified"),
    [
        ({"if-none-match": '"1"'}, True),
        ({"if-none-match": 'W/"1"'}, True),  # RFC 9110 §13.1.2: the comparison is weak
        ({"if-none-match": '"0", "1"'}, True),
        ({"if-none-match": '"0,1", W/"1" '}, True),
        ({"if-none-match": "*"}, True),
        ({"if-none-match": '"0,1"'}, False),
        ({"if-none-match": '"*"'}, False),
        ({"if-none-match": ""}, False),
        ({"if-modified-since": at(-60)}, True),
        ({"if-modified-since": at(0)}, True),
        ({"if-modified-since": at(-61)}, False),
        ({"if-modified-since": "yesterday"}, False),
        ({"if-none-match": '"2"', "if-modified-since": at(0)}, False),  # RFC 9110 §13.1.3: the tag decides
        ({}, False),
    ],
)
def test_a_callers_conditions_are_answered_from_the_copy(asked: dict[str, str], *, is_unmodified: bool) -> None:
    stored = TAGGED | {"last-modified": at(-60)}
    assert validation.is_unmodified(asked, stored, NOW) is is_unmodified
    status, headers, body = fitted("GET", asked, stored, b"0123456789", NOW)
    assert status == (304 if is_unmodified else 200)
    assert (body == b"", "content-length" in headers) == (is_unmodified, not is_unmodified)
    assert headers["etag"] == '"1"'


def test_a_copy_without_a_date_of_change_is_as_old_as_its_date_or_its_arrival() -> None:
    """RFC 9111 §4.3.2."""
    asked = {"if-modified-since": at(-10)}
    assert validation.is_unmodified(asked, {"date": at(-10)}, NOW)
    assert not validation.is_unmodified(asked, {"date": at(-9)}, NOW)
    assert validation.is_unmodified(asked, {}, NOW - 10)
    assert not validation.is_unmodified(asked, {}, NOW)
