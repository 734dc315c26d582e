"""The boolean structure of a marker, read from the text that ``packaging`` prints.

``packaging`` evaluates and combines markers, but does not show what they are made of. Only its canonical text is read
here (``str(Marker(...))``), so the grammar is small: comparisons joined by ``and`` and ``or``, with parentheses.
Nesting is bounded where the text was parsed first (``resolver.requirement``).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from packaging.markers import Marker, UndefinedComparison, UndefinedEnvironmentName

from resolver.requirement import RequirementError
from resolver.requirement import parse as parse_requirement

UNDEFINED = (UndefinedComparison, UndefinedEnvironmentName)
"""What ``packaging`` raises for comparisons without a meaning: ``os_name ~= "x"``, ``"x" == "x"``."""

_OPERAND = r"""(?:"[^"]*"|'[^']*'|[a-z_]+)"""
_TOKEN = re.compile(rf"\s*(\(|\)|and\b|or\b|{_OPERAND}\s*(?:not in\b|in\b|[<>=!~]+)\s*{_OPERAND})")
_QUOTED = re.compile(r""""[^"]*"|'[^']*'""")


@dataclass(frozen=True, slots=True)
class Group:
    """Members joined by one operator; at least two."""

    operator: Literal["and", "or"]
    members: tuple[Expression, ...]


Expression: TypeAlias = str | Group
"""A comparison as text (``python_version < "3.9"``), or several joined."""


def parse_marker(text: str) -> Marker:
    """Parse a marker under the same lock, limits and cache as requirements.

    Raises:
        RequirementError: not a marker, or beyond a limit.
    """
    marker = parse_requirement(f"marker ; {text}").marker
    if marker is None:
        raise RequirementError("an empty marker; leave it out instead")
    return marker


def names_extra(text: str) -> bool:
    """Whether the marker or comparison looks at the variable ``extra``."""
    return "extra" in text and re.search(r"\bextra\b", _QUOTED.sub("", text)) is not None


def parse_expression(text: str) -> Expression:
    """Read a canonical marker.

    Raises:
        ValueError: the text is not canonical.
    """
    tokens: list[str] = []
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise ValueError(f"not a marker at column {at + 1}: {text[:100]!r}")
        tokens.append(found[1])
        at = found.end()
    tokens.reverse()
    expression = _alternatives(tokens)
    if tokens:
        raise ValueError(f"unbalanced marker: {text[:100]!r}")
    return expression


def _alternatives(tokens: list[str]) -> Expression:
    members = [_conjunction(tokens)]
    while tokens and tokens[-1] == "or":
        tokens.pop()
        members.append(_conjunction(tokens))
    return members[0] if len(members) == 1 else Group("or", tuple(members))


def _conjunction(tokens: list[str]) -> Expression:
    members = [_operand(tokens)]
    while tokens and tokens[-1] == "and":
        tokens.pop()
        members.append(_operand(tokens))
    return members[0] if len(members) == 1 else Group("and", tuple(members))


def _operand(tokens: list[str]) -> Expression:
    word = tokens.pop() if tokens else ""
    if word == "(":
        inner = _alternatives(tokens)
        if not tokens or tokens.pop() != ")":
            raise ValueError("a parenthesis of the marker is not closed")
        return inner
    if word in {"", ")", "and", "or"}:
        raise ValueError("a comparison is missing in the marker")
    return word


def substitute(expression: Expression, decide: Callable[[str], bool | None]) -> Expression | bool:
    """Replace the comparisons that ``decide`` knows and simplify; it answers None for those that stay."""
    if isinstance(expression, str):
        known = decide(expression)
        return expression if known is None else known
    neutral = expression.operator == "and"
    kept: list[Expression] = []
    for member in expression.members:
        reduced = substitute(member, decide)
        if isinstance(reduced, bool):
            if reduced is not neutral:
                return reduced
        elif reduced not in kept:
            kept.append(reduced)
    if not kept:
        return neutral
    return kept[0] if len(kept) == 1 else Group(expression.operator, tuple(kept))


def evaluate_defined(expression: Expression, holds: Callable[[str], bool | None]) -> bool | None:
    """Evaluate as if comparisons for which ``holds`` answers None were not written; None if none is left."""
    if isinstance(expression, str):
        return holds(expression)
    answers = [evaluate_defined(member, holds) for member in expression.members]
    defined = [answer for answer in answers if answer is not None]
    if not defined:
        return None
    return all(defined) if expression.operator == "and" else any(defined)


def render(expression: Expression, *, is_inner: bool = False) -> str:
    """The text of an expression, with parentheses where precedence needs them."""
    if isinstance(expression, str):
        return expression
    text = f" {expression.operator} ".join(render(member, is_inner=True) for member in expression.members)
    return f"({text})" if is_inner else text
