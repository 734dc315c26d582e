"""Indexes and questions that blow up: what they are made of, and how each must end."""

from __future__ import annotations

import gzip
import hashlib
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from tests.service.indexes import JSON, Wheel
from tests.transport.server import reply

FINE = Wheel("fine", "1.0")


@dataclass(frozen=True)
class Bomb:
    """What an index holds, what is asked of it, and how that must end."""

    wheels: tuple[Wheel, ...]
    requirements: tuple[str, ...]
    ends: str | None
    """The problem; None: with a lock."""
    names: frozenset[str] = frozenset()
    """Some of which the problem names."""
    beats: int = 5
    """Health checks that are answered meanwhile, at least."""
    more: dict[str, object] = field(default_factory=dict)
    pages: Mapping[str, bytes] = field(default_factory=dict)
    """Answers in place of those that the wheels make, by path."""


UNIVERSAL: dict[str, object] = {"targets": None, "universal": {"requires_python": ">=3.10"}}


def pigeons(holes: int) -> tuple[tuple[Wheel, ...], tuple[str, ...]]:
    """One more pigeon than holes; no two fit into one. Proofs of that are exponential."""
    every = range(holes + 1)
    birds = [
        Wheel(f"p{bird}", f"{hole}.0", tuple(f"{_door(hole, bird, o)}=={bird}.0" for o in every if o != bird))
        for bird, hole in itertools.product(every, range(holes))
    ]
    doors = [
        Wheel(_door(hole, one, two), f"{which}.0")
        for hole in range(holes)
        for one, two in itertools.combinations(every, 2)
        for which in (one, two)
    ]
    return (*birds, *doors), tuple(f"p{bird}" for bird in every)


def _door(hole: int, one: int, two: int) -> str:
    return f"h{hole}x{min(one, two)}x{max(one, two)}"


def few_decisions() -> Bomb:
    wheels, names = pigeons(8)
    return Bomb(wheels, names, "budget-exhausted", frozenset(names), more={"budget": {"decisions": 600}})


def few_seconds() -> Bomb:
    wheels, names = pigeons(9)
    # What costs a second is the search on one machine and asking for files on another: either may be named.
    every = frozenset(wheel.name for wheel in wheels)
    return Bomb(wheels, names, "budget-exhausted", every, 20, {"budget": {"seconds": 1}})


def ladder() -> Bomb:
    """Two long chains whose ends contradict each other: every conflict is hundreds of packages wide."""
    length, versions = 70, 10
    wheels = []
    for step, version in itertools.product(range(length), range(versions)):
        is_last = step == length - 1
        up = (f"d{step}<={version}.0", "c0<5" if is_last else f"c{step + 1}>={version}.0")
        wheels.append(Wheel(f"c{step}", f"{version}.0", up))
        down = (f"c{step}!={version}.0", *(() if is_last else (f"d{step + 1}!={version}.0",)))
        wheels.append(Wheel(f"d{step}", f"{version}.0", down))
    names = frozenset(wheel.name for wheel in wheels)
    return Bomb(tuple(wheels), ("c0>=6", "d0"), "resolution-impossible", names, 100)


def chain() -> Bomb:
    length, versions = 60, 10
    wheels = [
        Wheel(f"c{step}", f"{version}.0", (f"c{step + 1}=={version}.0",))
        for step, version in itertools.product(range(length), range(versions))
    ]
    names = frozenset(wheel.name for wheel in wheels)
    return Bomb((*wheels, Wheel(f"c{length}", "99.0")), ("c0",), "resolution-impossible", names)


def many_requirements() -> Bomb:
    lines = tuple(f"r>{i}.0,!={i}.{i} ; python_version > '3.{i % 7}'" for i in range(8_000))
    return Bomb((Wheel("w", "1.0", lines), Wheel("r", "20000.0")), ("w",), None)


def many_versions() -> Bomb:
    wheels = [Wheel("v", f"{i}.0") for i in range(20_000)]
    wheels[-1] = Wheel("v", "19999.0", ("u",))
    return Bomb((*wheels, Wheel("u", "1.0", ("v<19000",))), ("v",), None)


