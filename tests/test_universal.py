"""Universal locks of tiny worlds: divided where they must be, sound in every environment, always the same."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterator, Mapping
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.markers import Environment, Marker
from packaging.metadata import Metadata
from packaging.pylock import Pylock
from packaging.requirements import Requirement
from packaging.tags import Tag

from resolver.driver import resolve
from resolver.environment import diagram, marker_text
from resolver.environment.space import bounded
from resolver.errors import BudgetExhausted, NoSolution
from resolver.index.gateway import Gateway
from resolver.inputs import preferences, read_inputs, read_lock
from resolver.lock import build as build_module
from resolver.lock import places
from resolver.lock.build import build
from resolver.lock.check import check
from resolver.lock.document import to_document
from resolver.lock.pylock import to_pylock
from resolver.model import (
    ForkStrategy,
    Lock,
    Options,
    Preference,
    Prerelease,
    Query,
    Resolution,
    ResolutionMode,
    Universal,
)

from .fake_index import World

PYTHONS = ("3.9.0", "3.10.0", "3.11.0", "3.12.0", "3.13.0", "3.14.0")
PLATFORMS = {"linux": ("posix", "Linux", "x86_64"), "win32": ("nt", "Windows", "AMD64")}


def cells(oldest: str = "3.9.0") -> Iterator[dict[str, str]]:
    for python, (name, (os_name, system, machine)) in product(PYTHONS[PYTHONS.index(oldest) :], PLATFORMS.items()):
        yield {
            "implementation_name": "cpython",
            "implementation_version": python,
            "os_name": os_name,
            "platform_machine": machine,
            "platform_python_implementation": "CPython",
            "platform_release": "6.1.0",
            "platform_system": system,
            "platform_version": "1",
            "python_full_version": python,
            "python_version": python.rpartition(".")[0],
            "sys_platform": name,
        }


async def resolved(
    world: World, *requirements: str, universal: Universal | None = None, **fields: object
) -> Resolution:
    constraints, overrides = fields.pop("constraints", ()), fields.pop("overrides", ())
    assert isinstance(constraints, tuple)
    assert isinstance(overrides, tuple)
    inputs = read_inputs(requirements=requirements, constraints=constraints, overrides=overrides)
    query = Query(
        requirements=inputs.requirements,
        constraints=inputs.constraints,
        overrides=inputs.overrides,
        indexes=(world.index,),
        universal=universal or Universal(">=3.9"),
        **fields,  # type: ignore[arg-type]  # named by the test
    )
    return await resolve(query, Gateway(world))


async def locked(world: World, *requirements: str, **fields: object) -> Lock:
    """The lock of a world, once the independent walk has nothing against it."""
    resolution = await resolved(world, *requirements, **fields)  # type: ignore[arg-type]
    lock = build(resolution)
    assert check(lock, resolution) == ()
    return lock


def entries(lock: Lock) -> dict[str, str | None]:
    return {f"{one.name} {one.version}": one.marker for one in lock.packages}


def selected(lock: Lock, values: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in lock.packages:
        if one.marker is None or Marker(one.marker).evaluate({**values, "extra": ""}):
            assert one.name not in found, "one version of a name"
            found[one.name] = one.version
    return found


def closure_faults(
    world: World, pins: Mapping[str, str], requirements: tuple[str, ...], values: Mapping[str, str]
) -> list[str]:
    """The slow way: follow the world's own metadata in one environment."""
    faults: list[str] = []
    todo = [(Requirement(text), "") for text in requirements]
    seen: set[tuple[str, str]] = set()
    while todo:
        requirement, of = todo.pop()
        if requirement.marker is not None and not requirement.marker.evaluate({**values, "extra": of}):
            continue
        version = pins.get(requirement.name)
        if version is None or not requirement.specifier.contains(version, prereleases=True):
            faults.append(f"{requirement} is not met by {version}")
            continue
        metadata = Metadata.from_email(world.releases[requirement.name, version].metadata, validate=False)
        if metadata.requires_python is not None and not metadata.requires_python.contains(
            values["python_full_version"]
        ):
            faults.append(f"{requirement.name} {version} needs Python {metadata.requires_python}")
        for extra in ("", *requirement.extras):
            if (requirement.name, extra) not in seen:
                seen.add((requirement.name, extra))
                todo += [(one, extra) for one in metadata.requires_dist or ()]
    return faults + [f"{name} is idle" for name in pins.keys() - {name for name, _ in seen}]


