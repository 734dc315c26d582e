"""When a file was uploaded, as far as that is known, and the words for it.

A file that gives no upload time counts as uploaded when this service first saw it, at the latest.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ..index.page import File, Release

_SIGHTING = "the index gives none; this service saw it first on "


def instant(text: str) -> datetime | None:
    """Read an upload time (RFC 3339); None where it is malformed."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    return parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)


def is_too_new(file: File, release: Release, limit: datetime | None) -> bool:
    """Whether ``file``, of ``release``, may have been uploaded at ``limit`` or later.

    One that does not say when was uploaded before it was first seen; of one that nobody has seen nothing is known.
    """
    if limit is None:
        return False
    uploaded = instant(file.upload_time) if file.upload_time else None
    if uploaded is not None:
        return uploaded >= limit
    seen = release.first_seen(file)
    return seen is None or seen > limit


def exclusion(file: File, release: Release) -> str:
    """The detail of the exclusion of a file that is too new: its upload time, or what there is instead."""
    if file.upload_time:
        return file.upload_time
    seen = release.first_seen(file)
    return "" if seen is None else _SIGHTING + text(seen)


def is_undated(detail: str) -> bool:
    """Whether an exclusion with this detail is for want of an upload time."""
    return not detail or detail.startswith(_SIGHTING)


def sighting(detail: str) -> datetime | None:
    """When a file that was excluded with this detail was first seen; None where that is not why, or nobody knows."""
    return instant(detail.removeprefix(_SIGHTING)) if detail.startswith(_SIGHTING) else None


def told(details: set[str]) -> list[str]:
    """Which details to tell of one release's files. A time that is given says more than a sighting.

    Of sightings the earliest counts: from then on the release has a file.
    """
    dated = sorted(detail for detail in details if not is_undated(detail))
    return dated or [min(filter(None, details), default="")]


def warning(count: int, seen: tuple[datetime, datetime] | None, age: timedelta | None) -> str:
    """Say that ``count`` releases were left out for want of an upload time, and until when.

    ``seen`` are their first and last sighting, as far as known; ``age`` is how old a release has to be, where an age
    limits it.
    """
    words = f"{count} releases give no upload time and were left out by exclude_newer"
    if count == 1:
        words = "1 release gives no upload time and was left out by exclude_newer"
    if seen is None:
        return words
    words += f"; this service saw {'it' if count == 1 else 'them'} first {_span(*seen)}"
    if age is not None:
        words += f", and will admit {'it' if count == 1 else 'them'} {_span(seen[0] + age, seen[1] + age, 'from')}"
        words += " on" if seen[0] == seen[1] else ""
    return words


def _span(first: datetime, last: datetime, preposition: str = "on") -> str:
    return f"{preposition} {text(first)}" if first == last else f"from {text(first)} to {text(last)}"


def text(moment: datetime) -> str:
    """An instant in UTC, written as upload times are (RFC 3339)."""
    return moment.isoformat().replace("+00:00", "Z")
