"""The first-seen ledger by itself: what it remembers, for whom, and what it does when its file is not to be had."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from service.ledger import FOLDER, Ledger
from service.ledger_file import LedgerFile
from tests.transport.server import TestClock

START = 1_800_000_000
VIEW = ("public", "https://index.example/simple/", "a")
DAY = 86_400


class Clock(TestClock):
    def __init__(self, at: float = START) -> None:
        super().__init__()
        self.epoch, self.now = 0.0, at


async def note(ledger: Ledger, listed: Mapping[str, str], view: tuple[str, ...] = VIEW) -> dict[str, float]:
    """Return file name → seconds since :data:`START` of the first sighting."""
    told: dict[str, datetime] = {}
    await ledger.note(view, lambda: listed, told.update)
    return {filename: seen.timestamp() - START for filename, seen in told.items()}


async def execute(ledger: Ledger, statement: str) -> None:
    """Execute something on the ledger's own connection, in its thread."""
    assert ledger._file is not None
    connection = ledger._file._connection
    await asyncio.get_running_loop().run_in_executor(ledger._thread, connection.execute, statement)


async def test_the_first_sighting_stays_and_is_rounded_up(tmp_path: Path) -> None:
    clock = Clock(START + 0.2)
    ledger = Ledger(tmp_path, clock)
    assert await note(ledger, {"a": "1"}) == {"a": 1}
    clock.now += 100
    assert await note(ledger, {"a": "1", "b": "1"}) == {"a": 1, "b": 101}
    clock.now += 100
    assert await note(ledger, {"b": "1", "a": "2"}) == {"b": 101, "a": 201}
    assert await note(ledger, {"a": "1"}) == {"a": 1}
    assert await note(ledger, {"a": "1"}, (*VIEW[:2], "b")) == {"a": 201}
    assert await note(ledger, {}) == {}
    await ledger.close()


@pytest.mark.parametrize("seed", range(20))
async def test_it_agrees_with_a_dictionary_of_minima_through_restarts_and_moving_clocks(
    tmp_path: Path, seed: int
) -> None:
    """The oracle knows nothing of pages or files: only who saw what, and the least instant."""
    chance = random.Random(seed)
    clock = Clock()
    ledgers = [Ledger(tmp_path, clock), Ledger(tmp_path, clock)]
    least: dict[tuple[object, ...], float] = {}
    for _ in range(60):
        if chance.random() < 0.1:
            at = chance.randrange(2)
            await ledgers[at].close()
            ledgers[at] = Ledger(tmp_path, clock)
        clock.now = START + chance.randrange(10 * DAY)  # backwards, too: a row from the future is corrected
        view = (chance.choice("pq"), "https://index.example/", chance.choice("ab"))
        listed = {f"f{number}": chance.choice("xy") for number in chance.sample(range(8), chance.randint(1, 8))}
        for one in listed.items():
            key = (view, one)
            least[key] = min(least.get(key, clock.now), clock.now)
        expected = {filename: least[view, (filename, what)] - START for filename, what in listed.items()}
        assert await note(chance.choice(ledgers), listed, view) == expected
    for ledger in ledgers:
        await ledger.close()


_WRITER = """
import sys
from service.ledger_file import LedgerFile
path, now = sys.argv[1], int(sys.argv[2])
file = LedgerFile(path, 1_000_000)
for page in range(40):
    listed = [bytes([number]) * 16 for number in range(now % 7, 200)]
    known = file.write(bytes([page]) * 16, listed, now)
    assert all(known[one] <= now for one in listed)
file.close()
"""


async def test_processes_that_share_a_file_agree_on_the_earliest(tmp_path: Path) -> None:
    path = tmp_path / "1.sqlite"
    moments = [START + 3, START + 1, START + 2, START + 5]
    starting = [asyncio.create_subprocess_exec(sys.executable, "-c", _WRITER, str(path), str(now)) for now in moments]
    writers = await asyncio.gather(*starting)
    assert [await writer.wait() for writer in writers] == [0, 0, 0, 0]
    file = LedgerFile(str(path), 1_000_000)
    for page in range(40):
        known = file.read(bytes([page]) * 16)
        for number in range(200):
            seen = [now for now in moments if number >= now % 7]
            assert known.get(bytes([number]) * 16) == (min(seen) if seen else None)
    file.close()