def exact_family() -> Bomb:
    """As in the cloud clients: each release of one wants exactly one of another, and the cap is on a third."""
    count = 300
    clients = [Wheel("boto", f"{i}.0", (f"core=={i}.0", "transfer<2")) for i in range(count)]
    cores = [Wheel("core", f"{i}.0", (f"url<{2 if i else 3}",)) for i in range(count)]
    urls = [Wheel("url", f"1.{i}") for i in range(40)]
    rest = (Wheel("url", "2.0"), Wheel("transfer", "1.0"), Wheel("app", "1.0", ("url>=2", "boto")))
    return Bomb((*clients, *cores, *urls, *rest), ("app", "boto"), None)


def extras() -> Bomb:
    names = [f"e{i}" for i in range(200)]
    lines = [
        f"x[{','.join(names[(i + k) % 200] for k in range(40))}] ; extra == '{name}'" for i, name in enumerate(names)
    ]
    lines += [f"y{i} ; extra == '{name}'" for i, name in enumerate(names)]
    leaves = [Wheel(f"y{i}", "1.0", (f"x[e{i * 7 % 200}]",)) for i in range(200)]
    return Bomb((Wheel("x", "1.0", tuple(lines)), *leaves), ("x[e0]",), None, more=UNIVERSAL)


def siblings() -> Bomb:
    """Each marker halves every part of the environments once more."""
    lines = [f"s>={i} ; platform_release == 'r{i}'" for i in range(40)]
    lines += [f"s<{100 + i} ; platform_version == 'v{i}'" for i in range(40)]
    wheels = (Wheel("m", "1.0", tuple(lines)), *(Wheel("s", f"{i}.0") for i in range(90)))
    return Bomb(wheels, ("m",), "resolution-impossible", frozenset({"m"}), 0, UNIVERSAL)


def siblings_of_the_caller() -> Bomb:
    lines = tuple(f"s>={i} ; '{i}' in platform_release" for i in range(60))
    return Bomb((Wheel("s", "99.0"),), lines, "budget-exhausted", frozenset({"s"}), 0, UNIVERSAL)


def markers() -> Bomb:
    """A conjunction of disjunctions over everything that can be asked of a platform."""
    asked = ("platform_release", "platform_version", "platform_machine", "sys_platform")
    clauses = [
        " or ".join(f"'{chr(97 + (i * k) % 26)}{k}' in {asked[(i + k) % 4]}" for k in range(1, 4)) for i in range(40)
    ]
    marker = " and ".join(f"({clause})" for clause in clauses)
    wheels = (Wheel("m", "2.0", (f"t ; {marker}",)), Wheel("m", "1.0", ("t",)), Wheel("t", "1.0"))
    return Bomb(wheels, ("m",), None, beats=0, more=UNIVERSAL)


def alternatives() -> Bomb:
    """Each step of a chain holds in two ways; all together they are a short diagram and an endless text."""
    steps = 40
    chain = [
        Wheel(f"p{i}", "1.0", (f"p{i + 1} ; '{i}a' in platform_release or '{i}b' in platform_version",))
        for i in range(steps)
    ]
    wheels = (*chain, Wheel(f"p{steps}", "1.0"))
    return Bomb(wheels, ("p0",), "budget-exhausted", frozenset(wheel.name for wheel in wheels), 0, UNIVERSAL)


def older_and_older() -> Bomb:
    """Each Python has its own newest version, in steps of a patch release."""
    steps = [Wheel("m", f"{i}.0", (f"n=={i}.0 ; python_full_version < '3.11.{i}'", "n")) for i in range(1, 700)]
    return Bomb(
        (*steps, *(Wheel("n", f"{i}.0", (f"m=={i}.0 ; python_full_version >= '3.10.{i}'",)) for i in range(1, 700))),
        ("m", "n"),
        None,
        more=UNIVERSAL,
    )


def page_of_files() -> Bomb:
    """A hundred thousand files: fifty thousand versions, each with an sdist beside its wheel."""
    files: list[dict[str, object]]
    files = [{"filename": f"m-{i}.0-py3-none-any.whl", "hashes": {"sha256": f"{i:064}"}} for i in range(50_000)]
    files += [{"filename": f"m-{i}.0.tar.gz", "hashes": {"sha256": f"{i:064x}"}} for i in range(50_000)]
    wheel = Wheel("m", "77.0")
    files[77] = {
        "filename": wheel.filename,
        "hashes": {"sha256": hashlib.sha256(wheel.metadata).hexdigest()},
        "core-metadata": True,
    }
    return Bomb((wheel,), ("m<=77",), None, pages={"/simple/m/": listed("m", files)})


