"""Which representation a client wants: ``?format=`` first, then ``Accept`` with its weights (RFC 9110 §12.5.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from .problems import Problem, invalid

MEDIA_TYPES: Mapping[str, str] = {
    "json": "application/json",
    "pylock": "application/toml",
    "requirements": "text/plain",
    "msgpack": "application/x-msgpack",
}
_NOT_YET = {
    "cyclonedx": "application/vnd.cyclonedx+json",
    "ndjson": "application/x-ndjson",
    "sse": "text/event-stream",
}
_WEIGHT = re.compile(r"(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)")
_MAX_RANGES = 64  # browsers send fewer than ten


def _ranges(accept: str) -> list[tuple[str, float]]:
    found = []
    for part in accept.split(",")[:_MAX_RANGES]:
        media, *parameters = (piece.strip() for piece in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip().lower() == "q":
                weight = float(value) if _WEIGHT.fullmatch(value.strip()) else 0.0
        if media:
            found.append((media.lower(), weight))
    return found


def _weight(media_type: str, ranges: Sequence[tuple[str, float]]) -> tuple[float, int]:
    """Return the weight of ``media_type`` and the specificity of the range that gave it: the most specific counts."""
    best = (0.0, -1)
    for media, weight in ranges:
        specificity = (
            2
            if media == media_type
            else 1
            if media == media_type.partition("/")[0] + "/*"
            else 0
            if media == "*/*"
            else -1
        )
        if specificity > best[1]:
            best = (weight, specificity)
    return best


def choose(accept: str | None, parameter: str | None, offered: Sequence[str] = tuple(MEDIA_TYPES)) -> str:
    """Return the name of the representation, of ``offered`` in the server's order of preference.

    Raises:
        Problem: ``invalid-request`` for an unknown ``?format=``, ``not-acceptable``.
    """
    if parameter is not None:
        if parameter in offered:
            return parameter
        known = ", ".join(offered)
        if parameter in _NOT_YET or parameter in MEDIA_TYPES:
            raise Problem("not-acceptable", f"format {parameter!r} is not available here; available: {known}")
        raise invalid("/format", f"unknown format {parameter[:40]!r}; known: {known}")
    if accept is None or not accept.strip():
        return offered[0]
    ranges = _ranges(accept)
    weights = {name: _weight(MEDIA_TYPES[name], ranges) for name in offered}
    # A named type beats a wildcard of the same weight; otherwise the server's order decides.
    best = max(offered, key=lambda name: weights[name])
    if weights[best][0] > 0:
        return best
    available = ", ".join(MEDIA_TYPES[name] for name in offered)
    raise Problem("not-acceptable", f"None of the media types in Accept is available here; available: {available}")
