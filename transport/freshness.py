"""RFC 9111 as decisions: may it be stored, is it fresh, may stale serve.

Pure: no I/O, no clock; ages and times are arguments. What the RFC leaves to a cache is a :class:`Policy`; ours is
*private* (one agent per partition), so ``s-maxage``, ``proxy-revalidate`` and ``private`` say nothing to us. Beyond
RFC 9111: ``stale-while-revalidate`` and ``stale-if-error`` (RFC 5861), ``immutable`` (RFC 8246), and an operator's
``Cache-Control`` in place of the index's. Asking whether a copy still holds is in :mod:`.validation`, which of several
copies in :mod:`.vary`, what of it is kept in :mod:`.fields`; :mod:`tests.transport.test_freshness` holds the tables.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache
from types import MappingProxyType

from .message import Kind

DAY = 86400.0
FOREVER = 365 * DAY  # the longest lifetime anyone may claim; RFC 9111 §1.2.2 asks for no more than 2^31

# File names on an index are never reused for other content, so a metadata file or the tail of a wheel that
# says nothing about its freshness may rest for a day; a project page that says nothing is asked for each time.
SILENT = {Kind.PAGE: 0.0, Kind.METADATA: DAY, Kind.RANGE: DAY, Kind.FILE: DAY}

STORED_STATUSES = frozenset({200, 203, 206, 301, 308})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})

# RFC 9110 §15.1: these may be kept without a word about it; any other status needs explicit freshness (RFC 9111 §3).
HEURISTIC_STATUSES = frozenset({200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501})
# RFC 9111 §5.2.2.3: whose rules about caching we know, because RFC 9110 §15 is where they stand.
UNDERSTOOD_STATUSES = frozenset({*range(200, 207), *range(300, 306), 307, 308, *range(400, 418), 421, 422, 426,
                                 *range(500, 506)})  # fmt: skip

_DIRECTIVE = re.compile(r'\s*([^\s=,;"]+)\s*(?:=\s*("(?:[^"\\]|\\.)*"|[^\s,"]*))?\s*(,|$|[^,]*(?:,|$))')
_SECONDS = re.compile(r"[0-9]+")
_MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, 1)}
_IMF_FIXDATE = re.compile(
    rf"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d\d) ({'|'.join(_MONTHS)}) ([1-9]\d{{3}}) (\d\d):(\d\d):(\d\d) GMT", re.ASCII
)

Headers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Policy:
    """What RFC 9111 leaves to a cache. The defaults are those of an index's client."""

    is_shared: bool = False
    """Whether several users see one copy: then ``s-maxage``, ``private`` and ``proxy-revalidate`` bind."""
    statuses: frozenset[int] | None = STORED_STATUSES
    """Which statuses are worth keeping; None: all that may be."""
    heuristic: float = 0.0
    """The fraction of the time since ``Last-Modified`` for which a response that names no lifetime is fresh (§4.2.2).
    None of it for us: a page that was quiet for a year may have a release the next minute."""


OURS = Policy()


class Verdict(Enum):
    """What to do with a stored response."""

    FRESH = "fresh"
    REFRESH_BEHIND = "refresh-behind"
    """Serve it, and ask for a new one in the background."""
    ASK = "ask"


def directives(value: str | None) -> Mapping[str, str | None]:
    """Parse a ``Cache-Control`` value; names in lower case, of duplicates with two minds the stricter wins.

    RFC 9111 §4.2.1 lets a cache take the first of conflicting values or call the response stale; we take the
    smallest number.
    """
    return _directives(value) if value else {}


@lru_cache(maxsize=256)
def _directives(text: str) -> Mapping[str, str | None]:
    found: dict[str, str | None] = {}
    position = 0
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
    return MappingProxyType(found)


def _seconds(argument: str | None) -> float:
    """Read delta-seconds (RFC 9111 §1.2.2); what is not a number is 0: stale (§4.2.1)."""
    if argument is None or not _SECONDS.fullmatch(argument):
        return 0.0
    return min(float(argument[:12]), FOREVER)


