"""PubGrub over integer masks: chooses versions, or proves that there is no choice. Pure, and without I/O."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .errors import DecisionsExhausted, SolverError, UnknownVersion
from .events import Decided, Event, NeedDependencies, NeedVersions, Solved, Underway, Unsolvable
from .facts import Dependency, Exclusion, Package, VersionTable
from .foresight import ForeseenTable, Foresight, Interrupted
from .incompatibility import (
    ROOT,
    Cause,
    Derived,
    FromDependency,
    FromExclusion,
    Incompatibility,
    NoVersions,
    Unavailable,
    reasons,
)
from .solver import Solver
from .source import Source

if TYPE_CHECKING:
    from .explanation import Explanation, explain
    from .shortening import shortened

__all__ = [
    "ROOT",
    "Cause",
    "Decided",
    "DecisionsExhausted",
    "Dependency",
    "Derived",
    "Event",
    "Exclusion",
    "Explanation",
    "ForeseenTable",
    "Foresight",
    "FromDependency",
    "FromExclusion",
    "Incompatibility",
    "Interrupted",
    "NeedDependencies",
    "NeedVersions",
    "NoVersions",
    "Package",
    "Solved",
    "Solver",
    "SolverError",
    "Source",
    "Unavailable",
    "Underway",
    "UnknownVersion",
    "Unsolvable",
    "VersionTable",
    "explain",
    "reasons",
    "shortened",
]

_OF_REFUSALS = {"Explanation": "explanation", "explain": "explanation", "shortened": "shortening"}


def __getattr__(name: str) -> Any:
    """Import what only a refusal needs when it is first asked for."""
    if name not in _OF_REFUSALS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_OF_REFUSALS[name]}", __name__), name)
