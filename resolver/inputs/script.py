"""A script that states what it needs in a comment (inline script metadata, PEP 723).

The block is found line by line: the specification's own expression takes quadratic time where many blocks are opened
and none is closed. Its grammar is kept, with two differences: it ignores a block that is not closed, which here is a
fault, because such a script would be locked as if it needed nothing; and an empty block is one, as in uv.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from ..errors import Place
from ..model import Stated
from .faults import Faults
from .project import read_requires_python
from .stating import read_stated
from .toml_document import TomlDocument, read_toml

# Of requirements files and projects: they are read as such whatever their comments say.
_OTHERS = frozenset({".in", ".toml", ".txt"})

_NEWLINE = re.compile(r"\r\n|\r|\n")
_OPENING = re.compile(r"# /// ([A-Za-z0-9-]+)")
_CLOSING = "# ///"
_SCRIPT = "# /// script"
_SCRIPT_LINE = re.compile(rf"^{_SCRIPT}\r?$", re.MULTILINE)


def is_script(name: str, text: str) -> bool:
    """Whether a file is read as a script: one in Python is, and one whose text has a block, with or without an end.

    A requirements file has the same comments, but installers read its lines: it stays one.
    """
    suffix = posixpath.splitext(name)[1]
    return suffix == ".py" or (suffix not in _OTHERS and _SCRIPT_LINE.search(text) is not None)


@dataclass(frozen=True, slots=True)
class Block:
    """The lines of one block, from 1; ``closed`` is None where no line closes it."""

    kind: str
    opened: int
    closed: int | None


def blocks(lines: list[str]) -> Iterator[Block]:
    """Yield the blocks in order. One ends with the last closing line of its run of comments, as PEP 723 has it."""
    run_end = closing = 0  # of the run of comment lines that was looked at last
    at = 0
    while at < len(lines):
        opening = _OPENING.fullmatch(lines[at])
        at += 1
        if opening is None:
            continue
        if at > run_end:
            run_end, closing = at, 0
            while run_end < len(lines) and (lines[run_end] == "#" or lines[run_end].startswith("# ")):
                run_end += 1
                if lines[run_end - 1] == _CLOSING:
                    closing = run_end
        is_closed = closing > at
        yield Block(opening[1], at, closing if is_closed else None)
        at = closing if is_closed else at


class Script:
    """One script's block, read. What is wrong with it is in the faults, and nothing is stated then."""

    def __init__(self, name: str, text: str, faults: Faults) -> None:
        self._name = name
        self._faults = faults
        self.document = self._read(text)
        """The block's TOML, with the lines and columns of the file; None where there is none that can be read."""

    def _read(self, text: str) -> TomlDocument | None:
        lines = _NEWLINE.split(text.removeprefix("\ufeff"))
        found = [block for block in blocks(lines) if block.kind == "script"]
        if not found:
            self._faults.add(
                Place(file=self._name),
                f'states nothing: a script lists its dependencies in a comment between "{_SCRIPT}" and "{_CLOSING}" '
                "(PEP 723)",
            )
            return None
        for block in found:
            if block.closed is None:
                detail = f'this block is never closed: it ends with "{_CLOSING}", and each line before it begins with #'
                self._faults.add(Place(file=self._name, line=block.opened), detail)
                return None
        first, *others = found
        for block in others:
            detail = f'a second "{_SCRIPT}" block: a script has one, here in line {first.opened}'
            self._faults.add(Place(file=self._name, line=block.opened), detail)
        if others or first.closed is None:
            return None
        content = lines[first.opened : first.closed - 1]
        # Blank for what is left out, so that faults have the file's own lines and columns: TOML skips it.
        blank = "\n" * first.opened
        document = read_toml(self._name, blank + "\n".join(f"  {line[2:]}" for line in content), self._faults)
        return document and replace(document, line=first.opened)

    @property
    def _values(self) -> Mapping[str, object]:
        return {} if self.document is None else self.document.values

    @property
    def requires_python(self) -> str | None:
        """``requires-python`` of the block, checked."""
        if self.document is None:
            return None
        return read_requires_python(self._values, "requires-python", self.document, self._faults)

    def dependencies(self) -> Iterator[Stated]:
        """Yield ``dependencies`` of the block."""
        if self.document is None:
            return
        values = self._values.get("dependencies", [])
        if not isinstance(values, list):
            self._faults.add(self.document.place(), "dependencies must be a list of requirements")
            return
        for value in values:
            place = self.document.place(value)
            stated = read_stated(value, self._name, place, self._faults, place.column_of)
            if stated is not None:
                yield stated
