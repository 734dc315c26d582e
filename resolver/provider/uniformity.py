"""Projects of which the same files fit in all regions of a lock: what a filter leaves of them is found out once.

Most projects have wheels for any Python 3, and demand a Python that is older than those of the lock. Regions differ in
their Pythons, and such projects do not care.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from functools import lru_cache

from ..environment.place import Place
from ..environment.region import Region, floor_of, is_somewhere
from ..environment.space import EnvironmentSet, from_requires_python
from ..environment.wheel_space import fits_in, pythons_from
from ..index.packed import Key
from ..index.page import Signature
from .policy import Filter
from .sight import MAX_SEEN

MAX_LOCKS = 64  # sets of environments from which what was seen is remembered

_PYTHONS = from_requires_python(">=3,<4")
_FIRST = from_requires_python(">=3")


class Uniformity:
    """What fits alike in every region of a lock that begins with a Python 3. Made by :func:`uniformity` only."""

    __slots__ = ("_agreed", "_whole")

    def __init__(self, whole: EnvironmentSet) -> None:
        self._whole = whole
        self._agreed: dict[tuple[bool, bool, bool], dict[Signature, bool]] = {}
        """By what of a signature matters."""

    def holds(self, signatures: Iterable[Signature], allowed: Filter) -> bool:
        """Whether of releases with these signatures each file fits in all regions or in none."""
        matters = (allowed.wheels, allowed.sdists, bool(allowed.yanked_pins))
        agreed = self._agreed.setdefault(matters, {})
        if len(agreed) >= MAX_SEEN:
            agreed.clear()
        for signature in signatures:
            found = agreed.get(signature)
            if found is None:
                found = agreed[signature] = all(
                    self._is_alike(key)
                    for key in signature
                    # A wheel that was yanked is no file of the release, unless a pin admits it.
                    if (allowed.sdists if key[0] is None else allowed.wheels and (allowed.yanked_pins or not key[2]))
                )
            if not found:
                return False
        return True

    def _is_alike(self, key: Key) -> bool:
        tags, requires_python, _ = key
        is_admitted = _admits(self._whole, requires_python)
        # Of what is not admitted that is told, whatever its tags.
        return is_admitted is False or (is_admitted is True and _fits(self._whole, tags) is not None)


@lru_cache(maxsize=MAX_SEEN)
def _admits(whole: EnvironmentSet, specifier: str | None) -> bool | None:
    """Whether a Requires-Python admits all regions or none; None where they differ."""
    return specifier is None or _in_all(whole, floor_of(specifier))


@lru_cache(maxsize=MAX_SEEN)
def _fits(whole: EnvironmentSet, tags: str | None) -> bool | None:
    """Likewise, whether wheels with these tags fit; None is an sdist."""
    return tags is None or (_in_all(whole, pythons_from(tags)) if fits_in(whole, tags) else False)


def _in_all(whole: EnvironmentSet, pythons: EnvironmentSet) -> bool | None:
    """Whether all regions have one of these Pythons, or none has."""
    if (whole & _PYTHONS).implies(pythons):
        return True
    return None if is_somewhere(whole & pythons) else False


_KNOWN: dict[Hashable, Uniformity] = {}


def uniformity(place: Place) -> Uniformity | None:
    """What regions of the lock that ``place`` is one of have in common; None of a target, and where it says nothing."""
    if not isinstance(place, Region) or not _begins_with_3(place.space):
        return None
    key = (place.whole, place.divides_by_python)
    known = _KNOWN.get(key)
    if known is None:
        while len(_KNOWN) >= MAX_LOCKS:
            del _KNOWN[next(iter(_KNOWN))]
        known = _KNOWN[key] = Uniformity(place.whole)
    return known


@lru_cache(maxsize=8_192)
def _begins_with_3(space: EnvironmentSet) -> bool:
    return is_somewhere(space & _PYTHONS) and space.implies(_FIRST)