@pytest.mark.parametrize(
    "content",
    [
        b"\xff" * 5000,
        b"SQLite format 3\x00" + b"\x00" * 5000,
        b"",  # torn off before anything was written: as good as new
    ],
)
async def test_a_damaged_file_is_set_aside_and_a_new_one_begun(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "1.sqlite").write_bytes(content)
    clock = Clock()
    ledger = Ledger(tmp_path, clock)
    with capture_logs() as logs:
        assert await note(ledger, {"a": "1"}) == {"a": 0}
    await ledger.close()
    assert [one["damaged"] for one in logs] == ([f"{FOLDER}/1.sqlite"] if content else [])
    clock.now += 50
    again = Ledger(tmp_path, clock)
    with capture_logs() as logs:
        assert await note(again, {"a": "1"}) == {"a": 0}
    await again.close()
    assert logs == []
    if content:
        assert (tmp_path / FOLDER / "1.sqlite").read_bytes() == content


async def test_a_file_that_is_damaged_under_two_processes_is_left_by_both_for_the_same_new_one(tmp_path: Path) -> None:
    clock = Clock()
    one, two = Ledger(tmp_path, clock), Ledger(tmp_path, clock)
    many = {f"f{number}": "1" for number in range(3000)}
    await note(one, many)
    await note(two, many)
    for name in ("1.sqlite-wal", "1.sqlite"):
        path = tmp_path / FOLDER / name
        with path.open("r+b") as file:
            file.write(b"\xff" * path.stat().st_size)
    await execute(one, "PRAGMA shrink_memory")  # what is in SQLite's own memory is not damaged
    await execute(two, "PRAGMA shrink_memory")
    clock.now += 5
    with capture_logs() as logs:
        assert await note(one, {"g": "1"}) == {"g": 5}
        clock.now += 5
        assert await note(two, {"g": "1"}) == {"g": 5}
    assert {log["log_level"] for log in logs} == {"warning"}
    assert {log.get("damaged") for log in logs} == {f"{FOLDER}/1.sqlite"}
    await one.close()
    await two.close()
    assert {path.name for path in (tmp_path / FOLDER).glob("*.sqlite")} == {"1.sqlite", "2.sqlite"}


async def test_a_database_of_another_layout_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    other = sqlite3.connect(tmp_path / FOLDER / "7.sqlite")
    other.execute("PRAGMA user_version = 2")
    other.close()
    ledger = Ledger(tmp_path, Clock())
    assert await note(ledger, {"a": "1"}) == {"a": 0}
    await ledger.close()
    other = sqlite3.connect(tmp_path / FOLDER / "7.sqlite")
    assert other.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    other.close()
    assert (tmp_path / FOLDER / "8.sqlite").exists()


