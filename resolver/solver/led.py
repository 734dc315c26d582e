"""The package that versions which are given up lead to, and what can be told of it at once; see :mod:`.retreat`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from .conflict import covering, first_within
from .incompatibility import Incompatibility
from .needs import Need, Needing
from .package_state import PackageState, Watch
from .reason import Fact, Lapse, blame

PERMANENT = 1
"""The level that is never taken back."""


class Taught(NamedTuple):
    """What a fact that is in vain teaches, but for who requires it."""

    level: int
    """Where."""
    forbidden: int
    """What it does not admit."""
    always: Sequence[Incompatibility] | None
    """Why that is always so, or None where it is not."""


class Led:
    """The package that the versions lead to, and what is in force of it."""

    __slots__ = ("_about", "_level", "_strangers", "_taught", "_tried", "state", "vain")

    def __init__(self, state: PackageState, tried: PackageState, level: int) -> None:
        """``tried`` is the package that is given up, at ``level``."""
        self.state = state
        self._tried = tried
        self._level = level
        self._about: dict[PackageState, list[Fact]] = {}
        """Its facts, by what they are about."""
        self.vain: dict[Fact, None] = {}
        """Those that are in conflict with the rest, the newest last."""
        self._taught: dict[Fact, Taught | None] = {}
        """Of these, what they teach, if that takes no analysis."""
        for fact in state.facts.values():
            if fact.other is not None:
                self._about.setdefault(fact.other, []).append(fact)
        for reason in state.watches:
            if not isinstance(reason, Fact) or reason.state is not state or reason.other is None:
                continue
            if not reason.other.mask & reason.admitted:
                self.vain[reason] = None
        self._strangers = strangers(state, (tried, state))

    def add(self, fact: Fact) -> None:
        """A fact of the package is new."""
        assert fact.other is not None
        self._about.setdefault(fact.other, []).append(fact)

    def is_without_consequence(
        self,
        bit: int,
        target: int,
        needs: Iterable[Need],
        narrowed: Mapping[PackageState, int],
        needing: Needing,
    ) -> bool:
        """Whether nothing follows from what a version narrows, but for what is in force of the package it leads to.

        ``needing`` has what that package's versions need.
        """
        tried = self._tried
        for mine, other, theirs, _, _ in self._strangers:
            if mine & target and not (other is tried and not theirs & bit):
                return False
        for need in needs:
            if need.is_harmless or not need.narrows or need.other is self.state:
                continue
            needing.settle()
            others = strangers(need.other, (tried, self.state))
            for mine, other, theirs, _, _ in others:
                if not mine & need.left or (other is tried and not theirs & bit):
                    continue
                if other is None or not need.left & ~mine or other in narrowed or other is tried:
                    return False
            against = [fact for fact in self._about.get(need.other, ()) if not fact.admitted & need.left]
            if any(fact.versions & target for fact in against):
                return False
            need.is_harmless = not others and not against
        return True

    def lapse(self, required: Fact, target: int, chain: Sequence[tuple[Fact, int]]) -> Lapse | None:
        """What is learned, as far as that is known without an analysis of the conflict.

        It would begin with the last of the facts, and add that which narrowed the package first so far that all of it
        is forbidden, until nothing but what the version requires is needed for that.
        """
        vain = chain[-1][0]
        taught = self.taught(vain)
        if taught is None:
            return None
        blames = [blame(vain)]
        level, forbidden, blamed = taught.level, taught.forbidden, vain.versions
        if len(chain) > 1:
            while target & ~blamed:
                fact = next(fact for fact, left in chain if not left & ~blamed)
                further = self.taught(fact)
                if further is None or further.always is not None or taught.always is not None:
                    return None
                if fact.other is not vain.other:
                    return None
                blamed |= fact.versions
                forbidden &= further.forbidden
                level = max(level, further.level)
                blames.append(blame(fact))
        if level != self._level or required.admitted & ~blamed:  # the rest of what is required is ruled out otherwise
            return None
        return Lapse(required, blames, forbidden, taught.always)

    def taught(self, vain: Fact) -> Taught | None:
        """What a fact that is in vain teaches, where it alone is to blame."""
        if vain not in self._taught:
            self._taught[vain] = self._find_taught(vain)
        return self._taught[vain]

    def _find_taught(self, vain: Fact) -> Taught | None:
        other, level = vain.other, max(PERMANENT, self._tried.assumptions[0][2])
        assert other is not None
        if self.state.assumptions:
            return None
        outside = other.known & vain.admitted
        if outside:
            own = other.assumptions
            level = max(level, own[first_within(own, outside, len(own) - 1)][2])
        always = None if outside else covering(other, vain.admitted)
        return Taught(level, other.universe ^ vain.admitted, always)


def strangers(state: PackageState, own: Sequence[PackageState]) -> list[Watch]:
    """What may follow for a package from others than the facts of ``own``."""
    return [
        watch
        for watch in state.watches.values()
        if not (isinstance(watch[4], Fact) and watch[4].state in own)
        and (watch[1].mask & watch[2] if watch[1] is not None else all(one.mask & term for one, term in watch[3]))
    ]
