"""Where a lock goes: which format a file name means, and files that are replaced whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgpack

from .exits import USAGE, CommandError

FORMATS = ("pylock", "requirements", "json", "msgpack")
_RENDERED = {"pylock": "pylock.toml", "requirements": "requirements.txt"}
# Members of the answer that differ from one run to the next although the lock is the same: what was asked (with which
# earlier lock), and what answering took.
_OF_THE_RUN = ("id", "query", "served_from", "changes", "outputs", "stats")


def format_of(name: str) -> str:
    """Return the format that a file name means.

    Raises:
        CommandError: none.
    """
    base = Path(name).name
    if base == "pylock.toml" or (base.startswith("pylock.") and base.endswith(".toml")):  # PEP 751
        return "pylock"
    found = {".txt": "requirements", ".json": "json", ".msgpack": "msgpack"}.get(Path(base).suffix)
    if found is None:
        accepted = "pylock.toml, pylock.NAME.toml, NAME.txt, NAME.json or NAME.msgpack"
        raise CommandError(f"error: the name {base} does not say a format; use {accepted}", USAGE)
    return found


def check(names: Sequence[str], sources: Sequence[str]) -> None:
    """Find out before the work whether the files could be written after it.

    Raises:
        CommandError: an output would overwrite a source, or its directory is not there.
    """
    read = {os.path.realpath(source) for source in sources}
    for name in names:
        format_of(name)
        if os.path.realpath(name) in read:
            raise CommandError(f"error: {name} is what the lock is made from; write it to another file", USAGE)
        if Path(name).is_dir():
            raise CommandError(f"error: {name} is a directory", USAGE)
        if not Path(name).absolute().parent.is_dir():
            raise CommandError(f"error: there is no directory {Path(name).parent} to write {name} to", USAGE)


def rendered(forms: Sequence[str]) -> list[str]:
    """Return those of ``forms`` that the service has to render (the others are made from its JSON)."""
    return sorted({form for form in forms if form in _RENDERED})


def previous_lock(names: Sequence[str]) -> tuple[str, str] | None:
    """Return (file, text) of the first output that exists and is not empty, in a form that the service reads."""
    for name in names:
        try:
            content = Path(name).read_bytes()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise CommandError(f"error: {name} cannot be read: {error.strerror}", USAGE) from None
        if not content.strip():
            continue
        try:
            if format_of(name) == "msgpack":
                return name, _json(msgpack.unpackb(content))
            return name, content.decode()
        except (ValueError, TypeError, msgpack.UnpackException):
            raise CommandError(f"error: {name} holds no lock that can be read; remove it", USAGE) from None
    return None


def _json(document: object, **how: Any) -> str:
    import json  # noqa: PLC0415 - most locks are printed in another form

    return json.dumps(document, **how)


def to_bytes(answer: Mapping[str, Any], form: str, *, header: bool = True) -> bytes:
    """Return the lock of the service's ``answer`` in ``form``; without its leading comment if not ``header``."""
    if form in _RENDERED:
        text = str(answer["outputs"][_RENDERED[form]])
        return (text if header else _without_header(text)).encode()
    document = {key: value for key, value in answer.items() if key not in _OF_THE_RUN}
    if form == "msgpack":
        packed = msgpack.packb(document)
        assert isinstance(packed, bytes)
        return packed
    return (_json(document, indent=2, ensure_ascii=False) + "\n").encode()


def _without_header(text: str) -> str:
    lines = text.splitlines(keepends=True)
    while lines and (lines[0].startswith("#") or not lines[0].strip()):
        lines.pop(0)
    return "".join(lines)


def write(contents: Mapping[str, bytes]) -> list[str]:
    """Replace each file at once, all or (short of a crash in between) none; return the names of those that changed.

    A file that already holds the same bytes is not touched: its time stamp tells other tools that nothing changed.

    Raises:
        CommandError: a file cannot be written.
    """
    staged: list[tuple[str, str, str]] = []
    try:
        for name, content in contents.items():
            real = os.path.realpath(name)  # a link stays a link
            try:
                if Path(real).read_bytes() == content:
                    continue
            except OSError:
                pass  # not there, or not readable: writing says which
            staged.append((name, _stage(real, content), real))
        for _, temporary, real in staged:
            Path(temporary).replace(real)
    except OSError as error:
        for _, temporary, _ in staged:
            Path(temporary).unlink(missing_ok=True)
        raise CommandError(f"error: {error.filename} cannot be written: {error.strerror}", USAGE) from None
    return [name for name, _, _ in staged]


def _stage(real: str, content: bytes) -> str:
    """Write ``content`` to a new file beside ``real``, with the mode that ``real`` has or would get."""
    import shutil  # noqa: PLC0415 - most locks are printed
    import tempfile  # noqa: PLC0415 - likewise

    descriptor, temporary = tempfile.mkstemp(prefix=f".{Path(real).name}.", dir=Path(real).parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        if Path(real).exists():
            shutil.copymode(real, temporary)
        else:
            mask = os.umask(0)
            os.umask(mask)
            Path(temporary).chmod(0o666 & ~mask)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return temporary