async def test_what_everybody_needs_has_no_marker_and_what_some_need_has_theirs() -> None:
    world = World("""
        a 1.0: b & c ; sys_platform == 'win32'
        b 1.0
        c 1.0: d ; python_version >= '3.12'
        d 1.0
    """)
    assert entries(await locked(world, "a")) == {
        "a 1.0": None,
        "b 1.0": None,
        "c 1.0": "sys_platform == 'win32'",
        "d 1.0": "python_version >= '3.12' and sys_platform == 'win32'",
    }


async def test_siblings_with_disjoint_markers_get_a_version_each() -> None:
    world = World("""
        a 1.0
        a 2.0
    """)
    lock = await locked(world, "a<2 ; sys_platform == 'win32'", "a>=2 ; sys_platform != 'win32'")
    assert entries(lock) == {"a 1.0": "sys_platform == 'win32'", "a 2.0": "sys_platform != 'win32'"}


async def test_what_neither_sibling_covers_is_a_part_of_its_own_that_needs_neither() -> None:
    world = World("""
        a 1.0
        a 2.0
        b 1.0
    """)
    lock = await locked(world, "a<2 ; sys_platform == 'win32'", "a>=2 ; sys_platform == 'darwin'", "b")
    assert entries(lock) == {
        "a 1.0": "sys_platform == 'win32'",
        "a 2.0": "sys_platform == 'darwin'",
        "b 1.0": None,
    }


async def test_a_constraint_with_a_marker_binds_where_it_holds() -> None:
    world = World("""
        root 1.0: a
        a 1.0
        a 2.0
    """)
    bounds = ("a<2 ; sys_platform == 'win32'", "a>=2 ; sys_platform != 'win32'", "absent<1 ; sys_platform == 'linux'")
    assert entries(await locked(world, "root", constraints=bounds)) == {
        "root 1.0": None,
        "a 1.0": "sys_platform == 'win32'",
        "a 2.0": "sys_platform != 'win32'",
    }
    assert entries(await locked(world, "root", constraints=("a<2",))) == {"root 1.0": None, "a 1.0": None}


async def test_siblings_of_a_dependency_divide_as_those_of_the_caller_do() -> None:
    world = World("""
        root 1.0: a<2 ; python_version < '3.11' & a>=2 ; python_version >= '3.11'
        a 1.0
        a 2.0
    """)
    assert entries(await locked(world, "root")) == {
        "root 1.0": None,
        "a 1.0": "python_version < '3.11'",
        "a 2.0": "python_version >= '3.11'",
    }


async def test_each_python_gets_the_newest_version_it_can_have_or_all_get_the_same() -> None:
    world = World("""
        a 1.0
        a 2.0 py>=3.11
    """)
    assert entries(await locked(world, "a")) == {
        "a 1.0": "python_version < '3.11'",
        "a 2.0": "python_version >= '3.11'",
    }
    fewest = Options(fork_strategy=ForkStrategy.FEWEST)
    assert entries(await locked(world, "a", options=fewest)) == {"a 1.0": None}


async def test_few_versions_are_a_wish_and_no_reason_for_there_being_no_lock() -> None:
    world = World("""
        a 1.0: c<2
        a 2.0 py>=3.11
        b 1.0: c>=2 ; python_version >= '3.11'
        c 1.0
        c 2.0
    """)
    fewest = Options(fork_strategy=ForkStrategy.FEWEST)
    assert entries(await locked(world, "a", "b", options=fewest)) == {
        "a 1.0": "python_version < '3.11'",
        "a 2.0": "python_version >= '3.11'",
        "b 1.0": None,
        "c 1.0": "python_version < '3.11'",
        "c 2.0": "python_version >= '3.11'",
    }
    with pytest.raises(NoSolution) as caught:
        await locked(world, "a>=2", options=fewest)
    assert caught.value.detail.startswith("For Python >=3.9,<3.11: ")


async def test_an_extra_that_is_taken_on_one_platform_brings_its_requirements_there_only() -> None:
    world = World("""
        a 1.0
        a 1.0 [fast]: b & c ; python_version < '3.11'
        b 1.0
        c 1.0
        d 1.0: a
    """)
    assert entries(await locked(world, "a[fast] ; sys_platform == 'win32'", "d")) == {
        "a 1.0": None,
        "b 1.0": "sys_platform == 'win32'",
        "c 1.0": "python_version < '3.11' and sys_platform == 'win32'",
        "d 1.0": None,
    }


