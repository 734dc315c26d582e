"""Content codings, undone in small steps under a cap: a bomb is found while it goes off, not after.

``gzip`` and ``deflate`` are always understood; ``br`` and ``zstd`` where their libraries are installed. What is
advertised is constant for the process, because indexes vary on it.
"""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Protocol

STEP = 256 * 1024  # output bytes per step: what a bomb can add before the cap is checked again
MAX_CODINGS = 2  # "gzip, gzip" happens by accident; more is an attack


class Overflow(Exception):
    """The decoded body exceeds the cap."""


class Corrupt(Exception):
    """The bytes are not what ``Content-Encoding`` says, or stop early."""


class Decoder(Protocol):
    """One coding, incrementally."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what ``data`` decodes to, in pieces of at most :data:`STEP` bytes or so."""
        ...

    def finish(self) -> None:
        """Raise :class:`Corrupt` where the coding has not ended."""
        ...


class _Zlib:
    """gzip (RFC 1952, members one after another included) and deflate (RFC 1950, or raw as some servers send)."""

    def __init__(self, coding: str) -> None:
        self._wbits = 31 if coding == "gzip" else 15
        self._sniff = coding == "deflate"
        self._stream = zlib.decompressobj(self._wbits)
        self._is_fresh = True

    def feed(self, data: bytes) -> Iterator[bytes]:
        if self._sniff and data:
            self._sniff = False
            if data[0] & 0x0F != 8:  # RFC 1950: compression method 8 in the low bits, else there is no header
                self._wbits = -15
                self._stream = zlib.decompressobj(self._wbits)
        while data:
            if self._stream.eof:
                if self._wbits != 31 or not data.strip(b"\0"):
                    return  # what follows the end is padding
                self._stream = zlib.decompressobj(self._wbits)
            try:
                piece = self._stream.decompress(data, STEP)
            except zlib.error:
                raise Corrupt("the compressed body is damaged") from None
            self._is_fresh = False
            data = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail
            if piece:
                yield piece

    def finish(self) -> None:
        if not self._is_fresh and not self._stream.eof:
            raise Corrupt("the compressed body stops early")


class _Chunked:
    """A decoder of a library that takes an output bound: ``brotli`` and ``zstd`` differ only in names."""

    def __init__(self, decompress: Callable[[bytes], bytes], is_finished: Callable[[], bool]) -> None:
        self._decompress = decompress
        self._is_finished = is_finished
        self._is_fresh = True

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data or not self._is_fresh:
            try:
                piece = self._decompress(data)
            except Exception:  # noqa: BLE001 (each library has its own)
                raise Corrupt("the compressed body is damaged") from None
            self._is_fresh = False
            data = b""
            if not piece:
                return
            yield piece

    def finish(self) -> None:
        if not self._is_fresh and not self._is_finished():
            raise Corrupt("the compressed body stops early")


def _library(*names: str) -> Any | None:
    for name in names:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return None


_brotli = _library("brotli", "brotlicffi")
_zstd = _library("compression.zstd", "backports.zstd")
_HAS_BROTLI = _brotli is not None and hasattr(getattr(_brotli, "Decompressor", None), "can_accept_more_data")


def _decoder(coding: str) -> Decoder:
    if coding in {"gzip", "x-gzip", "deflate"}:
        return _Zlib("deflate" if coding == "deflate" else "gzip")
    if coding == "br" and _HAS_BROTLI and _brotli is not None:
        brotli = _brotli.Decompressor()
        return _Chunked(lambda data: bytes(brotli.process(data, output_buffer_limit=STEP)), brotli.is_finished)
    if coding == "zstd" and _zstd is not None:
        zstd = _zstd.ZstdDecompressor()
        return _Chunked(
            lambda data: b"" if zstd.eof else bytes(zstd.decompress(data, max_length=STEP)), lambda: bool(zstd.eof)
        )
    raise Corrupt(f"an unknown content coding {coding[:32]!r}")


def accepted() -> str:
    """Return the value for ``Accept-Encoding``: what this process can undo."""
    return ", ".join(["gzip", "deflate", *(["br"] if _HAS_BROTLI else []), *(["zstd"] if _zstd else [])])


class Body:
    """Collects a body: undoes ``Content-Encoding`` (RFC 9110 §8.4, the last coding first) under a cap."""

    def __init__(self, content_encoding: str, cap: int) -> None:
        """``cap`` bounds the decoded bytes.

        Raises:
            Corrupt: a coding that we cannot undo.
        """
        codings = [name for name in (part.strip().lower() for part in content_encoding.split(",")) if name]
        codings = [name for name in codings if name != "identity"]
        if len(codings) > MAX_CODINGS:
            raise Corrupt(f"more than {MAX_CODINGS} content codings")
        self._decoders = [_decoder(name) for name in reversed(codings)]
        self._cap = cap
        self._seen = [0] * len(self._decoders)
        self._size = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield decoded pieces of ``data``.

        Raises:
            Overflow: more than the cap, at any stage.
            Corrupt: damaged bytes.
        """
        if self._decoders:
            return self._through(0, data)
        self._grow(data)
        return iter((data,))

    def _grow(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > self._cap:
            raise Overflow

    def _through(self, stage: int, data: bytes) -> Iterator[bytes]:
        if stage == len(self._decoders):
            self._grow(data)
            yield data
            return
        for piece in self._decoders[stage].feed(data):
            self._seen[stage] += len(piece)
            if self._seen[stage] > self._cap:
                raise Overflow
            yield from self._through(stage + 1, piece)

    def finish(self) -> None:
        """Check that every coding has ended (a cut gzip page must not pass for a short one)."""
        for decoder in self._decoders:
            decoder.finish()