async def test_of_damaged_files_the_last_is_kept(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    for name in ("1.sqlite", "1.sqlite-wal", "2.sqlite", "3.sqlite", "notes.txt"):
        (tmp_path / FOLDER / name).write_bytes(b"\xff" * 2000)
    ledger = Ledger(tmp_path, Clock())
    await note(ledger, {"a": "1"})
    await ledger.close()
    assert {path.name for path in (tmp_path / FOLDER).iterdir()} == {"3.sqlite", "4.sqlite", "notes.txt"}


@pytest.mark.parametrize("where", ["cache", "cache/first-seen", "cache/first-seen/1.sqlite"])
async def test_where_nothing_can_be_written_it_lives_in_memory(tmp_path: Path, where: str) -> None:
    """Root may write anywhere, so what is in the way is something of another kind."""
    obstacle = tmp_path / where
    obstacle.parent.mkdir(parents=True, exist_ok=True)
    if obstacle.suffix:
        obstacle.mkdir()
    else:
        obstacle.write_bytes(b"")
    clock = Clock()
    ledger = Ledger(tmp_path / "cache", clock)
    with capture_logs() as logs:
        assert await note(ledger, {"a": "1"}) == {"a": 0}
        clock.now += 5
        assert await note(ledger, {"a": "1", "b": "1"}) == {"a": 0, "b": 5}
    assert len(logs) == 1
    assert "in memory" in logs[0]["event"]
    await ledger.close()


async def test_a_file_that_turns_read_only_costs_the_past_only(tmp_path: Path) -> None:
    clock = Clock()
    ledger = Ledger(tmp_path, clock)
    await note(ledger, {"a": "1"})
    await execute(ledger, "PRAGMA query_only = 1")  # root may write to every file
    clock.now += 5
    with capture_logs() as logs:
        assert await note(ledger, {"a": "1", "b": "1"}) == {"a": 5, "b": 5}
    assert len(logs) == 1
    await ledger.close()


async def test_a_ledger_that_is_locked_for_long_is_read_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.ledger_file._PATIENCE", 0.0)
    clock = Clock()
    ledger = Ledger(tmp_path, clock)
    await note(ledger, {"a": "1"})
    other = sqlite3.connect(tmp_path / FOLDER / "1.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    clock.now += 5
    with capture_logs() as logs:
        assert await note(ledger, {"a": "1", "b": "1"}) == {"a": 0, "b": 5}
    assert [log["error"] for log in logs] == ["SQLITE_BUSY"]
    other.execute("ROLLBACK")
    other.close()
    clock.now += 5
    assert await note(ledger, {"a": "1", "b": "1"}) == {"a": 0, "b": 10}
    await ledger.close()


async def test_a_clock_that_was_never_set_dates_nothing(tmp_path: Path) -> None:
    clock = Clock(1000.0)
    ledger = Ledger(tmp_path, clock)
    with capture_logs() as logs:
        assert await note(ledger, {"a": "1"}) == {}
    assert "clock" in logs[0]["event"]
    clock.now = START
    assert await note(ledger, {"a": "1"}) == {"a": 0}
    await ledger.close()


async def test_the_pages_that_were_used_least_recently_make_room(tmp_path: Path) -> None:
    clock = Clock()
    ledger = Ledger(tmp_path, clock, max_files=100)
    listed = {f"f{number}": "1" for number in range(20)}
    for page in range(12):
        await note(ledger, listed, ("public", str(page)))
        clock.now += DAY
        await note(ledger, listed, ("public", "0"))  # used every day
    assert set((await note(ledger, listed, ("public", "0"))).values()) == {0}
    assert set((await note(ledger, listed, ("public", "11"))).values()) == {11 * DAY}
    assert set((await note(ledger, listed, ("public", "1"))).values()) == {12 * DAY}
    await ledger.close()
    connection = sqlite3.connect(tmp_path / FOLDER / "1.sqlite")
    (rows,) = connection.execute("SELECT count(*) FROM files").fetchone()
    assert (rows,) == connection.execute("SELECT sum(files) FROM pages").fetchone()
    assert rows <= 100
    connection.close()


async def test_an_index_that_changes_its_files_all_the_time_does_not_fill_the_ledger(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, Clock())
    for turn in range(30):
        await note(ledger, {f"f{number}": str(turn) for number in range(200)})
    await ledger.close()
    connection = sqlite3.connect(tmp_path / FOLDER / "1.sqlite")
    (rows,) = connection.execute("SELECT count(*) FROM files").fetchone()
    connection.close()
    assert 200 <= rows <= 2 * 200 + 1000


async def test_the_file_is_the_owners_alone_and_names_no_project(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, Clock())
    await note(ledger, {"secret_project-1.0.tar.gz": "1"}, ("public", "https://index.example/", "secret-project"))
    await ledger.close()
    path = tmp_path / FOLDER / "1.sqlite"
    assert path.stat().st_mode & 0o077 == 0
    assert b"secret" not in path.read_bytes()
