"""The configured indexes, with the secrets that their files hold now.

Short-lived tokens are renewed by replacing a file, so files are looked at whenever the indexes are wanted (a stat
takes microseconds). A replacement that cannot be used leaves the old secret in use, and is said in the log.
"""

from __future__ import annotations

from collections.abc import Sequence

from transport.message import Index

from .logs import Log
from .settings import IndexSettings, SettingsError

_log = Log("lockwright.indexes")

_Stamp = tuple[tuple[int, int, int] | None, ...]


class Indexes:
    """In order of priority."""

    def __init__(self, tables: Sequence[IndexSettings]) -> None:
        """Read every secret.

        Raises:
            SettingsError: a file of secrets cannot be read.
        """
        self._tables = tuple(tables)
        self._stamps = [_stamp(table) for table in self._tables]
        self._current = tuple(table.to_index() for table in self._tables)

    def current(self) -> tuple[Index, ...]:
        """Return them; the same objects as before unless a secret has changed."""
        for at, table in enumerate(self._tables):
            stamp = _stamp(table)
            if stamp == self._stamps[at]:
                continue
            self._stamps[at] = stamp
            try:
                fresh = table.to_index()
            except SettingsError as error:
                _log.warning("a changed secret cannot be used; going on with the old one", error=str(error))
                continue
            if fresh != self._current[at]:
                self._current = (*self._current[:at], fresh, *self._current[at + 1 :])
        return self._current


def _stamp(table: IndexSettings) -> _Stamp:
    found: list[tuple[int, int, int] | None] = []
    for path in table.secret_files:
        try:
            status = path.expanduser().stat()
        except OSError:
            found.append(None)
        else:
            found.append((status.st_mtime_ns, status.st_ino, status.st_size))
    return tuple(found)
