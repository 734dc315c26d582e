"""The files that a lock is made from, read from disk with everything that they include.

The service reads no disk: it gets a mapping of names to texts. Names are relative to the directory of the file that
was named (of the files, where they have no such directory in common: to the one above them all).
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from resolver.inputs.requirements_file import INCLUDES, statements
from resolver.inputs.script import is_script

from .exits import USAGE, CommandError

STDIN = "-"
MAX_FILE = 4 * 1024 * 1024  # what a service takes as a whole body; a larger file is the wrong one
_SUFFIXES = frozenset({".txt", ".in", ".toml", ".py", ".json", ".msgpack"})
MAX_FILES = 1000  # includes that go on and on; the service itself takes fewer


@dataclass(frozen=True, slots=True)
class Sources:
    """What to send."""

    files: dict[str, str]
    roots: tuple[str, ...]
    constraints: tuple[str, ...]
    overrides: tuple[str, ...] = ()
    """Requirement texts of the override files."""
    override_places: tuple[str, ...] = ()
    """``file:line`` of each."""


@dataclass(slots=True)
class _Disk:
    """Absolute path → text, of everything read so far."""

    texts: dict[Path, str] = field(default_factory=dict)

    def read(self, path: Path, mentioned: str) -> Path:
        """Read a file and what it includes; ``mentioned`` says where it was named."""
        if path in self.texts:
            return path
        if len(self.texts) >= MAX_FILES:
            raise CommandError(f"error: {mentioned}: more than {MAX_FILES} files", USAGE)
        return self.add(path, os.path.relpath(path), _text(path, mentioned))

    def add(self, path: Path, shown: str, text: str) -> Path:
        """Take ``text`` as the content of ``path``, and read what it includes."""
        self.texts[path] = text
        if path.suffix == ".toml" or is_script(path.name, text):
            return path
        for line, named in _includes(text):
            where = f"{shown}:{line}"
            if posixpath.isabs(named):
                raise CommandError(f"error: {where}: {named} is an absolute path; name it relative to the file", USAGE)
            self.read(Path(os.path.normpath(path.parent / named)), where)
        return path


def _includes(text: str) -> Iterator[tuple[int, str]]:
    """Yield (line, path) of every ``-r`` and ``-c``; what is no path is left for the service to refuse."""
    for statement in statements(text):
        for option in statement.options if statement.requirement is None else ():
            if option.name in INCLUDES and option.value and "://" not in option.value and "${" not in option.value:
                yield statement.line.number, option.value


def _text(path: Path, mentioned: str) -> str:
    shown = os.path.relpath(path)
    prefix = f"error: {mentioned}: " if mentioned else "error: "
    try:
        if path.stat().st_size > MAX_FILE:
            raise CommandError(f"{prefix}{shown} is larger than {MAX_FILE // 1024**2} MiB", USAGE)
        return path.read_text("utf-8-sig")
    except FileNotFoundError:
        is_file = bool(mentioned) or path.suffix in _SUFFIXES
        hint = "" if is_file else f" (to lock a requirement: echo '{path.name}' | lockwright lock -)"
        raise CommandError(f"{prefix}{shown} does not exist{hint}", USAGE) from None
    except UnicodeDecodeError:
        raise CommandError(f"{prefix}{shown} is not UTF-8; save it in that encoding", USAGE) from None
    except OSError as error:
        raise CommandError(f"{prefix}{shown} cannot be read: {error.strerror}", USAGE) from None


def read_sources(
    names: Sequence[str], constraints: Sequence[str], overrides: Sequence[str], *, stdin: BinaryIO, groups: bool = False
) -> Sources:
    """Read the files called ``names`` (``-`` is ``stdin``), the constraint files and the override files.

    With ``groups`` and no project among ``names``, the ``pyproject.toml`` of the current directory is sent for its
    dependency groups.

    Raises:
        CommandError: a file cannot be read; the text names it, and the line that named it.
    """
    disk = _Disk()
    roots = [_root(disk, name, stdin) for name in names]
    limits = [disk.read(_absolute(name), "") for name in constraints]
    if groups and not any(path.suffix == ".toml" for path in roots) and Path("pyproject.toml").is_file():
        disk.read(_absolute("pyproject.toml"), "")
    read = list(disk.texts)
    base = Path(os.path.commonpath([path.parent for path in read])) if read else Path.cwd()

    def called(path: Path) -> str:
        return path.relative_to(base).as_posix()

    replaced = [stated for name in overrides for stated in _overrides(name)]
    return Sources(
        files={called(path): text for path, text in disk.texts.items()},
        roots=tuple(dict.fromkeys(map(called, roots))),
        constraints=tuple(dict.fromkeys(map(called, limits))),
        overrides=tuple(text for text, _ in replaced),
        override_places=tuple(place for _, place in replaced),
    )


def _absolute(name: str) -> Path:
    return Path(os.path.abspath(name))  # noqa: PTH100 - unlike resolve(), it leaves links alone: names stay the user's


def _root(disk: _Disk, name: str, stdin: BinaryIO) -> Path:
    if name != STDIN:
        return disk.read(_absolute(name), "")
    try:
        text = stdin.read(MAX_FILE + 1).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CommandError("error: standard input is not UTF-8", USAGE) from None
    if len(text) > MAX_FILE:
        raise CommandError(f"error: standard input is larger than {MAX_FILE // 1024**2} MiB", USAGE)
    return disk.add(_absolute("stdin"), "standard input", text)


def _overrides(name: str) -> Iterator[tuple[str, str]]:
    """Yield (requirement, place) of an override file. The API takes overrides as texts, without options."""
    for statement in statements(_text(_absolute(name), "")):
        place = f"{name}:{statement.line.number}"
        if statement.faults or statement.options or statement.requirement is None:
            why = statement.faults[0] if statement.faults else "an override file holds requirements, without options"
            raise CommandError(f"error: {place}: {why}", USAGE)
        yield statement.requirement, place
