"""Files that are cut, flipped, swapped, foreign, or written by somebody who was killed: never served, never fatal."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgpack
import pytest

from transport.storage import MAGIC, Storage, Stored

KEY = ("public", "GET", "https://index.example/simple/a/", "")
BODY = b"<a href=x>x</a>"


def stored(body: bytes = BODY, **fields: object) -> Stored:
    values: dict[str, object] = {
        "url": KEY[2],
        "status": 200,
        "headers": {"etag": '"1"', "x-raw": "caf\udce9"},
        "variant": (("accept", "x"),),
        "digest": hashlib.sha256(body).hexdigest(),
        "size": len(body),
        "request_time": 1.5,
        "response_time": 2.5,
    }
    return Stored(**(values | fields))  # type: ignore[arg-type]


def filled(directory: Path) -> Storage:
    storage = Storage(directory, 10**9)
    storage.write(KEY, [stored()], {stored().digest: BODY})
    return storage


def files(directory: Path) -> list[Path]:
    return sorted(path for path in (directory / "http").rglob("*") if path.is_file() and path.name != "probe")


def test_what_was_stored_is_read_back_with_bytes_that_are_no_text(tmp_path: Path) -> None:
    assert filled(tmp_path).read(KEY) == [(stored(), BODY)]
    assert Storage(tmp_path, 10**9).read(KEY) == [(stored(), BODY)]


def test_another_key_finds_nothing(tmp_path: Path) -> None:
    storage = filled(tmp_path)
    assert storage.read(("other", *KEY[1:])) == []
    assert storage.read((KEY[0] + KEY[1], *KEY[2:])) == []


def test_an_entry_that_is_cut_at_any_byte_is_a_miss_and_goes_away(tmp_path: Path) -> None:
    storage = filled(tmp_path)
    for path in files(tmp_path):
        whole = path.read_bytes()
        for length in range(len(whole)):
            path.write_bytes(whole[:length])
            assert storage.read(KEY) == []
            storage.write(KEY, [stored()], {stored().digest: BODY})
            assert storage.read(KEY) == [(stored(), BODY)]


def test_no_flipped_bit_is_served(tmp_path: Path) -> None:
    storage = filled(tmp_path)
    for path in files(tmp_path):
        whole = path.read_bytes()
        for position in range(len(whole)):
            damaged = bytearray(whole)
            damaged[position] ^= 1 << position % 8
            path.write_bytes(damaged)
            assert storage.read(KEY) == []
            storage.write(KEY, [stored()], {stored().digest: BODY})
    assert storage.discarded > 100


@pytest.mark.parametrize("seed", range(20))
def test_no_random_damage_is_served_or_raises(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    storage = filled(tmp_path)
    for path in files(tmp_path):
        whole = path.read_bytes()
        for _ in range(20):
            kind = chance.randrange(4)
            at = chance.randrange(len(whole))
            damaged = [
                bytes(len(whole)),
                whole[:at] + chance.randbytes(8) + whole[at:],
                whole[:at] + bytes(len(whole) - at),
                chance.randbytes(len(whole)),
            ][kind]
            if damaged == whole:
                continue
            path.write_bytes(damaged)
            assert storage.read(KEY) == []
            storage.write(KEY, [stored()], {stored().digest: BODY})


def test_swapped_and_copied_files_are_not_believed(tmp_path: Path) -> None:
    storage = filled(tmp_path)
    other = (KEY[0], KEY[1], "https://index.example/simple/b/", "")
    storage.write(other, [stored(b"other", url=other[2])], {stored(b"other").digest: b"other"})
    mine, theirs = storage._entry(KEY), storage._entry(other)
    shutil.copy(theirs, mine)
    assert storage.read(KEY) == []
    body = storage._path(storage._bodies, stored(b"other").digest)
    body.write_bytes(BODY)
    assert storage.read(other) == []


@pytest.mark.parametrize(
    "payload",
    [
        [],
        [list(KEY), [[]]],
        [list(KEY), 5],
        [list(KEY), [[1, 2, 3, 4, 5, 6, 7, 8]]],
        [list(KEY), [["u", 200, {}, [], "../../../etc/passwd".ljust(64, "x"), 1, 0.0, 0.0]]],
        [list(KEY), [["u", 200, {}, [["a"]], "0" * 64, 1, 0.0, 0.0]]],
        {"version": 9},
        None,
    ],
)
def test_a_well_sealed_entry_of_another_version_is_a_miss(tmp_path: Path, payload: object) -> None:
    storage = filled(tmp_path)
    packed = msgpack.packb(payload)
    storage._entry(KEY).write_bytes(MAGIC + hashlib.sha256(packed).digest() + packed)
    assert storage.read(KEY) == []
    assert storage.discarded == 1


def test_an_entry_without_its_body_is_a_miss_and_goes_away(tmp_path: Path) -> None:
    storage = filled(tmp_path)
    storage._path(storage._bodies, stored().digest).unlink()
    assert storage.read(KEY) == []
    assert files(tmp_path) == []


def test_a_directory_or_a_link_in_the_place_of_a_file_is_a_miss(tmp_path: Path) -> None:
    storage = filled(tmp_path)
    storage._entry(KEY).unlink()
    storage._entry(KEY).mkdir()
    assert storage.read(KEY) == []


def test_the_least_recently_used_leave_first_and_the_rest_stays_below_the_cap(tmp_path: Path) -> None:
    storage = Storage(tmp_path, 1_000_000)
    keys = []
    for number in range(100):
        body = number.to_bytes(2, "big") * 10_000
        key = (KEY[0], KEY[1], f"https://index.example/{number}", "")
        storage.write(key, [stored(body)], {stored(body).digest: body})
        for path in (storage._entry(key), storage._path(storage._bodies, stored(body).digest)):
            if path.exists():
                os.utime(path, (number + 1, number + 1))
        keys.append(key)
    assert storage.sweep() <= 1_000_000
    assert sum(path.stat().st_size for path in files(tmp_path)) <= 1_000_000
    assert storage.read(keys[-1]) != []
    assert storage.read(keys[0]) == []


def test_a_read_counts_as_use_but_not_more_than_once_an_hour(tmp_path: Path) -> None:
    storage = filled(tmp_path)
    entry = storage._entry(KEY)
    for path in files(tmp_path):
        os.utime(path, (100, 100))
    storage.read(KEY)
    assert all(path.stat().st_mtime > 100 for path in files(tmp_path))
    recently = time.time() - 60
    os.utime(entry, (recently, recently))
    storage.read(KEY)
    assert entry.stat().st_mtime == pytest.approx(recently)


WRITER = """
import hashlib, itertools, sys
from pathlib import Path
from transport.storage import Storage, Stored
storage = Storage(Path(sys.argv[1]), 10**9)
print("ready", flush=True)
for number in itertools.count():
    body = (b"%08d" % (number % 50)) * 20_000
    digest = hashlib.sha256(body).hexdigest()
    key = ("public", "GET", f"https://index.example/{number % 50}", "")
    record = Stored(key[2], 200, {"n": str(number % 50)}, (), digest, len(body), 0.0, 0.0)
    storage.write(key, [record], {digest: body})
