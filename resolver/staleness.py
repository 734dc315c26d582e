"""What is said of copies that an index did not confirm."""

from __future__ import annotations

from collections.abc import Container

from .model import Notice, Stats


def stale(stats: Stats, used: Container[str]) -> list[Notice]:
    """Say which of the ``used`` projects are known from copies that an index had no chance, or no need, to confirm.

    What was only fetched ahead stays out: it depends on chance, and a lock must not.
    """
    return [
        Notice("stale", f"a copy that is {_old(age)} old was used: index {index!r} did not confirm it", name, index)
        for (name, index), age in stats.stale.items()
        if name in used
    ]


def _old(seconds: float) -> str:
    """An age in words, rounded down: a lock that is asked for twice in a minute should read the same."""
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        count = int(seconds // length)
        if count:
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "less than a minute"
