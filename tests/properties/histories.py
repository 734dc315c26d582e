"""What a service answers after a history of requests is what one answers that has just begun.

    python -m tests.properties.histories --sequences 500 --seed 7

A sequence asks one long-lived service related questions while time passes, indexes change and it is begun anew; each
answer is compared, byte for byte, with that of a service without a past. Both see indexes through the same cache, as
the transport keeps one: within the freshness of a page an answer may be old, and then it is so for both.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import random
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from resolver.driver import resolve
from resolver.index.gateway import Gateway
from service.configuration import load
from service.counts import NoCounts
from service.indexes import Indexes
from service.locks import Locks
from service.problems import from_error, to_document
from service.schema import parse
from service.stored import StoredLocks
from tests.transport.server import TestClock
from transport.derived import Derived
from transport.message import Index, Kind, Request, Response

from .random_index import PLATFORMS, PYTHONS, IndexFile, Question, RandomIndex, random_case

ORIGINS = {"private": "https://private.example/", "world": "https://index.example/"}
START = datetime(2024, 6, 4, tzinfo=UTC).timestamp()
"""Files of random indexes are uploaded just before and after 2024-06-01, so that ages of days pass them soon."""
ABSENT_PAGE, ABSENT_FILE = 60.0, 300.0  # seconds
_PAUSES = (0.0, 0.5, 5.0, 59.0, 61.0, 100.0, 299.0, 301.0, 599.0, 601.0, 3_600.0, 90_000.0)
_FRESH = (0.0, 30.0, 600.0, 600.0, 100_000.0)
_UPLOADED = (
    *["2024-05-20T00:00:00Z"] * 6,
    *("2024-06-01T00:00:00Z", "2024-06-03T00:00:01Z", "2024-06-03T00:02:00Z", "2024-06-03T01:00:00Z"),
)
_AGES = ("P1D", "P3D", "P4D", "P7D", "PT84H", "2024-06-01T00:00:00Z", "2024-05-31T23:59:59.5Z", "2024-06-02T00:00:00Z")


class Clocks(TestClock):
    """Both clocks at once, moved by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0.0

    def wall(self) -> float:
        return START + self.passed

    def monotonic(self) -> float:
        return 1_000.0 + self.passed

    def instant(self) -> datetime:
        return datetime.fromtimestamp(self.wall(), UTC)


