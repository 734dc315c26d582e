"""From a requirement as written to a :class:`Stated`, or a fault with the column where reading stopped."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from packaging.markers import Environment

from ..errors import Place
from ..model import Stated
from ..requirement import Requirement, RequirementError
from .faults import Faults, quoted
from .reference import read_requirement

_VARIABLES = (*Environment.__annotations__, "extra")
_WORD = re.compile(r"[a-z]\w*", re.IGNORECASE)


def read_stated(
    text: object,
    origin: str,
    place: Place,
    faults: Faults,
    column: Callable[[int], int | None] | None = None,
) -> Stated | None:
    """Read one requirement; None when it is a fault.

    Args:
        text: What the caller gave, which need not even be a string.
        origin: For ``via`` and derivations.
        place: For faults.
        faults: Where they go.
        column: Offset in ``text`` → column of the place's file, from 1.
    """
    if faults.is_hopeless:
        return None
    if not isinstance(text, str):
        faults.add(place, f"a requirement must be a string, not {type(text).__name__}")
        return None
    try:
        requirement, hashes = read_requirement(text)
    except RequirementError as error:
        if error.offset is not None and column is not None:
            place = replace(place, column=column(error.offset))
        said = f"{quoted(text.strip())}: {error}{_remedy(text, error.offset)}" if text.strip() else str(error)
        faults.add(place, said, is_requirement=True)
        return None
    return Stated(requirement, origin, place, hashes)


def under_marker(requirement: Requirement, marker: str) -> str:
    """Return the text of ``requirement`` with a further condition: both markers must hold."""
    extras = f"[{','.join(requirement.extras)}]" if requirement.extras else ""
    what = f" @ {requirement.url} " if requirement.url is not None else requirement.specifier
    own = f"({requirement.marker}) and " if requirement.marker is not None else ""
    return f"{requirement.name}{extras}{what} ; {own}({marker})"


def _remedy(text: str, offset: int | None) -> str:
    """Return what to write instead, for the three mistakes that people make most."""
    if offset is None or not 0 < offset < len(text):
        return ""
    word = _WORD.match(text, offset)
    if ";" in text[:offset] and word is not None and word[0] not in _VARIABLES:
        from difflib import get_close_matches  # noqa: PLC0415 - most inputs have no mistake

        alike = get_close_matches(word[0], _VARIABLES, 1)
        return f"; did you mean {alike[0]}?" if alike else ""
    if text[offset] == "=":
        return "; versions are compared with ==, >=, <=, !=, ~=, < or >"
    if text[offset - 1].isspace() and text[offset].isalnum():
        return "; one requirement stands on each line, and a marker behind a semicolon"
    return ""
