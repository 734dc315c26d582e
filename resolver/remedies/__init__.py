"""What the caller could change so that there is a solution: drawn from the reasons of a refusal, verified by solves.

Only the caller's own input is changed, and never beyond what the server's policy leaves to the caller
(``Query.limits``). Excludes are no culprits: to require less never takes a solution away.
"""

from .collected import remedies
from .culprits import culprits_of
from .remedy import Edit, Effort, Remedy, Suggestion
from .statements import origins, stated_as
from .suggestions import Suggestions, Versions

__all__ = [
    "Edit",
    "Effort",
    "Remedy",
    "Suggestion",
    "Suggestions",
    "Versions",
    "culprits_of",
    "origins",
    "remedies",
    "stated_as",
]