"""


def test_a_writer_that_is_killed_leaves_nothing_wrong_and_no_debris(tmp_path: Path) -> None:
    """F-37, two writers in one directory at a time, killed at random moments."""
    chance = random.Random(7)
    found = 0
    for _ in range(4):
        writers = [
            subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE) for _ in range(2)
        ]
        for writer in writers:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"ready\n"
        select = chance.uniform(0.01, 0.1)
        with pytest.raises(subprocess.TimeoutExpired):
            writers[0].wait(select)
        for writer in writers:
            os.kill(writer.pid, signal.SIGKILL)
            writer.wait()
            assert writer.stdout is not None
            writer.stdout.close()
        storage = Storage(tmp_path, 10**9)
        for number in range(50):
            for record, body in storage.read(("public", "GET", f"https://index.example/{number}", "")):
                assert body == (b"%08d" % number) * 20_000
                assert record.headers == {"n": str(number)}
                found += 1
        assert [path for path in files(tmp_path) if path.parent.name == "tmp"] == []
    assert found > 0


def test_two_caches_in_one_directory_see_each_others_entries(tmp_path: Path) -> None:
    one, two = Storage(tmp_path, 10**9), Storage(tmp_path, 10**9)
    one.write(KEY, [stored()], {stored().digest: BODY})
    assert two.read(KEY) == [(stored(), BODY)]
    two.delete(KEY)
    assert one.read(KEY) == []


def test_a_full_disk_is_an_os_error_and_leaves_no_entry(tmp_path: Path) -> None:
    storage = filled(tmp_path)
    storage.delete(KEY)
    (storage._entry(KEY).parent).rmdir()
    (storage._entry(KEY).parent).write_bytes(b"")  # in the way, as a full disk would be
    with pytest.raises(OSError, match=r".+"):
        storage.write(KEY, [stored()], {stored().digest: BODY})
    assert storage.read(KEY) == []
