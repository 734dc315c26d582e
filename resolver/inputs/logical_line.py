"""Lines of a requirements file after joining and comment stripping, as pip reads them.

A line that ends in a backslash goes on in the next one; a comment is a ``#`` at the start or after white space,
up to the end; a line that is only a comment ends what was going on. Places are kept: a line knows where it began.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

# RELIABILITY: a line is at most 4 KiB; nobody types one.
MAX_LINE = 4096
# numpy has some eighty files, a lock lists two hashes of each at most: 24 KiB.
MAX_LOGICAL_LINE = 128 * 1024

_NEWLINE = re.compile(r"\r\n|\r|\n")
_COMMENT = re.compile(r"(?:^|\s)#")


@dataclass(frozen=True, slots=True)
class LogicalLine:
    """One statement of a file: not empty, without surrounding white space and comment."""

    number: int
    """Of the first physical line, from 1."""
    text: str
    indent: int
    """Characters before ``text`` in the first physical line."""
    width: int
    """Characters of the first physical line that take part, its end included where nothing was joined to it."""
    longest: int
    """Characters of the longest physical line, comment included."""

    def column(self, offset: int) -> int | None:
        """Return the column (from 1) of ``text[offset]``, None where it is on a later physical line."""
        column = self.indent + offset
        return column + 1 if column < self.width else None


def logical_lines(text: str) -> Iterator[LogicalLine]:
    """Yield the statements of a file. A byte order mark is skipped; CRLF, CR and LF end lines."""
    parts: list[str] = []
    first = longest = 0
    lines = _NEWLINE.split(text.removeprefix("\ufeff"))
    for number, line in enumerate(lines, 1):
        if not line and not parts:
            continue  # most lines of a hostile file, and many of an honest one
        is_comment = line.lstrip().startswith("#")
        is_continued = line.endswith("\\") and not is_comment and number < len(lines)
        if not parts:
            first, longest = number, 0
        longest = max(longest, len(line))
        parts.append("" if is_comment else line.removesuffix("\\") if is_continued else line)
        if is_continued:
            continue
        joined = "".join(parts)
        width = len(joined) + 1 if len(parts) == 1 else len(parts[0])
        parts = []
        comment = _COMMENT.search(joined)
        bare = joined[: comment.start()] if comment else joined
        statement = bare.strip()
        if statement:
            yield LogicalLine(first, statement, len(bare) - len(bare.lstrip()), width, longest)
