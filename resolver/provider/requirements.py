"""What a release requires in an environment: core metadata, read and evaluated once."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

from ..environment.markers import lone_extra, mentions_extra
from ..environment.place import Place, evaluate
from ..environment.region import is_somewhere
from ..environment.space import from_marker
from ..environment.target import Target
from ..index.page import CoreMetadata
from ..requirement import Requirement, RequirementError, parse_legacy

MAX_PLACES = 64  # targets and regions remembered per release; a universal lock has some ten


@dataclass(frozen=True, slots=True, eq=False)
class Metadata:
    """Core metadata with its requirements parsed.

    ``unreadable`` holds what is wrong with lines that are no requirements: a release with any is not a candidate,
    because leaving out a dependency would make an unsound lock.
    """

    core: CoreMetadata
    requires: tuple[Requirement, ...]
    unreadable: tuple[str, ...]
    _active: dict[tuple[Hashable, str | None], tuple[Requirement, ...]] = field(default_factory=dict, repr=False)

    def active(self, place: Place, extra: str | None) -> tuple[Requirement, ...]:
        """Requirements that apply in ``place``: without extras, or those that ``extra`` adds."""
        key = (place.key, extra)
        found = self._active.get(key)
        if found is None:
            if len(self._active) >= MAX_PLACES:
                self._active.clear()
            found = self._active[key] = tuple(one for one in self.requires if _applies(one, place, extra))
        return found


def _applies(requirement: Requirement, place: Place, extra: str | None) -> bool:
    marker = requirement.marker_text
    if marker is None:
        return extra is None
    alone = lone_extra(marker)  # of most metadata most requirements have such a marker
    if alone is not None:
        return alone == extra
    if extra is None:
        return evaluate(marker, place)
    if not mentions_extra(marker):
        return False
    if isinstance(place, Target):
        return evaluate(marker, place, (extra,)) and not evaluate(marker, place)
    # In a region it may hold here without the extra and there with it.
    space = from_marker(marker)
    return is_somewhere(place.space & (space.without_extras((extra,)) - space.without_extras()))


def read(core: CoreMetadata) -> Metadata:
    """Parse the requirements of ``core``; what cannot be read is reported, not raised."""
    requires: list[Requirement] = []
    unreadable: list[str] = []
    for text in core.requires_dist:
        try:
            requires.append(parse_legacy(text))
        except RequirementError as error:
            unreadable.append(f"{text[:120]!r}: {error}")
    return Metadata(core, tuple(requires), tuple(unreadable))