class Changing:
    """Two indexes that change, behind a cache. Obeys :class:`transport.fetch.Fetcher`."""

    def __init__(
        self, rng: random.Random, contents: dict[str, RandomIndex], clocks: Clocks, *, is_quiet: bool = False
    ) -> None:
        """``is_quiet``: pages stay as they are and are fresh for days, so that only files come and go, and time."""
        self.is_quiet = is_quiet
        self.rng = rng
        self.contents = contents
        self.clocks = clocks
        self.refreshing = False
        self._kept: dict[tuple[str, str | None], Response] = {}
        self._fresh: dict[str, float] = {}

    async def partition(self, index: Index) -> str:
        return f"public {index.name}"

    async def fetch(self, request: Request) -> Response:
        key, now = (request.url, request.sha256), self.clocks.monotonic()
        kept = self._kept.get(key)
        is_page = request.kind is Kind.PAGE
        if kept is not None and kept.fresh_until > now and not request.refresh:
            if is_page or kept.status == 200:
                return kept
            if not self.refreshing:
                # Who asked before knows for as long as it was told: nobody is told that it ends sooner.
                kept = self._kept[key] = replace(kept, fresh_until=now + ABSENT_FILE)
                return kept
        name = request.index.name
        origin = ORIGINS[name]
        url = request.url.replace(origin, ORIGINS["world"])
        found = await self.contents[name].fetch(replace(request, url=url))
        body = found.body.replace(ORIGINS["world"].encode(), origin.encode()) if is_page else found.body
        for_page = self._fresh.setdefault(request.url, self.rng.choice(_FRESH[-1:] if self.is_quiet else _FRESH))
        if found.status == 200:
            until = now + for_page if is_page else float("inf")
        else:
            until = now + (ABSENT_FILE if not is_page else for_page if self.is_quiet else ABSENT_PAGE)
        answer = replace(
            *(found,),
            url=request.url,
            body=body,
            digest=hashlib.sha256(body).hexdigest(),
            partition=await self.partition(request.index),
            fresh_until=until,
        )
        self._kept[key] = answer
        return answer

    def change(self) -> None:
        """Make one change that indexes make: a version comes, goes or is yanked, a file is lost or found."""
        rng = self.rng
        name = "world" if self.is_quiet else rng.choice(list(self.contents))
        releases = dict(self.contents[name].releases)
        source = self.contents["world"].releases
        match "lose" if self.is_quiet else rng.choice(("add", "add", "remove", "yank", "lose", "move", "date")):
            case "add":
                model = rng.choice(list(source.values()))
                version = rng.choice(("0.9", "1.5", "2.0.1", "5.0", "6.0", "7.0rc1"))
                releases[model.name, version] = replace(model, version=version)
            case "move":
                taken = rng.choice([one for one, _ in source])
                if any(one == taken for one, _ in releases) and name == "private":
                    releases = {key: one for key, one in releases.items() if key[0] != taken}
                else:
                    releases |= {key: one for key, one in source.items() if key[0] == taken}
            case "remove" if releases:
                releases.pop(rng.choice(list(releases)))
            case kind if releases:
                key = rng.choice(list(releases))
                one = releases[key]
                releases[key] = replace(one, files=tuple(self._changed(file, kind) for file in one.files))
        self.contents[name] = RandomIndex(releases)

    def _changed(self, file: IndexFile, kind: str) -> IndexFile:
        if kind == "yank":
            return replace(file, is_yanked=not file.is_yanked)
        if kind == "lose":
            return replace(file, is_lost=not file.is_lost)
        return replace(file, uploaded=self.rng.choice(_UPLOADED))

    def spread(self) -> None:
        """Have files uploaded at many times, which ages pass one after the other, and some files lost."""
        releases = dict(self.contents["world"].releases)
        for key, one in releases.items():
            dated = replace(one, files=tuple(self._changed(file, "date") for file in one.files))
            is_lost = self.rng.random() < 0.15
            releases[key] = replace(dated, files=tuple(replace(file, is_lost=is_lost) for file in dated.files))
        self.contents["world"] = RandomIndex(releases)


@dataclass
class Service:
    """The use case over one gateway, asked as the handler asks it."""

    locks: Locks
    fetcher: Changing

    async def ask(self, body: dict[str, Any], *, refresh: bool) -> tuple[str, bytes]:
        """Where the answer came from, and all of it that must not depend on that."""
        seen = None if refresh else hashlib.sha256(orjson.dumps(body)).digest()
        self.fetcher.refreshing = refresh
        try:
            answer = None if seen is None else await self.locks.again(seen)
            if answer is None:
                answer = await self.locks.answer(parse(body), refresh=refresh, seen=seen)
        except Exception as error:
            problem = from_error(error)
            if problem.name == "internal-error":
                raise
            return "refused", orjson.dumps(to_document(problem), option=orjson.OPT_SORT_KEYS, default=str)
        finally:
            self.fetcher.refreshing = False
        rendered = answer.rendered
        return answer.served_from, b"\n".join((rendered.body, orjson.dumps([rendered.texts, rendered.refusals])))


@asynccontextmanager
async def serving(fetcher: Changing, directory: Path, *, keeps: bool) -> AsyncIterator[Service]:
    """A service that has just begun; ``keeps``: it reads and leaves records in the directory."""
    tables = [
        {"name": "private", "url": ORIGINS["private"] + "simple/"},
        {"name": "world", "url": ORIGINS["world"] + "simple/", "default": True},
    ]
    flags = {"default_index": "explicit", "cache": {"dir": str(directory)}, "index": tables}
    settings = load(environ={"HOME": str(directory)}, directory=directory, flags=flags).settings
    clocks = fetcher.clocks
    derived = Derived(directory, 64 * 1024 * 1024) if keeps else None
    gateway = Gateway(fetcher, None, clocks.monotonic, None, derived, clocks.wall)
    stored = StoredLocks(directory / "locks", limit=0)
    locks = Locks(
        *(settings, Indexes(settings.index), partial(resolve, gateway=gateway), stored, NoCounts(), clocks.instant),
        holds=gateway.holds,
        turns=gateway.turns,
    )
    try:
        yield Service(locks, fetcher)
    finally:
        await locks.close()
        if derived is not None:
            await derived.close()


