"""What fits a place: what was found out about tags, Requires-Python and signatures. Projects resemble each other."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from contextlib import suppress

from ..environment.place import Place, rank, requires_python_admits
from ..index.packed import Key
from ..index.page import File, Signature
from . import mismatch
from .faults import HASHES, NO_BUILD, NO_FILE, PYTHON, Fault
from .policy import Filter

MAX_PLACES = 48  # from which what was seen is remembered, some 500 kB each; the least recently used goes first
MAX_SEEN = 20_000  # tags, specifiers, signatures per place; those of a whole large index are some thousands


class Sight:
    """What was found out from one place, or from places that the same files fit. Made by :func:`sight` only."""

    __slots__ = ("_mismatches", "_place", "misfits", "pythons", "signatures", "tagged")

    def __init__(self, place: Place) -> None:
        self._place = place
        self._mismatches: dict[str, Fault] = {}
        """By what tells of tags that do not fit, why not."""
        self.pythons: dict[str | None, Fault] = {None: None}
        """Of each Requires-Python, why it does not admit the place."""
        self.tagged: dict[str | None, bool] = {None: True}
        """Of each tag set, whether its wheels can be installed in the place; an sdist has none, and can."""
        self.signatures: dict[tuple[bool, bool], dict[Signature, Fault]] = {}
        """By what may be used: wheels, sdists."""
        self.misfits: dict[tuple[bool, bool], dict[Key, tuple[str, str]]] = {}
        """Likewise, of what stands in signatures of which nothing fits."""

    def python(self, specifier: str) -> Fault:
        """What :attr:`pythons` has of ``specifier``, found out if need be."""
        try:
            return self.pythons[specifier]
        except KeyError:
            pass
        if len(self.pythons) >= MAX_SEEN:
            self.pythons.clear()
            self.pythons[None] = None
        fault = None if requires_python_admits(specifier, self._place) else (PYTHON, specifier)
        self.pythons[specifier] = fault
        return fault

    def fits(self, tags: str) -> bool:
        """What :attr:`tagged` has of ``tags``, found out if need be."""
        found = self.tagged.get(tags)
        if found is None:
            if len(self.tagged) >= MAX_SEEN:
                self.tagged.clear()
                self.tagged[None] = True
            found = self.tagged[tags] = rank(tags, self._place) is not None
        return found

    def tags(self, tags: str) -> Fault:
        """Why wheels with ``tags`` cannot be installed in the place."""
        if self.fits(tags):
            return None
        telling = mismatch.telling(tags, self._place)
        fault = self._mismatches.get(telling)
        if fault is None:
            if len(self._mismatches) >= MAX_SEEN:
                self._mismatches.clear()
            fault = self._mismatches[telling] = NO_FILE, mismatch.reason(tags, self._place)
        return fault

    def fault(self, tags: str | None, requires_python: str | None, allowed: Filter) -> Fault:
        """Why a file with these tags (None: an sdist) does not fit; all that a signature can tell."""
        if tags is None:
            if not allowed.sdists:
                return (NO_BUILD, "has no wheels though only wheels may be used")
        elif not allowed.wheels:
            return (NO_FILE, "has only wheels, which no_binary leaves out")
        fault = None if requires_python is None else self.python(requires_python)
        return self.tags(tags) if fault is None and tags is not None else fault

    def file_fault(self, file: File, allowed: Filter) -> Fault:
        """Why ``file`` cannot be used, as (kind, detail); None when it can."""
        if not allowed.admits_hashes(file):
            return (HASHES, "has none of the hashes that your requirements give")
        return self.fault(file.tags, file.requires_python, allowed)


_SEEN: OrderedDict[Hashable, Sight] = OrderedDict()


def sight(place: Place) -> Sight:
    """What was found out from ``place``."""
    key = place.fit_key
    seen = _SEEN.get(key)
    if seen is None:
        while len(_SEEN) >= MAX_PLACES:
            _SEEN.popitem(last=False)
        seen = _SEEN[key] = Sight(place)
    else:
        with suppress(KeyError):  # a thread may have made room meanwhile
            _SEEN.move_to_end(key)
    return seen
