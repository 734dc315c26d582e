"""Just enough HTTP/1.1 to stand between two programs, and to change nothing but the framing (RFC 9112)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

Pairs = tuple[tuple[str, str], ...]

MAX_HEAD = 64 * 1024
BODILESS = frozenset({204, 304})
FRAMING = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding"})


@dataclass(frozen=True, slots=True)
class Message:
    """A request or a response: ``start`` is its first line."""

    start: str
    headers: Pairs
    body: bytes


def text(raw: bytes) -> str:
    """Decode a header as the transport does: bytes that are no UTF-8 survive the way back."""
    return raw.decode("utf-8", "surrogateescape")


def folded(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return lower-case names, repeated ones joined (RFC 9110 §5.3)."""
    found: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        found[key] = f"{found[key]}, {value}" if key in found else value
    return found


def packed(start: str, headers: Iterable[tuple[str, str]], body: bytes) -> bytes:
    """Return the bytes of a message."""
    lines = [start, *(f"{name}: {value}" for name, value in headers), "", ""]
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + body


async def read(reader: asyncio.StreamReader, *, method: str | None = None) -> Message:
    """Read one message; ``method`` is that of the request which a response answers, None for a request.

    Raises:
        asyncio.IncompleteReadError: it stops early.
    """
    head = await reader.readuntil(b"\r\n\r\n")
    start, *lines = text(head).split("\r\n")
    fields = (line.partition(":") for line in lines if line)
    headers = tuple((name, value.strip(" \t")) for name, _, value in fields)
    return Message(start, headers, await _body(reader, start, folded(headers), method))


async def _body(reader: asyncio.StreamReader, start: str, headers: dict[str, str], method: str | None) -> bytes:
    """RFC 9112 §6.3."""
    if method is not None and (method == "HEAD" or int(start.split(" ")[1]) in BODILESS):
        return b""
    if "chunked" in headers.get("transfer-encoding", "").lower():
        return await _chunks(reader)
    if "content-length" in headers and "transfer-encoding" not in headers:
        return await reader.readexactly(int(headers["content-length"]))
    return b"" if method is None else await reader.read()


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    pieces = []
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        pieces.append(await reader.readexactly(size))
        await reader.readexactly(2)
    while await reader.readuntil(b"\r\n") != b"\r\n":
        pass  # trailers
    return b"".join(pieces)