def body_of(question: Question) -> dict[str, Any]:
    """The question as a request's body."""
    packages = {
        name: {option: value.isoformat() if isinstance(value, datetime) else value for option, value in own.items()}
        for name, own in question.packages.items()
    }
    options: dict[str, Any] = {
        "resolution": question.resolution,
        "prerelease": question.prerelease,
        "fork_strategy": question.fork_strategy,
        "only_binary": list(question.only_binary),
        "no_binary": list(question.no_binary),
        "builds": question.builds,
        "packages": packages,
    }
    if question.is_dated:
        options["exclude_newer"] = "2024-06-01T00:00:00Z"
    body: dict[str, Any] = {
        "requirements": list(question.requirements),
        "constraints": list(question.constraints),
        "overrides": list(question.overrides),
        "excludes": list(question.excludes),
        "options": options,
        "outputs": ["requirements", "pylock"],
    }
    if question.targets:
        body["targets"] = [{"python": python, "platform": platform} for python, platform in question.targets]
    else:
        body["universal"] = {
            "requires_python": question.requires_python,
            "environments": list(question.environments),
            "required_environments": list(question.required_environments),
        }
    return body


def _bounded(rng: random.Random, body: dict[str, Any], name: str) -> None:
    bound = rng.choice(("<=9", "!=3.0", "<5", ">=1.0", "==2.0", "<2", "<=2.0", ">=0.1"))
    marker = rng.choice(("", "", "", " ; sys_platform == 'win32'", " ; python_version < '3.12'"))
    body["constraints"].append(f"{name}{bound}{marker}")


def _unbounded(rng: random.Random, body: dict[str, Any], name: str) -> None:
    del rng, name
    body["constraints"] = body["constraints"][:-1]


def _fewer(rng: random.Random, body: dict[str, Any], name: str) -> None:
    del name
    if len(body["requirements"]) > 1:
        body["requirements"].pop(rng.randrange(len(body["requirements"])))


def _more(rng: random.Random, body: dict[str, Any], name: str) -> None:
    body["requirements"].append(f"{name}{rng.choice(('', '>=1.0', '<4', '!=2.0'))}")


def _aged(rng: random.Random, body: dict[str, Any], name: str) -> None:
    del name
    body["options"]["exclude_newer"] = rng.choice(_AGES)


def _aged_alone(rng: random.Random, body: dict[str, Any], name: str) -> None:
    body["options"]["packages"].setdefault(name, {})["exclude_newer"] = rng.choice((False, *_AGES))


def _of_any_age(rng: random.Random, body: dict[str, Any], name: str) -> None:
    del rng, name
    body["options"].pop("exclude_newer", None)
    body["options"]["packages"] = {}


def _pinned(rng: random.Random, body: dict[str, Any], name: str) -> None:
    body["options"]["packages"].setdefault(name, {})["index"] = rng.choice(tuple(ORIGINS))


def _otherwise(rng: random.Random, body: dict[str, Any], name: str) -> None:
    del name
    option, values = rng.choice(tuple(_OPTIONS.items()))
    body["options"][option] = rng.choice(values)


def _elsewhere(rng: random.Random, body: dict[str, Any], name: str) -> None:
    del name
    if "targets" in body:
        body["targets"][0] = {"python": rng.choice(PYTHONS), "platform": rng.choice(PLATFORMS)}


_OPTIONS = {
    "resolution": ("highest", "lowest", "lowest-direct"),
    "prerelease": ("if-necessary", "allow", "disallow"),
    "fork_strategy": ("requires-python", "fewest"),
}
_Edit = Callable[[random.Random, dict[str, Any], str], None]
_EDITS: tuple[_Edit, ...] = (
    *(_bounded, _bounded, _unbounded, _fewer, _more, _aged, _aged, _aged_alone, _of_any_age, _pinned, _otherwise),
    _elsewhere,
)


def related(rng: random.Random, body: dict[str, Any], names: list[str], *, edit: _Edit | None = None) -> dict[str, Any]:
    """A request that has most in common with another."""
    new: dict[str, Any] = orjson.loads(orjson.dumps(body))
    for one in (edit,) if edit is not None else rng.choices(_EDITS, k=rng.choice((1, 1, 1, 2, 3))):
        one(rng, new, rng.choice(names))
    return new


@dataclass
class History:
    """What became of one sequence."""

    faults: list[str] = field(default_factory=list)
    traits: Counter[str] = field(default_factory=Counter)


