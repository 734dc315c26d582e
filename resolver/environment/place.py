"""Where a solve is for: one target, or a region of environments. The questions that both answer."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeAlias

from packaging.markers import Marker

from . import markers, tags
from .region import Region, is_somewhere
from .space import from_marker
from .target import Target

Place: TypeAlias = Target | Region


def evaluate(marker: Marker | str, place: Place, extras: Collection[str] = ()) -> bool:
    """Whether ``marker`` (or its canonical text) holds in the place: in the target, or somewhere in the region."""
    if isinstance(place, Target):
        return markers.evaluate(marker, place, extras)
    space = from_marker(marker)
    plain = space.without_extras()
    if is_somewhere(place.space & plain):
        return True
    return any(is_somewhere(place.space & space.without_extras((extra,))) for extra in extras)


def applies(marker: str, place: Place) -> bool:
    """Whether the marker of a lock's entry holds in the place: in the target, or somewhere in the region."""
    space = from_marker(marker)
    if isinstance(place, Target):
        return space.contains(place.markers)
    return is_somewhere(place.space & space)


def rank(tag_set: str, place: Place) -> int | None:
    """The best rank of a wheel's tags; in a region all wheels that fit somewhere rank alike."""
    if isinstance(place, Target):
        return tags.rank(tag_set, place)
    return 0 if place.admits_tags(tag_set) else None


def requires_python_admits(specifier: str, place: Place) -> bool:
    """Whether a Requires-Python admits the place (upper bounds are ignored, as in uv)."""
    if isinstance(place, Target):
        return tags.requires_python_admits(specifier, place)
    return place.admits_python(specifier)
