"""Finished locks on disk: bounded, whole or absent, never somebody else's."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.identity import lock_id
from service.problems import Problem
from service.rendering import Rendered
from service.stored import StoredLocks


def lock(number: int) -> Rendered:
    members = b'"query":%d' % number
    identifier = lock_id(members)
    body = b'{"id":"%b",%b}' % (identifier.encode(), members)
    return Rendered(identifier, body, {"pylock": f"# {number}"}, {"requirements": "no hash"})


def found(directory: Path, pattern: str) -> list[Path]:
    return list(directory.rglob(pattern))


async def refusal(stored: StoredLocks, identifier: str) -> str:
    with pytest.raises(Problem) as caught:
        await stored.get(identifier)
    return caught.value.name


async def test_what_one_worker_stores_another_finds(tmp_path: Path) -> None:
    one, other = StoredLocks(tmp_path, limit=10), StoredLocks(tmp_path, limit=10)
    await one.put(lock(1))
    await one.close()
    assert await other.get(lock(1).id) == lock(1)
    assert not found(tmp_path, "*.part")


async def test_the_oldest_make_room_and_leave_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.stored._SWEEP_EVERY", 2)
    stored = StoredLocks(tmp_path, limit=3)
    for number in range(9):
        await stored.put(lock(number))
        await stored.close()
    elsewhere = StoredLocks(tmp_path, limit=3)
    assert await elsewhere.get(lock(8).id) == lock(8)
    assert await refusal(elsewhere, lock(0).id) == "gone"
    assert await refusal(elsewhere, lock(99).id) == "not-found"
    assert len(found(tmp_path, "*.lock")) == 3
    await elsewhere.put(lock(0))
    await elsewhere.close()
    assert await StoredLocks(tmp_path, limit=3).get(lock(0).id) == lock(0)


async def test_a_damaged_file_is_no_lock(tmp_path: Path) -> None:
    stored = StoredLocks(tmp_path, limit=3)
    await stored.put(lock(1))
    await stored.close()
    [path] = found(tmp_path, "*.lock")
    path.write_bytes(path.read_bytes()[:20])
    assert await refusal(StoredLocks(tmp_path, limit=3), lock(1).id) == "not-found"


async def test_a_file_that_holds_another_lock_is_not_served(tmp_path: Path) -> None:
    stored = StoredLocks(tmp_path, limit=3)
    await stored.put(lock(1))
    await stored.close()
    [path] = found(tmp_path, "*.lock")
    path.write_bytes(path.read_bytes().replace(b'"query":1', b'"query":2'))
    assert await refusal(StoredLocks(tmp_path, limit=3), lock(1).id) == "not-found"


async def test_a_disk_that_cannot_be_written_costs_no_answer(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    stored = StoredLocks(tmp_path / "file" / "below", limit=3)
    await stored.put(lock(1))
    assert await stored.get(lock(1).id) == lock(1)


async def test_a_form_that_the_lock_cannot_have_is_refused_with_the_reason() -> None:
    assert lock(1).text("pylock") == "# 1"
    with pytest.raises(Problem, match="not-acceptable: no hash"):
        lock(1).text("requirements")
