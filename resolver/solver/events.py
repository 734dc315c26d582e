"""What :meth:`Solver.next_event` returns. The solver asks; the driver answers when it can."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from .facts import Package
from .incompatibility import Incompatibility


@dataclass(frozen=True, slots=True)
class Decided:
    """A version was chosen. Nothing is asked: control comes back so that others may run."""

    package: Package
    version: int


@dataclass(frozen=True, slots=True)
class Underway:
    """Conflicts are being worked off. Nothing is asked: control comes back so that others may run."""


@dataclass(frozen=True, slots=True)
class NeedVersions:
    """The tables of these packages are needed: all that one version depends on, to be fetched together."""

    packages: tuple[Package, ...]


@dataclass(frozen=True, slots=True)
class NeedDependencies:
    """The dependencies of this version are needed, or the news that they are unavailable."""

    package: Package
    version: int


@dataclass(frozen=True, slots=True)
class Solved:
    """Every requirement is met by exactly these versions."""

    decisions: Mapping[Package, int]


@dataclass(frozen=True, slots=True)
class Unsolvable:
    """Nothing meets the requirements; ``incompatibility`` is the root of the proof."""

    incompatibility: Incompatibility


Event: TypeAlias = Decided | Underway | NeedVersions | NeedDependencies | Solved | Unsolvable
