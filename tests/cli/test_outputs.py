"""Files are replaced whole or not at all."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from service.cli.exits import CommandError
from service.cli.outputs import format_of, previous_lock, write


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("pylock.toml", "pylock"),
        ("a/pylock.ci.toml", "pylock"),
        ("requirements.txt", "requirements"),
        ("lock.json", "json"),
        ("lock.msgpack", "msgpack"),
    ],
)
def test_a_name_says_its_format(name: str, form: str) -> None:
    assert format_of(name) == form


@pytest.mark.parametrize("name", ["pyproject.toml", "lock", "pylock", "uv.lock", ".txt"])
def test_a_name_that_says_no_format_is_refused(name: str) -> None:
    with pytest.raises(CommandError, match="does not say a format"):
        format_of(name)


def test_nothing_is_replaced_when_one_of_several_files_cannot_be_written(tmp_path: Path) -> None:
    first = tmp_path / "requirements.txt"
    first.write_text("before")
    with pytest.raises(CommandError, match="cannot be written"):
        write({str(first): b"after", str(tmp_path / "missing" / "pylock.toml"): b"after"})
    assert first.read_text() == "before"
    assert list(tmp_path.iterdir()) == [first]


def test_a_replaced_file_keeps_its_mode_and_a_link_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real.txt", tmp_path / "link.txt"
    real.write_text("before")
    real.chmod(0o640)
    link.symlink_to(real)
    assert write({str(link): b"after"}) == [str(link)]
    assert link.is_symlink()
    assert real.read_bytes() == b"after"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


def test_a_new_file_is_as_readable_as_any_other_new_file(tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    write({str(tmp_path / "lock.json"): b"{}"})
    assert (tmp_path / "lock.json").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_the_first_output_that_holds_something_is_the_previous_lock(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\n")
    (tmp_path / "b.txt").write_text("lib==1.0\n")
    names = [str(tmp_path / name) for name in ("missing.txt", "a.txt", "b.txt")]
    assert previous_lock(names) == (names[2], "lib==1.0\n")
    (tmp_path / "c.msgpack").write_bytes(b"\xc1")
    with pytest.raises(CommandError, match="holds no lock that can be read"):
        previous_lock([str(tmp_path / "c.msgpack")])
