"""Request bodies: read within a size and a time, refused where they are coded, nested too deep or not text.

aiohttp bounds neither how long a body takes nor how deep JSON nests; both are bounded here.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import orjson
from aiohttp import BodyPartReader, web

from .problems import Problem, invalid
from .schema import MAX_FILES

MAX_DEPTH = 32  # a request nests six deep
# Of one request. A body of four megabytes could hold a million values, and seconds would be spent on saying what is
# wrong with each: some 13 µs for a member of an object.
MAX_STRINGS, MAX_VALUES, MAX_MEMBERS = 20_000, 20_000, 3_000
_MAX_FIELDS = 100

# A string, closed or cut off: an unclosed one runs to the end, or each of its quotes would be tried as a start.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_TO_SQUARE = bytes.maketrans(b"{}", b"[]")
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]"))


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one body: bytes and seconds."""

    size: int
    seconds: float


LIMITS = web.AppKey("limits", Limits)


@asynccontextmanager
async def _deadline(limits: Limits) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(limits.seconds):
            yield
    except TimeoutError:
        raise Problem(
            "request-timeout",
            f"The body was not complete after {limits.seconds:g} seconds",
            headers={"Connection": "close"},
        ) from None


def _too_large(limits: Limits) -> Problem:
    return Problem("payload-too-large", f"The body is larger than {limits.size} bytes (service.max_body)")


def _check_head(request: web.Request, limits: Limits) -> None:
    coding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if coding != "identity":
        raise Problem(
            "unsupported-media-type",
            f"Content-Encoding {coding[:40]!r} is not accepted on requests; send the body as it is",
            headers={"Accept-Encoding": "identity"},  # RFC 9110 §12.5.3
        )
    if request.content_length is not None and request.content_length > limits.size:
        raise _too_large(limits)


async def expect(request: web.Request) -> None:
    """Ask for a body that the client holds back (RFC 9110 §10.1.1), unless it is too large; other wishes are ignored.

    aiohttp's own handler asks for any body, and fails on an expectation that is not ASCII.
    """
    awaits = request.version >= (1, 1) and request.headers.get("Expect", "").lower() == "100-continue"
    if awaits and not (request.content_length or 0) > request.app[LIMITS].size:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # it is no part of the answer


async def read(request: web.Request, limits: Limits) -> bytes:
    """Return the body.

    Raises:
        Problem: ``payload-too-large``, ``request-timeout``, ``unsupported-media-type`` for a coded one.
    """
    _check_head(request, limits)
    if request.content.is_eof():  # it came with its head, as small ones do: nothing to wait for
        body = request.content.read_nowait()
        if len(body) > limits.size:
            raise _too_large(limits)
        return body
    parts, size = list[bytes](), 0
    async with _deadline(limits):
        async for part in request.content.iter_any():
            size += len(part)
            if size > limits.size:
                raise _too_large(limits)
            parts.append(part)
    return b"".join(parts)


def structure_of(body: bytes) -> bytes:
    """Return JSON without its strings.

    Raises:
        Problem: ``invalid-request``, because of the number of its values.
    """
    if body.count(b'"') - body.count(b'\\"') > 2 * MAX_STRINGS:
        raise invalid("", f"JSON of more than {MAX_STRINGS} strings")
    rest = _STRING.sub(b"", body)
    if rest.count(b",") + rest.count(b"[") + rest.count(b"{") > MAX_VALUES:
        raise invalid("", f"JSON of more than {MAX_VALUES} values")
    if rest.count(b":") > MAX_MEMBERS:
        raise invalid("", f"JSON whose objects have more than {MAX_MEMBERS} members together")
    return rest


def is_too_deep(structure: bytes) -> bool:
    """Whether JSON nests deeper than :data:`MAX_DEPTH`; each round takes the innermost level away.

    Brackets that nothing closes are no nesting until there are many: what is cut off is for the parser to tell.
    """
    brackets = structure.translate(_TO_SQUARE).translate(None, _NOT_BRACKETS)
    for _ in range(MAX_DEPTH):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"")
    return b"[]" in brackets or brackets.count(b"[") > MAX_DEPTH


def decode_json(body: bytes) -> object:
    """Return the value of JSON.

    Raises:
        Problem: ``invalid-request``.
    """
    if is_too_deep(structure_of(body)):
        raise invalid("", f"JSON nests deeper than {MAX_DEPTH} levels")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise invalid("", f"the body is not JSON: {error.msg} at line {error.lineno} column {error.colno}") from None


def decode_text(body: bytes, name: str) -> str:
    """Return UTF-8 text, without a byte order mark.

    Raises:
        Problem: ``invalid-request``.
    """
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise invalid("", f"{name} is not UTF-8 text (byte {error.start})") from None


async def read_form(request: web.Request, limits: Limits) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Return the files and the plain fields of a ``multipart/form-data`` body.

    Raises:
        Problem: as :func:`read`; ``invalid-request`` for a body that is no form.
    """
    _check_head(request, limits)
    files: dict[str, str] = {}
    fields: list[tuple[str, str]] = []
    left = limits.size
    try:
        async with _deadline(limits):
            reader = await request.multipart()
            async for part in reader:
                if not isinstance(part, BodyPartReader) or part.name is None:
                    raise invalid("", "each part of a form needs a name; nested forms are not understood")
                body = bytearray()
                while chunk := await part.read_chunk():
                    left -= len(chunk)
                    if left < 0:
                        raise _too_large(limits)
                    body += chunk
                if part.filename is not None:
                    files[part.filename] = decode_text(bytes(body), part.filename)
                else:
                    fields.append((part.name, decode_text(bytes(body), part.name)))
                if len(files) > MAX_FILES or len(fields) > _MAX_FIELDS:
                    raise invalid("", f"a form has at most {MAX_FILES} files and {_MAX_FIELDS} fields")
    except (ValueError, AssertionError, web.RequestPayloadError):
        raise invalid("", "the body is not multipart/form-data as its header says") from None
    return files, fields
