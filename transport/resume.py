"""Downloads that go on where they stopped: below ``retry``, so that each attempt at the rest is one of its attempts."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace

from .errors import BadResponse
from .hop import Hop, Sender
from .message import Response
from .partial import MAX_STRIKES, Partial


class Resume:
    """Asks for the rest of a file of which an earlier attempt brought the beginning."""

    def __init__(self, inner: Sender) -> None:
        self._inner = inner

    async def fetch(self, hop: Hop) -> Response:
        """Answer ``hop`` with the whole file, whatever came in parts.

        Raises:
            BadResponse: a part that does not continue what is here. The first one is worth a restart, which is the
                next attempt; the second is not.
        """
        partial = hop.partial
        if partial is None or not partial.question:
            return await self._inner.fetch(hop)
        strikes = partial.strikes
        response = await self._inner.fetch(replace(hop, headers=(*hop.headers, *partial.question)))
        if response.status == 416 or (
            response.status == 206 and not partial.is_rest(response.headers, len(response.body))
        ):
            partial.strike()
        if partial.strikes > strikes:
            raise _no_part(hop, partial, response)
        if response.status != 206:
            return response  # the whole, because it changed or ranges are not spoken; or a refusal
        return await asyncio.to_thread(_joined, partial, response)  # a hash of 500 MB takes half a second


def _joined(partial: Partial, response: Response) -> Response:
    headers, body = partial.whole(response.body)
    return replace(response, status=200, headers=headers, body=body, digest=hashlib.sha256(body).hexdigest())


def _no_part(hop: Hop, partial: Partial, response: Response) -> BadResponse:
    said = response.headers.get("content-range", "nothing")[:80]
    error = hop.failure(
        BadResponse,
        f"status {response.status} with Content-Range {said!a} is not the rest of the file that was asked for",
        "bad-range",
        status=response.status,
    )
    error.retryable = partial.strikes <= MAX_STRIKES
    return error
