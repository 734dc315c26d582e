"""The releases of a project page as they are kept: a few long strings, and a release made when it is asked for.

A resolve looks at the signatures of thousands of releases and at the files of a few. So a page keeps the spellings of
its versions, one table of distinct signatures, and the rows of all files in one piece; a page of three thousand
versions is read back in a fraction of a millisecond. Nobody can tell the difference from a tuple of releases.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import accumulate
from typing import overload

from .release import Release, Signature
from .sightings import Sightings

MAX_REMEMBERED = 100_000  # distinct signatures in the process; some hundred bytes each

Key = tuple[str | None, str | None, bool]

_SIGNATURES: dict[Signature, Signature] = {}
_KEYS: dict[Key, Key] = {}


def shared(keys: Iterable[Key]) -> Signature:
    """Return the signature of ``keys``: for equal ones the same object, as pages repeat each other."""
    signature = frozenset(keys)
    known = _SIGNATURES.get(signature)
    if known is None:
        signature = frozenset([_KEYS.setdefault(key, key) for key in signature])
        if len(_SIGNATURES) >= MAX_REMEMBERED or len(_KEYS) >= MAX_REMEMBERED:
            _SIGNATURES.clear()
            _KEYS.clear()
        known = _SIGNATURES[signature] = signature
    return known


Rows = Callable[[int], bytes]
"""The packed files of the release at a place, where they are read only when they are asked for."""


def _signature(signatures: Sequence[Signature], runs: array[int], place: int) -> Signature:
    run = bisect_right(runs[::2], place)
    return signatures[runs[2 * run + 1]]


class PackedReleases(Sequence[Release]):
    """Releases that ascend by version."""

    __slots__ = ("_ends", "_made", "_rows", "_runs", "_sightings", "signatures", "texts")

    def __init__(
        self,
        texts: tuple[str, ...],
        signatures: Sequence[Signature],
        runs: array[int],
        rows: bytes | Rows,
        ends: array[int],
        sightings: Sightings | None = None,
    ) -> None:
        """Take the parts as they are.

        Args:
            texts: canonical spellings, strictly ascending by version.
            signatures: those that occur, each once.
            runs: neighbours have the same signature, nearly always: where each run of them ends, and the position of
                its signature, in turns.
            rows: the packed files of all releases (see :data:`~.release.PACKED_FIELDS`), UTF-8, one after another.
            ends: for each release where its rows end.
            sightings: of the page, where a file gives no upload time.
        """
        self.texts = texts
        self.signatures = signatures
        self._runs = runs
        self._rows = rows
        self._ends = ends
        self._sightings = sightings
        self._made: dict[int, Release] = {}

    @classmethod
    def of(cls, releases: Sequence[tuple[str, str, Signature]], sightings: Sightings | None = None) -> PackedReleases:
        """Pack (spelling, rows, signature) of each release, ascending."""
        places: dict[Signature, int] = {}
        runs, last = array("I"), -1
        for number, (_, _, signature) in enumerate(releases, 1):
            place = places.setdefault(signature, len(places))
            if place == last:
                runs[-2] = number
            else:
                runs.extend((number, place))
                last = place
        rows = [packed for _, packed, _ in releases]
        text = "".join(rows)
        sizes = map(len, rows) if text.isascii() else [len(row.encode("utf-8", "surrogatepass")) for row in rows]
        ends, body = array("I", accumulate(sizes)), text.encode("utf-8", "surrogatepass")
        return cls(tuple([text for text, _, _ in releases]), tuple(places), runs, body, ends, sightings)

    @property
    def parts(self) -> tuple[array[int], bytes | Rows, array[int]]:
        """What the constructor was given as ``runs``, ``rows`` and ``ends``."""
        return self._runs, self._rows, self._ends

    def read_rows(self, rows: Rows) -> None:
        """Have the packed files read by ``rows`` from now on, and hold them no longer."""
        self._rows = rows

    def masks(self) -> list[tuple[Signature, int]]:
        """For each signature the releases that have it: bit i + 1 for the i-th release."""
        masks = [0] * len(self.signatures)
        start, runs = 0, self._runs
        for end, place in zip(runs[::2], runs[1::2], strict=True):
            masks[place] |= (1 << end + 1) - (1 << start + 1)
            start = end
        return list(zip(self.signatures, masks, strict=True))

    def packed(self) -> Iterator[str]:
        """The packed files of each release."""
        return map(self._packed, range(len(self.texts)))

    def _packed(self, place: int) -> str:
        rows = self._rows
        if isinstance(rows, bytes):
            start = self._ends[place - 1] if place else 0
            return rows[start : self._ends[place]].decode("utf-8", "surrogatepass")
        return rows(place).decode("utf-8", "surrogatepass")

    def __len__(self) -> int:
        return len(self.texts)

    @overload
    def __getitem__(self, at: int) -> Release: ...

    @overload
    def __getitem__(self, at: slice) -> tuple[Release, ...]: ...

    def __getitem__(self, at: int | slice) -> Release | tuple[Release, ...]:
        if isinstance(at, slice):
            return tuple([self[one] for one in range(len(self.texts))[at]])
        release = self._made.get(at)
        if release is None:
            place = range(len(self.texts))[at]  # raises IndexError, and counts from the end
            packed = self._packed(place)
            # not of the page itself: a page and its releases shall not hold each other
            sign = partial(_signature, self.signatures, self._runs, place)
            release = Release.from_packed(self.texts[place], packed, sign, self._sightings)
            release = self._made.setdefault(place, release)
        return release

    def __iter__(self) -> Iterator[Release]:
        return (self[at] for at in range(len(self.texts)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(self.texts)

    def __repr__(self) -> str:
        return f"PackedReleases({', '.join(self.texts)})"
