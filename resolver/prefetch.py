"""Fetch-ahead: walk the closure that the solver will probably want, before it asks.

What lives here: guesses. A guess starts fetches, never anything else: facts reach the solver only when it asks,
so a wrong guess costs a request and cannot change an answer. Guesses die with their session.

A guess is a version that the solver would choose as of now, by its own mask and by what the guesses for other packages
require. A guess that the solver has already ruled out requires nothing, unless it is the first one of its project that
the solver tries: then it asks for the pages itself, and most of what that one requires the next ones require as well.

It sleeps until something has to be waited for: a resolve whose facts are all at hand has nothing to fetch ahead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from .name import Name, name_of
from .provider.candidates import Candidates
from .provider.requirements import Metadata
from .requirement import Requirement
from .segments import Breath, Pace
from .solver import Dependency, Package

# A closure of real requirements has some hundreds of projects; beyond it the guesses are worth nothing.
MAX_GUESSES = 5_000
WALKS_AT_ONCE = 128  # begun in one pass of the event loop, some 20 µs each
REQUIRED_AT_ONCE = 256  # some 5 µs each
# After so many versions of one package were tried, the next ones are asked for before they are, a third as many as were
# tried: so few are asked for in vain, and a long way down takes few round trips. Half as many saves three trips in two
# hundred versions, and asks for twice as many in vain on the short ways.
BATCH_FROM = 4
MAX_WAVE = 16
MAX_BATCH = 64  # with what each of them requires, more than enough to have all connections busy


class Source(Protocol):
    """Where the walk gets facts: the place's own memo."""

    async def moment(self) -> None:
        """Wait for a moment in which the walk may compute."""
        ...

    async def table(self, name: str) -> Candidates:
        """Candidates of a project."""
        ...

    def ready_table(self, name: str) -> Candidates | None:
        """The same if it was made before."""
        ...

    async def remembered(self) -> Iterable[str]:
        """Projects that such a resolve asked about before, and that have to be asked for."""
        ...

    async def metadata_of(self, name: str, bit: int, *, is_guess: bool) -> Metadata | None:
        """Metadata of one version; None where it cannot be used. Of a guess, no wheel is asked for on its account."""
        ...

    async def requirements_ahead(self, metadata: Metadata, extra: str | None) -> Iterable[Requirement]:
        """Requirements that apply; none where that takes too long to find out."""
        ...


class Search(Protocol):
    """What is looked at of the solver."""

    def positive(self, package: Package) -> int:
        """The versions that are possible as of now; 0 before the table is known."""
        ...

    def undecided(self) -> Iterable[Package]:
        """What is required and has no decision."""
        ...


class _Idle:
    """No solver yet."""

    def positive(self, _: Package) -> int:
        return 0

    def undecided(self) -> Iterable[Package]:
        return ()


