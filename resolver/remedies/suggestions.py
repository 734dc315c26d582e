"""Which remedies help? Each is tried by a real solve, within bounds; only what led to an answer is suggested.

The order is fixed: remedies that ask least of the caller first, then in the order of the proof. Bounds are counts; the
time limit of the driver is a last resort, for when an index is slow.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from functools import reduce
from typing import Final, TypeAlias

from ..errors import NoSolution
from ..model import Query
from .relaxed import relaxed
from .remedy import Effort, Remedy, Suggestion
from .statements import dropped_instead, loosened_to

MAX_TRIALS: Final = 12  # solves; warm ones take milliseconds
RESERVED: Final = 2  # of these, for dropping statements: they are tried last
MAX_JOINED: Final = 4  # remedies that are tried together
MAX_SUGGESTIONS: Final = 5  # beyond it nobody compares them
MAX_DECISIONS: Final = 2_000  # of a trial; real solves take hundreds
MAX_STEPS: Final = 500_000  # of a trial, some 100 ms; real solves take thousands, the hardest 230,000

Versions: TypeAlias = Mapping[str, tuple[str, ...]]
"""name → the versions of it in all places, ascending."""
Trial: TypeAlias = Callable[[Query], Awaitable["Versions | NoSolution | None"]]
"""Solves a query: what was chosen, or why nothing can be; None where that was not found out."""


class Suggestions:
    """The search for one refusal. ``found`` grows; whoever runs out of patience takes what is there."""

    def __init__(self, query: Query, refusal: NoSolution, trial: Trial) -> None:
        """Nothing is tried before :meth:`search`."""
        decisions = min(query.budget.decisions, MAX_DECISIONS)
        self._query = replace(query, budget=replace(query.budget, decisions=decisions, steps=MAX_STEPS))
        self._refusal = refusal
        self._trial = trial
        self._left = MAX_TRIALS
        self.found: list[Suggestion] = []

    async def search(self) -> None:
        """Try what leaves every statement in place; then several of these at once; then to drop a statement.

        Two conflicts that have nothing to do with each other take two remedies.
        """
        small = [one for one in self._refusal.remedies if one.effort is not Effort.STATEMENT]
        joined = await self._try(small, reserved=0)
        while joined and not self.found:
            joined = await self._try(joined, reserved=RESERVED)
        if not self.found:
            await self._try([one for one in self._refusal.remedies if one.effort is Effort.STATEMENT], reserved=0)

    async def _try(self, remedies: Iterable[Remedy], *, reserved: int) -> list[Remedy]:
        """Try ``remedies`` in turn; what could be tried in addition to those that did not help is returned."""
        pending = deque(remedies)
        joined: list[Remedy] = []
        while pending and self._left > reserved and len(self.found) < MAX_SUGGESTIONS:
            remedy = pending.popleft()
            answer = await self._solve(remedy)
            if isinstance(answer, NoSolution):
                further = self._further(remedy, answer)
                if further is not None and further.kind == remedy.kind and further.effort is Effort.OPTION:
                    pending.appendleft(further)  # pre-releases lead to pre-releases
                elif further is not None:
                    joined.append(further)
            elif answer is not None and any(one.loosened for one in remedy.parts):
                await self._settle(remedy, answer)
            elif answer is not None:
                self._accept(remedy, answer)
        return joined

    async def _solve(self, remedy: Remedy) -> Versions | NoSolution | None:
        if not self._left:
            return None
        self._left -= 1
        return await self._trial(remedy.to_query(self._query))

    @staticmethod
    def _further(remedy: Remedy, refusal: NoSolution) -> Remedy | None:
        """The remedy together with what the next refusal calls for, if that is something else."""
        if len(remedy.parts) >= MAX_JOINED:
            return None
        known = {str(edit.place) for edit in remedy.edits}
        others = [
            one
            for one in refusal.remedies
            if one.effort is not Effort.STATEMENT and not any(str(edit.place) in known for edit in one.edits)
        ]
        same = [one for one in others if one.kind == remedy.kind and one.effort is Effort.OPTION]
        best = next(iter(same if remedy.effort is Effort.OPTION and same else others), None)
        return None if best is None else remedy.joined(best, refusal.packages)

    async def _settle(self, remedy: Remedy, answer: Versions) -> None:
        """Without the bounds there is a solution: find bounds that admit it, and solve with these."""
        settled = reduce(lambda one, other: one.joined(other, remedy.packages), map(_settled(answer), remedy.parts))
        verified = await self._solve(settled)
        if verified is not None and not isinstance(verified, NoSolution):
            self._accept(settled, verified)

    def _accept(self, remedy: Remedy, answer: Versions) -> None:
        names = {name.partition("[")[0] for name in (*self._refusal.packages, *remedy.packages)}
        result = {name: answer[name] for name in sorted(names & answer.keys())}
        self.found.append(Suggestion(remedy.detail, remedy.edits, result))


def _settled(answer: Versions) -> Callable[[Remedy], Remedy]:
    def settle(remedy: Remedy) -> Remedy:
        if not remedy.loosened:
            return remedy
        requirement = remedy.loosened[0].requirement
        versions = answer.get(requirement.name, ())
        if not versions:  # nothing needs the project any more
            return dropped_instead(remedy)
        return loosened_to(remedy, reduce(relaxed, versions, requirement.specifier))

    return settle
