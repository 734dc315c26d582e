"""What is counted of answering lock requests, wherever the counts go."""

from __future__ import annotations

from typing import Protocol

from resolver.model import Stats


class Counts(Protocol):
    """Counts; raises nothing."""

    def load(self, running: int, waiting: int) -> None:
        """So many resolutions run now, and so many wait for a slot."""
        ...

    def lock(self, outcome: str) -> None:
        """A lock request ended: ``solved``, ``joined``, ``stored``, or the name of a problem."""
        ...

    def solved(self, stats: Stats) -> None:
        """A resolution cost so much."""
        ...


class NoCounts:
    """For a process that nobody asks for metrics."""

    def load(self, running: int, waiting: int) -> None:
        """Count nothing."""

    def lock(self, outcome: str) -> None:
        """Count nothing."""

    def solved(self, stats: Stats) -> None:
        """Count nothing."""
