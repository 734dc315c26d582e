"""Sizes, durations and instants as people write them: ``4 MiB``, ``P7D``, ``7 days``, ``2026-01-31``."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(i?)B?", re.IGNORECASE)
_POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}

# ISO 8601 durations without years and months: those have no fixed length.
_ISO_DURATION = re.compile(
    r"P(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?",
)
_WORDS = re.compile(r"(\d+)\s*(weeks?|w|days?|d|hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|s)", re.IGNORECASE)
_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_LONGEST = timedelta(days=365 * 100)  # a longer one would leave the range of datetime


def parse_size(text: str | int) -> int:
    """Return bytes: ``"4 MiB"`` → 4194304, ``"1 kB"`` → 1000.

    Raises:
        ValueError: not a size.
    """
    if isinstance(text, int):
        return text
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not a size; write it as 4 MiB")
    number, prefix, binary = found.groups()
    return int(float(number) * (1024 if binary else 1000) ** _POWERS[prefix.upper()])


def parse_duration(text: str | float) -> timedelta:
    """Return a length of time: ``P7D``, ``PT12H``, ``7 days``, ``1h 30m``, or a number of seconds.

    Raises:
        ValueError: not a duration, or of no fixed length (months, years).
    """
    if isinstance(text, int | float):
        return timedelta(seconds=text)
    text = text.strip()
    found = _ISO_DURATION.fullmatch(text.upper())
    parts: dict[str, int] = {}
    if found is not None:
        parts = {unit: int(value) for unit, value in found.groupdict().items() if value is not None}
    elif not _WORDS.sub("", text).strip(" ,"):
        for value, unit in _WORDS.findall(text):
            name = _UNITS[unit[0].lower()]
            parts[name] = parts.get(name, 0) + int(value)
    if not parts:
        raise ValueError(
            f"{text[:80]!r} is not a duration; write it as P7D, PT12H or 7 days (months have no fixed length)"
        )
    try:
        length = timedelta(**parts)
    except OverflowError:
        length = timedelta.max
    if length > _LONGEST:
        raise ValueError(f"{text[:80]!r} is longer than a century")
    return length


def parse_moment(text: str) -> datetime | timedelta:
    """Return an instant (RFC 3339, or a date: the end of that day in UTC, as in uv) or a length of time before now.

    Raises:
        ValueError: neither.
    """
    text = text.strip()
    if re.match(r"\d{4}-\d{2}-\d{2}", text):
        try:
            moment = datetime.fromisoformat(text)
            if len(text) == len("2026-01-31"):
                return datetime.combine(moment.date() + timedelta(days=1), time(), tzinfo=UTC)
            if moment.tzinfo is not None:
                return moment.astimezone(UTC)
        except (ValueError, OverflowError):  # the latter beside the first and the last year
            raise ValueError(f"{text[:80]!r} is not a date or an RFC 3339 instant") from None
        raise ValueError(f"{text[:80]!r} has no offset; write it as 2026-01-31T12:00:00Z")
    return parse_duration(text)
