"""Which cutoffs admit the same files of a project: between two uploads it does not matter when the limit is.

A limit on upload times that is an age is another instant with each request. What a project looks like under it changes
only when it passes the upload of one of the project's files. So a limit is put down to the upload before it: requests
that see the same files share what was seen, and where every file is old enough, with requests without a limit.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from ..index.page import ProjectPage
from .candidates import Project
from .dating import instant
from .standpoint import Standpoint, standpoint

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_BEGINNING = datetime.min.replace(tzinfo=UTC)
_END = datetime.max.replace(tzinfo=UTC)


class Uploads:
    """From which limit on each file of a page counts, ascending; in microseconds since the epoch."""

    __slots__ = ("_bounds", "_is_open")

    def __init__(self, page: ProjectPage) -> None:
        """Read a page whose first sightings, where they matter, have been told."""
        bounds: set[int] = set()
        self._is_open = False
        for filename, text, sightings in page.uploads():
            uploaded = instant(text) if text else None
            if uploaded is not None and uploaded < _END:
                bounds.add((uploaded - _EPOCH) // _TICK + 1)  # it counts under later limits, not under its own
            elif uploaded is None and (seen := None if sightings is None else sightings.of(filename)) is not None:
                bounds.add((seen - _EPOCH) // _TICK)
            else:
                self._is_open = True  # nothing is known of it, or it is of the end of time: it counts under no limit
        self._bounds = array("q", sorted(bounds))

    def around(self, limit: datetime) -> tuple[datetime | None, timedelta | None]:
        """The earliest limit that admits what ``limit`` does, and how much later one would admit more.

        None in place of the first: it admits every file, as no limit would; of the second: no later one admits more.
        """
        ticks = (limit - _EPOCH) // _TICK
        at = bisect_right(self._bounds, ticks)
        if at == len(self._bounds):
            if not self._is_open:
                return None, None
            later = None
        else:
            later = (self._bounds[at] - ticks) * _TICK
        return (_EPOCH + self._bounds[at - 1] * _TICK if at else _BEGINNING), later


def put_down(seen_from: Standpoint, project: Project) -> tuple[Standpoint, timedelta | None]:
    """The standpoint from which ``project``, of one index, looks the same, and shares with the most others.

    The second is how much later its limit on upload times would have to be to admit more; None where nothing would.
    """
    limit = seen_from.filter.exclude_newer
    if limit is None:
        return seen_from, None
    if not project.uploads:
        project.uploads.append(Uploads(project.page))
    known = project.uploads[0]
    assert isinstance(known, Uploads)
    earliest, later = known.around(limit)
    if earliest == limit:
        return seen_from, later
    allowed = replace(seen_from.filter, exclude_newer=earliest)
    return standpoint(seen_from.place, allowed, seen_from.order, seen_from.constraints), later