async def test_packages_that_need_each_other_are_needed_where_either_is() -> None:
    world = World("""
        a 1.0: b
        b 1.0: c
        c 1.0: a
    """)
    lock = await locked(world, "a ; sys_platform == 'win32'", "c ; python_version >= '3.13'")
    assert set(entries(lock).values()) == {"python_version >= '3.13' or sys_platform == 'win32'"}


async def test_environments_bound_the_lock_and_its_markers() -> None:
    world = World("""
        a 1.0: b ; sys_platform == 'win32' & c ; sys_platform == 'darwin'
        b 1.0
        c 1.0
    """)
    only = Universal(">=3.9", environments=("sys_platform == 'linux'", "sys_platform == 'darwin'"))
    lock = await locked(world, "a", universal=only)
    assert entries(lock) == {"a 1.0": None, "c 1.0": "sys_platform == 'darwin'"}
    assert lock.environments == only.environments


async def test_what_cannot_be_together_may_be_required_in_places_that_do_not_meet() -> None:
    world = World("""
        a 1.0: c<2
        b 1.0: c>=2
        c 1.0
        c 2.0
    """)
    assert entries(await locked(world, "a ; sys_platform == 'win32'", "b ; sys_platform == 'linux'")) == {
        "a 1.0": "sys_platform == 'win32'",
        "b 1.0": "sys_platform == 'linux'",
        "c 1.0": "sys_platform == 'win32'",
        "c 2.0": "sys_platform == 'linux'",
    }
    below = World("""
        a 1.0: b ; python_version < '3.10' & c ; python_version >= '3.13'
        b 1.0: d==1
        c 1.0: d==2
        d 1
        d 2
    """)
    assert entries(await locked(below, "a"))["d 2"] == "python_version >= '3.13'"
    bound = ("c<2 ; sys_platform == 'win32'",)
    assert (
        entries(await locked(world, "a ; sys_platform == 'win32'", "b ; os_name != 'nt'", constraints=bound))["c 2.0"]
        == "sys_platform != 'win32'"
    )


async def test_a_conflict_is_told_of_just_the_environments_where_its_requirements_meet() -> None:
    world = World("""
        a 1.0: c<2 ; sys_platform == 'win32'
        b 1.0: c>=2 ; python_version >= '3.13'
        c 1.0
        c 2.0
        d 1.0
    """)
    with pytest.raises(NoSolution) as caught:
        await resolved(world, "a", "b", "d ; sys_platform == 'linux'")
    assert caught.value.detail.startswith('For Python >=3.13 and sys_platform == "win32": ')
    with pytest.raises(NoSolution) as caught:
        await resolved(world, "a", "b", "d ; sys_platform == 'linux'", "c>2")
    assert caught.value.detail.startswith("Because "), "it is one for all"


async def test_a_requirement_that_nothing_can_meet_rules_a_version_out_where_it_holds() -> None:
    itself = World("""
        a 1.0
        a 2.0: a<2 ; sys_platform == 'win32'
    """)
    by_url = World("""
        a 1.0
        a 2.0: b @ https://elsewhere.example/b-1.0-py3-none-any.whl ; sys_platform == 'win32'
    """)
    for world in (itself, by_url):
        assert entries(await locked(world, "a")) == {
            "a 1.0": "sys_platform == 'win32'",
            "a 2.0": "sys_platform != 'win32'",
        }


async def test_an_override_holds_where_it_says_itself_whatever_the_requirement_said() -> None:
    world = World("""
        a 1.0: b<2 ; implementation_name == 'pypy'
        a 1.0 [x]: c ; sys_platform == 'win32'
        b 1.0
        b 2.0
        c 1.0
    """)
    overrides = ("b>=2 ; sys_platform != 'win32'", "c ; python_version >= '3.12'")
    assert entries(await locked(world, "a", "a[x] ; sys_platform == 'linux'", overrides=overrides)) == {
        "a 1.0": None,
        "b 2.0": "sys_platform != 'win32'",
        "c 1.0": "python_version >= '3.12' and sys_platform == 'linux'",
    }
    assert entries(await locked(world, "b<2 ; implementation_name == 'pypy'", overrides=overrides)) == {
        "b 2.0": "sys_platform != 'win32'"
    }


WIN_ONLY = """
    a 1.0
    a 2.0 tag:cp312-abi3-win_amd64
"""
REQUIRED = Universal(">=3.12", required_environments=("sys_platform == 'linux'", "sys_platform == 'win32'"))


async def test_a_version_without_wheels_for_a_required_environment_gives_way_to_an_older_one_there() -> None:
    assert entries(await locked(World(WIN_ONLY), "a", universal=REQUIRED)) == {
        "a 1.0": "sys_platform != 'win32'",
        "a 2.0": "sys_platform == 'win32'",
    }
    assert entries(await locked(World(WIN_ONLY), "a", universal=Universal(">=3.12"))) == {"a 2.0": None}


