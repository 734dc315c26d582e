"""Fetch-ahead: walk the closure that the solver will probably want, before it asks.

What lives here: guesses. A guess starts fetches, never anything else: facts reach the solver only when it asks,
so a wrong guess costs a request and cannot change an answer. Guesses die with their session.

It sleeps until something has to be waited for: a resolve whose facts are all at hand has nothing to fetch ahead. What
was required until then is noted, and is where the walk begins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol, cast

from .provider.candidates import Candidates
from .provider.requirements import Metadata
from .requirement import Requirement
from .segments import Breath
from .solver import Dependency

# A closure of real requirements has some hundreds of projects; beyond it the guesses are worth nothing.
MAX_GUESSES = 5_000
# After so many versions of one package were tried, its next ones are asked for together (as uv does, from 5 on).
BATCH_FROM = 5
BATCH_SIZE = 50


class Source(Protocol):
    """Where the walk gets facts: the place's own memo."""

    @property
    def turns(self) -> AbstractAsyncContextManager[None]:
        """Held while the walk computes."""
        ...

    async def table(self, name: str) -> Candidates:
        """Candidates of a project."""
        ...

    async def metadata_of(self, name: str, bit: int) -> Metadata | None:
        """Metadata of one version; None where it cannot be used."""
        ...

    async def requirements_ahead(self, metadata: Metadata, extra: str | None) -> Iterable[Requirement]:
        """Requirements that apply; none where that takes too long to find out."""
        ...


class FetchAhead:
    """One walk per place."""

    def __init__(self, source: Source, start: Callable[..., object]) -> None:
        """``start`` runs a coroutine in the session."""
        self._source = source
        self._start = start
        self._noted: list[Sequence[Dependency]] | None = []
        """What was required while the walk slept; None: it is awake."""
        self._specifiers: dict[str, set[str]] = {}
        self._unread: dict[str, list[str]] = {}
        """Specifiers that are not in ``_allowed`` yet: a project that thousands of versions pin is read once each."""
        self._allowed: dict[str, int] = {}
        self._extras: dict[str, set[str]] = {}
        self._seen: set[tuple[str, int, str | None]] = set()
        self._tried: dict[str, int] = {}
        self._guesses = 0

    def note(self, dependencies: Sequence[Dependency]) -> None:
        """Someone requires these: their projects and likely versions are worth having."""
        if self._noted is not None:
            self._noted.append(dependencies)
            return
        for dependency in dependencies:
            if isinstance(dependency.key, str):
                name, extra = cast("tuple[str, str | None]", dependency.package)
                self._require(name, dependency.key, () if extra is None else (extra,))

    def wake(self) -> None:
        """Something has to be waited for: begin to walk."""
        noted, self._noted = self._noted, None
        for dependencies in noted or ():
            self.note(dependencies)

    def _require(self, name: str, specifier: str, wanted: Sequence[str]) -> None:
        specifiers = self._specifiers.get(name)
        if specifiers is None:
            specifiers = self._specifiers[name] = set()
            self._extras[name] = set()
        elif specifier in specifiers and self._extras[name].issuperset(wanted):
            return
        if specifier not in specifiers:
            specifiers.add(specifier)
            self._unread.setdefault(name, []).append(specifier)
        self._extras[name].update(wanted)
        if self._guesses < MAX_GUESSES:
            self._guesses += 1
            self._start(self._walk(name))

    async def _walk(self, name: str) -> None:
        table = await self._source.table(name)
        breath = Breath()
        for specifier in self._unread.pop(name, ()):
            self._allowed[name] = self._allowed.get(name, table.usable) & table.mask(specifier)
            await breath.take()
        allowed = self._allowed.get(name, table.usable)
        if allowed:
            await self._visit(name, table.choose(allowed))

    async def _visit(self, name: str, bit: int) -> None:
        extras: tuple[str | None, ...] = (None, *sorted(self._extras[name]))
        fresh = [extra for extra in extras if (name, bit, extra) not in self._seen]
        if not fresh:
            return
        self._seen.update((name, bit, extra) for extra in fresh)
        metadata = await self._source.metadata_of(name, bit)
        if metadata is not None:
            for extra in fresh:
                required = await self._source.requirements_ahead(metadata, extra)
                async with self._source.turns:
                    for requirement in required:
                        self._require(requirement.name, requirement.specifier, requirement.extras)

    @property
    def is_awake(self) -> bool:
        """Whether something had to be waited for."""
        return self._noted is None

    def count(self, name: str) -> int:
        """The solver tries another version of ``name``; return how many it tried so far."""
        count = self._tried[name] = self._tried.get(name, 0) + 1
        return count

    def tried(self, name: str, table: Candidates, allowed: int) -> None:
        """The solver tries another version of ``name``: after a few, ask for the next ones in one go."""
        count = self.count(name)
        if self._noted is not None or count < BATCH_FROM or count % BATCH_FROM:
            return
        rest = allowed & table.usable
        for _ in range(min(BATCH_SIZE, count * 2)):
            if not rest:
                return
            bit = table.choose(rest)
            rest &= ~(1 << bit)
            if (name, bit, None) not in self._seen:
                self._start(self._glance(name, bit))

    async def _glance(self, name: str, bit: int) -> None:
        """Fetch one version and what it pins exactly, without widening the closure."""
        self._seen.add((name, bit, None))
        metadata = await self._source.metadata_of(name, bit)
        if metadata is None:
            return
        for requirement in await self._source.requirements_ahead(metadata, None):
            if requirement.name in self._specifiers:
                table = await self._source.table(requirement.name)
                allowed = table.mask(requirement.specifier) & table.usable
                if allowed and allowed.bit_count() == 1:
                    await self._source.metadata_of(requirement.name, table.choose(allowed))
