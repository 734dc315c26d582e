"""What a release requires in an environment: core metadata, read and evaluated once."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..environment.markers import evaluate, mentions_extra
from ..environment.target import Target
from ..index.page import CoreMetadata
from ..requirement import Requirement, RequirementError, parse_legacy


@dataclass(frozen=True, slots=True, eq=False)
class Metadata:
    """Core metadata with its requirements parsed.

    ``unreadable`` holds what is wrong with lines that are no requirements: a release with any is not a candidate,
    because leaving out a dependency would make an unsound lock.
    """

    core: CoreMetadata
    requires: tuple[Requirement, ...]
    unreadable: tuple[str, ...]
    _active: dict[tuple[str, str | None], tuple[Requirement, ...]] = field(default_factory=dict, repr=False)

    def active(self, target: Target, extra: str | None) -> tuple[Requirement, ...]:
        """Requirements that apply in ``target``: without extras, or those that ``extra`` adds."""
        key = (target.key, extra)
        found = self._active.get(key)
        if found is None:
            found = self._active[key] = tuple(one for one in self.requires if _applies(one, target, extra))
        return found


def _applies(requirement: Requirement, target: Target, extra: str | None) -> bool:
    marker = requirement.marker
    if marker is None:
        return extra is None
    if extra is None:
        return evaluate(marker, target)
    return mentions_extra(marker) and evaluate(marker, target, (extra,)) and not evaluate(marker, target)


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