def requires_python() -> Bomb:
    """Each file with Pythons of its own, and many of them."""
    files: list[dict[str, object]] = [
        {
            "filename": f"m-{i}.0-py3-none-any.whl",
            "requires-python": ",".join([f">=3.{i % 9}", *(f"!=3.{j % 9}.{i + j}" for j in range(40))]),
        }
        for i in range(4_000)
    ]
    wheel = Wheel("m", "3999.0")
    files[-1] |= {"hashes": {"sha256": hashlib.sha256(wheel.metadata).hexdigest()}, "core-metadata": True}
    return Bomb((wheel,), ("m",), None, more=UNIVERSAL, pages={"/simple/m/": listed("m", files)})


def listed(name: str, files: Sequence[Mapping[str, object]]) -> bytes:
    entries = [{"url": f"/files/{file['filename']}", "hashes": {}, **file} for file in files]
    body = orjson.dumps({"meta": {"api-version": "1.0"}, "name": name, "files": entries})
    return reply(gzip.compress(body, 1), content_type=JSON, content_encoding="gzip")


def hundred_thousand_requirements() -> Bomb:
    """More than is read: the version is passed over."""
    wheels = (Wheel("w", "2.0", tuple(f"r{i}" for i in range(100_000))), Wheel("w", "1.0"))
    return Bomb(wheels, ("w",), None, beats=0)


def many_names() -> Bomb:
    """Thousands of projects, none of which exists."""
    wheel = Wheel("w", "1.0", tuple(f"r{i}" for i in range(3_000)))
    return Bomb((wheel,), ("w",), "resolution-impossible", frozenset({"w"}))


def nested() -> Bomb:
    deep = "(" * 1500 + "os_name == 'posix'" + ")" * 1500
    wide = " or ".join(f"(os_name == '{i}' and sys_platform == '{i}')" for i in range(70))
    wheels = [Wheel("w", f"{i}.0", (f"t ; {marker}",)) for i, marker in ((3, deep), (2, f"({wide}) and {wide}"))]
    wheels += [Wheel("w", "1.0", ("t",)), Wheel("t", "1.0")]
    return Bomb(tuple(wheels), ("w",), None, beats=0, more=UNIVERSAL)


def extras_of_extras() -> Bomb:
    """Thousands of extras, each of which is several others of the same project."""
    count = 1_500
    lines = [f"x[e{i * 2 % count},e{(i * 2 + 1) % count}] ; extra == 'e{i}'" for i in range(count)]
    return Bomb((Wheel("x", "1.0", tuple(lines)), Wheel("x", "2.0", (*lines, "absent"))), ("x[e1]",), None)


def versions_in_conflict() -> Bomb:
    """Tens of thousands of versions, of which each choice rules out most of the next."""
    count, names = 6_000, "abcdefgh"
    wheels = []
    for at, name in enumerate(names[:-1]):
        after = names[at + 1]
        wheels += [Wheel(name, f"{i}.0", (f"{after}!={i}.0,>={i // 2},<{i // 2 + 40}",)) for i in range(count)]
    last = [Wheel(names[-1], f"{i}.0", (f"a<{i * 200}", f"b>={i + 9000}")) for i in range(60)]
    return Bomb((*wheels, *last), tuple(names), "budget-exhausted", frozenset(names), 50, {"budget": {"seconds": 3}})


BOMBS: dict[str, Callable[[], Bomb]] = {
    make.__name__: make
    for make in (
        few_decisions,
        few_seconds,
        ladder,
        chain,
        many_requirements,
        many_versions,
        exact_family,
        extras,
        siblings,
        siblings_of_the_caller,
        markers,
        alternatives,
        older_and_older,
        page_of_files,
        requires_python,
        hundred_thousand_requirements,
        many_names,
        nested,
        extras_of_extras,
        versions_in_conflict,
    )
}
