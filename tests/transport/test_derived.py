"""Derived records on disk: byte for byte or not at all, shared by processes, and bounded."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from pathlib import Path

import pytest

from transport import derived, trail
from transport.derived import Derived

ROOT = Path(__file__).resolve().parents[2]


def value(number: int) -> bytes:
    return f"{number}:".encode() + random.Random(number).randbytes(200 + number)


def segments(directory: Path) -> list[Path]:
    return sorted((directory / "derived").glob("*.seg"))


async def filled(directory: Path, numbers: range) -> None:
    """Leave a record for each number, as a process that has ended."""
    store = Derived(directory, 10**9)
    for number in numbers:
        store.put(value(number), "page", str(number))
    await store.close()


async def test_a_record_is_there_at_once_and_in_the_next_process(tmp_path: Path) -> None:
    store = Derived(tmp_path, 10**9)
    store.put(b"one", "page", "a")
    assert store.get("page", "a") == b"one"
    await store.close()
    later = Derived(tmp_path, 10**9)
    assert later.get("page", "a") == b"one"
    assert later.get("page", "b") is None
    assert later.get("pagea", "") is None
    await later.close()


async def test_who_asks_is_told_where_a_record_lies_once_it_is_written(tmp_path: Path) -> None:
    store = Derived(tmp_path, 10**9)
    told: list[bytes] = []
    store.put(b"an older value", "page", "a", then=lambda part: told.append(part(0, 2)))
    store.put(b"one of many", "page", "a", then=lambda part: told.append(part(4, 6)))
    assert told == []
    await store.close()
    assert told == [b"of"]  # another value took the older one's place


async def test_the_newest_record_of_a_key_counts(tmp_path: Path) -> None:
    for content in (b"old", b"new"):
        store = Derived(tmp_path, 10**9)
        store.put(content, "page", "a")
        await store.close()
    later = Derived(tmp_path, 10**9)
    assert later.get("page", "a") == b"new"
    await later.close()
    assert len(segments(tmp_path)) == 1  # the next process goes on where the last one ended


async def test_what_was_put_again_and_again_takes_no_room_once_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(derived, "MAX_TRAILING", 1000)
    store = Derived(tmp_path, 10**9)
    for _ in range(9):
        store.put(bytes(100), "page", "a")
    assert store._task is not None
    await store._task
    store.put(bytes(800), "page", "b")
    await store.close()
    later = Derived(tmp_path, 10**9)
    assert later.get("page", "b") == bytes(800)
    await later.close()


async def test_two_processes_write_beside_each_other_and_read_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(derived, "LOOK_AGAIN", -1.0)
    monkeypatch.setattr(trail, "QUIET", 0.0)
    one, two = Derived(tmp_path, 10**9), Derived(tmp_path, 10**9)
    for number in range(5):
        (one if number % 2 else two).put(value(number), str(number))
        await _written(one, two)
    assert len(segments(tmp_path)) == 2
    for number in range(5):
        assert one.get(str(number)) == two.get(str(number)) == value(number)
    await one.close()
    await two.close()


async def _written(*stores: Derived) -> None:
    """Wait until nothing waits for the disk."""
    for store in stores:
        while store._task is not None:
            await asyncio.shield(store._task)


async def test_no_flipped_bit_is_believed(tmp_path: Path) -> None:
    await filled(tmp_path, range(3))
    (path,) = segments(tmp_path)
    whole = path.read_bytes()
    found = 0
    for position in range(0, len(whole), 3):
        damaged = bytearray(whole)
        damaged[position] ^= 1 << position % 8
        path.write_bytes(damaged)
        store = Derived(tmp_path, 10**9)
        records = [store.get("page", str(number)) for number in range(3)]
        assert all(record in (None, value(number)) for number, record in enumerate(records))
        assert None in records
        found += 3 - records.count(None)
        await store.close()
    assert found > len(whole) // 6  # damage costs what it hit, and perhaps what follows, not everything


async def test_a_segment_that_is_cut_keeps_what_is_whole_and_is_not_written_to(tmp_path: Path) -> None:
    await filled(tmp_path, range(3))
    (path,) = segments(tmp_path)
    path.write_bytes(path.read_bytes()[:-1])
    store = Derived(tmp_path, 10**9)
    assert [store.get("page", str(number)) for number in range(3)] == [value(0), value(1), None]
    store.put(value(2), "page", "2")
    await store.close()
    assert len(segments(tmp_path)) == 2
    later = Derived(tmp_path, 10**9)
    assert [later.get("page", str(number)) for number in range(3)] == [value(0), value(1), value(2)]
    await later.close()


async def test_a_segment_that_shrinks_under_a_reader_is_a_miss(tmp_path: Path) -> None:
    await filled(tmp_path, range(3))
    store = Derived(tmp_path, 10**9)
    (path,) = segments(tmp_path)
    os.truncate(path, 300)
    assert [store.get("page", str(number)) for number in range(3)] == [value(0), None, None]
    await store.close()


async def test_the_oldest_segments_go_first_and_the_sum_stays_below_the_cap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(derived, "SEGMENT", 4096)
    monkeypatch.setattr(derived, "LOOK_AGAIN", -1.0)
    for number in range(40):
        store = Derived(tmp_path, 16384)
        store.put(bytes(3000), "page", str(number))
        await store.close()
        for at, path in enumerate(sorted(segments(tmp_path), key=lambda one: one.stat().st_mtime)):
            os.utime(path, (at, at))
        assert sum(path.stat().st_size for path in segments(tmp_path)) <= 16384
    later = Derived(tmp_path, 16384)
    assert later.get("page", "39") == bytes(3000)
    assert later.get("page", "0") is None
    await later.close()


async def test_what_another_process_deletes_is_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(derived, "LOOK_AGAIN", -1.0)
    await filled(tmp_path, range(2))
    store = Derived(tmp_path, 10**9)
    segments(tmp_path)[0].unlink()
    assert store.get("page", "unknown") is None  # has another look at the directory
    assert store.get("page", "0") is None
    await store.close()


async def test_a_disk_that_cannot_be_written_is_gone_on_without(tmp_path: Path) -> None:
    store = Derived(tmp_path, 10**9)
    (tmp_path / "derived").rmdir()
    (tmp_path / "derived").write_bytes(b"")
    store.put(b"one", "a")
    await store.close()
    store = Derived(tmp_path / "other", 10**9)
    assert store.get("a") is None
    await store.close()


WRITER = """
import asyncio, sys
from pathlib import Path
from transport import derived, trail
from tests.transport.test_derived import value
trail.QUIET = 0.0
async def main():
    store = derived.Derived(Path(sys.argv[1]), 10**9)
    print("begun", flush=True)
    number = 0
    while True:
        store.put(value(number % 500), str(number % 500))
        number += 1
        if number % 20 == 0:
            print("written", flush=True)
        await asyncio.sleep(0)
