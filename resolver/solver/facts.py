"""What the driver tells the solver: versions of a package, dependencies of a version.

A package's versions are numbered 1..count, ascending; a set of versions is an int in which bit *i* stands for
version *i*. Bit 0 is reserved: *not selected*. No mask that crosses this border has it.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

Package: TypeAlias = Hashable
"""Whatever the driver names packages by; an extra is a package of its own, e.g. ``("flask", "async")``."""

ABSENT = 1
"""The mask of *not selected*."""


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Versions that are never candidates, and why.

    A table without versions may carry one with mask 0, to say why it is empty.
    """

    mask: int
    kind: str
    """As in the API's derivations: ``yanked``, ``requires-python``, ``no-usable-file``, ``not-found``…"""
    detail: str
    """The fact in words that follow the name of the package: "was yanked (broken)", "needs Python >=3.13"."""


@dataclass(slots=True, unsafe_hash=True)
class Dependency:
    """A requirement of one version (or of the root) on a package. It is never changed.

    Not frozen: drivers make thousands of them for a solve, and a frozen one takes three times as long to make.
    """

    package: Package
    key: Hashable
    """Goes to :meth:`VersionTable.mask` of ``package``; its ``str`` is shown where it admits no version."""
    source: str = ""
    """Where it is stated, for explanations: a file and line, or the requirement's text."""
    is_exact: bool = False
    """A lone ``==x.y`` or ``===``: such packages are decided first (uv's order)."""


class VersionTable(Protocol):
    """The versions of one package, as far as the solver cares. Answers must never change."""

    @property
    def count(self) -> int:
        """How many versions there are."""
        ...

    def mask(self, key: Hashable, /) -> int:
        """The versions that a dependency's key admits, none beyond ``count``."""
        ...

    def choose(self, allowed: int, /) -> int:
        """The number of the version to try first; ``allowed`` is not 0."""
        ...

    def exclusions(self) -> Sequence[Exclusion]:
        """What is known against versions before any is tried."""
        ...

    def describe(self, mask: int, /) -> str:
        """Words for a set of versions that follow a name: ``>=1,<2``, ``==2.0``; ``*`` for all of them."""
        ...
