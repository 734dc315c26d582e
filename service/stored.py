"""Finished locks, kept by id in the cache directory: immutable, bounded, shared by the workers of a machine.

Files appear by rename, so a reader sees a whole lock or none. When there are too many, the oldest go and leave an
empty marker, so that their ids answer 410 rather than 404; the markers are bounded as well.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import orjson

from .logs import Log
from .problems import Problem
from .rendering import Rendered, is_id_of

_ID = re.compile(r"lk_[0-9a-f]{40}")
_IN_MEMORY = 16 * 1024 * 1024  # bytes of locks; some 200 kB each
_SWEEP_EVERY = 100  # writes; a sweep lists the directory
_MAX_UNWRITTEN = 200  # locks; then answers wait for the disk
_PAUSES = (0.02, 0.08, 0.0)  # seconds: another worker may have answered with this id and be about to write it
_UNHURRIED = 0.01  # seconds; to write a lock beside its answer takes from the answer's time
_MARKERS_PER_LOCK = 10  # empty files: an inode each

_log = Log("lockwright.stored")


class StoredLocks:
    """Locks by id."""

    def __init__(self, directory: Path, *, limit: int) -> None:
        """``limit`` is how many locks are kept on disk; 0 keeps none there."""
        self._directory = directory
        self._limit = limit
        self._memory: OrderedDict[str, Rendered] = OrderedDict()
        self._size = 0
        self._unwritten: dict[str, Rendered] = {}
        self._writer: asyncio.Task[None] | None = None
        self._hurries = asyncio.Event()
        self._writes = 0

    def _remember(self, rendered: Rendered) -> None:
        if rendered.id not in self._memory:
            self._size += rendered.size
        self._memory[rendered.id] = rendered
        self._memory.move_to_end(rendered.id)
        while self._size > _IN_MEMORY and len(self._memory) > 1:
            self._size -= self._memory.popitem(last=False)[1].size

    async def put(self, rendered: Rendered) -> None:
        """Keep ``rendered``: at once for this process, soon on disk. A disk that fails costs a later lookup only."""
        if rendered.id in self._memory:
            self._memory.move_to_end(rendered.id)
            return
        self._remember(rendered)
        if self._limit == 0:
            return
        self._unwritten[rendered.id] = rendered
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_all())
        if len(self._unwritten) > _MAX_UNWRITTEN:  # the disk is slower than we are
            self._hurries.set()
            await asyncio.shield(self._writer)

    async def _write_all(self) -> None:
        try:
            while self._unwritten:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_UNHURRIED):
                        await self._hurries.wait()
                self._hurries.clear()
                batch = list(self._unwritten.values())
                await asyncio.to_thread(self._write_each, batch)
                for rendered in batch:
                    self._unwritten.pop(rendered.id, None)
        finally:
            self._writer = None

    def _write_each(self, batch: list[Rendered]) -> None:
        for rendered in batch:
            try:
                self._write(rendered)
            except OSError as error:
                _log.warning("lock not stored", lock=rendered.id, reason=type(error).__name__)

    async def close(self) -> None:
        """Wait until all is on disk."""
        self._hurries.set()
        while self._writer is not None:
            await asyncio.shield(self._writer)

    async def get(self, identifier: str) -> Rendered:
        """Return the lock.

        Raises:
            Problem: ``not-found``; ``gone`` for one that made room for others.
        """
        if _ID.fullmatch(identifier) is None:
            raise Problem("not-found", "This is not the id of a lock: lk_ and 40 hexadecimal digits")
        if identifier in self._memory:
            self._memory.move_to_end(identifier)
            return self._memory[identifier]
        if identifier in self._unwritten:
            return self._unwritten[identifier]
        for pause in _PAUSES:
            try:
                rendered = await asyncio.to_thread(self._read, identifier)
            except Problem as problem:
                if problem.name != "not-found":
                    raise
                await asyncio.sleep(pause)
            else:
                self._remember(rendered)
                return rendered
        raise Problem("not-found", "No lock with this id is stored here")

    def _path(self, identifier: str) -> Path:
        return self._directory / identifier[3:5] / f"{identifier}.lock"

    def _write(self, rendered: Rendered) -> None:
        path = self._path(rendered.id)
        if path.exists():
            return
        import tempfile  # noqa: PLC0415 - a command line mostly makes the lock that it made before

        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        texts = orjson.dumps({"texts": rendered.texts, "refusals": rendered.refusals})
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(rendered.body + b"\n" + texts)
            Path(temporary).rename(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        path.with_suffix(".gone").unlink(missing_ok=True)
        self._writes += 1
        if self._writes % _SWEEP_EVERY == 1:
            self._sweep()

    def _read(self, identifier: str) -> Rendered:
        path = self._path(identifier)
        try:
            rendered = _parse(identifier, path.read_bytes())
        except FileNotFoundError:
            pass
        else:
            if rendered is not None:
                return rendered
            _log.warning("stored lock is damaged", lock=identifier)
            path.unlink(missing_ok=True)
        if path.with_suffix(".gone").exists():
            raise Problem("gone", "This lock was removed to make room for newer ones; ask for it again")
        raise Problem("not-found", "No lock with this id is stored here")

    def _by_age(self, pattern: str) -> list[Path]:
        found = []
        for path in self._directory.glob(f"??/{pattern}"):
            try:
                found.append((path.stat().st_mtime_ns, path))
            except FileNotFoundError:  # another worker sweeps as well
                continue
        return [path for _, path in sorted(found)]

    def _sweep(self) -> None:
        for path in _surplus(self._by_age("lk_*.lock"), self._limit):
            path.with_suffix(".gone").touch()
            path.unlink(missing_ok=True)
        for path in _surplus(self._by_age("lk_*.gone"), self._limit * _MARKERS_PER_LOCK):
            path.unlink(missing_ok=True)


def _parse(identifier: str, content: bytes) -> Rendered | None:
    """Read what was written; None where it is damaged."""
    body, _, more = content.partition(b"\n")  # our JSON has no line ends
    try:
        stored = orjson.loads(more)
        rendered = Rendered(identifier, body, stored["texts"], stored["refusals"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None
    return rendered if is_id_of(identifier, body) else None


def _surplus(oldest_first: list[Path], limit: int) -> Iterator[Path]:
    yield from oldest_first[: max(0, len(oldest_first) - limit)]