async def test_a_required_environment_that_no_wheel_serves_is_named() -> None:
    world = World("a 2.0 tag:cp312-abi3-win_amd64")
    with pytest.raises(NoSolution, match=r"has no wheels for sys_platform == 'linux'"):
        await resolved(world, "a", universal=REQUIRED)
    assert entries(await locked(world, "a ; sys_platform == 'win32'", universal=REQUIRED)) == {
        "a 2.0": "sys_platform == 'win32'"
    }


async def test_wheels_for_other_pythons_are_told_from_those_for_other_platforms() -> None:
    old = World("a 1.0 tag:cp310-cp310-manylinux_2_17_x86_64")
    with pytest.raises(NoSolution, match=r"a==1\.0 has no wheels for a Python of these environments") as caught:
        await locked(old, "a", universal=Universal(">=3.12"))
    assert caught.value.hints == ("a 1.0 has wheels for these interpreters only: cp310",)
    foreign = World("a 1.0 tag:cp312-cp312-win_amd64")
    with pytest.raises(NoSolution, match=r"a==1\.0 has no wheels for the environments of the lock") as caught:
        await locked(foreign, "a", universal=Universal(">=3.12", ("sys_platform == 'linux'",)))
    assert caught.value.hints == ("a 1.0 has wheels for these platforms only: win_amd64",)


async def test_a_part_for_another_implementation_may_have_what_has_wheels_for_cpython_only() -> None:
    world = World("""
        a 1.0 tag:cp312-cp312-win_amd64
        b 1.0
        b 2.0
    """)
    siblings = ("b<2 ; implementation_name == 'pypy'", "b>=2 ; implementation_name != 'pypy'")
    assert entries(await locked(world, "a", *siblings, universal=Universal(">=3.12"))) == {
        "a 1.0": None,
        "b 1.0": "implementation_name == 'pypy'",
        "b 2.0": "implementation_name != 'pypy'",
    }


BY_MACHINE = ("b<2 ; platform_machine == 'x86_64'", "b>=2 ; platform_machine != 'x86_64'")
LINUX = "sys_platform == 'linux'"
SERVES_X86 = """
    a 1.0
    a 2.0 tag:cp39-abi3-manylinux_2_17_x86_64
    b 1.0
    b 2.0
"""


async def test_a_wheel_has_to_serve_a_required_environment_in_each_part_that_siblings_make_of_it() -> None:
    """As in uv: in the part for other machines it serves nobody on Linux."""
    required = Universal(">=3.12", required_environments=(LINUX,))
    assert entries(await locked(World(SERVES_X86), "a", *BY_MACHINE, universal=required)) == {
        "a 1.0": "platform_machine != 'x86_64'",
        "a 2.0": "platform_machine == 'x86_64'",
        "b 1.0": "platform_machine == 'x86_64'",
        "b 2.0": "platform_machine != 'x86_64'",
    }
    assert entries(await locked(World(SERVES_X86), "a", universal=required)) == {"a 2.0": None}


async def test_a_wheel_for_other_pythons_than_those_of_a_part_does_not_serve_a_required_environment_there() -> None:
    world = World("""
        a 1.0
        a 2.0 tag:cp312-cp312-manylinux_2_17_x86_64
        b 1.0
        b 2.0
    """)
    siblings = ("b<2 ; python_version < '3.13'", "b>=2 ; python_version >= '3.13'")
    required = Universal(">=3.12", required_environments=(LINUX,))
    found = entries(await locked(world, "a", *siblings, universal=required))
    assert found == {
        "a 1.0": None,
        "b 1.0": "python_version < '3.13'",
        "b 2.0": "python_version >= '3.13'",
    }
    with pytest.raises(NoSolution, match=r"For Python >=3\.13: .* a==2\.0 has no wheels for sys_platform == 'linux'"):
        await resolved(world, "a>1", *siblings, universal=required)


async def test_environments_that_the_lock_is_for_are_required_of_wheels_as_well() -> None:
    world = World("""
        a 1.0
        a 2.0 tag:cp39-abi3-manylinux_2_17_x86_64
    """)
    platforms = Universal(">=3.12", environments=(LINUX, "sys_platform == 'darwin'"))
    assert entries(await locked(world, "a", universal=platforms)) == {
        "a 1.0": "sys_platform == 'darwin'",
        "a 2.0": "sys_platform == 'linux'",
    }
    together = Universal(">=3.12", environments=("sys_platform == 'linux' or sys_platform == 'darwin'",))
    assert entries(await locked(world, "a", universal=together)) == {"a 2.0": None}
    with pytest.raises(NoSolution, match="has no wheels for sys_platform == 'darwin'"):
        await resolved(world, "a>1", universal=platforms)


