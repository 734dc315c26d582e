"""A lock as an HTTP answer: its fields, and a body that is sent in parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from . import rendering
from .negotiation import MEDIA_TYPES
from .rendering import Rendered


class Answered(web.StreamResponse):
    """An answer whose body is sent in parts, as they are: joining them would cost more than all the rest."""

    def __init__(self, parts: Sequence[bytes | memoryview], headers: Mapping[str, str]) -> None:
        super().__init__(headers=headers)
        self._parts = parts
        self.content_length = sum(map(len, parts))

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Send the head; of an answer to HEAD nothing else follows."""
        if request.method == "HEAD":
            self._parts = ()
        return await super().prepare(request)

    async def write_eof(self, data: bytes = b"") -> None:
        """Send the parts."""
        parts, self._parts = self._parts, ()
        if parts:
            await self.write(b"")  # the head, which would be joined to the first part otherwise
        for part in parts:
            await self.write(part)
        await super().write_eof(data)


def to_headers(rendered: Rendered, form: str, outputs: Sequence[str] = ()) -> dict[str, str]:
    """Return what says which representation of which lock an answer is."""
    charset = "; charset=utf-8" if form in rendering.FILES else ""
    return {
        "Content-Type": MEDIA_TYPES[form] + charset,
        "ETag": rendering.etag(rendered, form, outputs),
        "Content-Location": f"/v1/locks/{rendered.id}",
        "Vary": "Accept",
    }