class FetchAhead:
    """One walk per place."""

    def __init__(self, source: Source, start: Callable[..., object]) -> None:
        """``start`` runs a coroutine in the session."""
        self._source = source
        self._start = start
        self._search: Search = _Idle()
        self.is_awake = False
        """Whether something had to be waited for."""
        self._last: tuple[str, int, Sequence[Dependency]] | None = None
        """What was looked at last while the walk slept."""
        self._guesses: dict[str, int] = {}
        self._wants: dict[str, dict[str, set[str]]] = {}
        """By name: the specifiers of whose guesses require it."""
        self._wanted_by: dict[str, set[str]] = {}
        """The other way round."""
        self._extras: dict[str, set[str]] = {}
        self._seen: set[tuple[str, int, str | None]] = set()
        self._tried: dict[str, int] = {}
        self._glanced: dict[str, int] = {}
        self._hopeful: dict[str, int] = {}
        """Versions by project: tried by the solver; asked for before it did; of these, not to be rejected at once."""
        self._walks = 0
        self._begun: dict[str, bool] = {}
        """Projects whose table a walk waits for, and whether it was required."""
        self._pace = Pace(WALKS_AT_ONCE)

    def follow(self, search: Search) -> None:
        """Guess what ``search`` will want."""
        self._search = search

    def close(self) -> None:
        """Let go of who is walked for, when no walk is under way any more: it refers to the walk."""
        del self._source
        self._search = _Idle()

    def note(self, name: str, bit: int, dependencies: Sequence[Dependency]) -> None:
        """The solver is about to try a version, which requires these; for the root, the name is empty."""
        if not self.is_awake:
            self._last = name, bit, dependencies
            return
        self._guess(name, bit)
        required = [(*name_of(one.package), one.key) for one in dependencies if isinstance(one.key, str)]
        is_first = self._tried.get(name, 0).bit_count() < 2
        if is_first or not any(self._is_ruled_out(other, specifier) for other, _, specifier in required):
            wanted = [(other, specifier, () if extra is None else (extra,)) for other, extra, specifier in required]
            if len(wanted) > REQUIRED_AT_ONCE:
                self._start(self._require_each(name, wanted))
                return
            for one in wanted:
                self._require(name, *one)

    def wake(self) -> None:
        """Something has to be waited for: begin to walk."""
        if not self.is_awake:
            self.is_awake = True
            self._start(self._recall())
            if self._last is not None:
                self.note(*self._last)

    async def _recall(self) -> None:
        for name in await self._source.remembered():
            self._start(self._source.table(name))

    def look(self) -> None:
        """The solver waits: walk from what it requires by now and knows nothing of."""
        self.wake()
        for package in self._search.undecided():
            name, extra = name_of(package)
            wanted = self._extras.setdefault(name, set())
            possible, guess = self._search.positive((name, None)), self._guesses.get(name)
            if guess is None or not possible >> guess & 1 or (extra is not None and extra not in wanted):
                if extra is not None:
                    wanted.add(extra)
                self._begin(name, is_required=True)

    def _is_ruled_out(self, name: str, specifier: str) -> bool:
        """Whether the solver has no version left of what a guess requires."""
        possible = self._search.positive((name, None))
        if not possible:
            return False
        table = self._source.ready_table(name)
        return table is not None and not possible & table.mask(specifier)

    def _guess(self, name: str, bit: int) -> None:
        """Guess a version of ``name`` from now on: what another one required is not wanted any more."""
        if self._guesses.get(name) != bit:
            self._guesses[name] = bit
            for required in self._wanted_by.pop(name, ()):
                self._wants[required].pop(name, None)

    def _require(self, by: str, name: str, specifier: str, extras: Iterable[str]) -> None:
        specifiers = self._wants.setdefault(name, {}).setdefault(by, set())
        wanted = self._extras.setdefault(name, set())
        if specifier in specifiers and wanted.issuperset(extras):
            return
        specifiers.add(specifier)
        wanted.update(extras)
        self._wanted_by.setdefault(by, set()).add(name)
        self._begin(name)

    async def _require_each(self, by: str, wanted: Sequence[tuple[str, str, Sequence[str]]]) -> None:
        breath = Breath()
        for at, one in enumerate(wanted):
            self._require(by, *one)
            if at % REQUIRED_AT_ONCE == REQUIRED_AT_ONCE - 1:
                await breath.take()

    def _begin(self, name: str, *, is_required: bool = False) -> None:
        underway = self._begun.get(name)  # it will see what is wanted by then
        if self._walks < MAX_GUESSES and (underway is None or (is_required and not underway)):
            self._walks += 1
            self._begun[name] = is_required
            self._start(self._walk(name, is_required=is_required))

    async def _walk(self, name: str, *, is_required: bool) -> None:
        await self._pace.keep()
        table = await self._source.table(name)
        self._begun.pop(name, None)
        wants = self._wants.get(name, {})
        if not wants and not is_required:
            return  # nobody wants it any more
        allowed = table.usable
        allowed &= self._search.positive((name, None)) or allowed
        breath = Breath()
        for specifiers in list(wants.values()):
            for specifier in list(specifiers):
                allowed &= table.mask(specifier)
                await breath.take()
        if allowed:
            bit = table.choose(allowed)
            self._guess(name, bit)
            await self._visit(name, bit)

    async def _visit(self, name: str, bit: int) -> None:
        extras: tuple[str | None, ...] = (None, *sorted(self._extras.get(name, ())))
        fresh = [extra for extra in extras if (name, bit, extra) not in self._seen]
        if not fresh:
            return
        self._seen.update((name, bit, extra) for extra in fresh)
        metadata = await self._source.metadata_of(name, bit, is_guess=False)
        if metadata is None:
            return
        for extra in fresh:
            requirements = await self._source.requirements_ahead(metadata, extra)
            await self._source.moment()
            if self._guesses.get(name) != bit:
                self._seen.discard((name, bit, extra))  # another version is guessed by now
                continue
            if any(self._is_ruled_out(one.name, one.specifier) for one in requirements):
                return
            await self._require_each(name, [(one.name, one.specifier, one.extras) for one in requirements])

    # -- versions that are tried one after the other

    def count(self, package: Name, bit: int) -> int:
        """As :meth:`tried`, while the walk sleeps. Return all versions that were tried; of an extra, none."""
        name, extra = package
        if extra is not None:
            return 0
        tried = self._tried[name] = self._tried.get(name, 0) | 1 << bit
        return tried

    def pass_by(self, package: Name, bit: int, dependencies: Sequence[Dependency]) -> None:
        """As :meth:`count` and :meth:`note`, while the walk sleeps."""
        name, extra = package
        if extra is None:
            self._tried[name] = self._tried.get(name, 0) | 1 << bit
        self._last = name, bit, dependencies

    def tried(self, package: Name, bit: int, table: Candidates, allowed: int) -> None:
        """The solver tries another version, one of those ``allowed``: after a few, ask for the next."""
        name, _ = package
        tried = self.count(package, bit)
        count = tried.bit_count()
        if not self.is_awake or count < BATCH_FROM:
            return
        batch = min(max(count // 3, BATCH_FROM), MAX_BATCH)
        rest = allowed & table.usable & ~tried
        if rest & self._hopeful.get(name, 0):
            return
        missing = batch - (rest & self._glanced.get(name, 0)).bit_count()
        # A short way down is gone in waves, which tell when it is over; on a long one nobody waits for a whole wave.
        if missing < (batch if batch <= MAX_WAVE else batch // 2):
            return
        rest &= ~self._glanced.get(name, 0)
        while rest and missing > 0:
            missing -= 1
            rest &= ~(1 << self._glance_at(name, table, rest))

    def _glance_at(self, name: str, table: Candidates, allowed: int) -> int:
        bit = table.choose(allowed)
        self._glanced[name] = self._glanced.get(name, 0) | 1 << bit
        self._start(self._glance(name, bit))
        return bit

    async def _glance(self, name: str, bit: int) -> None:
        """Fetch one version, and of what it requires those that are tried one after the other as well.

        Of these the version is wanted that is the best if all that were tried or asked for are rejected. The closure
        is not widened.
        """
        metadata = await self._source.metadata_of(name, bit, is_guess=True)
        if metadata is None:
            return
        is_hopeful = True
        for one in await self._source.requirements_ahead(metadata, None):
            tried = self._tried.get(one.name, 0)
            if tried.bit_count() < BATCH_FROM:
                is_hopeful = is_hopeful and not self._is_ruled_out(one.name, one.specifier)
                continue
            is_hopeful = False
            table = await self._source.table(one.name)
            allowed = table.mask(one.specifier) & table.usable & ~tried & ~self._glanced.get(one.name, 0)
            if allowed:
                self._glance_at(one.name, table, allowed)
        if is_hopeful:
            self._hopeful[name] = self._hopeful.get(name, 0) | 1 << bit
