"""Universal solves that earlier queries made, for those that would make the same.

A universal lock takes tens of solves, and a query often differs from an earlier one in nothing that they look at: in
its budget, its outputs, or a constraint that admits every version that was a candidate. Then the regions are those of
the earlier query. That it looked at the same pages is seen by their identity, so what one credential may see answers
nobody else.

Not kept is what rests on a file that a caller named by URL, and what met a conflict that left no answer for a part: its
proof may name any constraint.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import is_

from .environment.region import Region
from .model import IndexStrategy, Notice, Query, RegionResolution, Stated, Universal
from .parts import first_parts
from .provider.candidates import Project, select
from .provider.policy import Policies
from .provider.versions import exact_pin, mentions_prerelease
from .session import Session

MAX_KEPT = 16  # queries: the regions of a large lock take some 400 kB
MAX_ALIKE = 4  # that differ in their bounds only

PageName = tuple[str, str | None]
"""(project, index that it is pinned to)."""
_Bounds = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Precedent:
    """What an earlier query was answered with, and what that rests on."""

    regions: tuple[RegionResolution, ...]
    notices: tuple[Notice, ...]
    pages: Mapping[PageName, tuple[Project, ...]]
    """All that were looked at."""
    bounds: _Bounds
    divided: frozenset[str]
    """Names of projects the requirements on which divided a region: there bounds decide which part comes first."""
    decisions: int
    until: float
    """Monotonic seconds: files that were absent may come."""
    stands: Callable[[], bool]
    """Whether none of them has come before."""


_kept: OrderedDict[Hashable, list[Precedent]] = OrderedDict()


class Precedents:
    """Those of one query."""

    def __init__(self, query: Query, universal: Universal, session: Session) -> None:
        self._query = query
        self._universal = universal
        self._session = session
        bounds: dict[str, tuple[str, ...]] = {}
        others: list[Stated] = []
        for stated in query.constraints:
            requirement = stated.requirement
            if _is_bound(stated):
                bounds[requirement.name] = (*bounds.get(requirement.name, ()), requirement.specifier)
            else:
                others.append(stated)
        self._bounds: _Bounds = bounds
        self._key: Hashable = (
            universal,
            query.options,
            tuple([(index.name, index.url) for index in query.indexes]),
            _told(query.requirements),
            _told(others),
            _told(query.overrides),
            query.excludes,
            query.preferences,
            query.regions,
        )
        ages = [query.options.release_age, *(one.release_age for one in query.options.packages.values())]
        self._is_usual = (
            not query.refresh
            and query.options.index_strategy is IndexStrategy.FIRST_INDEX
            and all(age is None for age in ages)  # what an age admits changes by itself
        )

    def find(self) -> Precedent | None:
        """The precedent that answers the query, if there is one."""
        alike = _kept.get(self._key, []) if self._is_usual else []
        for precedent in alike:
            in_time = precedent.until > self._session.now and precedent.stands()
            if in_time and precedent.decisions <= self._query.budget.decisions and self._applies(precedent):
                alike.remove(precedent)
                alike.insert(0, precedent)
                _kept.move_to_end(self._key)
                return precedent
        return None

    def _applies(self, precedent: Precedent) -> bool:
        known = self._session.known_projects
        if not all(_is_same(known(*name), pages) for name, pages in precedent.pages.items()):
            return False
        ours, theirs = self._bounds, precedent.bounds
        changed = [name for name in {**ours, **theirs} if ours.get(name) != theirs.get(name)]
        if not changed:
            return True
        whole, _ = first_parts(self._universal, ())
        everywhere = Region(whole, whole)  # whatever is a candidate in a part is one here
        policies = Policies(self._query, everywhere, {}, {})
        for name in changed:
            pages = precedent.pages.get((name, policies.index(name)), ())
            if not pages:
                continue  # nothing required it
            if name in precedent.divided:
                return False
            project = pages[0]
            candidates = select(project, everywhere, policies.filter(name)).usable
            differing = _mask(project, ours.get(name, ())) ^ _mask(project, theirs.get(name, ()))
            if candidates & differing:
                return False
        return True

    def keep(
        self,
        regions: tuple[RegionResolution, ...],
        notices: Iterable[Notice],
        *,
        divided: frozenset[str],
        decisions: int,
    ) -> None:
        """Keep what the query was answered with, for those that follow."""
        until = self._session.holds_until
        if not self._is_usual or until <= self._session.now:
            return
        pages: dict[PageName, tuple[Project, ...]] = {}
        for name in self._session.relied:
            known = self._session.known_projects(*name)
            if known is None:
                return
            pages[name] = known
        alike = _kept.setdefault(self._key, [])
        alike.insert(
            0, Precedent(regions, tuple(notices), pages, self._bounds, divided, decisions, until, self._session.stands)
        )
        del alike[MAX_ALIKE:]
        _kept.move_to_end(self._key)
        while sum(map(len, _kept.values())) > MAX_KEPT:
            oldest = next(iter(_kept))
            _kept[oldest].pop()
            if not _kept[oldest]:
                del _kept[oldest]


def _is_bound(stated: Stated) -> bool:
    """Whether a constraint does nothing but take versions away, and everywhere."""
    requirement = stated.requirement
    return (
        requirement.marker_text is None
        and requirement.url is None
        and not stated.hashes
        and exact_pin(requirement.specifier) is None
        and not mentions_prerelease(requirement.specifier)
    )


def _is_same(known: tuple[Project, ...] | None, pages: tuple[Project, ...]) -> bool:
    return known is not None and len(known) == len(pages) and all(map(is_, known, pages))


def _told(statements: Iterable[Stated]) -> Hashable:
    return tuple([(stated.requirement, stated.origin, stated.hashes) for stated in statements])


def _mask(project: Project, specifiers: Sequence[str]) -> int:
    mask = project.versions.all
    for specifier in specifiers:
        mask &= project.versions.mask(specifier)
    return mask
