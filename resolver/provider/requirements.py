"""What a release requires in an environment: core metadata, read and evaluated once."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field

from packaging.utils import canonicalize_name

from ..environment.markers import lone_extra, mentions_extra
from ..environment.place import Place, evaluate
from ..environment.region import is_somewhere
from ..environment.space import ALL, NOTHING, EnvironmentSet, from_marker
from ..environment.target import Target
from ..index.page import CoreMetadata
from ..requirement import Requirement, RequirementError, parse_legacy

# Beyond so many requirements, or characters of them, some 10 ms are spent on their markers: not on the event loop.
AT_ONCE = 500
AT_ONCE_TEXT = 32 * 1024
_EXTRA = re.compile(r"""\bextra [!=]= ("[^"]*"|'[^']*')""")  # as ``packaging`` prints it
MAX_PLACES = 64  # targets and regions remembered per release; a universal lock has some ten

_Possible = tuple[tuple[Requirement, ...], bool]
"""Requirements, and whether they apply in every place."""


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
    _common: dict[tuple[EnvironmentSet, str | None], tuple[Requirement, ...] | None] = field(
        default_factory=dict, repr=False
    )
    """By the environments of a whole lock: what applies in each region of it; None where that differs."""
    _possible: dict[str | None, _Possible] = field(default_factory=dict, repr=False)
    """What may apply without extras, or with this one."""
    _by_extra: dict[str, list[Requirement]] = field(default_factory=dict, repr=False)
    """Extra → the requirements whose markers name it; under ``""`` those of which that is not clear."""

    @property
    def is_long(self) -> bool:
        """Whether to go through all requirements takes more than a moment."""
        return len(self.requires) > AT_ONCE or sum(map(len, self.core.requires_dist)) > AT_ONCE_TEXT

    def is_large(self, place: Place, extra: str | None) -> bool:
        """Whether :meth:`active` would take more than a moment."""
        if not self.is_long:
            return False
        if self._everywhere_known(extra) is not None or (place.key, extra) in self._active:
            return False
        return isinstance(place, Target) or self._common.get((place.whole, extra)) is None

    def active(self, place: Place, extra: str | None) -> tuple[Requirement, ...]:
        """Requirements that apply in ``place``: without extras, or those that ``extra`` adds."""
        possible, is_everywhere = self._possible.get(extra) or self._find_possible(extra)
        if is_everywhere:
            return possible
        if not isinstance(place, Target) and (common := self._in_all(possible, place.whole, extra)) is not None:
            return common
        key = (place.key, extra)
        found = self._active.get(key)
        if found is None:
            if len(self._active) >= MAX_PLACES:
                self._active.clear()
            found = self._active[key] = tuple([one for one in possible if _applies(one, place, extra)])
        return found

    def everywhere(self, extra: str | None) -> tuple[Requirement, ...] | None:
        """What :meth:`active` answers for every place; None where markers have to be asked."""
        possible, is_everywhere = self._possible.get(extra) or self._find_possible(extra)
        return possible if is_everywhere else None

    def common(self, place: Place, extra: str | None) -> tuple[Requirement, ...] | None:
        """What :meth:`active` answers for each region of the lock that ``place`` is one of; None where they may differ.

        Each requirement applies in all environments of the lock, or in none that anybody has. For a target it is what
        :meth:`everywhere` says.
        """
        possible, is_everywhere = self._possible.get(extra) or self._find_possible(extra)
        if is_everywhere:
            return possible
        return None if isinstance(place, Target) else self._in_all(possible, place.whole, extra)

    def _in_all(
        self, possible: Iterable[Requirement], whole: EnvironmentSet, extra: str | None
    ) -> tuple[Requirement, ...] | None:
        key = (whole, extra)
        try:
            return self._common[key]
        except KeyError:
            pass
        if len(self._common) >= MAX_PLACES:
            self._common.clear()
        found = self._common[key] = _common(possible, whole, extra)
        return found

    def _everywhere_known(self, extra: str | None) -> tuple[Requirement, ...] | None:
        possible, is_everywhere = self._possible.get(extra, ((), False))
        return possible if is_everywhere else None

    def _find_possible(self, extra: str | None) -> _Possible:
        possible: list[Requirement] = []
        is_everywhere = True
        for one in self.requires if extra is None else self._conditional(extra):
            marker = one.marker_text
            if marker is None:
                if extra is None:
                    possible.append(one)
                continue
            alone = lone_extra(marker)  # of most metadata most requirements have such a marker
            if alone is None:
                is_everywhere = False
                possible.append(one)
            elif alone == extra:
                possible.append(one)
        if len(self._possible) >= MAX_PLACES:
            self._possible.clear()
        found = self._possible[extra] = tuple(possible), is_everywhere
        return found

    def _conditional(self, extra: str) -> list[Requirement]:
        """The requirements that ``extra`` may add: with thousands of extras nobody looks at all of them for each."""
        if not self._by_extra:
            found: dict[str, list[Requirement]] = {"": []}
            for one in self.requires:
                if one.marker_text is not None and mentions_extra(one.marker_text):
                    for name in _extras(one.marker_text):
                        found.setdefault(name, []).append(one)
            self._by_extra.update(found)  # in one step: a thread may be at it, too
        named, unclear = self._by_extra.get(extra), self._by_extra[""]
        if not named or not unclear:
            return named or unclear
        kept = {*named, *unclear}
        return [one for one in self.requires if one in kept]


def _extras(marker: str) -> Iterable[str]:
    """The extras that decide a marker, by their normal names; ``""`` where it does more than compare with them."""
    named = [canonicalize_name(one.strip("'\"")) for one in _EXTRA.findall(marker)]
    return dict.fromkeys(named) if len(named) == marker.count("extra") else ("",)


def _applies(requirement: Requirement, place: Place, extra: str | None) -> bool:
    """Whether what is possible with ``extra`` applies in the place."""
    if not isinstance(place, Target):
        return is_somewhere(place.space & _where(requirement, extra))
    marker = requirement.marker_text
    if marker is None or lone_extra(marker) is not None:
        return True  # the extra in question: others are not possible
    if extra is None:
        return evaluate(marker, place)
    return mentions_extra(marker) and evaluate(marker, place, (extra,)) and not evaluate(marker, place)


def _common(
    possible: Iterable[Requirement], whole: EnvironmentSet, extra: str | None
) -> tuple[Requirement, ...] | None:
    """What applies in all of a lock's environments, where the rest applies in none of them."""
    found: list[Requirement] = []
    for one in possible:
        where = _where(one, extra)
        if where is ALL or whole.implies(where):
            found.append(one)
        elif is_somewhere(whole & where):
            return None
    return tuple(found)


def _where(requirement: Requirement, extra: str | None) -> EnvironmentSet:
    """Where what is possible with ``extra`` applies, and would not without it."""
    marker = requirement.marker_text
    if marker is None or lone_extra(marker) is not None:
        return ALL
    if extra is not None and not mentions_extra(marker):
        return NOTHING
    space = from_marker(marker)
    # It may hold here without the extra and there with it.
    return space.without_extras() if extra is None else space.without_extras((extra,)) - space.without_extras()


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
