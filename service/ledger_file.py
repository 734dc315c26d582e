"""The rows of the first-seen ledger: one SQLite file, shared by processes.

A page is a view (whose eyes, which page); its files are digests of names and hashes, with the second in which each was
first seen. Rows only ever become earlier. Nothing here catches anything: :mod:`service.ledger` knows what to do.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager

LAYOUT = 1  # of the tables; a file of another layout is treated like a damaged one
_TABLES = (
    """CREATE TABLE pages (
        id INTEGER PRIMARY KEY, view BLOB NOT NULL UNIQUE, used INTEGER NOT NULL, files INTEGER NOT NULL
    )""",
    # Clustered by page: to read one is to read neighbours.
    """CREATE TABLE files (
        page INTEGER NOT NULL, file BLOB NOT NULL, seen INTEGER NOT NULL, PRIMARY KEY (page, file)
    ) WITHOUT ROWID""",
    f"PRAGMA user_version = {LAYOUT}",
)
_PATIENCE = 5.0  # seconds to wait for other processes, whose transactions take milliseconds
_PAUSE = 0.01  # seconds between two attempts where SQLite itself does not wait
_MAX_LOG = 16 * 1024 * 1024  # bytes that the write-ahead log keeps between transactions
_DAY = 86_400  # seconds; how exactly it is known when a page was last used
_SWEEP_AFTER = 10_000  # new rows between two looks at the whole
_SWEEP_TO = 0.9  # sweep below the limit, so that the next page does not sweep again
_GONE = 1_000  # files that are kept of a page, beyond as many as it lists, though it lists them no more


DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_ERROR}
BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
UNWRITABLE = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}


class UnknownLayoutError(sqlite3.DatabaseError):
    """It is a database, but none of this version."""


class LedgerFile:
    """An open ledger. Every method may raise :class:`sqlite3.Error`, and belongs to the thread that opened it."""

    def __init__(self, path: str, max_files: int) -> None:
        """``path`` is made if missing; ``:memory:`` is none. ``max_files`` bounds the rows of all pages together."""
        self._max_files = max_files
        self._unswept = _SWEEP_AFTER  # so that the first to write looks at what others have left
        self._connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
        try:
            self._prepare()
        except sqlite3.Error:
            self._connection.close()
            raise

    def _prepare(self) -> None:
        execute = self._connection.execute
        self._share()
        execute("PRAGMA synchronous = NORMAL")  # power that fails costs the last sightings, not the file
        execute(f"PRAGMA journal_size_limit = {_MAX_LOG}")
        if self._layout() == 0:
            with self._transaction():
                if self._layout() == 0:  # else another process was first
                    for statement in _TABLES:
                        execute(statement)
        if self._layout() != LAYOUT:
            raise UnknownLayoutError(f"layout {self._layout()}")

    def _share(self) -> None:
        """Have a write-ahead log. SQLite itself does not wait there for others that begin the same file."""
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
                time.sleep(_PAUSE)
            else:
                return

    def _layout(self) -> int:
        (found,) = self._connection.execute("PRAGMA user_version").fetchone()
        return int(found)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")  # not deferred: a reader that turns writer may not wait
        try:
            yield
        except BaseException:
            if self._connection.in_transaction:  # some errors end it themselves
                self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def close(self) -> None:
        """Give the file back."""
        self._connection.close()

    def read(self, view: bytes) -> dict[bytes, int]:
        """Return what is known of a page: file → second in which it was first seen."""
        rows = self._connection.execute(
            "SELECT file, seen FROM files WHERE page = (SELECT id FROM pages WHERE view = ?)", (view,)
        )
        return {file: seen for file, seen in rows if type(seen) is int and seen > 0}  # else torn, and still readable

    def is_current(self, view: bytes, now: int) -> bool:
        """Whether it is noted that the page was used today."""
        row = self._connection.execute("SELECT used FROM pages WHERE view = ?", (view,)).fetchone()
        return row is not None and int(row[0]) >= now // _DAY

    def write(self, view: bytes, listed: Collection[bytes], now: int) -> dict[bytes, int]:
        """Note that the page lists these files ``now``; return what is known of it then."""
        with self._transaction():
            known = self.read(view)  # anew: another process may have been here
            self._connection.execute("INSERT OR IGNORE INTO pages (view, used, files) VALUES (?, 0, 0)", (view,))
            (page,) = self._connection.execute("SELECT id FROM pages WHERE view = ?", (view,)).fetchone()
            # A sighting in the future was written by a clock that was wrong: the file exists now.
            fresh = [file for file in listed if known.get(file, now + 1) > now]
            self._connection.executemany(
                "INSERT OR REPLACE INTO files VALUES (?, ?, ?)", [(page, file, now) for file in fresh]
            )
            known.update(dict.fromkeys(fresh, now))
            self._forget_gone(page, known, listed)
            self._connection.execute(
                "UPDATE pages SET used = max(used, ?), files = ? WHERE id = ?", (now // _DAY, len(known), page)
            )
            self._unswept += len(fresh)
            if self._unswept >= min(_SWEEP_AFTER, self._max_files // 16):
                self._unswept = 0
                self._sweep(page)
        return known

    def _forget_gone(self, page: int, known: dict[bytes, int], listed: Collection[bytes]) -> None:
        """An index whose hashes change all the time must not fill the ledger; one that hides a file for a day may."""
        gone = known.keys() - set(listed)
        if len(gone) > len(listed) + _GONE:
            self._connection.executemany(
                "DELETE FROM files WHERE page = ? AND file = ?", [(page, file) for file in gone]
            )
            for file in gone:
                del known[file]

    def _sweep(self, kept: int) -> None:
        """Forget the pages that were used least recently while all together have too many files."""
        execute = self._connection.execute
        (total,) = execute("SELECT coalesce(sum(files), 0) FROM pages").fetchone()
        if total <= self._max_files:
            return
        for page, count in execute("SELECT id, files FROM pages WHERE id != ? ORDER BY used, id", (kept,)).fetchall():
            if total <= self._max_files * _SWEEP_TO:
                break
            execute("DELETE FROM files WHERE page = ?", (page,))
            execute("DELETE FROM pages WHERE id = ?", (page,))
            total -= count
