"""Why a resolution has no lock, or a lock no document: a ``ValueError`` whose text names the remedy.

LockError
├── IndistinguishableTargets   two targets need different packages, and no marker tells them apart
└── HashMissing                the format demands a hash, and the index published none
"""

from __future__ import annotations

from collections.abc import Iterable

_SHOWN = 10  # file names in a text; the attribute has them all


class LockError(ValueError):
    """The lock cannot be made, or not be written in this format."""


class IndistinguishableTargets(LockError):
    """A lock of several targets is one file, and only markers choose between its packages (PEP 751)."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(
            f"targets {first!r} and {second!r} need different packages, but no environment marker tells them apart"
            " (they differ in wheel tags or the kernel's version only); lock them in separate requests"
        )
        self.first = first
        self.second = second


class HashMissing(LockError):
    """``files`` holds (package, file name, index) of every file without a usable hash, sorted."""

    def __init__(self, files: Iterable[tuple[str, str, str | None]], written: str) -> None:
        self.files = tuple(sorted(files, key=lambda one: (one[0], one[1])))
        shown = "; ".join(
            f"{package}: {filename} ({f'index {index!r}' if index else 'direct reference'})"
            for package, filename, index in self.files[:_SHOWN]
        )
        more = f"; and {len(self.files) - _SHOWN} more" if len(self.files) > _SHOWN else ""
        super().__init__(
            f"{written} needs a hash of every file, and there is none of: {shown}{more}."
            " Let the index publish sha256 hashes, or ask for a format that can do without"
        )
