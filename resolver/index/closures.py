"""What earlier resolves ended up with: which names came with a requirement, so that all can be asked for in one wave.

A memory is a guess about the next resolve and nothing else: what it names is asked for early, and a wrong one costs a
request. It belongs to indexes as one partition sees them, because a name may be a secret of its own; and to the names
and extras that were stated for the same environments, so that it never grows beyond what these needed the last time.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

import msgpack

from transport.message import Index, Response

from .fact_store import Records
from .known import may_keep

Root = tuple[str, ...]
"""A name and the extras that are wanted with it, sorted."""

MAX_KEPT = 4096  # in memory; some 20 kB for a closure of 250 names, most of which are shared
MAX_NAMES = 2000  # as many as a request may state; real closures have some hundreds
LAYOUT = "1"


class Closures:
    """Names by what was stated, in memory and as records."""

    def __init__(self, partition: Callable[[Index], Awaitable[str]], records: Records | None) -> None:
        """``partition`` says whose answers an index would give now; ``records`` outlive the process."""
        self._partition = partition
        self._records = records
        self._kept: OrderedDict[tuple[str, ...], tuple[str, ...]] = OrderedDict()
        self._unrecorded: set[tuple[str, str]] = set()

    def note(self, response: Response, index: Index) -> None:
        """An index that wants nothing stored of a page leaves no record: what came of it is kept in memory alone."""
        if not may_keep(response, index, "api"):
            if len(self._unrecorded) < MAX_KEPT:
                self._unrecorded.add((index.url, response.partition))
            else:
                self._records = None  # too many to tell apart

    async def recall(self, indexes: Sequence[Index], where: str, roots: Iterable[Root]) -> set[str]:
        """The names that came with ``roots``: with these together if they were stated so, else with each of them.

        ``where`` says for which environments.

        Raises:
            TransportError: who we are to an index cannot be said.
        """
        view, _ = await self._view(indexes, where)
        stated = sorted(set(roots))
        together = self._get(_key(view, stated))
        if together is not None:
            return set(together)
        found: set[str] = set()
        for root in stated:
            found.update(self._get(_key(view, [root])) or ())
        return found

    async def keep(
        self, indexes: Sequence[Index], where: str, together: Iterable[str], apart: Mapping[Root, Iterable[str]]
    ) -> None:
        """Remember the names that were asked about for all roots together, and what came with each in the end.

        Raises:
            TransportError: who we are to an index cannot be said.
        """
        view, is_lasting = await self._view(indexes, where)
        self._put(_key(view, sorted(apart)), together, is_lasting=is_lasting)
        if len(apart) > 1:
            for root, names in apart.items():
                self._put(_key(view, [root]), names, is_lasting=is_lasting)

    async def _view(self, indexes: Sequence[Index], where: str) -> tuple[tuple[str, ...], bool]:
        view = [where]
        is_lasting = True
        for index in indexes:
            partition = await self._partition(index)
            view += (index.name, index.url, partition)
            is_lasting = is_lasting and (index.url, partition) not in self._unrecorded
        return tuple(view), is_lasting

    def _get(self, key: tuple[str, ...]) -> tuple[str, ...] | None:
        names = self._kept.get(key)
        if names is not None:
            self._kept.move_to_end(key)
        elif self._records is not None and (record := self._records.get(*key)) is not None:
            names = _unpack(record)
            if names is not None:
                self._hold(key, names)
        return names

    def _put(self, key: tuple[str, ...], names: Iterable[str], *, is_lasting: bool) -> None:
        sorted_names = tuple(sorted(names)[:MAX_NAMES])
        if self._get(key) != sorted_names:
            self._hold(key, sorted_names)
            if is_lasting and self._records is not None:
                self._records.put(msgpack.packb(sorted_names), *key)

    def _hold(self, key: tuple[str, ...], names: tuple[str, ...]) -> None:
        self._kept[key] = names
        if len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)


def _key(view: tuple[str, ...], roots: Sequence[Root]) -> tuple[str, ...]:
    return "closure", LAYOUT, *view, "", *(part for root in roots for part in (str(len(root)), *root))


def _unpack(record: bytes) -> tuple[str, ...] | None:
    try:
        names = msgpack.unpackb(record)
    except (ValueError, msgpack.UnpackException):
        return None
    return tuple(names) if isinstance(names, list) and all(isinstance(name, str) for name in names) else None
