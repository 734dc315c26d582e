"""Which of several stored responses answers a request: the secondary key (RFC 9111 §4.1).

``Range`` is part of it wherever a part was stored: a part answers who asked for exactly that part, and nobody else.
"""

from __future__ import annotations

from collections.abc import Mapping

Headers = Mapping[str, str]
Variant = tuple[tuple[str, str], ...]


def variant(headers: Headers, asked: Headers, *, is_part: bool = False) -> Variant:
    """Return the secondary key of a response: the request's values of the fields that ``Vary`` names."""
    if not is_part and "vary" not in headers:
        return ()
    names = {name.strip().lower() for name in headers.get("vary", "").split(",")} - {""}
    if is_part:
        names.add("range")
    return tuple((name, _normal(asked.get(name, ""))) for name in sorted(names))


def matches(key: Variant, asked: Headers) -> bool:
    """Whether a request would have been given the stored response with the secondary ``key``."""
    return all(_normal(asked.get(name, "")) == value for name, value in key)


def is_part(key: Variant) -> bool:
    """Whether what is stored under ``key`` is less than the whole."""
    return any(name == "range" for name, _ in key)


def _normal(value: str) -> str:
    return ",".join(part.strip() for part in value.split(","))