@lru_cache(maxsize=256)  # answers that come together have one date
def http_date(value: str | None) -> float | None:
    """Read an HTTP-date (RFC 9110 §5.6.7, all three forms) as seconds since the epoch."""
    if value is None or not value[:1].isalpha():
        return None
    plain = _IMF_FIXDATE.fullmatch(value)
    if plain is not None:  # RFC 9110 §5.6.7, IMF-fixdate: what all send
        day, month, year, hour, minute, second = plain.groups()
        try:
            moment = datetime(int(year), _MONTHS[month], int(day), int(hour), int(minute), int(second), tzinfo=UTC)
        except ValueError:
            return None
        return moment.timestamp()
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - hardly anybody sends another form

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

    def remaining(self, age: float) -> float:
        """For how many seconds a response of ``age`` may still be used without asking; 0 or less: for none."""
        return 0.0 if self.always_ask or not self.storable else self.lifetime - age

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
    policy: Policy = OURS,
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
        policy: what the cache has decided where the RFC leaves it to it.
    """
    control = directives(headers.get("cache-control") if override is None else override)
    date = http_date(headers.get("date"))
    initial_age = _initial_age(headers, date, request_time, response_time)
    silent = SILENT[kind] if status not in _REDIRECTS else 0.0
    is_explicit = True
    if policy.is_shared and "s-maxage" in control:  # RFC 9111 §5.2.2.10: beats max-age and Expires
        lifetime = _seconds(control["s-maxage"])
    elif "max-age" in control:  # RFC 9111 §5.3: max-age beats Expires
        lifetime = _seconds(control["max-age"])
    elif override is not None:
        lifetime = FOREVER if "immutable" in control else silent
    elif "expires" in headers:
        expires = http_date(headers["expires"])
        # "0" and other nonsense mean: already expired (RFC 9111 §5.3).
        lifetime = 0.0 if expires is None else max(0.0, expires - (response_time if date is None else date))
    else:
        is_explicit = "public" in control
        lifetime = silent
        if policy.heuristic and (is_explicit or status in HEURISTIC_STATUSES):
            modified = http_date(headers.get("last-modified"))
            quiet = 0.0 if modified is None else (response_time if date is None else date) - modified
            lifetime = max(lifetime, policy.heuristic * quiet)
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
        never_stale="must-revalidate" in control
        # RFC 9111 §5.2.2.8 and §5.2.2.10, which makes s-maxage say proxy-revalidate, too.
        or (policy.is_shared and ("proxy-revalidate" in control or "s-maxage" in control)),
        storable=_may_store(status, headers, control, policy, is_explicit=is_explicit),
        stale_if_error=allowance,
        stale_while_revalidate=_seconds(control.get("stale-while-revalidate")),
    )


def _initial_age(headers: Headers, date: float | None, request_time: float, response_time: float) -> float:
    """RFC 9111 §4.2.3: the larger of what the dates and what the caches on the way say."""
    apparent = 0.0 if date is None else max(0.0, response_time - date)
    corrected = age_header(headers) + max(0.0, response_time - request_time)
    return min(max(apparent, corrected), FOREVER)


def _may_store(
    status: int, headers: Headers, control: Mapping[str, str | None], policy: Policy, *, is_explicit: bool
) -> bool:
    """RFC 9111 §3, as far as ``policy`` wants it."""
    if "no-store" in control or (policy.is_shared and "private" in control):
        return False
    if policy.statuses is not None and status not in policy.statuses:
        return False
    if not is_explicit and status not in HEURISTIC_STATUSES:
        return False
    if "must-understand" in control and status not in UNDERSTOOD_STATUSES:
        return False
    if status in _REDIRECTS and "@" in headers.get("location", ""):
        return False  # a credential in a Location is for one use, and never for a disk
    return "*" not in headers.get("vary", "")  # §4.1: matches nothing, ever


def retry_after(headers: Headers, now: float) -> float | None:
    """Read ``Retry-After`` (RFC 9110 §10.2.3), delay or HTTP-date, as seconds from ``now`` (epoch seconds)."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    moment = http_date(value)
    return None if moment is None else max(0.0, moment - now)
