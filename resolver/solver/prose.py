"""A derivation graph told as text, after pub's error reporting (``solver.md``, "Error Reporting").

A conclusion that is used more than once gets a number, and is referred to by it later. The walk is not recursive:
proofs of hard conflicts are deeper than Python's stack.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from .grammar import join
from .incompatibility import (
    ROOT,
    Derived,
    FromDependency,
    FromExclusion,
    Incompatibility,
    NoVersions,
    Unavailable,
    nodes,
)
from .words import UNSATISFIABLE, Words

MAX_SENTENCES: Final = 60
"""Nobody reads further; a proof of some thousand steps would make an answer of a megabyte."""

_Visit = Iterator["tuple[Incompatibility, bool]"]


class Prose:
    """The text of one proof."""

    def __init__(self, conclusion: Incompatibility, words: Words) -> None:
        self._root = conclusion
        self._words = words
        self._uses: Counter[int] = Counter()
        for node in nodes(conclusion):
            if isinstance(node.cause, Derived):
                self._uses[id(node.cause.left)] += 1
                self._uses[id(node.cause.right)] += 1
        self._lines: list[tuple[Callable[[], str], int | None]] = []
        """What to write and its number. Written last: of a long proof most lines are left out."""
        self._numbers: dict[int, int] = {}

    def text(self) -> str:
        """Write it: sentences, in paragraphs where a number begins one."""
        if not isinstance(self._root.cause, Derived):
            phrase = self._words.phrase(self._root)
            return f"Because {phrase}, {UNSATISFIABLE}."
        stack: list[_Visit] = [self._visit(self._root, is_conclusion=False)]
        while stack:
            wanted = next(stack[-1], None)
            if wanted is None:
                stack.pop()
            else:
                node, is_conclusion = wanted
                stack.append(self._visit(node, is_conclusion=is_conclusion))
        text = self._layout()
        self._lines.clear()  # what writes them refers to us
        return text

    def _layout(self) -> str:
        lines = self._lines
        if len(lines) > MAX_SENTENCES:
            left_out = len(lines) - MAX_SENTENCES
            omission = f"[{left_out} more steps]"
            lines = [*lines[: MAX_SENTENCES - 10], (lambda: omission, None), *lines[-10:]]
        if not self._numbers:
            return " ".join(write() for write, _ in lines)
        paragraphs: list[list[str]] = [[]]
        for write, number in lines:
            line = write()
            if not line:
                paragraphs.append([])
            else:
                paragraphs[-1].append(f"{line} ({number})" if number is not None else line)
                if number is not None:
                    paragraphs.append([])
        return "\n".join(" ".join(paragraph) for paragraph in paragraphs if paragraph)

    def _write(self, node: Incompatibility, message: Callable[[], str], *, numbered: bool) -> None:
        number = None
        if numbered:
            number = self._numbers[id(node)] = len(self._numbers) + 1
        self._lines.append((message, number))

    def _visit(self, node: Incompatibility, *, is_conclusion: bool) -> _Visit:
        """Write the lines for ``node``; yields the nodes whose lines must come first."""
        if id(node) in self._numbers:
            return
        numbered = is_conclusion or self._uses[id(node)] > 1
        cause = node.cause
        assert isinstance(cause, Derived)
        left, right = cause.left, cause.right
        if isinstance(left.cause, Derived) and isinstance(right.cause, Derived):
            yield from self._visit_two(node, left, right, numbered=numbered)
            return
        if not isinstance(left.cause, Derived) and not isinstance(right.cause, Derived):
            self._write(
                node, lambda: f"Because {self._both(left, right)}, {self._words.conclusion(node)}.", numbered=numbered
            )
            return
        derived, external = (left, right) if isinstance(left.cause, Derived) else (right, left)
        if id(derived) in self._numbers:
            self._write(
                node,
                lambda: f"Because {self._both(external, derived)}, {self._words.conclusion(node)}.",
                numbered=numbered,
            )
            return
        inner = self._collapsible(derived)
        if inner is not None:
            deeper, beside = inner
            yield deeper, False
            self._write(
                node,
                lambda: f"And because {self._both(beside, external)}, {self._words.conclusion(node)}.",
                numbered=numbered,
            )
        else:
            yield derived, False
            self._write(
                node,
                lambda: f"And because {self._phrase(external)}, {self._words.conclusion(node)}.",
                numbered=numbered,
            )

    def _visit_two(
        self, node: Incompatibility, left: Incompatibility, right: Incompatibility, *, numbered: bool
    ) -> _Visit:
        """Both causes are derived."""
        known = [cause for cause in (left, right) if id(cause) in self._numbers]
        if len(known) == 2:
            self._write(
                node, lambda: f"Because {self._both(left, right)}, {self._words.conclusion(node)}.", numbered=numbered
            )
        elif known:
            yield (right if known[0] is left else left), False
            self._write(
                node,
                lambda: f"And because {self._phrase(known[0])}, {self._words.conclusion(node)}.",
                numbered=numbered,
            )
        elif self._is_short(left) or self._is_short(right):
            first, second = (left, right) if self._is_short(right) else (right, left)
            yield first, False
            yield second, False
            self._write(node, lambda: f"Thus, {self._words.conclusion(node)}.", numbered=numbered)
        else:
            yield left, True
            self._lines.append((str, None))
            yield right, False
            self._write(
                node, lambda: f"And because {self._phrase(left)}, {self._words.conclusion(node)}.", numbered=numbered
            )

    def _collapsible(self, node: Incompatibility) -> tuple[Incompatibility, Incompatibility] | None:
        """The derived and the external cause of a conclusion that need not be stated on the way."""
        if self._uses[id(node)] > 1:
            return None
        cause = node.cause
        assert isinstance(cause, Derived)
        left, right = cause.left, cause.right
        if isinstance(left.cause, Derived) == isinstance(right.cause, Derived):
            return None
        deeper, beside = (left, right) if isinstance(left.cause, Derived) else (right, left)
        return None if id(deeper) in self._numbers else (deeper, beside)

    @staticmethod
    def _is_short(node: Incompatibility) -> bool:
        cause = node.cause
        return isinstance(cause, Derived) and not any(
            isinstance(one.cause, Derived) for one in (cause.left, cause.right)
        )

    def _phrase(self, node: Incompatibility) -> str:
        phrase = self._words.phrase(node)
        number = self._numbers.get(id(node))
        return phrase if number is None else f"{phrase} ({number})"

    def _both(self, left: Incompatibility, right: Incompatibility) -> str:
        if isinstance(right.cause, NoVersions) and not isinstance(left.cause, Derived):
            left, right = right, left  # what is there, then who wants something else
        elif (
            isinstance(left.cause, FromDependency)
            and isinstance(right.cause, FromDependency)
            and right.cause.dependency == left.cause.package
        ):
            left, right = right, left  # a depends on b, and b on c
        elif (
            isinstance(left.cause, FromDependency)
            and isinstance(right.cause, FromDependency)
            and self._words.is_later(left.cause, right.cause)
        ):
            left, right = right, left  # as the caller has it
        elif (
            isinstance(left.cause, FromExclusion | Unavailable)
            and isinstance(right.cause, FromDependency)
            and right.cause.package is ROOT
        ):
            left, right = right, left  # you require a, and a has a fault
        return join(self._phrase(left), self._phrase(right))
