"""Print the paths of the scenarios that lock for one environment: universal locks are not there yet.

Usage: scenarios.py CASES_DIRECTORY
"""

# ruff: noqa: INP001, T201 - a script of CI

from __future__ import annotations

import sys
import tomllib
from pathlib import Path


def for_one_environment(cases: Path) -> list[str]:
    """Return ``category/file name`` without suffix, sorted."""
    found = []
    for path in sorted(cases.glob("*/*.toml")):
        options = tomllib.loads(path.read_text("utf-8")).get("resolver_options", {})
        if not options.get("universal", False):
            found.append(f"{path.parent.name}/{path.stem}")
    return found


if __name__ == "__main__":
    print("\n".join(for_one_environment(Path(sys.argv[1]))))
