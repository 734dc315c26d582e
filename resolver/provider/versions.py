"""The versions of one project page, and sets of them as integers.

A set of versions is an ``int``: bit 0 means *not selected* and belongs to the solver, bit i + 1 is the i-th version in
ascending order. The list is made once per page and shared by every request; it is never changed, apart from the
bounded table of masks already computed. To cut a set takes the sort keys of some log n versions, so only those are
made: most of a page's versions are never looked at.

Invariant: ``mask(s)`` has bit i + 1 exactly if ``packaging`` says that ``SpecifierSet(s)`` contains version i with
``prereleases=True`` (``tests/properties/test_version_masks.py``).
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Hashable, Iterator, Sequence
from itertools import pairwise
from typing import Self

from packaging.version import InvalidVersion, Version

from resolver.specifier import (
    Bounds,
    SortKey,
    SpecifierError,
    before_exclusively,
    exact_pin,
    mentions_prerelease,
    parse,
    sort_key,
    sort_key_of,
)

__all__ = ["SpecifierError", "VersionList", "exact_pin", "mentions_prerelease"]

MAX_INTERNED = 8192  # masks per list: a project of 2,000 versions takes 270 bytes for each, so 2 MB at most
MAX_RUNS = 6  # that words name; more make a sentence nobody reads

_EARLY = re.compile(r"[^+]*(?:a|b|rc|dev)\d", re.ASCII)  # of a canonical spelling: ``.post`` has none of these letters


class VersionList:
    """Strictly ascending versions. What a version is beyond its spelling is found out when a set needs it."""

    __slots__ = ("_bits", "_keys", "all", "count", "masks", "prereleases", "texts")

    def __init__(self, texts: tuple[str, ...], prereleases: int | None = None) -> None:
        """Take canonical spellings of versions that are known to ascend strictly, and perhaps their pre-releases."""
        self.texts = texts
        """Canonical spellings, by ascending version."""
        self.count = len(texts)
        self.all = ((1 << self.count) - 1) << 1
        """The mask of every version."""
        if prereleases is None:
            prereleases = 0
            for bit, text in enumerate(texts, 1):
                if _EARLY.match(text):
                    prereleases |= 1 << bit
        self.prereleases = prereleases
        """The mask of pre-releases and development releases."""
        self._keys: dict[int, SortKey] = {}
        self._bits: dict[str, int] | None = None
        self.masks: dict[Hashable, int] = {"": self.all}
        """What :meth:`mask` was asked before, for those who ask very often; always the same object."""

    @classmethod
    def of(cls, versions: Sequence[Version]) -> Self:
        """Take ``versions`` in ascending order.

        Raises:
            ValueError: they do not ascend, or two are equal (``1.0`` and ``1.0.0`` are).
        """
        for before, after in pairwise([sort_key(version) for version in versions]):
            if not before < after:
                raise ValueError("versions must ascend strictly")
        return cls(tuple([str(version) for version in versions]))

    def _key(self, index: int) -> SortKey:
        key = self._keys.get(index)
        if key is None:
            key = self._keys[index] = sort_key_of(self.texts[index])
        return key

    def _before(self, cut: SortKey) -> int:
        """How many versions lie before ``cut``."""
        return bisect_left(range(self.count), cut, key=self._key)

    def _bit(self, text: str) -> int | None:
        if self._bits is None:
            self._bits = {text: bit for bit, text in enumerate(self.texts, 1)}
        return self._bits.get(text)

    @property
    def versions(self) -> tuple[Version, ...]:
        """All of them, parsed."""
        return tuple([Version(text) for text in self.texts])

    def __len__(self) -> int:
        return self.count

    def mask(self, specifier: str) -> int:
        """The versions that comma-joined PEP 440 specifiers admit, pre-releases by their order alone.

        Raises:
            SpecifierError: the text is not that.
        """
        found = self.masks.get(specifier)
        if found is not None:
            return found
        mask = self.all
        for bounds in parse(specifier):
            mask &= self._admitted(bounds)
        if len(self.masks) >= MAX_INTERNED:
            self.masks.clear()
        self.masks[specifier] = mask
        return mask

    def _admitted(self, bounds: Bounds) -> int:
        if bounds.literal is not None:
            bit = self._bit(bounds.literal)  # canonical texts are lower case
            return 0 if bit is None else 1 << bit
        mask = 0
        for low, high in bounds.intervals:
            start = 0 if low is None else self._before(low)
            stop = self.count if high is None else self._before(high)
            if start < stop:
                mask |= (1 << stop + 1) - (1 << start + 1)
        return mask

    def exact(self, version: Version | str) -> int | None:
        """The bit number of the version that equals this one, its local part included; None where there is none."""
        bit = self._bit(version if isinstance(version, str) else str(version))
        if bit is not None:
            return bit
        try:
            key = sort_key(Version(version) if isinstance(version, str) else version)
        except InvalidVersion:
            return None
        position = self._before(key)
        return position + 1 if position < self.count and self._key(position) == key else None

    def version(self, bit: int) -> Version:
        """The version of a bit number, from 1."""
        return Version(self.texts[bit - 1])

    def select(self, mask: int) -> Iterator[int]:
        """The bit numbers of ``mask`` in ascending order, without bit 0."""
        mask &= self.all
        while mask:
            lowest = mask & -mask
            yield lowest.bit_length() - 1
            mask ^= lowest

    def describe(self, mask: int) -> str:
        """Words for a set, made of versions that exist.

        ``any version`` (of several), ``no version``, ``==2.0``, ``<2.0``, ``>=1.0,<2.0``, ``>=2.0``;
        several runs joined by ``|``.
        A run ends before the next listed version; where ``<`` that version would, by PEP 440, exclude the run's
        own last member (a pre-release of it), the run ends with ``<=`` its member.
        """
        mask &= self.all
        if not mask:
            return "no version"
        if mask == self.all and self.count > 1:
            return "any version"
        runs = [self._run(first, last) for first, last in _runs(mask >> 1)]
        if len(runs) > MAX_RUNS:
            runs[MAX_RUNS:] = [f"… ({len(runs) - MAX_RUNS} more ranges)"]
        return " | ".join(runs)

    def _run(self, first: int, last: int) -> str:
        if first == last:
            return f"=={self.texts[first]}"
        low = "" if first == 0 else f">={self.texts[first]}"
        if last == self.count - 1:
            return low
        following = Version(self.texts[last + 1])
        if following.local is None and self._key(last) < before_exclusively(following):
            high = f"<{self.texts[last + 1]}"
        else:
            high = f"<={self.texts[last]}"
        return f"{low},{high}" if low else high


def _runs(mask: int) -> Iterator[tuple[int, int]]:
    """First and last index of each run of ones."""
    offset = 0
    while mask:
        zeros = (mask & -mask).bit_length() - 1
        mask >>= zeros
        ones = (~mask & (mask + 1)).bit_length() - 1
        yield offset + zeros, offset + zeros + ones - 1
        mask >>= ones
        offset += zeros + ones
