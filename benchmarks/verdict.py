"""Whether an answer is right: the peer's own pins, or others that an independent walk calls sound."""

from __future__ import annotations

from pathlib import Path

from packaging.markers import Marker

from .question import Question, broken
from .service import Locked, Pins
from .soundness import unsound
from .universal_grid import examine


def verdict(question: Question, locked: Locked, theirs: Pins, data: Path | None) -> str:
    """``equal``, ``sound``, ``differs`` (nothing to walk), or ``WRONG`` and the first fault.

    ``data`` is the snapshot's, for the walk.
    """
    ours = locked.pins
    if ours == theirs:
        return "equal"
    if data is None:
        return "differs"
    if question.is_universal:
        entries = [
            (one["name"], one["version"], Marker(one["marker"]) if one["marker"] else None)
            for one in locked.document["packages"]
        ]
        faults, _, _ = examine(entries, [], question.text, question.python, data)
    else:
        pins = {name: versions[0] for name, versions in ours.items()}
        faults = unsound(question.text, pins, question.python, data) + broken(question, pins)
    return f"WRONG: {faults[0]}" if faults else "sound"


def worst(verdicts: list[str]) -> str:
    """One for several: the worst of them."""
    order = ("equal", "sound", "differs")
    wrong = [one for one in verdicts if one not in order]
    return wrong[0] if wrong else max(verdicts, key=order.index, default="equal")
