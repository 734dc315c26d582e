"""The way down before the first conflict, and for most solves the only one.

As long as nothing went wrong, every version in force is decided, and all that its facts say of other packages has
been concluded. So a fact matters once, right after the decision: nobody needs to watch it, nor to find it by what it
says. That is left for the moment when something goes wrong (:meth:`Enforcement.take_over`). The conclusions, and their
order, are those of :class:`Propagation`.
"""

from __future__ import annotations

from collections.abc import Sequence

from .facts import Dependency
from .incompatibility import Unavailable
from .package_state import PackageState
from .partial_solution import PartialSolution
from .priority import Agenda
from .reason import Fact


class Descent:
    """Facts in force and the conclusions from them, without a conflict so far."""

    __slots__ = ("_agenda", "_solution", "facts", "news")

    def __init__(self, agenda: Agenda, solution: PartialSolution) -> None:
        self._agenda = agenda
        self._solution = solution
        self.facts: list[Fact] = []
        """All facts in force, the newest last."""
        self.news: list[Fact] = []
        """Those that nothing was concluded from yet."""

    def enforce(
        self,
        state: PackageState,
        version: int,
        declared: Sequence[Dependency] | Unavailable,
        others: Sequence[PackageState],
    ) -> bool:
        """Put what is declared of a version into force; False, with nothing done, if that rejects the version."""
        if isinstance(declared, Unavailable):
            return False
        bit = 1 << version
        news: list[Fact] = []
        told: dict[tuple[PackageState, int], Fact] | None = None
        for dependency, other in zip(declared, others, strict=True):
            if other.tiebreak < 0 or dependency.is_exact:
                self._agenda.mention(other, is_exact=dependency.is_exact)
            assert other.table is not None
            admitted = other.table.mask(dependency.key)
            if not admitted:
                return False
            if other is state:
                if not admitted & bit:
                    return False
                continue
            if other.named_by is state:  # a version may state a requirement twice
                if told is None:
                    told = {(one.other, one.admitted): one for one in news if one.other is not None}
                same = told.get((other, admitted))
                if same is not None:
                    same.widen(bit, dependency)
                    news.remove(same)
                    news.append(same)
                    continue
            other.named_by = state
            fact = Fact(state, bit, dependency, other, admitted)
            news.append(fact)
            if told is not None:
                told[other, admitted] = fact
        state.enforced |= bit
        self.news = news
        self.facts += news
        return True

    def propagate(self) -> Fact | None:
        """Draw the conclusions from what is new. Return the fact that is in conflict with the rest."""
        derive = self._solution.derive
        for fact in reversed(self.news):
            other = fact.other
            assert other is not None
            seen = other.mask
            left = seen & fact.admitted
            if left != seen:
                if not left:
                    return fact
                derive(other, left, fact)
        return None
