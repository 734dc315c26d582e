"""The releases of a project as a version table for the solver: masks, reasons, and which to try first.

A release is a candidate when one of its files is. What is not a candidate is not left out: it stays in the table
with the reason as an :class:`~resolver.solver.Exclusion`, so that an explanation can name it.
Filtering looks at a release's *signature* (tags, requires-python, yanked) and is remembered per project, target
and filter: a second request costs dictionary look-ups.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from ..environment.place import Place
from ..index.packed import Key
from ..index.page import ProjectPage, Release, Signature
from ..solver import Exclusion
from . import dating
from .faults import PRERELEASE, TOO_NEW, YANKED, Fault, listed, worst
from .policy import Filter, Order
from .selection import KeptSelections, Selection
from .sight import MAX_SEEN, sight
from .uniformity import uniformity
from .versions import VersionList
from .views import Views

MAX_PREFERRING = 16  # per table: what earlier parts of a universal lock chose; some 200 bytes each
MAX_AT_ONCE = 2_000  # releases that are examined one by one, some 5 µs each; a signature takes ten times as long
MAX_SELECTIONS = 64  # per project: targets, regions and dates; some hundred bytes and two masks each


@dataclass(frozen=True, slots=True)
class Project:
    """A project page that answered for a name, with its versions sorted into bits; or those of several indexes."""

    name: str
    index_name: str
    index_url: str
    page: ProjectPage
    versions: VersionList
    sources: tuple[Project, ...] = ()
    """Of a merged project: whose page each release stands on. Empty: all on this one."""
    tiers: tuple[int, ...] = ()
    """Masks of versions, each to be tried before the next. Empty: there is no such order."""
    selections: dict[tuple[Hashable, Filter], Selection] = field(default_factory=dict, repr=False, compare=False)
    """What filters left of it, per place: a request that filters as an earlier one did finds the masks here."""
    outlooks: dict[Hashable, object] = field(default_factory=dict, repr=False, compare=False)
    """How it looks from the standpoints of earlier requests: see :mod:`.outlook`, which alone reads and writes it."""
    pins: dict[Hashable, object] = field(default_factory=dict, repr=False, compare=False)
    """Pins of its versions by their content; likewise."""
    kept: KeptSelections | None = field(default=None, repr=False, compare=False)
    """What filters left of it in earlier processes; None: nobody keeps that."""
    views: Views | None = field(default=None, repr=False, compare=False)
    """Those of all projects that stay in memory, if this is one."""
    uploads: list[object] = field(default_factory=list, repr=False, compare=False)
    """When its files were uploaded, once that was asked: see :mod:`.cutoffs`, which alone reads and writes it."""

    def release(self, bit: int) -> Release:
        """The release of bit ``bit`` (from 1)."""
        return self.page.releases[bit - 1]

    def source(self, bit: int) -> Project:
        """The project, of one index, that the release of bit ``bit`` is of."""
        return self.sources[bit - 1] if self.sources else self


_UNKNOWN = ("unknown", "")


class Filtering:
    """Filters the releases of one project for one target; the memo makes equal signatures cost one look."""

    def __init__(self, place: Place, allowed: Filter) -> None:
        self._place = place
        self._allowed = allowed
        self._seen = sight(place)
        usable = allowed.wheels, allowed.sdists
        self._memo = self._seen.signatures.setdefault(usable, {})
        self._misfits = self._seen.misfits.setdefault(usable, {})

    def fault(self, release: Release) -> tuple[str, str] | None:
        """Why no file of ``release`` can be used, as (kind, detail); None when one can."""
        allowed = self._allowed
        if allowed.exclude_newer is not None or allowed.hashes or allowed.admits_yanked(release):
            return self._examine(release)  # these look at more of a file than its signature
        fault = self._of_signature(release.signature)
        # Reasons for yanking are not in the signature.
        return (YANKED, listed(sorted(release.yanked_reasons))) if fault is not None and fault[0] == YANKED else fault

    def faults(self, signature: Signature, mask: int, project: Project) -> Iterator[tuple[tuple[str, str], int]]:
        """Which releases of ``mask``, all with ``signature``, have what fault; those without one are left out."""
        allowed = self._allowed
        if allowed.exclude_newer is None and not allowed.hashes:
            pinned = 0
            for version in allowed.yanked_pins:
                bit = project.versions.exact(version)
                pinned |= 0 if bit is None else 1 << bit
            pinned &= mask
            fault = self._of_signature(signature)
            if fault is None or fault[0] != YANKED:
                if fault is not None and mask != pinned:
                    yield fault, mask & ~pinned
                mask = pinned
        for bit in project.versions.select(mask):
            found = self.fault(project.release(bit))
            if found is not None:
                yield found, 1 << bit

    def _of_signature(self, signature: Signature) -> tuple[str, str] | None:
        if signature in self._memo:
            return self._memo[signature]
        if len(self._memo) >= MAX_SEEN:
            self._memo.clear()
        fault = self._memo[signature] = self._examine_signature(signature)
        return fault

    def _examine_signature(self, signature: Signature) -> Fault:
        # What fits is found first, without words: pages list hundreds of thousands of files, and most releases fit.
        pythons, tagged, allowed = self._seen.pythons, self._seen.tagged, self._allowed
        for tags, requires_python, is_yanked in signature:
            if is_yanked or not (allowed.sdists if tags is None else allowed.wheels):
                continue
            fits = tagged.get(tags)
            if fits is None:
                assert tags is not None
                fits = self._seen.fits(tags)
            if not fits:
                continue
            fault = pythons.get(requires_python, _UNKNOWN)
            if fault is _UNKNOWN:
                assert requires_python is not None
                fault = self._seen.python(requires_python)
            if fault is None:
                return None
        return worst([*{self._misfits.get(key) or self._misfit(key) for key in signature}])

    def _misfit(self, key: Key) -> tuple[str, str]:
        """Why files with ``key``, of which none fits, do not."""
        tags, requires_python, is_yanked = key
        found = (YANKED, "") if is_yanked else self._seen.fault(tags, requires_python, self._allowed) or _UNKNOWN
        if len(self._misfits) >= MAX_SEEN:
            self._misfits.clear()
        self._misfits[key] = found
        return found

    def _examine(self, release: Release) -> tuple[str, str] | None:
        files = release.files
        limit = self._allowed.exclude_newer
        opted_in = self._allowed.admits_yanked(release)
        faults: list[tuple[str, str]] = []
        for file in files:
            fault: tuple[str, str] | None
            if limit is not None and dating.is_too_new(file, release, limit):
                fault = (TOO_NEW, dating.exclusion(file, release))
            elif file.yanked is not None and not opted_in:
                fault = (YANKED, file.yanked)
            else:
                fault = self._seen.file_fault(file, self._allowed)
            if fault is None:
                return None
            faults.append(fault)
        return worst(faults)


def select(project: Project, place: Place, allowed: Filter) -> Selection:
    """Apply ``allowed`` to every release of ``project``."""
    found = _found(project, place, allowed)
    if found is None:
        found = _remember(project, place.fit_key, allowed, _select(project, place, allowed))
        alike = uniformity(place)
        if alike is not None and alike.holds([one for one, _ in project.page.signatures()], allowed):
            _remember(project, alike, allowed, found)
    return found


def select_or_recall(project: Project, place: Place, allowed: Filter) -> Selection:
    """The same by what an earlier process found, where that is kept; for the event loop only."""
    found = _known(project, place, allowed)
    if found is None:
        found = keep_selection(project, place, allowed, select(project, place, allowed))
    return found


def keep_selection(project: Project, place: Place, allowed: Filter, found: Selection) -> Selection:
    """Let later processes know what :func:`select` found; for the event loop only."""
    if project.kept is not None:
        project.kept.keep(place, allowed, found)
    return found


def _known(project: Project, place: Place, allowed: Filter) -> Selection | None:
    found = _found(project, place, allowed)
    if found is None and project.kept is not None:
        found = project.kept.recall(place, allowed)
        if found is not None:
            _remember(project, place.fit_key, allowed, found)
    return found


def _found(project: Project, place: Place, allowed: Filter) -> Selection | None:
    """What was found out for the place, or for another where nothing of it would be otherwise."""
    found = project.selections.get((place.fit_key, allowed))
    if found is None and (alike := uniformity(place)) is not None:
        found = project.selections.get((alike, allowed))
        if found is not None:
            _remember(project, place.fit_key, allowed, found)
    return found


def _remember(project: Project, places: Hashable, allowed: Filter, found: Selection) -> Selection:
    if len(project.selections) >= MAX_SELECTIONS:
        project.selections.clear()
    project.selections[places, allowed] = found
    return found


def takes_long(project: Project, place: Place, allowed: Filter) -> bool:
    """Whether :func:`select` would take more than some 10 ms: pages are what indexes make them."""
    examined = project.versions.count if allowed.exclude_newer is not None or allowed.hashes else 0
    is_much = project.page.variety * 10 + examined > MAX_AT_ONCE
    return is_much and _known(project, place, allowed) is None


def _select(project: Project, place: Place, allowed: Filter) -> Selection:
    filtering = Filtering(place, allowed)
    masks: dict[tuple[str, str], int] = {}
    for signature, mask in project.page.signatures():
        for fault, releases in filtering.faults(signature, mask, project):
            masks[fault] = masks.get(fault, 0) | releases
    # in the order in which a walk over the releases would have met them
    grouped = dict(sorted(masks.items(), key=lambda item: item[1] & -item[1]))
    undated = 0
    for (kind, detail), mask in grouped.items():
        if kind == TOO_NEW and dating.is_undated(detail):
            undated |= mask
    every = project.versions.all
    excluded = 0
    for mask in grouped.values():
        excluded |= mask
    if not allowed.prereleases and (early := project.versions.prereleases & ~excluded):
        grouped[PRERELEASE, "pre-releases are not allowed"] = early
        excluded |= early
    exclusions = tuple(Exclusion(mask, kind, detail) for (kind, detail), mask in grouped.items())
    seen = [at for one in exclusions if one.kind == TOO_NEW and (at := dating.sighting(one.detail)) is not None]
    return Selection(every & ~excluded, exclusions, undated, (min(seen), max(seen)) if seen else None)


C = TypeVar("C", bound="Candidates")


class Candidates:
    """A :class:`resolver.solver.VersionTable`: one package's versions in one query and target."""

    __slots__ = (
        *("_exclusions", "_first", "_lowest", "_masks", "_preferred", "_preferring", "_stable", "_tiers"),
        *("count", "project", "usable", "versions"),
    )

    def __init__(
        self,
        project: Project | None,
        versions: VersionList,
        selection: Selection,
        order: Order,
        extra: Sequence[Exclusion] = (),
    ) -> None:
        """``project`` is None for a name that no index knows; ``extra`` holds exclusions by constraints."""
        self.project = project
        self.versions = versions
        self._masks = versions.masks
        self.count = versions.count
        excluded = 0
        for exclusion in extra:
            excluded |= exclusion.mask
        self.usable = selection.usable & ~excluded
        self._exclusions = (*selection.exclusions, *extra)
        self._lowest = order.lowest
        self._stable = ~versions.prereleases if order.stable_first else -1
        self._tiers = project.tiers if project is not None else ()
        self._preferred: tuple[int, ...] = ()
        self._preferring: dict[tuple[tuple[str, ...], tuple[str, ...]], Candidates] | None = None
        self._first: int | None = None

    def mask(self, key: Hashable) -> int:
        """Versions that ``key`` admits: a bit number, or specifier text."""
        found = self._masks.get(key)
        if found is None:
            found = 1 << key if isinstance(key, int) else self.versions.mask(str(key))
        return found

    def choose(self, allowed: int) -> int:
        """The bit to try among ``allowed``: preferred, then by tier, stable before pre-releases, highest or lowest."""
        fit = allowed & self.usable or allowed
        if self._preferred and (preferred := next((one for one in self._preferred if fit & one), 0)):
            return preferred.bit_length() - 1
        if self._tiers:
            fit = next((of_tier for tier in self._tiers if (of_tier := fit & tier)), fit)
        fit = fit & self._stable or fit
        if self._lowest:
            return (fit & -fit).bit_length() - 1
        return fit.bit_length() - 1

    @property
    def first(self) -> int:
        """What is tried of all candidates; 0 where there is none."""
        if self._first is None:
            self._first = self.choose(self.usable) if self.usable else 0
        return self._first

    def exclusions(self) -> Sequence[Exclusion]:
        """What is not a candidate, and why."""
        return self._exclusions

    def describe(self, mask: int) -> str:
        """Words for a set of versions."""
        return self.versions.describe(mask)

    def preferring(self, versions: tuple[str, ...], kept: tuple[str, ...] = ()) -> Candidates:
        """The same table with versions (canonical text) to try before all others, best first.

        A pre-release is no example where stable versions come first, unless an earlier lock has it (``kept``).
        """
        known = self._preferring = self._preferring or {}
        if (copy := known.get((versions, kept))) is None:
            if len(known) >= MAX_PREFERRING:
                known.clear()
            copy = known[versions, kept] = self.copy_as(Candidates)
            masks = [(1 << bit, text) for text in versions if (bit := self.versions.exact(text)) is not None]
            copy._preferred = tuple(mask for mask, text in masks if mask & self._stable or text in kept)  # noqa: SLF001
            copy._first = copy._preferring = None  # noqa: SLF001 - a copy of our own
        return copy

    def copy_as(self, kind: type[C]) -> C:
        """The same versions under another table type."""
        copy = kind.__new__(kind)
        for slot in Candidates.__slots__:
            setattr(copy, slot, getattr(self, slot))
        return copy
