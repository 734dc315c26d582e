"""Where a project is looked at from: a place, what may be a candidate, what is tried first, and constraints.

Equal standpoints are one object, so that what was seen from one is found again by its identity.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from ..environment.place import Place
from ..model import Stated
from .policy import Filter, Order, Policies

MAX_STANDPOINTS = 4_000  # some 900 bytes each; of those that were used least recently, what was seen goes by and by


@dataclass(frozen=True, slots=True, eq=False)
class Standpoint:
    """Made by :func:`standpoint` only."""

    place: Place
    filter: Filter
    order: Order
    constraints: tuple[Stated, ...]


_standpoints: OrderedDict[Hashable, Standpoint] = OrderedDict()


def standpoint(place: Place, allowed: Filter, order: Order, constraints: Sequence[Stated]) -> Standpoint:
    """The one standpoint that is these."""
    told = tuple((one.requirement.specifier, one.requirement.text, one.origin) for one in constraints)
    key = (place.key, allowed, order, told)
    found = _standpoints.get(key)
    if found is None:
        if len(_standpoints) >= MAX_STANDPOINTS:
            _standpoints.popitem(last=False)
        found = _standpoints[key] = Standpoint(place, allowed, order, tuple(constraints))
    else:
        _standpoints.move_to_end(key)
    return found


class Standpoints:
    """The standpoints of one query in one place, by name. What nothing is said about shares one."""

    def __init__(self, policies: Policies, place: Place) -> None:
        self._policies = policies
        self._place = place
        self._by_name: dict[tuple[str, ...], Standpoint] = {}
        self._common: Standpoint | None = None

    def of(self, name: str, kept: Sequence[str] = ()) -> Standpoint:
        """The standpoint for ``name``, from which versions that are ``kept`` may be yanked."""
        if not kept and not self._policies.singles_out(name):
            return self.common
        key = (name, *kept)
        found = self._by_name.get(key)
        if found is None:
            found = self._by_name[key] = self._make(name, kept)
        return found

    @property
    def common(self) -> Standpoint:
        """The standpoint for what nothing is said about."""
        if self._common is None:
            self._common = self._make("", ())
        return self._common

    def _make(self, name: str, kept: Sequence[str]) -> Standpoint:
        policies = self._policies
        return standpoint(
            self._place, policies.filter(name, kept=kept), policies.order(name), policies.constraints(name)
        )
