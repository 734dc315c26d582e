"""Small grammars: sizes, durations, moments, Accept headers, and what the policy makes of a URL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from resolver.model import Builds
from service.negotiation import choose
from service.policy import Policy
from service.problems import Problem
from service.quantities import parse_duration, parse_moment, parse_size
from service.settings import PolicySettings
from service.shape import checked
from service.surroundings import _is_exempt

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "size"),
    [("4 MiB", 4194304), ("1kB", 1000), ("512", 512), ("1.5 KiB", 1536), (7, 7), ("2G", 2_000_000_000)],
)
def test_sizes(text: str | int, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("P7D", timedelta(days=7)),
        ("P2W", timedelta(weeks=2)),
        ("PT12H30M", timedelta(hours=12, minutes=30)),
        ("P1DT1S", timedelta(days=1, seconds=1)),
        ("7 days", timedelta(days=7)),
        ("24h", timedelta(hours=24)),
        ("1 week, 2 days", timedelta(days=9)),
        (90, timedelta(seconds=90)),
    ],
)
def test_durations(text: str | int, length: timedelta) -> None:
    assert parse_duration(text) == length


@pytest.mark.parametrize("text", ["", "P", "PT", "7", "P1M", "P1Y", "3 months", "soon", "7 days ago", "P99999999999W"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|century"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31T12:00:00Z", NOW),
        ("2026-01-31T14:00:00+02:00", NOW),
        ("2026-01-30", datetime(2026, 1, 31, tzinfo=UTC)),  # the whole day counts, as in uv
    ],
)
def test_instants(text: str, moment: datetime) -> None:
    assert parse_moment(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        "2026-13-01",
        "2026-01-31T12:00:00",
        "2026-01-31 nonsense",
        "9999-12-31",  # its end is in a year that datetime does not have
        "9999-12-31T23:59:59-23:59",
        "0001-01-01T00:00:00+23:59",
    ],
)
def test_what_is_no_instant(text: str) -> None:
    with pytest.raises(ValueError, match=r"RFC 3339|offset"):
        parse_moment(text)


@pytest.mark.parametrize(
    ("accept", "parameter", "form"),
    [
        (None, None, "json"),
        ("*/*", None, "json"),
        ("application/toml", None, "pylock"),
        ("text/*", None, "requirements"),
        ("application/json;q=0.5, text/plain", None, "requirements"),
        ("text/plain;q=0.1, application/x-msgpack;q=0.2, image/png", None, "msgpack"),
        ("*/*;q=0.5, application/toml;q=0.5", None, "pylock"),
        ("application/json;q=0, */*", None, "pylock"),
        ("text/html, application/xhtml+xml, */*;q=0.8", None, "json"),
        ("text/html", "pylock", "pylock"),
    ],
)
def test_accept(accept: str | None, parameter: str | None, form: str) -> None:
    assert choose(accept, parameter) == form


@pytest.mark.parametrize(
    ("accept", "parameter", "name"),
    [
        ("text/html", None, "not-acceptable"),
        ("application/json;q=0", None, "not-acceptable"),
        (None, "ndjson", "not-acceptable"),
        (None, "yaml", "invalid-request"),
    ],
)
def test_what_is_not_acceptable(accept: str | None, parameter: str | None, name: str) -> None:
    with pytest.raises(Problem) as caught:
        choose(accept, parameter)
    assert caught.value.name == name


PREFIX = "https://packages.corp.example/team/"


@pytest.mark.parametrize(
    ("rule", "url", "is_allowed"),
    [
        ("none", "http://127.0.0.1/simple/", False),
        ("loopback", "http://127.0.0.1:9000/simple/", True),
        ("loopback", "http://127.8.9.1/simple/", True),
        ("loopback", "http://[::1]:80/simple/", True),
        ("loopback", "http://localhost/simple", True),
        ("loopback", "http://localhost.evil.example/simple", False),
        ("loopback", "http://127.0.0.1.evil.example/simple", False),
        ("loopback", "http://10.0.0.1/simple/", False),
        (PREFIX, "https://packages.corp.example/team/simple/", True),
        (PREFIX, "https://u:p@packages.corp.example/team/simple/", True),
        (PREFIX, "https://packages.corp.example/team", True),
        (PREFIX, "https://packages.corp.example/teams/", False),
        (PREFIX, "http://packages.corp.example/team/", False),
        (PREFIX, "https://packages.corp.example:444/team/", False),
        (PREFIX, "https://packages.corp.example.evil.example/team/", False),
        (PREFIX, "https://packages.corp.example@evil.example/team/", False),
        (PREFIX, "https://packages.corp.example/team/../other/", False),
        (PREFIX, "https://packages.corp.example/team/%2e%2e/other/", False),
        (PREFIX, "https://packages.corp.example/team/%252e%252e/other/", False),
        (PREFIX, "https://packages.corp.example/team/..%5cother/", False),
    ],
)
def test_index_urls(rule: str, url: str, is_allowed: bool) -> None:  # noqa: FBT001 - a column of the table
    policy = Policy(checked(PolicySettings, {"index_urls": rule}), NOW)
    if is_allowed:
        assert not policy.index("x", url).configured
        return
    with pytest.raises(Problem, match="policy-denied"):
        policy.index("x", url)


@pytest.mark.parametrize(
    "url", ["file:///srv/", "gopher://x.example/", "https:///simple/", "http://x.example/\r\nA: b"]
)
def test_what_is_no_index_url(url: str) -> None:
    with pytest.raises(ValueError, match="index URL"):
        Policy(PolicySettings(index_urls="loopback"), NOW).index("x", url)


@pytest.mark.parametrize(
    ("floor", "asked", "is_lifted", "days"),
    [
        (None, None, False, None),
        (None, "P7D", False, 7),
        (None, "P7D", True, None),
        ("P3D", None, False, 3),
        ("P3D", "P7D", False, 7),
        ("P3D", "P1D", False, 3),
        ("P3D", "P7D", True, 3),
        ("P3D", "2026-01-30T12:00:00Z", False, 3),
        ("P3D", "2026-01-11T12:00:00Z", False, 20),
    ],
)
def test_release_age_has_a_floor(floor: str | None, asked: str | None, is_lifted: bool, days: int | None) -> None:  # noqa: FBT001
    policy = Policy(checked(PolicySettings, {"min_release_age": floor}), NOW)
    cutoff = policy.cutoff(asked, is_lifted=is_lifted)
    assert (None if cutoff is None else (NOW - cutoff.instant).days) == days


def test_builds_go_no_further_than_the_server() -> None:
    policy = Policy(PolicySettings(builds=Builds.STATIC), NOW)
    assert (policy.builds(None), policy.builds("never")) == (Builds.STATIC, Builds.NEVER)
    with pytest.raises(Problem, match="policy-denied"):
        policy.builds("sandbox")


@pytest.mark.parametrize(
    ("no_proxy", "host", "is_exempt"),
    [
        ("", "a.example", False),
        ("*", "a.example", True),
        ("a.example", "a.example", True),
        (".corp.example, b.example", "x.corp.example", True),
        ("*.corp.example", "x.corp.example", True),
        ("corp.example", "notcorp.example", False),
        ("a.example:443", "a.example", True),
        ("a.example:8443", "a.example", False),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("fd00::/8", "fd00::1", True),
        ("[fd00::1]", "fd00::1", True),
        ("[fd00::1]:443", "fd00::1", True),
        ("[fd00::1]:80", "fd00::1", False),
    ],
)
def test_no_proxy(no_proxy: str, host: str, is_exempt: bool) -> None:  # noqa: FBT001
    assert _is_exempt(host, 443, no_proxy) is is_exempt