async def test_environments_with_newer_pythons_come_first_in_whatever_order_they_are_named() -> None:
    world = World("""
        a 1.0: b<2 ; python_version < '3.13'
        b 1.0
        b 2.0
    """)
    older, newer = "python_version < '3.13'", "python_version >= '3.13'"
    outside = "python_version < '3.9'"  # of requires_python: it is nobody's
    for named in ((older, newer), (newer, older), (outside, older, newer)):
        assert entries(await locked(world, "a", "b", universal=Universal(">=3.12", named))) == {
            "a 1.0": None,
            "b 1.0": older,
            "b 2.0": newer,
        }


async def test_of_requirements_on_one_project_that_part_comes_first_which_people_state_first() -> None:
    """What it had to take is preferred in the others: macOS is the exception, whatever its place in the alphabet."""
    world = World("""
        a 1.0
        b 1.0: c<2 ; sys_platform == 'darwin'
        c 1.0
        c 2.0
    """)
    siblings = ("a ; sys_platform == 'darwin'", "a ; sys_platform == 'linux'")
    lock = await locked(world, *siblings, "b", "c")
    assert {text: marker for text, marker in entries(lock).items() if text.startswith("c")} == {
        "c 1.0": "sys_platform == 'darwin'",
        "c 2.0": "sys_platform != 'darwin'",
    }
    lock = await locked(world, *(one.replace("linux", "win32") for one in siblings), "b", "c")
    assert {text: marker for text, marker in entries(lock).items() if text.startswith("c")} == {"c 1.0": None}
    narrower = ("a ; sys_platform == 'linux'", "a!=2 ; sys_platform != 'linux'")
    assert [name for name in entries(await locked(world, *narrower, "b", "c")) if name[0] == "c"] == ["c 1.0", "c 2.0"]


async def test_what_a_version_requires_of_itself_divides_nothing() -> None:
    world = World("""
        a 1.0: c
        a 1.0 [x]: a[y] ; python_version < '3.13' & a[z] ; python_version >= '3.13'
        a 1.0 [y]: b
        a 1.0 [z]: b
        b 1.0
        b 2.0: c<2 ; python_version < '3.13'
        c 1.0
        c 2.0
    """)
    resolution = await resolved(world, "a[x]")
    assert [{name: pin.version for name, pin in one.pins.items()} for one in resolution.regions] == [
        {"a": "1.0", "b": "1.0", "c": "2.0"}
    ]


async def test_an_sdist_serves_every_required_environment() -> None:
    assert entries(await locked(World("a 1.0 sdist"), "a", universal=REQUIRED)) == {"a 1.0": None}


async def test_where_there_is_no_solution_is_said() -> None:
    world = World("""
        a 1.0
        a 2.0
    """)
    with pytest.raises(NoSolution) as caught:
        await resolved(world, "a<2 ; sys_platform == 'win32'", "a>2 ; sys_platform != 'win32'")
    assert caught.value.detail.startswith('For Python >=3.9 and sys_platform != "win32": ')


async def test_a_pylock_selects_the_right_packages_in_each_environment() -> None:
    world = World("""
        a 1.0: c ; python_version >= '3.13'
        a 2.0: b
        b 1.0
        c 1.0
    """)
    lock = await locked(world, "a<2 ; sys_platform == 'win32'", "a>=2 ; sys_platform != 'win32'")
    pylock = Pylock.from_dict(tomllib.loads(to_pylock(lock)))
    tags = [Tag("py3", "none", "any")]
    for values in cells():
        environment = Environment(**values)  # type: ignore[typeddict-item]
        found = {package.name: str(package.version) for package, _ in pylock.select(environment=environment, tags=tags)}
        assert found == selected(lock, values)
        expected = {"a": "1.0"} if values["sys_platform"] == "win32" else {"a": "2.0", "b": "1.0"}
        if values["sys_platform"] == "win32" and values["python_version"] in {"3.13", "3.14"}:
            expected["c"] = "1.0"
        assert found == expected


