"""A part, cut from the whole (RFC 9110 §14): what ``Range`` asks for, of so many bytes."""

from __future__ import annotations

import re

_ONE = re.compile(r"bytes\s*=\s*(\d{0,18})-(\d{0,18})\s*", re.IGNORECASE)


class Unsatisfiable(Exception):
    """Nothing of the body lies in the range: 416."""


def bounds(value: str, size: int) -> tuple[int, int] | None:
    """Return the first byte and the one after the last that ``Range: value`` wants of ``size`` bytes.

    None: the whole. That is allowed whatever was asked (§14.2), and what we answer to several ranges at once (§17.15
    warns of them), to units other than bytes, and to what is not a range.

    Raises:
        Unsatisfiable: the range begins behind the end, or asks for the last 0 bytes.
    """
    match = _ONE.fullmatch(value)
    if match is None or match[1] == match[2] == "":
        return None
    if match[1] == "":
        start, end = max(0, size - int(match[2])), size
    else:
        start, end = int(match[1]), size if match[2] == "" else min(size, int(match[2]) + 1)
        if match[2] != "" and int(match[2]) < start:
            return None  # §14.1.1: not a valid range, and so none at all
    if start >= end:
        raise Unsatisfiable
    return start, end
