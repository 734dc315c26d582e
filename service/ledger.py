"""The first-seen ledger: when this service first saw each file that gives no upload time.

It is kept per page and per partition of the cache, so that what one credential saw is never told to another, and a
file is its name with its hash: other bytes under an old name are a new file. Instants are whole seconds, rounded up. A
file was there before anyone saw it, so whatever is lost or late here errs towards "too new".

The rows are in SQLite in the cache directory (:mod:`service.ledger_file`). A damaged file stays as it is, and a new
one is begun beside it under the next number: processes that still have the old one open are not disturbed, and come
along as soon as they meet the damage. Where nothing can be written, the ledger lives in memory. All of it runs in a
thread of its own, and nothing that goes wrong in it fails a request.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import re
import sqlite3
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from transport.clock import SYSTEM, Clock

from .logs import Log

if TYPE_CHECKING:
    from .ledger_file import LedgerFile

FOLDER = "first-seen"
MAX_FILES = 4_000_000
"""Some 35 bytes each: 140 MB of disk. Indexes without upload times list some hundred files per project, so it
is room for ten thousand projects and more; those that were used least recently go first."""
MAX_FILES_IN_MEMORY = 400_000  # 14 MB

_MAX_BEGUN = 3  # files that a process begins because of damage; beyond it the disk is what is damaged
_CLOCK_SET = datetime(2026, 1, 1, tzinfo=UTC).timestamp()  # a clock that shows less would make every file old

_log = Log("lockwright.ledger")


class Ledger:
    """Obeys :class:`resolver.index.sightings.Ledger`. One per process."""

    def __init__(self, directory: Path | None, clock: Clock = SYSTEM, *, max_files: int = MAX_FILES) -> None:
        """``directory`` is the cache's; None: in memory. Nothing is opened before there is something to note."""
        self._directory = None if directory is None else directory / FOLDER
        self._clock = clock
        self._max_files = max_files
        self._file: LedgerFile | None = None
        self._number = 1  # of the file
        self._begun = 0
        self._warned: set[str] = set()
        self._thread = ThreadPoolExecutor(1, "ledger")
        self._under_way: set[asyncio.Future[None]] = set()

    def note(
        self,
        view: tuple[str, ...],
        listed: Callable[[], Mapping[str, str]],
        tell: Callable[[Mapping[str, datetime]], None],
    ) -> asyncio.Future[None]:
        """Note what is seen now, as the protocol says."""
        now = math.ceil(self._clock.wall())

        def work() -> None:
            tell(self._instants(view, listed(), now))

        future = asyncio.get_running_loop().run_in_executor(self._thread, work)
        self._under_way.add(future)
        future.add_done_callback(self._under_way.discard)
        return future

    async def close(self) -> None:
        """Let the disk have what waits for it."""
        await asyncio.gather(*self._under_way, return_exceptions=True)
        if self._file is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown(wait=False)

    # -- in the thread -----------------------------------------------------------

    def _instants(self, view: tuple[str, ...], listed: Mapping[str, str], now: int) -> dict[str, datetime]:
        """Return when each of the files ``listed`` was first seen, at the latest ``now``; nothing without a clock."""
        if now < _CLOCK_SET:
            self._warn("the clock is not set: first sightings are neither noted nor read")
            return {}
        if not listed:
            return {}
        files = {filename: _digest((filename, what)) for filename, what in listed.items()}
        known = self._seen(_digest(view), files.values(), now)
        seconds = {filename: min(now, known.get(file, now)) for filename, file in files.items()}
        instants = {second: datetime.fromtimestamp(second, UTC) for second in set(seconds.values())}
        return {filename: instants[second] for filename, second in seconds.items()}

    def _seen(self, view: bytes, files: Collection[bytes], now: int) -> dict[bytes, int]:
        while True:
            known: dict[bytes, int] = {}
            try:
                file = self._open()
                known = file.read(view)
                if file.is_current(view, now) and all(known.get(one, now + 1) <= now for one in files):
                    return known
                return file.write(view, files, now)
            except (OSError, sqlite3.Error) as error:
                if not self._recovers(error):
                    return known

    def _open(self) -> LedgerFile:
        from .ledger_file import LedgerFile  # noqa: PLC0415 - most locks have nothing to note and need no SQLite

        if self._file is None:
            if self._directory is None:
                self._file = LedgerFile(":memory:", min(self._max_files, MAX_FILES_IN_MEMORY))
            else:
                self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._number = max([self._number, *_numbers(self._directory)])
                path = self._directory / f"{self._number}.sqlite"
                os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
                self._file = LedgerFile(str(path), self._max_files)
                _remove_below(self._directory, self._number - 1)
        return self._file

    def _recovers(self, error: OSError | sqlite3.Error) -> bool:
        """Whether it is worth trying again, with another file or in memory; else this writing is lost."""
        from .ledger_file import BUSY, DAMAGE, UNWRITABLE  # noqa: PLC0415 - as above

        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF  # the primary one
        is_damaged = isinstance(error, sqlite3.Error) and code in DAMAGE
        is_open = self._file is not None
        if code in BUSY or self._directory is None:
            self._warn("first sightings could not be noted", error)
            return False
        if is_damaged and self._begun < _MAX_BEGUN:
            damaged = f"{FOLDER}/{self._number}.sqlite"
            _log.warning(
                "the ledger of first sightings is damaged, beginning anew", damaged=damaged, error=_kind(error)
            )
            self._begun += 1
            self._number += 1
        elif is_damaged or not is_open or code in UNWRITABLE:
            self._warn("the ledger of first sightings cannot be kept, going on in memory", error)
            self._directory = None
        else:  # a full disk, for one
            self._warn("first sightings could not be noted", error)
            return False
        self._close()
        return True

    def _close(self) -> None:
        if self._file is not None:
            with contextlib.suppress(sqlite3.Error):
                self._file.close()
            self._file = None

    def _warn(self, event: str, error: Exception | None = None) -> None:
        if event not in self._warned:  # a full disk fails every write; one line says it
            self._warned.add(event)
            _log.warning(event, **({} if error is None else {"error": _kind(error)}))


def _digest(parts: tuple[str, ...]) -> bytes:
    """128 bits: nobody finds a second file for a digest."""
    text = "".join([f"{len(part)}:{part}" for part in parts])
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _kind(error: Exception) -> str:
    return getattr(error, "sqlite_errorname", type(error).__name__)


def _numbers(directory: Path) -> list[int]:
    found = (re.fullmatch(r"([1-9][0-9]{0,8})\.sqlite", path.name) for path in directory.iterdir())
    return [int(match[1]) for match in found if match is not None]


def _remove_below(directory: Path, number: int) -> None:
    """Of damaged files only the last is kept."""
    for one in _numbers(directory):
        if one < number:
            for suffix in ("", "-wal", "-shm"):
                with contextlib.suppress(OSError):
                    (directory / f"{one}.sqlite{suffix}").unlink()