async def _chosen(fetcher: Changing, questions: list[Question], directory: Path) -> list[dict[str, Any]]:
    """Two questions that have an answer, if there are, and one that may have none."""
    answered = list[dict[str, Any]]()
    for body in map(body_of, questions):
        async with serving(fetcher, directory / "none", keeps=False) as service:
            source, _ = await service.ask(body, refresh=False)
        if source != "refused":
            answered.append(body)
    return [*answered[:2], body_of(questions[0])]


def _bodies(
    rng: random.Random, questions: list[dict[str, Any]], names: list[str], *, again: float
) -> Iterator[dict[str, Any]]:
    """Requests without end: a share of them ``again``, the others related to an earlier one."""
    asked = list(questions)
    yield from asked
    while True:
        if rng.random() >= again:
            asked.append(related(rng, rng.choice(asked), names))
            yield asked[-1]
        else:
            yield rng.choice(asked[:2] if rng.random() < 0.5 else asked)


async def judge(seed: int, directory: Path, *, is_universal: bool, requests: int = 14) -> History:
    """Ask a sequence of questions, each of a service with a past and of one without."""
    rng = random.Random(f"history {seed} {is_universal}")
    world, questions = random_case(seed, is_universal=is_universal, questions=8)
    private, _ = random_case(seed + 1_000_003, is_universal=is_universal)
    some = set(rng.sample(private.names, rng.randint(0, 2)))
    contents = {"private": RandomIndex({key: one for key, one in private.releases.items() if key[0] in some})}
    clocks = Clocks()
    is_quiet = rng.random() < 0.5
    fetcher = Changing(rng, {**contents, "world": world}, clocks, is_quiet=is_quiet)
    if is_quiet:
        fetcher.spread()
    history = History()
    asked = await _chosen(fetcher, questions, directory)
    if is_quiet:
        asked = [{**body, "options": {**body["options"], "exclude_newer": "P1D"}} for body in asked] + asked
    bodies = _bodies(rng, asked, world.names, again=0.8 if is_quiet else 0.4)
    texts: list[str] = []  # of earlier locks
    keeps, left = rng.random() < 0.3, requests
    while left and not history.faults:
        async with serving(fetcher, directory / f"{seed}-{is_universal}", keeps=keeps) as old:
            while left:
                left -= 1
                body = next(bodies)
                if texts and rng.random() < 0.1:
                    body = {**body, "lock": {"content": rng.choice(texts)}}
                refresh = rng.random() < 0.08
                source, found = await old.ask(body, refresh=refresh)
                async with serving(fetcher, directory / "none", keeps=False) as new:
                    _, expected = await new.ask(body, refresh=False)
                history.traits[source] += 1
                if found != expected:
                    said = f"refresh: {refresh}, {source}, {left} left: {orjson.dumps(body).decode()}"
                    history.faults.append(f"{said}\n      {found.decode()}\n      {expected.decode()}")
                    break
                if source != "refused" and rng.random() < 0.5:
                    texts += [text for text in [orjson.loads(found.splitlines()[-1])[0].get("pylock")] if text]
                while rng.random() < (0.6 if is_quiet else 0.35):
                    fetcher.change()
                if rng.random() < 0.6:
                    clocks.passed += rng.choice(_PAUSES)
                if keeps and rng.random() < 0.15:
                    history.traits["begun anew"] += 1
                    break
    return history


async def _main(sequences: int, seed: int) -> int:
    traits, wrong = Counter[str](), 0
    with tempfile.TemporaryDirectory() as directory:
        for number in range(seed, seed + sequences):
            for is_universal in (False, True):
                history = await judge(number, Path(directory), is_universal=is_universal)
                traits += history.traits
                if history.faults:
                    wrong += 1
                    print(f"seed {number} universal={is_universal}:", *history.faults, sep="\n    ", flush=True)
    print(f"{sequences} sequences x 2, {wrong} judged wrong; {dict(traits)}")
    return 1 if wrong else 0


def main() -> int:
    """Run as a command."""
    parser = argparse.ArgumentParser(prog="python -m tests.properties.histories", description=__doc__)
    parser.add_argument("--sequences", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0, help="of the first sequence; the others follow")
    given = parser.parse_args()
    return asyncio.run(_main(given.sequences, given.seed))


if __name__ == "__main__":
    sys.exit(main())
