"""A file that stopped early: what of it is here, what to ask for the rest, and whether an answer is that rest.

Pure. A part is only ever put behind bytes of the same representation: it is asked for with ``If-Range`` and a strong
validator (RFC 9110 §13.1.5), and its ``Content-Range`` has to begin where the kept bytes end and to run to the end.
Whoever listed the file with a hash checks it over the whole, as ever.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from .freshness import http_date

Headers = Mapping[str, str]

SETTLED = 60.0
"""Seconds that ``Last-Modified`` must lie before ``Date`` to be a strong validator (RFC 9110 §8.8.2.2): a file could
change twice within the clock tick of an origin."""
MAX_STRIKES = 1  # a part that is none may be a proxy's slip; two are how the origin answers ranges
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})", re.IGNORECASE)


def strong_validator(headers: Headers) -> str | None:
    """Return what ``If-Range`` may name; None: a part of this response cannot be told from one of the next."""
    tag = headers.get("etag")
    if tag is not None:
        return tag if tag.startswith('"') else None  # "W/" compares equal for bodies that differ
    modified = headers.get("last-modified")
    changed, date = http_date(modified), http_date(headers.get("date"))
    return modified if changed is not None and date is not None and date - changed >= SETTLED else None


class Partial:
    """The beginning of one file, over several attempts."""

    __slots__ = ("_headers", "_pieces", "_total", "size", "strikes", "validator")

    def __init__(self) -> None:
        self._headers: Headers = {}
        self._pieces: list[bytes] = []
        self._total: int | None = None
        self.size = 0
        """Bytes that are here."""
        self.strikes = 0
        """How often a part was none."""
        self.validator: str | None = None

    @property
    def question(self) -> tuple[tuple[str, str], ...]:
        """The header fields that ask for the rest; none: the whole has to come."""
        if not self.size or self.validator is None:
            return ()
        return (("range", f"bytes={self.size}-"), ("if-range", self.validator))

    def keep(self, status: int, headers: Headers, pieces: Sequence[bytes]) -> None:
        """Keep what came of an answer that stopped early; a 206 was asked for with :attr:`question`."""
        if status == 206:
            if self.is_rest(headers):
                self._pieces += pieces
                self.size += sum(map(len, pieces))
            else:
                self.strike()
            return
        self.forget()
        if status != 200 or headers.get("accept-ranges", "").strip().lower() == "none":
            return
        self.validator = strong_validator(headers)
        if self.validator is None:
            return
        length = headers.get("content-length", "")
        self._headers, self._pieces = headers, list(pieces)
        self._total = int(length) if length.isdigit() else None
        self.size = sum(map(len, pieces))

    def is_rest(self, headers: Headers, length: int | None = None) -> bool:
        """Whether a 206 with ``headers`` (and a body of ``length`` bytes) is what is missing, and all of it."""
        found = _CONTENT_RANGE.fullmatch(headers.get("content-range", "").strip())
        if found is None or headers.get("content-type", "").strip().lower().startswith("multipart/"):
            return False
        start, last, total = (int(one) for one in found.groups())
        for name in ("etag", "last-modified"):
            if name in headers and headers[name] != self._headers.get(name):
                return False
        fits = start == self.size and last == total - 1 and self._total in {None, total}
        return fits and length in {None, total - start}

    def whole(self, rest: bytes) -> tuple[Headers, bytes]:
        """Return the header fields and the body of the file, put together."""
        body = b"".join((*self._pieces, rest))
        return {**self._headers, "content-length": str(len(body))}, body

    def strike(self) -> None:
        """Note a part that was none; what is here is not believed any more."""
        self.strikes += 1
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self._headers, self._pieces, self._total = {}, [], None
        self.size, self.validator = 0, None
