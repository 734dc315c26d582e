"""The blocks of a script are found as PEP 723's own expression finds them."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from resolver.inputs.script import blocks

# The reference implementation's expression (PEP 723, Specification).
REFERENCE = re.compile(r"(?m)^# /// (?P<type>[a-zA-Z0-9-]+)$\s(?P<content>(^#(| .*)$\s)+)^# ///$")

LINES = st.lists(
    st.sampled_from(["# /// script", "# /// other", "# ///", "# x = 1", "#", "#x", "", "import x", "# /// two words"]),
    max_size=14,
)


@given(LINES)
def test_blocks_with_content_are_those_of_the_reference(lines: list[str]) -> None:
    found = [
        (block.kind, lines[block.opened : block.closed - 1])
        for block in blocks(lines)
        if block.closed is not None and block.closed > block.opened + 1
    ]
    expected = [(match["type"], match["content"].splitlines()) for match in REFERENCE.finditer("\n".join(lines))]
    assert found == expected


def test_a_hundred_thousand_blocks_that_are_never_closed_are_read_once() -> None:
    assert sum(block.closed is None for block in blocks(["# /// script"] * 100_000)) == 100_000
