"""English for what the solver says: verbs that agree, names before ranges, facts as the rest of a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

OPERATORS: Final = ("<", ">", "=", "!", "~")
"""How a set of versions in words begins."""
_VERBS: Final = ("was ", "is ", "has ", "needs ", "requires ", "cannot ", "does ")

_PLURALS: Final = {
    "was": "were",
    "is": "are",
    "has": "have",
    "needs": "need",
    "requires": "require",
    "does": "do",
    "depends": "depend",
}

# How each kind of fact continues a sentence that begins with the versions, where the detail is not a sentence itself.
_FACTS: Final[Mapping[str, tuple[str, str]]] = {
    # kind: (with a detail, without one)
    "yanked": ("was yanked ({})", "was yanked"),
    "requires-python": ("needs Python {}", "needs another Python"),
    "no-usable-file": ("has no usable file ({})", "has no usable file for the target"),
    "excluded-newer": ("was uploaded too recently ({})", "has no known upload time"),
    "not-found": ("was not found ({})", "was not found"),
    "constraint": ("is excluded by the constraint {}", "is excluded by a constraint"),
    "prerelease": ("needs pre-releases to be allowed", "needs pre-releases to be allowed"),
}


def fact(kind: str, detail: str) -> str:
    """Continue a sentence that begins with the versions, or the package, that a fact is about."""
    if detail.startswith(_VERBS):
        return detail
    known = _FACTS.get(kind)
    if known is None:
        return f"cannot be used: {detail}" if detail else f"cannot be used ({kind})"
    return known[0].format(detail) if detail else known[1]


def join(left: str, right: str) -> str:
    """Two phrases with "and"; what both begin with is said once."""
    for verb in (" require ", " depends on ", " depend on "):
        subject, found, rest = left.partition(verb)
        if found and right.startswith(subject + verb):
            return f"{subject}{verb}{rest} and {right[len(subject + verb) :]}"
    return f"{left} and {right}"


def agree(subject: str, predicate: str) -> str:
    """Subject and predicate, which is in the singular."""
    if subject.startswith("all ") or (subject[0].isdigit() and " versions of " in subject):
        verb, _, rest = predicate.partition(" ")
        predicate = f"{_PLURALS.get(verb, verb)} {rest}"
    return f"{subject} {predicate}"


def ranges(name: str, suffix: str, conjunction: str) -> str:
    """The name before each of several ranges."""
    listed = suffix.replace(" | ", " or ").split(" or ")
    return f" {conjunction} ".join(f"{name}{one}" if one.startswith(OPERATORS) else one for one in listed)
