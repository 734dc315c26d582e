"""Responses on disk: shared by processes, safe to kill, never believed without proof.

``entries/ab/<key>`` holds what is known of a URL in a partition (msgpack behind a checksum, up to eight
variants); ``bodies/ab/<sha256>`` holds the bytes, named for what they are. A writer makes a temporary file,
renames it into place, and the entry comes last, so an entry never speaks of a body that was not yet there.

Every file stands alone: an entry without its body is a miss, a body without an entry is only old. That is why
eviction needs no counting, why several processes need no lock, and why nothing is synced to the platter: what a
crash tears, a checksum finds. Whatever is wrong with a file, the answer is a miss and the file is deleted.
All functions block; the cache calls them in threads. Invariant (held by tests that kill and corrupt): what
:meth:`Storage.read` returns was stored under exactly that key, byte for byte.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgpack

MAGIC = b"LWH1"  # change it with the layout: strangers' entries are misses
CHECKSUM = 32
MAX_ENTRY = 1024 * 1024  # an entry is some kilobytes; a larger file is not ours
SWEEP_TO = 0.9  # sweep below the cap, so that the next write does not sweep again
TOUCH_AFTER = 3600.0  # the least-recently-used order needs no better clock than an hour


@dataclass(frozen=True, slots=True)
class Stored:
    """One response, without its body."""

    url: str
    status: int
    headers: dict[str, str]
    variant: tuple[tuple[str, str], ...]
    digest: str
    size: int
    request_time: float
    response_time: float


Key = tuple[str, ...]


class Storage:
    """A directory of responses."""

    def __init__(self, directory: Path, max_bytes: int) -> None:
        """Use ``directory`` (made if missing).

        Raises:
            OSError: it cannot be made or written.
        """
        self._entries = directory / "http" / "entries"
        self._bodies = directory / "http" / "bodies"
        self._temporary = directory / "http" / "tmp"
        self._max_bytes = max_bytes
        for path in (self._entries, self._bodies, self._temporary):
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.discarded = 0
        """How many broken files were met."""
        self._written = 0
        self._put(self._temporary / "probe", b"")
        self._clear_debris()

    def read(self, key: Key) -> list[tuple[Stored, bytes]]:
        """Return the variants stored under ``key``; none where anything is wrong."""
        variants = self.find(key)
        found = [(stored, body) for stored in variants if (body := self.body(stored)) is not None]
        if variants and not found:
            self._discard(self._entry(key))
        return found

    def find(self, key: Key) -> list[Stored]:
        """Return what is known of the variants under ``key``, whose bodies may turn out to be missing."""
        try:
            raw = _contents(self._where(self._entries, _name(key)), MAX_ENTRY)
        except FileNotFoundError:
            return []
        except OSError:
            raw = None
        variants = None if raw is None else self._variants(raw, key)
        if variants is None:
            self._discard(self._entry(key))
        return variants or []

    def body(self, stored: Stored) -> bytes | None:
        """Return the body of ``stored``, byte for byte; None where it is missing or damaged."""
        try:
            body = _contents(self._where(self._bodies, stored.digest), stored.size)
        except OSError:
            return None
        if body is None or len(body) != stored.size or hashlib.sha256(body).hexdigest() != stored.digest:
            self._discard(self._path(self._bodies, stored.digest))
            return None
        return body

    def write(self, key: Key, variants: list[Stored], bodies: dict[str, bytes]) -> None:
        """Store ``variants`` under ``key``; ``bodies`` by digest, those that are already there may be left out.

        Raises:
            OSError: the disk is full, read-only or gone; nothing half-written remains in view.
        """
        for digest, body in bodies.items():
            path = self._path(self._bodies, digest)
            try:
                if path.stat().st_size == len(body):
                    os.utime(path)
                    continue
            except OSError:
                pass
            self._put(path, body)
        # Header bytes beyond UTF-8 are kept as surrogates.
        payload = msgpack.packb([list(key), [_pack(stored) for stored in variants]], unicode_errors="surrogateescape")
        self._put(self._entry(key), MAGIC + hashlib.sha256(payload).digest() + payload)
        if self._written > self._max_bytes // 16:
            self.sweep()

    def delete(self, key: Key) -> None:
        """Forget ``key``."""
        with contextlib.suppress(OSError):
            self._entry(key).unlink()

    def sweep(self) -> int:
        """Delete debris, and the least recently used files while all together exceed the cap; return the sum."""
        self._written = 0
        self._clear_debris()
        files: list[tuple[float, int, Path]] = []
        for path in self._files():
            with contextlib.suppress(OSError):
                status = path.stat()
                files.append((status.st_mtime, max(status.st_size, 512), path))
        total = sum(size for _, size, _ in files)
        if total > self._max_bytes:
            for _, size, path in sorted(files, key=lambda file: file[0]):
                if total <= self._max_bytes * SWEEP_TO:
                    break
                with contextlib.suppress(OSError):
                    path.unlink()
                total -= size
        return total

    def _files(self) -> Iterator[Path]:
        for root in (self._entries, self._bodies):
            with contextlib.suppress(OSError):
                for folder in list(root.iterdir()):
                    with contextlib.suppress(OSError):
                        yield from list(folder.iterdir())

    def _clear_debris(self) -> None:
        """Delete the temporary files of dead writers: the living hold a lock on theirs."""
        with contextlib.suppress(OSError):
            for path in list(self._temporary.iterdir()):
                with contextlib.suppress(OSError), path.open("rb") as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    path.unlink()

    @staticmethod
    def _variants(raw: bytes, key: Key) -> list[Stored] | None:
        """Read an entry; None where it is damaged, or another's."""
        head, payload = raw[: len(MAGIC) + CHECKSUM], raw[len(MAGIC) + CHECKSUM :]
        if head != MAGIC + hashlib.sha256(payload).digest():
            return None
        try:
            written, variants = msgpack.unpackb(payload, unicode_errors="surrogateescape")
            if tuple(written) != key:  # a file that was moved or copied under another name
                return None
            return [_unpack(fields) for fields in variants]
        except (ValueError, TypeError, LookupError, RecursionError, msgpack.UnpackException):
            return None

    def _discard(self, path: Path) -> None:
        self.discarded += 1
        with contextlib.suppress(OSError):
            path.unlink()

    def _entry(self, key: Key) -> Path:
        return self._path(self._entries, _name(key))

    @staticmethod
    def _path(root: Path, name: str) -> Path:
        return root / name[:2] / name

    @staticmethod
    def _where(root: Path, name: str) -> str:
        """Return the same as text: to make a path object takes longer than to read a small file."""
        return f"{root}/{name[:2]}/{name}"

    def _put(self, path: Path, content: bytes) -> None:
        temporary, descriptor = self._open_temporary()
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                try:
                    temporary.replace(path)
                except FileNotFoundError:
                    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                    temporary.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        self._written += len(content)

    def _open_temporary(self) -> tuple[Path, int]:
        """Make a temporary file under a lock, which says that its writer lives."""
        while True:
            temporary = self._temporary / os.urandom(12).hex()
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                if temporary.exists():  # else a sweep came between the two lines above
                    return temporary, descriptor
            except OSError:
                os.close(descriptor)
                raise
            os.close(descriptor)


