"""What a caller is given of a stored 200: all of it, a part, its head, or the word that they have it already."""

from __future__ import annotations

from collections.abc import Mapping

from . import ranges, validation
from .validation import CONDITIONAL

Headers = Mapping[str, str]

PARTICULAR = CONDITIONAL | {"range"}
"""Request fields with which a caller wants something else than the whole."""


def fitted(
    method: str, asked: Headers, headers: Headers, body: bytes, response_time: float
) -> tuple[int, Headers, bytes]:
    """Return status, header fields and body for a request with the fields ``asked``, in the order of RFC 9110 §13.2.2.

    Args:
        method: GET or HEAD.
        asked: the caller's header fields, lower-case names.
        headers: those of the stored response.
        body: the whole.
        response_time: epoch seconds when it arrived.
    """
    if validation.is_unmodified(asked, headers, response_time):
        return 304, _without_body(headers), b""
    if method == "HEAD":  # RFC 9110 §14.2: Range means nothing here
        return 200, headers, b""
    if "range" not in asked or "content-encoding" in headers:
        return 200, headers, body  # a range counts encoded bytes, and these may have been decoded
    try:
        bounds = ranges.bounds(asked["range"], len(body))
    except ranges.Unsatisfiable:
        return 416, {**_without_body(headers), "content-range": f"bytes */{len(body)}", "content-length": "0"}, b""
    if bounds is None:
        return 200, headers, body
    start, end = bounds
    place = {"content-range": f"bytes {start}-{end - 1}/{len(body)}", "content-length": str(end - start)}
    return 206, {**headers, **place}, body[start:end]


def _without_body(headers: Headers) -> dict[str, str]:
    """RFC 9110 §15.4.5: a 304 has the fields that steer caches; those that describe a body would be misread."""
    return {
        name: value
        for name, value in headers.items()
        if not name.startswith("content-") or name in {"content-location", "content-security-policy"}
    }