async def test_a_version_that_one_part_took_is_preferred_in_the_next() -> None:
    world = World("""
        a 1.0
        a 2.0
        b 1.0: a<2
        b 2.0
    """)
    lock = await locked(world, "b<2 ; sys_platform == 'win32'", "b>=2 ; sys_platform != 'win32'", "a")
    assert {one.version for one in lock.packages if one.name == "a"} == {"1.0"}


MARKERS = (
    *("", "", "", "sys_platform == 'win32'", "sys_platform != 'win32'", "python_version < '3.11'"),
    *("python_version >= '3.11'", "python_version >= '3.13' and sys_platform == 'linux'", "os_name == 'nt'"),
    "python_version < '3.10' or sys_platform == 'win32'",
)
NAMES = ("a", "b", "c", "d", "e")
SPECIFIERS = ("", "", ">=2", "<2", "<3", "==3", "!=2")
FLAGS = ("", "", "", "", "py>=3.11", "py>=3.13")


def _requirement(name: str, specifier: str, marker: str, extra: str) -> str:
    return f"{name}{extra}{specifier}" + (f" ; {marker}" if marker else "")


REQUIREMENTS = st.builds(
    _requirement,
    st.sampled_from(NAMES),
    st.sampled_from(SPECIFIERS),
    st.sampled_from(MARKERS),
    st.sampled_from(("", "", "[x]")),
)


@st.composite
def worlds(draw: st.DrawFn) -> str:
    lines = []
    for name, version in product(NAMES, ("1", "2", "3")):
        flag = draw(st.sampled_from(FLAGS)) if version != "1" else ""
        requires = draw(st.lists(REQUIREMENTS, max_size=2)) if version != "1" or name < "c" else []
        lines.append(f"{name} {version} {flag}" + (f": {' & '.join(requires)}" if requires else ""))
        if name in "ab" and draw(st.booleans()):
            lines.append(f"{name} {version} [x]: {draw(REQUIREMENTS)}")
    return "\n".join(lines)


@settings(max_examples=60, deadline=None)
@given(
    worlds(),
    st.lists(REQUIREMENTS, min_size=1, max_size=3),
    st.randoms(use_true_random=False),
    st.sampled_from(list(ForkStrategy)),
)
async def test_any_universal_lock_is_sound_everywhere_and_the_same_whatever_the_network_does(
    text: str, requirements: list[str], order: random.Random, strategy: ForkStrategy
) -> None:
    options = Options(fork_strategy=strategy)
    try:
        lock = await locked(World(text), *requirements, options=options)
    except NoSolution:
        with pytest.raises(NoSolution):
            await locked(World(text, seed=order.randrange(2**32)), *requirements, options=options)
        return
    same = await locked(World(text, seed=order.randrange(2**32)), *requirements, options=options)
    assert to_document(same) == to_document(lock)
    kept = tuple(Preference(one.name, one.version) for one in lock.packages)
    relocked = await locked(World(text), *requirements, options=options, preferences=kept)
    world = World(text)
    for values, one in product(cells(), (lock, relocked)):
        assert closure_faults(world, selected(one, values), tuple(requirements), values) == []


FORKING = """
    root 1.0: a<2 ; sys_platform == 'win32' & a>=2 ; sys_platform != 'win32' & b & c
    a 1.0
    a 2.0: d
    b 1.0
    b 2.0 py>=3.11: e ; sys_platform == 'linux'
    c 1.0: c[x]
    c 1.0 [x]: f ; python_version >= '3.13'
    d 1.0
    d 2.0 py>=3.12
    e 1.0: root
    f 1.0
"""


async def test_the_order_of_requirements_changes_nothing_where_one_answer_is_best() -> None:
    requirements = ["root", "a", "d ; sys_platform == 'win32'", "c[x]"]
    first = entries(await locked(World(FORKING), *requirements))
    assert len(first) == 10
    for seed in range(6):
        shuffled = random.Random(seed).sample(requirements, len(requirements))
        assert entries(await locked(World(FORKING, seed=seed), *shuffled)) == first


@pytest.mark.parametrize("strategy", list(ForkStrategy))
async def test_locking_again_with_the_versions_of_the_last_lock_changes_nothing(strategy: ForkStrategy) -> None:
    old = await locked(World(FORKING), "root", options=Options(fork_strategy=strategy))
    kept = tuple(Preference(one.name, one.version) for one in old.packages)
    grown = World(FORKING + "a 3.0\na 1.5\nb 3.0\nd 3.0\ne 2.0\nf 2.0\n")
    again = await locked(grown, "root", options=Options(fork_strategy=strategy), preferences=kept)
    assert entries(again) == entries(old)
    anew = await locked(grown, "root", options=Options(fork_strategy=strategy))
    assert entries(anew) != entries(old)


