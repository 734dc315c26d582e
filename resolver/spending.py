"""What a resolve has cost beside time: how many packages, versions and requests, and what they were for.

An index can lead a resolve from package to package without end. A search is bounded by its decisions and steps, this
bounds what is fetched and held for it.
"""

from __future__ import annotations

from collections import Counter

from .errors import BudgetExhausted
from .model import Budget, Stats

_WORST = 10  # packages named: more would not help a reader


class Spending:
    """The account of one resolve."""

    def __init__(self, budget: Budget, stats: Stats) -> None:
        """``stats`` counts the requests that were made."""
        self._budget = budget
        self._stats = stats
        self._versions: Counter[str] = Counter()
        self._candidates = 0
        self._asked: Counter[str] = Counter()

    def ask(self, name: str) -> None:
        """An index is about to be asked about ``name``.

        Raises:
            BudgetExhausted: it was asked often enough.
        """
        made = self._stats.requests
        if made >= self._budget.requests:
            names = _most(self._asked)
            raise BudgetExhausted(
                f"{made:,} requests were made and there is no answer yet; most of them were about {', '.join(names)}: "
                "narrow their versions",
                names,
                {"requests": made},
            )
        self._asked[name] += 1

    def look_at(self, name: str, versions: int) -> None:
        """A project with so many versions is looked at.

        Raises:
            BudgetExhausted: all that were looked at have too many.
        """
        known = self._versions[name]
        if versions > known:
            self._versions[name] = versions
            self._candidates += versions - known
        if self._candidates > self._budget.candidates:
            names = _most(self._versions)
            raise BudgetExhausted(
                f"the packages that are required have more than {self._budget.candidates:,} versions, most of them "
                f"{', '.join(names)}; narrow the requirements",
                names,
                {"packages": len(self._versions), "candidates": self._candidates},
            )

    def too_many(self, last: list[str]) -> BudgetExhausted:
        """The error for more packages than there may be; ``last`` are those that were met last."""
        names = tuple(last[-_WORST:])
        return BudgetExhausted(
            f"the requirements lead to more than {self._budget.packages:,} packages, lately to {', '.join(names)}; "
            "narrow the requirements",
            names,
            {"packages": len(last)},
        )


def _most(counted: Counter[str]) -> tuple[str, ...]:
    return tuple(name for name, _ in counted.most_common(_WORST))
