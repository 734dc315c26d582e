"""The grammar of a requirements file: each statement is a requirement with options, or options alone.

What an option means is not decided here (``reading`` does). Accepted are pip's options and the spellings of uv's
output; anything else is a fault, because an option that is silently skipped changes the answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .logical_line import LogicalLine, logical_lines

# Of all files of a request, options included: five times what it may require.
MAX_STATEMENTS = 10_000

_SHORT = {
    "-r": "--requirement",
    "-c": "--constraint",
    "-e": "--editable",
    "-i": "--index-url",
    "-f": "--find-links",
    "-C": "--config-settings",
}
_ALIASES = {"--pypi-url": "--index-url", "--config-setting": "--config-settings", "--default-index": "--index-url"}

INCLUDES = frozenset({"--requirement", "--constraint"})
INDEX_OPTIONS = frozenset(
    {"--index-url", "--extra-index-url", "--index", "--find-links", "--no-index", "--trusted-host"}
)
BINARY_OPTIONS = frozenset({"--no-binary", "--only-binary"})
# They say how pip installs or builds; a lock does not depend on them.
IGNORED_OPTIONS = frozenset(
    {"--prefer-binary", "--use-feature", "--config-settings", "--global-option", "--install-option", "--build-option"}
)
_SWITCHES = frozenset({"--no-index", "--pre", "--prefer-binary", "--require-hashes"})
_VALUED = frozenset({"--editable", "--hash"}) | INCLUDES | INDEX_OPTIONS | BINARY_OPTIONS | IGNORED_OPTIONS
_VALUED_ONLY = _VALUED - _SWITCHES

_OPTIONS_START = re.compile(r"(?:^|\s)(?=-[A-Za-z]|--[A-Za-z])")
_WORD = re.compile(r"""(?:[^\s"']++|"[^"]*+"|'[^']*+')++|["']""")
_QUOTES = re.compile(r"""["']""")
_NAME = re.compile(r"--[a-z][a-z-]{0,39}")


@dataclass(frozen=True, slots=True)
class Option:
    """One option in its long spelling; ``value`` is None for a switch."""

    name: str
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """One logical line, taken apart."""

    line: LogicalLine
    requirement: str | None
    """The text before the first option; it starts where the line does."""
    options: tuple[Option, ...]
    faults: tuple[str, ...]


def statements(text: str) -> Iterator[Statement]:
    """Yield the statements of a requirements file in order."""
    for line in logical_lines(text):
        yield read_statement(line)


def read_statement(line: LogicalLine) -> Statement:
    """Split a line into its requirement and its options; what cannot be split is in ``faults``."""
    start = _OPTIONS_START.search(line.text)
    requirement = (line.text[: start.start()] if start else line.text).strip() or None
    options: list[Option] = []
    faults: list[str] = []
    if start:
        words = _WORD.findall(line.text, start.end())
        if any(word in {'"', "'"} for word in words):
            faults.append("a quotation mark is not closed")
        else:
            _read_options([_QUOTES.sub("", word) for word in words], options, faults)
    return Statement(line, requirement, tuple(options), tuple(faults))


def _read_options(words: list[str], options: list[Option], faults: list[str]) -> None:
    remaining = iter(words)
    for word in remaining:
        if word.startswith("--"):
            written, equals, value = word.partition("=")
            attached = value if equals else None
        elif word.startswith("-") and len(word) > 1:
            written, attached = word[:2], word[2:].removeprefix("=") or None
        else:
            faults.append("options end a line: what follows them must be an option too")
            return
        name = _SHORT.get(written, _ALIASES.get(written, written))
        if name in _SWITCHES:
            if attached is not None:
                faults.append(f"{name} takes no value")
            else:
                options.append(Option(name))
        elif name in _VALUED_ONLY:
            given = next(remaining, None) if attached is None else attached
            if not given:
                faults.append(f"{name} needs a value")
            else:
                options.append(Option(name, given))
        else:
            shown = name if _NAME.fullmatch(name) or len(name) == 2 else "this"
            faults.append(f"{shown} is not an option that a requirements file may hold; remove it")
            return  # whether the next word is its value is anybody's guess
