"""RFC 9111 as decisions: may it be stored, is it fresh, what to ask, what to make of a 304, may stale serve.

Pure: no I/O, no clock; ages and times are arguments. The cache is *private* (one agent per partition), so
``s-maxage``, ``proxy-revalidate`` and ``private`` say nothing to us. Beyond RFC 9111: ``stale-while-revalidate``
and ``stale-if-error`` (RFC 5861), ``immutable`` (RFC 8246), and an operator's ``Cache-Control`` in place of the
index's. Storage and network are elsewhere; :mod:`tests.transport.test_freshness` holds the tables.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import Enum

from .message import Kind

DAY = 86400.0
FOREVER = 365 * DAY  # the longest lifetime anyone may claim; RFC 9111 §1.2.2 asks for no more than 2^31

# File names on an index are never reused for other content, so a metadata file or the tail of a wheel that
# says nothing about its freshness may rest for a day; a project page that says nothing is asked for each time.
SILENT = {Kind.PAGE: 0.0, Kind.METADATA: DAY, Kind.RANGE: DAY, Kind.FILE: DAY}

STORED_STATUSES = frozenset({200, 203, 206, 301, 308})
_REDIRECTS = frozenset({301, 308})

# RFC 9111 §3.2 and §4.3.4: fields of a 304 that describe the message and not the stored body.
_NOT_MERGED = frozenset(
    {"connection", "content-encoding", "content-length", "content-range", "content-type", "keep-alive",
     "proxy-authenticate", "proxy-connection", "set-cookie", "te", "trailer", "transfer-encoding", "upgrade"}
)  # fmt: skip

_DIRECTIVE = re.compile(r'\s*([^\s=,;"]+)\s*(?:=\s*("(?:[^"\\]|\\.)*"|[^\s,"]*))?\s*(,|$|[^,]*(?:,|$))')
_SECONDS = re.compile(r"[0-9]+")

Headers = Mapping[str, str]


class Verdict(Enum):
    """What to do with a stored response."""

    FRESH = "fresh"
    REFRESH_BEHIND = "refresh-behind"
    """Serve it, and ask for a new one in the background."""
    ASK = "ask"


def directives(value: str | None) -> dict[str, str | None]:
    """Parse a ``Cache-Control`` value; names in lower case, of duplicates with two minds the stricter wins.

    RFC 9111 §4.2.1 lets a cache take the first of conflicting values or call the response stale; we take the
    smallest number.
    """
    found: dict[str, str | None] = {}
    position = 0
    text = value or ""
    while position < len(text):
        match = _DIRECTIVE.match(text, position)
        if match is None or match.end() == position:
            position += 1
            continue
        position = match.end()
        name, argument = match[1].lower(), match[2]
        if argument is not None and argument.startswith('"'):
            argument = re.sub(r"\\(.)", r"\1", argument[1:-1])
        if name in found and name not in {"no-cache", "private"}:
            ours, theirs = _seconds(found[name]), _seconds(argument)
            if ours <= theirs:
                continue
        found[name] = argument
    return found


def _seconds(argument: str | None) -> float:
    """Read delta-seconds (RFC 9111 §1.2.2); what is not a number is 0: stale (§4.2.1)."""
    if argument is None or not _SECONDS.fullmatch(argument):
        return 0.0
    return min(float(argument[:12]), FOREVER)


def http_date(value: str | None) -> float | None:
    """Read an HTTP-date (RFC 9110 §5.6.7, all three forms) as seconds since the epoch."""
    if value is None or not value[:1].isalpha():
        return None
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    try:
        # "-0000" and asctime come without a zone; HTTP-dates are always UTC.
        return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment).timestamp()
    except (OverflowError, ValueError):
        return None


def age_header(headers: Headers) -> float:
    """Read ``Age`` (RFC 9111 §5.1): the first of several; garbage counts as nothing."""
    first = headers.get("age", "").partition(",")[0].strip()
    return _seconds(first) if first else 0.0


@dataclass(frozen=True, slots=True)
class Terms:
    """Under which conditions one response may be used; all times in seconds."""

    initial_age: float
    """Age at the moment of the response (RFC 9111 §4.2.3, corrected_initial_age)."""
    lifetime: float
    always_ask: bool
    """``no-cache``: never without asking first."""
    never_stale: bool
    """``must-revalidate``."""
    storable: bool
    stale_if_error: float
    stale_while_revalidate: float

    def verdict(self, age: float, *, refresh: bool) -> Verdict:
        """Decide for a response of ``age``; a forced ``refresh`` beats everything, ``immutable`` too."""
        if refresh or self.always_ask or not self.storable:
            return Verdict.ASK
        if age < self.lifetime:  # RFC 9111 §4.2: fresh while the lifetime is greater than the age
            return Verdict.FRESH
        if not self.never_stale and age < self.lifetime + self.stale_while_revalidate:
            return Verdict.REFRESH_BEHIND
        return Verdict.ASK

    def may_serve_stale(self, age: float) -> bool:
        """Whether a copy of ``age`` may stand in for an index that gave an error (RFC 5861 §4).

        ``must-revalidate`` and ``no-cache`` forbid it (RFC 9111 §4.2.4), whatever else allows it.
        """
        if self.never_stale or self.always_ask or not self.storable:
            return False
        return age < self.lifetime + self.stale_if_error


def assess(
    status: int,
    headers: Headers,
    *,
    kind: Kind,
    request_time: float,
    response_time: float,
    override: str | None = None,
    stale_if_error: float | None = None,
) -> Terms:
    """Work out the terms of a response.

    Args:
        status: its status code.
        headers: its header fields, lower-case names.
        kind: what it is; decides what silence about freshness means.
        request_time: epoch seconds when the request left.
        response_time: epoch seconds when the response arrived.
        override: the operator's ``Cache-Control`` for this index; stands in place of the index's own and of
            ``Expires`` and ``Pragma``.
        stale_if_error: the operator's allowance where the response names none, seconds.
    """
    control = directives(headers.get("cache-control") if override is None else override)
    date = http_date(headers.get("date"))
    initial_age = _initial_age(headers, date, request_time, response_time)
    silent = SILENT[kind] if status not in _REDIRECTS else 0.0
    if "max-age" in control:  # RFC 9111 §5.3: max-age beats Expires
        lifetime = _seconds(control["max-age"])
    elif override is not None:
        lifetime = FOREVER if "immutable" in control else silent
    elif "expires" in headers:
        expires = http_date(headers["expires"])
        # "0" and other nonsense mean: already expired (RFC 9111 §5.3).
        lifetime = 0.0 if expires is None else max(0.0, expires - (response_time if date is None else date))
    else:
        lifetime = silent
    no_cache = control.get("no-cache", "")
    # no-cache="field" binds only the field (§5.2.2.4); without a list it binds the response.
    always_ask = "no-cache" in control and not no_cache
    if override is None and "cache-control" not in headers and "no-cache" in headers.get("pragma", "").lower():
        always_ask = True
    allowance = _seconds(control["stale-if-error"]) if "stale-if-error" in control else stale_if_error or 0.0
    return Terms(
        initial_age=initial_age,
        lifetime=min(lifetime, FOREVER),
        always_ask=always_ask,
        never_stale="must-revalidate" in control,
        storable=_may_store(status, headers, control),
        stale_if_error=allowance,
        stale_while_revalidate=_seconds(control.get("stale-while-revalidate")),
    )


def _initial_age(headers: Headers, date: float | None, request_time: float, response_time: float) -> float:
    """RFC 9111 §4.2.3: the larger of what the dates and what the caches on the way say."""
    apparent = 0.0 if date is None else max(0.0, response_time - date)
    corrected = age_header(headers) + max(0.0, response_time - request_time)
    return min(max(apparent, corrected), FOREVER)


def _may_store(status: int, headers: Headers, control: Mapping[str, str | None]) -> bool:
    """RFC 9111 §3, for a private cache, and only for statuses that we use."""
    if status not in STORED_STATUSES or "no-store" in control:
        return False
    if status in _REDIRECTS and "@" in headers.get("location", ""):
        return False  # a credential in a Location is for one use, and never for a disk
    return "*" not in headers.get("vary", "")  # §4.1: matches nothing, ever


def variant(headers: Headers, request_header: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the secondary key (RFC 9111 §4.1): the request's values of the fields that ``Vary`` names."""
    names = {name.strip().lower() for name in headers.get("vary", "").split(",")} - {""}
    return tuple((name, _normal(request_header.get(name, ""))) for name in sorted(names))