async def test_what_was_chosen_before_a_region_was_divided_stays_in_the_parts_that_can_have_it() -> None:
    world = World("""
        a 1.0
        a 2.0
        b 1.0: c<2 ; sys_platform == 'win32' & c>=2 ; sys_platform != 'win32'
        c 1.0: a<2
        c 2.0
    """)
    assert entries(await locked(world, "a", "b")) == {
        "a 1.0": "sys_platform == 'win32'",
        "a 2.0": "sys_platform != 'win32'",
        "b 1.0": None,
        "c 1.0": "sys_platform == 'win32'",
        "c 2.0": "sys_platform != 'win32'",
    }


async def test_of_the_versions_that_other_parts_took_the_best_is_preferred() -> None:
    world = World("""
        a 1.0
        a 2.0
    """)
    lock = await locked(world, "a<2 ; sys_platform == 'win32'", "a>=2 ; sys_platform == 'darwin'", "a")
    assert entries(lock) == {"a 1.0": "sys_platform == 'win32'", "a 2.0": "sys_platform != 'win32'"}


async def test_a_prerelease_that_one_part_had_to_take_is_no_example_where_a_stable_version_does() -> None:
    world = World("""
        a 1.0
        a 2.0rc1
        a 2.0rc2
        b 1.0: a>=2.0rc1,<2.0rc2 ; sys_platform == 'win32' & a ; sys_platform != 'win32'
    """)
    windows, elsewhere = "sys_platform == 'win32'", "sys_platform != 'win32'"
    lock = await locked(world, "b")
    assert entries(lock) == {"a 1.0": elsewhere, "a 2.0rc1": windows, "b 1.0": None}
    later = await locked(world, "a>=2.0rc1,<2.0rc2 ; sys_platform == 'win32'", "a>1 ; sys_platform != 'win32'")
    assert entries(later) == {"a 2.0rc2": elsewhere, "a 2.0rc1": windows}
    kept = (Preference("a", "2.0rc1"), Preference("b", "1.0"))
    assert entries(await locked(world, "b", preferences=kept)) == {"a 2.0rc1": None, "b 1.0": None}
    allowed = await locked(world, "b", options=Options(prerelease=Prerelease.ALLOW))
    assert entries(allowed) == {"a 2.0rc1": None, "b 1.0": None}


async def test_a_yanked_version_that_is_pinned_in_some_environment_may_be_taken_in_all() -> None:
    world = World("""
        a 1.0 yanked
    """)
    pinned = "a==1.0 ; sys_platform == 'linux'"
    assert entries(await locked(world, pinned, "a ; sys_platform != 'linux'")) == {"a 1.0": None}
    with pytest.raises(NoSolution, match="yanked"):
        await locked(world, "a==1.0 ; python_version < '3.9'", "a ; python_version >= '3.9'")


async def test_a_version_that_serves_a_part_is_taken_there_whatever_another_machine_had_to_take() -> None:
    world = World("""
        a 1.0 sdist
        a 2.0 tag:cp312-cp312-manylinux_2_17_x86_64
        a 3.0 tag:cp312-cp312-macosx_11_0_arm64
    """)
    intel = "sys_platform == 'darwin' and platform_machine == 'x86_64'"
    lock = await locked(world, "a", universal=Universal(">=3.12", required_environments=(intel,)))
    assert entries(lock) == {
        "a 1.0": "sys_platform != 'linux' and platform_machine == 'x86_64'",
        "a 2.0": "sys_platform == 'linux' and platform_machine == 'x86_64'",
        "a 3.0": "platform_machine != 'x86_64'",
    }


async def test_what_is_lowest_where_it_is_stated_is_looked_for_in_each_part_anew() -> None:
    world = World("""
        a 1.0
        a 2.0
        a 3.0
        b 1.0: a
        b 2.0
    """)
    stated = ("a>=1 ; python_version < '3.13'", "a>=2 ; python_version >= '3.13'", "b>=1")
    lock = await locked(world, *stated, options=Options(resolution=ResolutionMode.LOWEST_DIRECT))
    assert entries(lock) == {"a 1.0": "python_version < '3.13'", "a 2.0": "python_version >= '3.13'", "b 1.0": None}


