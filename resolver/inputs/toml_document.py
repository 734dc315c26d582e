"""A TOML document of the caller's: parsed within limits, and able to say on which line a string stands.

``tomllib`` keeps no places and takes time quadratic in the length of a dotted key, so long keys are refused first;
nesting and over-long integers leave it as ``RecursionError`` and ``ValueError``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..errors import Place
from .faults import Faults

# Real keys have five parts ("tool.uv.sources.torch.index"); 1 MiB of "a.a.a…" would cost tomllib minutes.
MAX_KEY_PARTS = 32
# A pyproject.toml has some 10 KiB; a lock of 2,000 packages with all their files some 6 MiB.
MAX_TOML = 16 * 1024 * 1024

_PART = r"""(?:[A-Za-z0-9_-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""
_LONG_KEY = re.compile(rf"(?<![A-Za-z0-9_-]){_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{MAX_KEY_PARTS}}}")
_PLACE = re.compile(r"\(at line (\d+), column (\d+)\)$")
_LITERAL = re.compile(r"""\n|"((?:[^"\\\n]|\\.)*+)"|'([^'\n]*+)'""")


@dataclass(frozen=True, slots=True)
class TomlDocument:
    """The values of a file, and where its strings are."""

    name: str
    values: Mapping[str, object]
    literals: Mapping[str, tuple[int, int] | None] = field(repr=False)
    """String → (line, column) from 1; None where it is written more than once."""
    line: int | None = None
    """Of the file, where the document begins; None where it is the whole file."""

    def place(self, value: object = None) -> Place:
        """Return the place of a string value, as exactly as it is known."""
        found = self.literals.get(value) if isinstance(value, str) else None
        line, column = found or (self.line, None)
        return Place(file=self.name, line=line, column=column)


def read_toml(name: str, text: str, faults: Faults) -> TomlDocument | None:
    """Parse ``text``; None when it cannot be read, which ``faults`` then holds with line and column."""
    values = parse_toml(text, Place(file=name), faults)
    return None if values is None else TomlDocument(name, values, _literals(text))


def parse_toml(text: str, place: Place, faults: Faults) -> Mapping[str, object] | None:
    """Parse ``text``; a fault is at ``place``, with the line and column inside the text."""

    def within(line: int | None = None, column: int | None = None) -> Place:
        return Place(place.pointer, place.file, line, column)

    text = text.removeprefix("\ufeff")
    if len(text) > MAX_TOML:
        faults.add(place, f"{len(text)} characters of TOML; at most {MAX_TOML} are read")
        return None
    long_key = _LONG_KEY.search(text)
    if long_key:
        line = text.count("\n", 0, long_key.start()) + 1
        faults.add(within(line), f"a TOML key of more than {MAX_KEY_PARTS} parts")
        return None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        found = _PLACE.search(message)
        line, column = (int(found[1]), int(found[2])) if found else (text.count("\n") + 1, None)
        said = _PLACE.sub("", message).removesuffix("(at end of document)").strip()
        # The message may quote a character or a key of the text; never a value.
        faults.add(within(line, column), f"not TOML: {said[:200]}")
    except RecursionError:
        faults.add(place, "not TOML that can be read: nested too deeply")
    except ValueError:
        faults.add(place, "not TOML that can be read: a number or date is out of range")
    return None


def _literals(text: str) -> dict[str, tuple[int, int] | None]:
    """Index the one-line strings of a document by their source text: a best effort, for the places of faults."""
    found: dict[str, tuple[int, int] | None] = {}
    line, start = 1, 0
    for match in _LITERAL.finditer(text):
        if match.group() == "\n":
            line, start = line + 1, match.end()
            continue
        value = match[1] if match[1] is not None else match[2]
        found[value] = None if value in found else (line, match.start() - start + 2)
    return found
