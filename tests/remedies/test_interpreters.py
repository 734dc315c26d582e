"""The nearest other Python that can use one of some releases."""

from __future__ import annotations

import pytest
from packaging.version import Version

from resolver.environment.target import Target, make_target
from resolver.index.page import File, Release
from resolver.remedies.interpreters import other_python, other_requires_python


def target(python: str, platform: str = "linux") -> Target:
    return make_target(name=f"{python}-ci", python=python, platform=platform)


def release(*files: tuple[str | None, str | None]) -> Release:
    """Files as (tags, Requires-Python)."""
    made = [
        File(filename=f"a-{number}", url="", hashes=(), tags=tags, requires_python=python)
        for number, (tags, python) in enumerate(files)
    ]
    return Release(Version("1"), "1", tuple(made), None, frozenset())


@pytest.mark.parametrize(
    ("python", "files", "expected"),
    [
        ("3.11", ("py3-none-any", ">=3.12"), "3.12.0"),
        ("3.11", ("py3-none-any", ">=3.13,<4"), "3.13.0"),
        ("3.13", ("py3-none-any", ">=3.13.2"), "3.13.2"),
        ("3.13", ("cp311-cp311-manylinux_2_17_x86_64", None), "3.11.0"),
        ("3.12", ("cp313-cp313-manylinux_2_17_x86_64", None), "3.13.0"),
        ("3.12", ("cp312-cp312-win_amd64", None), None),
        ("3.12", ("py3-none-any", ">=3.30"), None),
        ("3.8", ("cp39-cp39-win_amd64", None), None),
    ],
)
def test_another_python(python: str, files: tuple[str | None, str | None], expected: str | None) -> None:
    found = other_python(target(python), [release(files)])
    assert (found.python if found else None) == expected
    assert found is None or found.name.endswith("-ci")


def test_a_target_with_tags_of_its_own_is_not_rebuilt() -> None:
    plain = target("3.11")
    own = make_target(
        name="own", python=None, platform="board", tags=["cp311-cp311-linux_riscv64"], markers=dict(plain.markers)
    )
    assert other_python(own, [release(("py3-none-any", ">=3.12"))]) is None


@pytest.mark.parametrize(
    ("before", "python", "after"),
    [
        (">=3.9", ">=3.11", ">=3.11"),
        (">=3.9,<3.14", ">=3.11", ">=3.11,<3.14"),
        (">=3.9,<3.11", ">=3.11", None),
        (">=3.9", ">=3.30", None),
        ("<4", ">=3.11", None),
        (">=2.7", ">=3.11", None),
        (">=3.1", ">=3.6", ">=3.6"),
    ],
)
def test_a_higher_lower_bound(before: str, python: str, after: str | None) -> None:
    assert other_requires_python(before, [release(("py3-none-any", python))]) == after
