"""What the solver calls a package, and how a project and its extras become such packages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from .solver import Package

Name = tuple[str, str | None]
"""(project, extra): what the solver calls a package."""


def name_of(package: Package) -> Name:
    """The solver's packages are ours: it never looks inside."""
    return cast("Name", package)


def names_of(project: str, extras: Iterable[str]) -> list[Name]:
    """What a requirement on a project with extras is about."""
    return [(project, None), *((project, extra) for extra in extras)]


def tie(package: Package) -> Package | None:
    """An extra is tied to its project: both have the same version."""
    name, extra = name_of(package)
    return None if extra is None else (name, None)
