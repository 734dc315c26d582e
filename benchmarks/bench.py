"""What every measurement of us and uv needs: both of them, the index between them, and how often to ask."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .index import Replay
from .uv import Uv


@dataclass(frozen=True, slots=True)
class Bench:
    """Us, uv and an index."""

    lockwright: Path
    """Our command."""
    uv: Uv
    index: Replay
    data: Path | None
    """The metadata of the snapshot, which answers that differ are checked against."""
    runs: int
    """Pairs of runs."""
    seed: int
    """Of the questions that were never asked."""
