"""Finished locks, kept by id in the cache directory: immutable, bounded, shared by the workers of a machine.

Files appear by rename, so a reader sees a whole lock or none. When there are too many, the oldest go and leave an
empty marker, so that their ids answer 410 rather than 404; the markers are bounded as well.
"""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path

import orjson
import structlog

from .problems import Problem
from .rendering import Rendered

_ID = re.compile(r"lk_[0-9a-f]{40}")
_IN_MEMORY = 128  # locks; some 200 kB each
_SWEEP_EVERY = 100  # writes; a sweep lists the directory
_MARKERS_PER_LOCK = 10  # empty files: an inode each

_log = structlog.get_logger("lockwright.stored")


class StoredLocks:
    """Locks by id."""

    def __init__(self, directory: Path, *, limit: int) -> None:
        """``limit`` is how many locks are kept on disk; 0 keeps none there."""
        self._directory = directory
        self._limit = limit
        self._memory: OrderedDict[str, Rendered] = OrderedDict()
        self._writes = 0

    def _remember(self, rendered: Rendered) -> None:
        self._memory[rendered.id] = rendered
        self._memory.move_to_end(rendered.id)
        if len(self._memory) > _IN_MEMORY:
            self._memory.popitem(last=False)

    async def put(self, rendered: Rendered) -> None:
        """Keep ``rendered``. A disk that fails costs the later lookup, not the answer."""
        if rendered.id in self._memory:
            self._memory.move_to_end(rendered.id)
            return
        self._remember(rendered)
        if self._limit == 0:
            return
        try:
            await asyncio.to_thread(self._write, rendered)
        except OSError as error:
            _log.warning("lock not stored", lock=rendered.id, reason=type(error).__name__)

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
        rendered = await asyncio.to_thread(self._read, identifier)
        self._remember(rendered)
        return rendered

    def _path(self, identifier: str) -> Path:
        return self._directory / identifier[3:5] / f"{identifier}.json"

    def _write(self, rendered: Rendered) -> None:
        path = self._path(rendered.id)
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        body = orjson.dumps(
            {"document": rendered.document, "texts": rendered.texts, "refusals": rendered.refusals},
        )
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(body)
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
            stored = orjson.loads(path.read_bytes())
            return Rendered(identifier, stored["document"], stored["texts"], stored["refusals"])
        except FileNotFoundError:
            pass
        except (orjson.JSONDecodeError, KeyError, TypeError):
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
        for path in _surplus(self._by_age("lk_*.json"), self._limit):
            path.with_suffix(".gone").touch()
            path.unlink(missing_ok=True)
        for path in _surplus(self._by_age("lk_*.gone"), self._limit * _MARKERS_PER_LOCK):
            path.unlink(missing_ok=True)


def _surplus(oldest_first: list[Path], limit: int) -> Iterator[Path]:
    yield from oldest_first[: max(0, len(oldest_first) - limit)]
