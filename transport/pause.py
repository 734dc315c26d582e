"""``Retry-After``: when an origin wants to be asked again."""

from __future__ import annotations

from collections.abc import Mapping

from .freshness import http_date


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Read ``Retry-After`` (RFC 9110 §10.2.3), delay or HTTP-date, as seconds from ``now`` (epoch seconds)."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    moment = http_date(value)
    return None if moment is None else max(0.0, moment - now)
