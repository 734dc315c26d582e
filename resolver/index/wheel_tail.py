"""Fetch what a :class:`~resolver.index.wheel.WheelReader` asks for: the METADATA of a wheel by byte ranges.

A suffix range goes first, without a HEAD: one round trip for most wheels. A server that ignores ranges answers with
the whole file, which serves as well; one that refuses them makes the caller fetch the file.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from transport.errors import BadResponse, TooLarge, Unauthorized
from transport.message import Response

from .archive import UnsafeArchive
from .wheel import Found, NeedSuffix, WheelReader

_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


class WholeFileNeeded(Exception):
    """Ranges do not work for this file."""


class NotThere(Exception):
    """404 or 410."""


async def read_tail(filename: str, fetch_range: Callable[[str], Awaitable[Response]]) -> bytes:
    """Return the METADATA of the wheel ``filename``; ``fetch_range`` sends a ``Range`` header's value.

    Raises:
        WholeFileNeeded: the server refuses ranges, or its partial answers make no sense (RFC 9110 §14.4).
        NotThere: there is no such file.
        UnsafeArchive: the wheel cannot be trusted.
        TransportError: no answer.
    """
    reader = WheelReader(filename)
    while True:
        event = reader.next_event()
        if isinstance(event, Found):
            return event.metadata
        value = f"bytes=-{event.length}" if isinstance(event, NeedSuffix) else f"bytes={event.start}-{event.stop - 1}"
        try:
            response = await fetch_range(value)
        except TooLarge:
            raise WholeFileNeeded from None
        except (Unauthorized, BadResponse) as error:
            # Firewalls refuse ranges as if they were secrets, and servers compress what they send in place of a range.
            if error.status == 403 or error.kind == "content-encoding":
                raise WholeFileNeeded from None
            raise
        if response.status in (404, 410):
            raise NotThere
        if response.status == 200:
            reader.feed(0, len(response.body), response.body)
            continue
        found = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", "").strip())
        if response.status != 206 or found is None:
            raise WholeFileNeeded
        start, last, total = (int(one) for one in found.groups())
        if last - start + 1 != len(response.body):
            raise WholeFileNeeded
        try:
            reader.feed(start, total, response.body)
        except UnsafeArchive:
            raise WholeFileNeeded from None
