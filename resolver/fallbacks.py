"""Which wheels may be looked into because the index lists their metadata files but does not have them.

A guess is not worth a second request: it waits until somebody needs that file, or needed another one of the project in
the same plight, after which the project's guesses are asked for as ever, and a long way down takes no round trip more.
"""

from __future__ import annotations

import asyncio

FileKey = tuple[str, str, str]  # the names of the index, the project and the file


class Fallbacks:
    """Those of one resolve."""

    def __init__(self) -> None:
        self._wanted: set[FileKey] = set()
        self._postponed: set[FileKey] = set()
        self._allowed: dict[tuple[str, str], asyncio.Event] = {}
        """By index and project: whether any file of it may be looked into."""

    def want(self, key: FileKey) -> None:
        """Note that the file is needed, and not only guessed."""
        self._wanted.add(key)
        if key in self._postponed:
            self._allowed[key[:2]].set()

    async def until_wanted(self, key: FileKey) -> None:
        """Wait until a file whose metadata file is not there may be looked into; for ever, if nobody needs it."""
        allowed = self._allowed.setdefault(key[:2], asyncio.Event())
        if key in self._wanted:
            allowed.set()
        self._postponed.add(key)
        await allowed.wait()
