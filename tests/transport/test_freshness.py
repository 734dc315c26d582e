"""Tables from RFC 9111, RFC 5861 and RFC 8246."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transport import fields, freshness, validation, vary
from transport.freshness import DAY, FOREVER, OURS, Policy, Terms, Verdict, assess, directives
from transport.message import Kind

NOW = 1_700_000_000.0


def at(seconds: float) -> str:
    return formatdate(NOW + seconds, usegmt=True)


def terms(
    headers: dict[str, str],
    *,
    status: int = 200,
    kind: Kind = Kind.PAGE,
    override: str | None = None,
    took: float = 0.0,
    stale_if_error: float | None = None,
    policy: Policy = OURS,
) -> Terms:
    return assess(
        status,
        headers,
        kind=kind,
        request_time=NOW - took,
        response_time=NOW,
        override=override,
        stale_if_error=stale_if_error,
        policy=policy,
    )


@pytest.mark.parametrize(
    ("headers", "lifetime"),
    [
        ({"cache-control": "max-age=600"}, 600),
        ({"cache-control": "MAX-AGE=600"}, 600),  # §5.2: names are case-insensitive
        ({"cache-control": 'max-age="600"'}, 600),  # §5.2: both forms are to be understood
        ({"cache-control": "public , max-age=600,, foo"}, 600),
        ({"cache-control": "max-age=600, max-age=60"}, 60),  # §4.2.1: conflicting: the stricter
        ({"cache-control": "max-age=abc"}, 0),
        ({"cache-control": "max-age=-1"}, 0),
        ({"cache-control": "max-age=1.5"}, 0),
        ({"cache-control": "max-age"}, 0),
        ({"cache-control": "max-age=99999999999999999999"}, FOREVER),
        ({"cache-control": "s-maxage=600"}, 0),  # §5.2.2.10: for shared caches
        ({"cache-control": "max-age=5, s-maxage=600"}, 5),
        ({"cache-control": 'ext="max-age=600"'}, 0),  # a quoted string is an argument, not directives
        ({"cache-control": 'ext="a, max-age=600", max-age=7'}, 7),
        ({"date": at(0), "expires": at(60)}, 60),
        ({"date": at(-100), "expires": at(-40)}, 60),
        ({"date": at(0), "expires": at(-60)}, 0),
        ({"expires": "0"}, 0),
        ({"expires": "-1"}, 0),
        ({"expires": at(60)}, 60),  # without Date: the time of the response
        ({"cache-control": "max-age=5", "date": at(0), "expires": at(60)}, 5),  # §5.3
        ({"last-modified": at(-1000 * DAY)}, 0),  # no heuristics for pages
        ({}, 0),
    ],
)
def test_a_page_is_fresh_for_as_long_as_the_index_says(headers: dict[str, str], lifetime: float) -> None:
    assert terms(headers).lifetime == lifetime


@pytest.mark.parametrize(
    ("headers", "took", "age"),
    [
        ({}, 0, 0),
        ({"age": "700"}, 0, 700),
        ({"age": "700"}, 5, 705),  # §4.2.3: the time under way counts
        ({"date": at(-50)}, 0, 50),
        ({"date": at(-50), "age": "10"}, 0, 50),
        ({"date": at(-5), "age": "10"}, 0, 10),
        ({"date": at(500)}, 0, 0),  # a clock that is ahead makes nothing younger than new
        ({"age": "nonsense"}, 0, 0),
        ({"age": "10, 20"}, 0, 10),
        ({"age": "99999999999999999999999"}, 0, FOREVER),
    ],
)
def test_the_age_counts_caches_on_the_way_and_the_time_under_way(
    headers: dict[str, str], took: float, age: float
) -> None:
    assert terms(headers, took=took).initial_age == age


@pytest.mark.parametrize(
    ("control", "age", "verdict"),
    [
        ("max-age=600", 0, Verdict.FRESH),
        ("max-age=600", 599, Verdict.FRESH),
        ("max-age=600", 600, Verdict.ASK),  # §4.2: fresh while the lifetime is *greater* than the age
        ("max-age=600, no-cache", 0, Verdict.ASK),
        ("NO-CACHE, max-age=600", 0, Verdict.ASK),
        ('max-age=600, no-cache="set-cookie"', 0, Verdict.FRESH),  # §5.2.2.4: only that field
        ("max-age=600, immutable", 10, Verdict.FRESH),
        ("immutable, max-age=600", 601, Verdict.ASK),  # RFC 8246 §2: only while fresh
        ("max-age=600, stale-while-revalidate=60", 630, Verdict.REFRESH_BEHIND),
        ("max-age=600, stale-while-revalidate=60", 660, Verdict.ASK),
        ("max-age=600, must-revalidate, stale-while-revalidate=60", 630, Verdict.ASK),
        ("max-age=600, private", 10, Verdict.FRESH),
        ("max-age=600, proxy-revalidate", 10, Verdict.FRESH),
        ("no-store, max-age=600", 0, Verdict.ASK),
    ],
)
def test_the_verdict_follows_the_directives(control: str, age: float, verdict: Verdict) -> None:
    assert terms({"cache-control": control}).verdict(age, refresh=False) is verdict


def test_a_forced_refresh_beats_freshness_and_immutable() -> None:
    assert terms({"cache-control": "max-age=600, immutable"}).verdict(0, refresh=True) is Verdict.ASK


def test_pragma_counts_only_without_cache_control() -> None:
    assert terms({"pragma": "no-cache", "expires": at(60)}).always_ask
    assert not terms({"pragma": "no-cache", "cache-control": "max-age=60"}).always_ask


@pytest.mark.parametrize(
    ("control", "age", "allowance", "may"),
    [
        ("max-age=60, stale-if-error=600", 100, None, True),
        ("max-age=60, stale-if-error=600", 660, None, False),
        ("max-age=60", 100, None, False),
        ("max-age=60", 100, 600.0, True),  # the operator's allowance
        ("max-age=60, stale-if-error=0", 100, 600.0, False),  # the index's own word is stronger
        ("max-age=60, must-revalidate, stale-if-error=600", 100, 600.0, False),  # §4.2.4
        ("no-cache, stale-if-error=600", 100, 600.0, False),
        ("no-store, stale-if-error=600", 100, 600.0, False),
    ],
)
def test_stale_stands_in_for_an_error_where_nobody_forbids_it(
    control: str, age: float, allowance: float | None, *, may: bool
) -> None:
    assert terms({"cache-control": control}, stale_if_error=allowance).may_serve_stale(age) is may


@pytest.mark.parametrize(
    ("status", "headers", "may"),
    [
        (200, {}, True),
        (203, {}, True),
        (206, {}, True),
        (301, {"location": "https://other.example/"}, True),
        (308, {"location": "https://u:p@other.example/"}, False),  # a credential is never written down
        (302, {}, False),
        (404, {"cache-control": "max-age=600"}, False),
        (500, {"cache-control": "max-age=600"}, False),
        (200, {"cache-control": "no-store"}, False),
        (200, {"cache-control": "No-Store"}, False),
        (200, {"cache-control": "private"}, True),
        (200, {"vary": "*"}, False),
        (200, {"vary": "accept, *"}, False),
        (200, {"vary": "accept"}, True),
    ],
)
def test_what_may_be_stored(status: int, headers: dict[str, str], *, may: bool) -> None:
    assert terms(headers, status=status).storable is may


def test_a_permanent_redirect_rests_only_while_it_is_said_to_be_fresh() -> None:
    assert terms({"location": "/x"}, status=301, kind=Kind.METADATA).lifetime == 0
    assert terms({"location": "/x", "cache-control": "max-age=0"}, status=301).lifetime == 0
    assert terms({"location": "/x", "cache-control": "max-age=9"}, status=301).lifetime == 9


@pytest.mark.parametrize("kind", [Kind.METADATA, Kind.RANGE, Kind.FILE])
def test_files_of_a_silent_index_rest_for_a_day(kind: Kind) -> None:
    assert terms({"etag": '"1"'}, kind=kind).lifetime == DAY
    assert terms({"cache-control": "public"}, kind=kind).lifetime == DAY
    assert terms({"cache-control": "max-age=60"}, kind=kind).lifetime == 60
    assert terms({"cache-control": "no-cache"}, kind=kind).verdict(0, refresh=False) is Verdict.ASK


@pytest.mark.parametrize(
    ("override", "headers", "lifetime", "storable"),
    [
        ("max-age=600", {"cache-control": "no-store"}, 600, True),
        ("max-age=600", {"cache-control": "max-age=5", "expires": "0", "pragma": "no-cache"}, 600, True),
        ("immutable", {}, FOREVER, True),
        ("no-store", {"cache-control": "max-age=600"}, 0, False),
        ("max-age=0", {"cache-control": "max-age=600"}, 0, True),
    ],
)
def test_the_operators_word_stands_in_place_of_the_indexs(
    override: str, headers: dict[str, str], lifetime: float, *, storable: bool
) -> None:
    found = terms(headers, override=override)
    assert (found.lifetime, found.storable, found.always_ask) == (lifetime, storable, False)


@pytest.mark.parametrize(
    ("headers", "asked"),
    [
        ({"etag": '"1"'}, (("if-none-match", '"1"'),)),
        ({"etag": 'W/"1"'}, (("if-none-match", 'W/"1"'),)),
        ({"etag": '"1"', "last-modified": at(-60)}, (("if-none-match", '"1"'),)),
        ({"last-modified": at(-60)}, (("if-modified-since", at(-60)),)),
        ({"last-modified": "yesterday"}, ()),
        ({}, ()),
    ],
)
def test_one_stored_validator_is_sent(headers: dict[str, str], asked: tuple[tuple[str, str], ...]) -> None:
    assert validation.conditions(headers) == asked


@pytest.mark.parametrize(
    ("stored", "answer", "confirms"),
    [
        ({"etag": '"1"'}, {"etag": '"1"'}, True),
        ({"etag": 'W/"1"'}, {"etag": '"1"'}, True),
        ({"etag": '"1"'}, {}, True),  # we sent exactly one
        ({"etag": '"1"'}, {"etag": '"2"'}, False),
        ({"last-modified": at(0)}, {"etag": '"2"'}, True),
    ],
)
def test_a_304_confirms_what_was_asked_for(stored: dict[str, str], answer: dict[str, str], *, confirms: bool) -> None:
    assert validation.confirms(stored, answer) is confirms


@pytest.mark.parametrize(
    ("control", "shared", "private"),
    [
        ("s-maxage=600", (600, True, True), (0, True, False)),  # storable either way: 200 needs no word for it
        ("max-age=5, s-maxage=600", (600, True, True), (5, True, False)),
        ("max-age=5, proxy-revalidate", (5, True, True), (5, True, False)),
        ("private, max-age=5", (5, False, False), (5, True, False)),
        ("max-age=5, must-revalidate", (5, True, True), (5, True, True)),
    ],
)
def test_what_is_said_to_shared_caches_binds_them_alone(
    control: str, shared: tuple[float, bool, bool], private: tuple[float, bool, bool]
) -> None:
    for policy, expected in [(Policy(is_shared=True), shared), (OURS, private)]:
        found = terms({"cache-control": control}, policy=policy)
        assert (found.lifetime, found.storable, found.never_stale) == expected


@pytest.mark.parametrize(
    ("status", "headers", "lifetime"),
    [
        (200, {"last-modified": at(-1000)}, 100),
        (200, {"last-modified": at(-1000), "date": at(-500)}, 50),
        (200, {"last-modified": at(1000)}, 0),
        (200, {"last-modified": at(-1000), "cache-control": "max-age=7"}, 7),
        (200, {"last-modified": at(-1000), "expires": "0"}, 0),
        (404, {"last-modified": at(-1000)}, 100),
        (502, {"last-modified": at(-1000)}, 0),
        (502, {"last-modified": at(-1000), "cache-control": "public"}, 100),
        (200, {}, 0),
    ],
)
def test_a_heuristic_lifetime_is_a_fraction_of_the_time_since_the_last_change(
    status: int, headers: dict[str, str], lifetime: float
) -> None:
    """RFC 9111 §4.2.2, for caches that want it; ours asks."""
    assert terms(headers, status=status, policy=Policy(heuristic=0.1, statuses=None)).lifetime == lifetime
    if "cache-control" not in headers:
        assert terms(headers, status=status).lifetime == 0


@pytest.mark.parametrize(
    ("status", "control", "storable"),
    [
        (404, "", True),
        (404, "max-age=5", True),
        (502, "", False),  # RFC 9111 §3: not cacheable by default, and nothing explicit
        (502, "max-age=5", True),
        (502, "public", True),
        (599, "max-age=5, must-understand", False),
        (200, "max-age=5, must-understand", True),
        (404, "no-store", False),
    ],
)
def test_a_status_is_stored_where_the_policy_wants_it_and_the_rfc_allows_it(
    status: int, control: str, *, storable: bool
) -> None:
    assert terms({"cache-control": control}, status=status, policy=Policy(statuses=None)).storable is storable
    assert terms({"cache-control": control}, status=status).storable is (storable and status == 200)


def test_fields_of_the_connection_and_those_it_names_are_not_kept() -> None:
    came = {"connection": "close, X-Hop", "x-hop": "1", "keep-alive": "5", "te": "x", "a": "1", "set-cookie": "s=1"}
    assert fields.kept(came) == {"a": "1", "set-cookie": "s=1"}
    assert fields.kept(came, " Set-Cookie, b") == {"a": "1"}


def test_a_304_may_add_to_the_type_of_a_body_and_not_change_it() -> None:
    page = {"content-type": "application/json"}
    assert fields.merged(page, {"content-type": "text/html; charset=utf-8"}) == page
    finer = {"content-type": "Application/JSON; charset=utf-8"}
    assert fields.merged(page, finer) == finer
    assert fields.merged({}, finer) == finer


def test_a_304_renews_headers_and_leaves_the_body_its_own() -> None:
    stored = {"etag": '"1"', "content-type": "text/html", "content-length": "5", "age": "900", "cache-control": "x"}
    answer = {"last-modified": at(0), "content-type": "oops", "content-length": "0", "cache-control": "max-age=9"}
    assert fields.merged(stored, answer) == {
        "etag": '"1"',
        "content-type": "text/html",
        "content-length": "5",
        "cache-control": "max-age=9",
        "last-modified": at(0),
    }


def test_the_secondary_key_holds_the_request_fields_that_vary_names() -> None:
    asked = {"accept": "a,  b", "accept-encoding": "gzip"}
    key = vary.variant({"vary": "Accept, X-Absent"}, asked)
    assert key == (("accept", "a,b"), ("x-absent", ""))
    assert vary.matches(key, {"accept": "a, b", "accept-encoding": "br"})
    assert not vary.matches(key, {"accept": "c"})
    assert not vary.matches(key, {"accept": "a, b", "x-absent": "1"})


def test_a_part_answers_who_asked_for_that_part_and_nobody_else() -> None:
    key = vary.variant({}, {"range": "bytes=-5"}, is_part=True)
    assert vary.is_part(key)
    assert vary.matches(key, {"range": "bytes=-5"})
    assert not vary.matches(key, {"range": "bytes=-6"})
    assert not vary.matches(key, {})
    assert not vary.is_part(vary.variant({"vary": "Accept"}, {"range": "bytes=-5"}))


@pytest.mark.parametrize(
    "text",
    ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"],
)
def test_all_three_forms_of_dates_are_read(text: str) -> None:
    assert freshness.http_date(text) == 784111777.0


@pytest.mark.parametrize("text", [None, "", "0", "-1", "soon", "Sun, 99 Nov 1994 08:49:37 GMT", "Sun, 06 Nov"])
def test_what_is_no_date_is_none(text: str | None) -> None:
    assert freshness.http_date(text) is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        ("0", 0.0),
        (at(30), 30.0),
        (at(-30), 0.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
    ],
)
def test_retry_after_is_read_in_both_forms(value: str, seconds: float | None) -> None:
    assert freshness.retry_after({"retry-after": value}, NOW) == seconds


@given(st.text(max_size=60))
def test_any_text_parses_as_directives_without_error(text: str) -> None:
    assert all(name == name.lower() and name for name in directives(text))


@given(st.dictionaries(st.sampled_from(["cache-control", "age", "date", "expires", "vary"]), st.text(max_size=40)))
def test_any_headers_give_terms_within_bounds(headers: dict[str, str]) -> None:
    found = terms(headers)
    assert 0 <= found.lifetime <= FOREVER
    assert 0 <= found.initial_age <= FOREVER