def matches(key: tuple[tuple[str, str], ...], request_header: Mapping[str, str]) -> bool:
    """Whether a request would have been given the stored response with the secondary ``key``."""
    return all(_normal(request_header.get(name, "")) == value for name, value in key)


def _normal(value: str) -> str:
    return ",".join(part.strip() for part in value.split(","))


def conditions(headers: Headers) -> tuple[tuple[str, str], ...]:
    """Return the request headers that ask whether a stored response still holds (RFC 9111 §4.3.1).

    Weak tags too: ``If-None-Match`` compares weakly (RFC 9110 §13.1.2). ``If-Modified-Since`` rides along only
    where there is no tag, since a recipient must ignore it beside one.
    """
    if tag := headers.get("etag"):
        return (("if-none-match", tag),)
    if (modified := headers.get("last-modified")) and http_date(modified) is not None:
        return (("if-modified-since", modified),)
    return ()


def confirms(stored: Headers, answer: Headers) -> bool:
    """Whether a 304 speaks of the stored response (RFC 9111 §4.3.4).

    We sent exactly one stored validator, so a 304 that names none is about that one; a 304 that names another
    tag is about something that we do not have.
    """
    theirs, ours = answer.get("etag"), stored.get("etag")
    if theirs is not None and ours is not None:
        return theirs.removeprefix("W/") == ours.removeprefix("W/")
    return True


def merged(stored: Headers, answer: Headers) -> dict[str, str]:
    """Return the stored header fields after a 304 (RFC 9111 §3.2); what it does not name stays."""
    new = {name: value for name, value in answer.items() if name not in _NOT_MERGED}
    old = dict(stored)
    old.pop("age", None)  # the 304 says how old it is now, or that it is new
    return old | new


def retry_after(headers: Headers, now: float) -> float | None:
    """Read ``Retry-After`` (RFC 9110 §10.2.3), delay or HTTP-date, as seconds from ``now`` (epoch seconds)."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    moment = http_date(value)
    return None if moment is None else max(0.0, moment - now)