async def test_the_lowest_versions_are_looked_for_from_the_oldest_python_on() -> None:
    world = World("""
        a 1.0: b<2 ; python_version >= '3.13' & b>=2 ; python_version < '3.13'
        a 2.0: b!=2.0
        b 1.0
        b 2.0
        b 3.0
    """)
    lowest = Options(resolution=ResolutionMode.LOWEST)
    assert entries(await locked(world, "a<3", "b>1", options=lowest)) == {
        "a 1.0": "python_version < '3.13'",
        "a 2.0": "python_version >= '3.13'",
        "b 2.0": "python_version < '3.13'",
        "b 3.0": "python_version >= '3.13'",
    }


async def test_pre_releases_of_python_between_two_parts_change_no_word_of_the_next_lock() -> None:
    world = World("""
        b 1
        b 2 py>=3.11
        c 2.1: f ; python_full_version >= '3.12.4' & b ; python_version == '3.12'
        f 2.1 py>=3.10.2
    """)
    stated = ("c>1 ; platform_machine != 'x86_64'", "b<=2 ; python_full_version < '3.11.2'")
    environments = ("sys_platform == 'linux' and python_version < '3.12'", "sys_platform == 'darwin'")
    somewhere = Universal(">=3.10.1", environments)
    pylock = to_pylock(await locked(world, *stated, universal=somewhere))
    earlier = read_lock(pylock)
    kept = preferences(earlier, upgrade=False)
    again = await locked(world, *stated, universal=somewhere, preferences=kept, regions=earlier.regions)
    assert to_pylock(again) == pylock


async def test_a_lock_keeps_each_version_where_it_had_it() -> None:
    world = World("""
        a 1.0
        a 2.0
        a 3.0
    """)
    windows = "sys_platform == 'win32'"
    kept = (Preference("a", "1.0", marker=windows), Preference("a", "2.0", marker="sys_platform != 'win32'"))
    lock = await locked(world, "a", preferences=kept, regions=(windows, "sys_platform != 'win32'"))
    assert entries(lock) == {"a 1.0": windows, "a 2.0": "sys_platform != 'win32'"}
    assert lock.regions == (windows, "sys_platform != 'win32'")
    assert entries(await locked(world, "a", preferences=kept)) == {"a 2.0": None}, "one part: the best is kept"
    nothing = Universal(">=3.9", environments=(windows,))
    assert entries(await locked(world, "a", universal=nothing, preferences=kept)) == {"a 1.0": None}


async def test_the_parts_of_an_earlier_lock_are_left_where_one_of_them_has_no_answer() -> None:
    world = World("""
        a 1.0: b<2
        a 2.0
        b 1.0
        b 2.0
    """)
    kept = (Preference("a", "1.0"),)
    lock = await locked(world, "a", "b>=2", preferences=kept, regions=("sys_platform == 'win32'",))
    assert entries(lock) == {"a 2.0": None, "b 2.0": None}


async def test_a_patch_release_of_python_is_told_from_the_one_before_it_in_plain_words() -> None:
    world = World("""
        a 1.0
        a 2.0 py>=3.12.4
    """)
    assert entries(await locked(world, "a", universal=Universal(">=3.12"))) == {
        "a 1.0": "python_full_version < '3.12.4'",
        "a 2.0": "python_full_version >= '3.12.4'",
    }


SCATTERED = """
    a 1.0: b ; platform_release == 'r1' or (platform_version == 'v1' and platform_machine == 'm1')
    a 1.0 [x]: b ; platform_release == 'r2' or (platform_version == 'v2' and platform_machine == 'm2')
    b 1.0
    b 2.0
"""
SIBLINGS = ("b<2 ; platform_release == 'r3'", "b>=2 ; platform_release != 'r3'")


async def test_wherever_the_algebra_of_a_lock_ends_early_it_ends_in_a_refusal_of_ours() -> None:
    resolution = await resolved(World(SCATTERED), "a[x]", *SIBLINGS)
    ends = set[str]()
    for steps in range(400):
        forget_markers()
        with bounded(steps):
            try:
                build(resolution)
                ends.add("built")
            except BudgetExhausted:
                ends.add("refused")
    forget_markers()
    assert ends == {"built", "refused"}


def forget_markers() -> None:
    """Have the algebra of a lock done as in a new process."""
    diagram._memo.clear()
    for known in (places._final, build_module._of_regions, marker_text._text):
        known.cache_clear()


async def test_a_lock_whose_markers_are_too_long_is_refused_by_the_name_of_the_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolution = await resolved(World(SCATTERED), "a[x]", *SIBLINGS)
    monkeypatch.setattr(marker_text, "MAX_STEPS", 4)
    with pytest.raises(BudgetExhausted, match="the markers on the way to b combine too many") as caught:
        build(resolution)
    assert caught.value.packages == ("b",)