def _name(key: Key) -> str:
    text = "".join([f"{len(part)}:{part}" for part in key])
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _contents(path: str, limit: int) -> bytes | None:
    """Read a file, and mark it as used, at most once an hour; None where it has more than ``limit`` bytes.

    Raises:
        OSError: it is not there, or cannot be read.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        status = os.fstat(descriptor)
        if status.st_size > limit:
            return None
        pieces = []
        while piece := os.read(descriptor, limit + 1):
            pieces.append(piece)
            if len(piece) == status.st_size:
                break
        if time.time() - status.st_mtime > TOUCH_AFTER:
            with contextlib.suppress(OSError):
                os.utime(descriptor)
        return b"".join(pieces)
    finally:
        os.close(descriptor)


def _pack(stored: Stored) -> list[object]:
    return [
        stored.url,
        stored.status,
        stored.headers,
        [list(pair) for pair in stored.variant],
        stored.digest,
        stored.size,
        stored.request_time,
        stored.response_time,
    ]


def _unpack(fields: list[object]) -> Stored:
    """Rebuild and check types: a checksum proves that we wrote it, not that this version did."""
    url, status, headers, variant, digest, size, request_time, response_time = fields
    if not (
        isinstance(url, str)
        and isinstance(status, int)
        and isinstance(headers, dict)
        and all(isinstance(name, str) and isinstance(value, str) for name, value in headers.items())
        and isinstance(variant, list)
        and isinstance(digest, str)
        and len(digest) == 64
        and digest.isalnum()
        and isinstance(size, int)
        and isinstance(request_time, float)
        and isinstance(response_time, float)
    ):
        raise TypeError("not an entry of this version")
    pairs = tuple((str(name), str(value)) for name, value in variant)
    return Stored(url, status, headers, pairs, digest, size, request_time, response_time)
