"""What filters left of a page beyond the process: a restart so looks at no signature of it.

A record belongs to the record of the page, and to everything else that a selection follows from: the target, as it is
worded, and the filter. Only filters that a page alone decides leave one: what counts by upload time, hash or pin is
seldom asked for twice.
"""

from __future__ import annotations

from functools import partial

import msgpack

from ..environment.place import Place
from ..environment.target import Target
from ..provider.policy import Filter
from ..provider.selection import Selection
from ..solver import Exclusion
from .fact_store import LAYOUT, UNREADABLE, Records, pack_mask, unpack_mask


class Selections:
    """The selections of one page."""

    __slots__ = ("_key", "_records")

    def __init__(self, records: Records, key: tuple[str, ...]) -> None:
        """``key`` is what the record of the page is known by."""
        self._records = records
        self._key = key

    def recall(self, place: Place, allowed: Filter) -> Selection | None:
        """Return what an earlier process kept; None where there is nothing."""
        key = self._of(place, allowed)
        record = None if key is None else self._records.get(*key)
        try:
            return None if record is None else _unpack(record)
        except UNREADABLE:
            return None

    def keep(self, place: Place, allowed: Filter, selection: Selection) -> None:
        """Let later processes know ``selection``."""
        key = self._of(place, allowed)
        if key is not None:
            self._records.put(partial(_pack, selection), *key)

    def _of(self, place: Place, allowed: Filter) -> tuple[str, ...] | None:
        if not isinstance(place, Target) or allowed.exclude_newer is not None or allowed.yanked_pins or allowed.hashes:
            return None
        told = "".join("01"[one] for one in (allowed.wheels, allowed.sdists, allowed.prereleases))
        # Reasons name the platform as the caller does, and Python as its marker does.
        return ("selection", LAYOUT, *self._key, place.key, place.platform, place.python, told)


def _pack(selection: Selection) -> bytes:
    """Pack a selection of a filter that does not look at upload times."""
    excluded = [(pack_mask(one.mask), one.kind, one.detail) for one in selection.exclusions]
    packed: bytes = msgpack.packb((pack_mask(selection.usable), excluded))
    return packed


def _unpack(record: bytes) -> Selection:
    usable, excluded = msgpack.unpackb(record)
    exclusions = [Exclusion(unpack_mask(mask), kind, detail) for mask, kind, detail in excluded]
    return Selection(unpack_mask(usable), tuple(exclusions), 0)
