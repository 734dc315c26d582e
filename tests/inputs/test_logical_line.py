"""Joining and comment stripping, against an oracle that walks the characters one by one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from resolver.inputs.logical_line import LogicalLine, logical_lines

_PIECES = st.sampled_from(["a", "b", "#", " ", "\t", "\\", "\n", "\r", "\r\n", " #", "\\\n", "\\\r\n", "x=1", "\ufeff"])
_TEXTS = st.lists(_PIECES, max_size=30).map("".join)


def _oracle(text: str) -> list[tuple[int, str]]:
    """One character after the other: is this a new line, a comment, a continuation?"""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    found: list[tuple[int, str]] = []
    number, start, statement = 1, 1, ""
    is_comment = is_only_comment = False
    line = ""
    for index, char in enumerate(text + "\n"):
        if char != "\n":
            if char == "#" and not line.strip():
                is_only_comment = True
            if char == "#" and not is_comment and (not statement or statement[-1].isspace() or is_only_comment):
                is_comment = True
            line += char
            if not is_comment:
                statement += char
            continue
        goes_on = line.endswith("\\") and not is_only_comment and index < len(text)
        if goes_on and not is_comment:
            statement = statement[:-1]
        number += 1
        line, is_only_comment = "", False
        if goes_on:
            continue
        if statement.strip():
            found.append((start, statement.strip()))
        start, statement, is_comment = number, "", False
    return found


@given(_TEXTS)
def test_lines_are_joined_and_stripped_as_the_oracle_does(text: str) -> None:
    assert [(line.number, line.text) for line in logical_lines(text)] == _oracle(text)


@given(_TEXTS)
def test_a_column_points_at_the_character_of_the_first_physical_line(text: str) -> None:
    physical = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for line in logical_lines(text):
        for offset, char in enumerate(line.text):
            column = line.column(offset)
            if column is not None and column <= len(physical[line.number - 1]):
                assert physical[line.number - 1][column - 1] == char


def test_the_generator_reaches_joined_and_commented_lines() -> None:
    lines = list(logical_lines("\ufeffa \\\r\n# ends it\r\n  b\\\rc # why\n\n#\nd#e\\"))
    assert [(line.number, line.text) for line in lines] == [(1, "a"), (3, "bc"), (7, "d#e\\")]
    assert lines[1] == LogicalLine(number=3, text="bc", indent=2, width=3, longest=7)
