"""Memory over disk: what was dropped stays away, however slow the disk is."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from pathlib import Path

import pytest

from transport.memory import Memory, Record
from transport.shelf import Shelf
from transport.storage import Key, Storage, Stored

from .server import TestClock

KEY = ("public", "any", "http://index.example/a/", "")
CLOCK = TestClock()


class Slow(Storage):
    """A disk that waits: reads say that they have begun, and end when they are let; deletions as well."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, 10**6)
        self.reading, self.let_read, self.let_delete = threading.Event(), threading.Event(), threading.Event()

    def find(self, key: Key) -> list[Stored]:
        found = super().find(key)
        self.reading.set()
        assert self.let_read.wait(10)
        return found

    def delete(self, key: Key) -> None:
        assert self.let_delete.wait(10)
        super().delete(key)


def record(body: bytes) -> Record:
    digest = hashlib.sha256(body).hexdigest()
    stored = Stored("http://index.example/a/", 200, {}, (), digest, len(body), CLOCK.wall(), CLOCK.wall())
    return Record(stored, body, CLOCK.monotonic(), 0.0)


async def bodies(shelf: Shelf) -> list[bytes | None]:
    """Return the bodies of what the shelf has under :data:`KEY`."""
    found = [await shelf.with_body(KEY, one) for one in await shelf.load(KEY)]
    return [None if one is None else one.body for one in found]


async def stored(directory: Path, body: bytes) -> Slow:
    """Return a disk on which ``body`` is kept under :data:`KEY`."""
    storage = Slow(directory)
    shelf = Shelf(Memory(10**6), storage, CLOCK)
    shelf.keep(KEY, [record(body)], is_new=True)
    await shelf.close()
    return storage


async def test_what_was_dropped_is_gone_before_the_disk_has_deleted_it(tmp_path: Path) -> None:
    storage = await stored(tmp_path, b"old")
    storage.let_read.set()
    shelf = Shelf(Memory(10**6), storage, CLOCK)
    shelf.drop(KEY)
    assert await shelf.load(KEY) == []
    shelf.keep(KEY, [record(b"new")], is_new=True)
    assert await bodies(shelf) == [b"new"]
    storage.let_delete.set()
    await shelf.close()
    later = Shelf(Memory(10**6), storage, CLOCK)  # deletion and write kept their order
    assert await bodies(later) == [b"new"]
    await later.close()


@pytest.mark.parametrize("renewed", [False, True])
async def test_what_is_dropped_while_it_is_being_read_does_not_come_back(tmp_path: Path, *, renewed: bool) -> None:
    storage = await stored(tmp_path, b"old")
    memory = Memory(10**6)
    shelf = Shelf(memory, storage, CLOCK)
    shelf._slow_until = float("inf")  # as after two reads that took long: from now on in threads
    loading = asyncio.create_task(shelf.load(KEY))
    assert await asyncio.to_thread(storage.reading.wait, 10)
    shelf.drop(KEY)
    if renewed:
        shelf.keep(KEY, [record(b"new")], is_new=True)
    storage.let_read.set()
    expected = [b"new"] if renewed else []
    assert [one.body for one in await loading] == expected
    assert [one.body for one in memory.get(KEY) or []] == expected
    storage.let_delete.set()
    await shelf.close()