asyncio.run(main())
"""


async def test_whatever_moment_a_writer_is_killed_at_what_is_left_is_true(tmp_path: Path) -> None:
    chance = random.Random(7)
    found = 0
    for _ in range(5):
        writer = await asyncio.create_subprocess_exec(
            sys.executable, "-c", WRITER, str(tmp_path), cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )
        assert writer.stdout is not None
        assert await writer.stdout.readline() == b"begun\n"
        for _ in range(chance.randrange(1, 20)):
            assert await writer.stdout.readline() == b"written\n"
        writer.send_signal(signal.SIGKILL)
        await writer.wait()
        store = Derived(tmp_path, 10**9)
        records = [store.get(str(number)) for number in range(500)]
        assert all(record in (None, value(number)) for number, record in enumerate(records))
        found = sum(record is not None for record in records)
        await store.close()
    assert found > 20


async def test_parts_of_a_record_can_be_read_as_long_as_somebody_holds_it(tmp_path: Path) -> None:
    store = Derived(tmp_path, 10**9)
    store.put(b"0123456789", "rows", "a")
    waiting = store.open("rows", "a")
    assert waiting is not None
    assert waiting(2, 5) == b"234"
    await store.close()
    later = Derived(tmp_path, 10**9)
    part = later.open("rows", "a")
    assert later.open("rows", "b") is None
    assert part is not None
    assert (part(2, 5), part(8, 10)) == (b"234", b"89")
    for path in segments(tmp_path):
        path.unlink()
    later._look()
    assert later.open("rows", "a") is None
    assert part(2, 5) == b"234"
    await later.close()


async def test_of_a_closed_store_no_parts_are_read(tmp_path: Path) -> None:
    await filled(tmp_path, range(1))
    store = Derived(tmp_path, 10**9)
    part = store.open("page", "0")
    assert part is not None
    await store.close()
    assert part(0, 2) == b""
