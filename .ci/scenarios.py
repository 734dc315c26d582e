"""Print the paths of the scenarios whose answer must be the oracle's; with --accepted those where a sound one will do.

Usage: scenarios.py [--accepted] CASES_DIRECTORY
"""

# ruff: noqa: INP001, T201 - a script of CI

from __future__ import annotations

import sys
from pathlib import Path

# Their README names these: uv finds no answer although there is one, or one that can be bettered.
ACCEPTED = {
    "fork/non-local-fork-marker-direct",
    "fork/non-local-fork-marker-transitive",
    "backtracking/wrong-backtracking-indirect",
    # Ours: on Linux ``os_name`` is ``posix``, which uv does not use; so a newer version fits there.
    "fork/preferences-dependent-forking-bistable",
}


def main() -> None:
    """Print one path a line, sorted."""
    found = {f"{path.parent.name}/{path.stem}" for path in Path(sys.argv[-1]).glob("*/*.toml")}
    print("\n".join(sorted(found & ACCEPTED if "--accepted" in sys.argv else found - ACCEPTED)))


if __name__ == "__main__":
    main()
