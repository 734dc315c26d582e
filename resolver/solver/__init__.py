"""PubGrub over integer masks: chooses versions, or proves that there is no choice. Pure, and without I/O."""

from .errors import DecisionsExhausted, SolverError, UnknownVersion
from .events import Decided, Event, NeedDependencies, NeedVersions, Solved, Underway, Unsolvable
from .explanation import Explanation, explain
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
from .shortening import shortened
from .solver import Solver
from .source import Source

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
