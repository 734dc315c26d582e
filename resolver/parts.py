"""The parts of all environments that are still to be solved for, and where the first ones come from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import or_

from .environment.region import Divided, by_python, is_somewhere
from .environment.space import NOTHING, EnvironmentSet, from_marker, from_requires_python, split
from .model import Query, Universal
from .provider.policy import Chosen


@dataclass(frozen=True, slots=True)
class Part:
    """Environments that are still to be solved for."""

    space: EnvironmentSet
    begun: Mapping[str, Chosen] = field(default_factory=dict)
    """By name: what was chosen for the environments that it is a part of, before they were divided."""

    def divided(self, division: Divided) -> list[Part]:
        """The parts of this part, which go on from where it was divided: what did not divide them need not differ."""
        begun = {**self.begun, **division.begun}
        return [Part(space, begun) for space in division.parts]

    def cut(self, conditions: Iterable[EnvironmentSet], *, newest_first: bool) -> list[Part]:
        """The part where a condition holds and the part where it does not; [] where no condition tells any apart."""
        for space in conditions:
            pieces = [piece for piece in (self.space & space, self.space - space) if is_somewhere(piece)]
            if len(pieces) > 1:
                pieces.sort(key=lambda piece: by_python(piece, newest_first=newest_first))
                return [Part(piece, self.begun) for piece in pieces]
        return []


def first_parts(
    universal: Universal, earlier: Iterable[str], *, newest_first: bool = True
) -> tuple[EnvironmentSet, list[Part]]:
    """All environments, and the parts to begin with: those of the earlier lock, else one for each that was named.

    Args:
        universal: What the lock is for.
        earlier: Markers of the parts of an earlier lock for the same environments; () where there is none.
        newest_first: Whether of those that were named the one with the newest Python comes first.
    """
    admitted = from_requires_python(universal.requires_python)
    named = [admitted & from_marker(marker) for marker in universal.environments] or [admitted]
    whole = reduce(or_, named, NOTHING)
    # As when a region is divided; of those that begin alike the first that was named.
    stated = sorted(filter(is_somewhere, named), key=lambda space: by_python(space, newest_first=newest_first))
    kept = [from_marker(marker) for marker in earlier] or stated[:-1]
    return whole, [Part(space) for space in split(whole, kept) if is_somewhere(space)]


def conditional(query: Query) -> tuple[str, ...]:
    """The projects of which the caller says something that holds in some environments only."""
    stated = (one.requirement for one in (*query.requirements, *query.constraints, *query.overrides))
    return tuple(dict.fromkeys(one.name for one in stated if one.marker is not None))
