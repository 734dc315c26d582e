"""Versions of Python with very many digits: what is written of them could not be read again, so they are refused."""

from __future__ import annotations

import pytest

from resolver.environment.space import (
    DiagramLimitError,
    from_marker,
    from_requires_python,
    from_requires_python_floor,
)
from resolver.specifier import SpecifierError

LONG, LONGEST = "9" * 60, "9" * 40


@pytest.mark.parametrize("read", [from_requires_python, from_requires_python_floor])
@pytest.mark.parametrize("specifier", [f">=3.{LONG}", f"<4,!=3.{LONG}.*", f"~={LONG}.1", f"==={LONG}", f">={LONG}!3.9"])
def test_a_requires_python_of_very_many_digits_is_none(read, specifier: str) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    with pytest.raises(SpecifierError):
        read(specifier)
    assert not read(f">=3.{LONGEST}").is_empty()


@pytest.mark.parametrize(
    "marker",
    [
        f"python_version >= '3.{LONG}'",
        f"python_full_version == '3.9.{LONG}'",
        f"implementation_version < '{LONG}'",
        f"'3.{LONG}' <= python_version",
        f"python_version in '3.9 3.{LONG}'",
    ],
)
def test_nor_is_a_marker(marker: str) -> None:
    with pytest.raises(DiagramLimitError):
        from_marker(marker)
    assert not from_marker(marker.replace(LONG, "9")).is_all()
