"""The one verb of the transport: ``await fetch(request)``."""

from __future__ import annotations

from typing import Protocol

from .message import Index, Request, Response


class Fetcher(Protocol):
    """A layer, or a whole stack of them."""

    async def fetch(self, request: Request) -> Response:
        """Answer ``request``.

        Any HTTP status from 200 to 499 that is final (after redirects, retries and authentication) is a
        response, not an error; the caller decides what 404 means. Statuses that mean "the index is in
        trouble" (5xx; 408, 425 and 429 after the retries), a refusal of our credential (401, 403 and 407,
        unless the index's ``ignore_error_codes`` name it) and everything below HTTP are errors.

        Raises:
            TransportError: one of the leaves in :mod:`transport.errors`, always with a redacted text.
        """
        ...

    async def partition(self, index: Index) -> str:
        """Say whose answers a request for ``index`` would get now: the partition of its responses.

        What was learned from an answer holds for the next request as long as this is the same and the answer is fresh.
        """
        ...
