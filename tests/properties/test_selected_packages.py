"""``packaging.pylock`` selects from a universal lock, in each environment, just what is required there."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from itertools import product

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from packaging.markers import Environment, Marker
from packaging.pylock import Pylock, PylockSelectError
from packaging.specifiers import SpecifierSet
from packaging.tags import Tag

from resolver.driver import resolve
from resolver.errors import NoSolution
from resolver.index.gateway import Gateway
from resolver.lock.build import build
from resolver.lock.pylock import to_pylock
from resolver.model import Options, Universal

from ..fake_index import World
from ..test_universal import closure_faults
from ..universal_worlds import OPTIONS, STATEMENTS, UNIVERSALS, Statements, worlds

PYTHONS = ("3.9.0", "3.9.18", "3.10.0", "3.10.1", "3.11.0", "3.11.2", "3.12.3", "3.12.4", "3.13.0", "3.14.0")
PLATFORMS = (
    ("linux", "posix", "Linux", "x86_64"),
    ("linux", "posix", "Linux", "aarch64"),
    ("darwin", "posix", "Darwin", "arm64"),
    ("darwin", "posix", "Darwin", "x86_64"),
    ("win32", "nt", "Windows", "AMD64"),
    ("win32", "nt", "Windows", "ARM64"),
)
CELLS: list[Environment] = [
    {
        "implementation_name": implementation,
        "implementation_version": python if implementation == "cpython" else "7.3.17",
        "os_name": os_name,
        "platform_machine": machine,
        "platform_python_implementation": {"cpython": "CPython", "pypy": "PyPy"}[implementation],
        "platform_release": "6.1.0",
        "platform_system": system,
        "platform_version": "1",
        "python_full_version": python,
        "python_version": python.rpartition(".")[0],
        "sys_platform": platform,
    }
    for python, (platform, os_name, system, machine), implementation in product(PYTHONS, PLATFORMS, ("cpython", "pypy"))
]
# Which file fits is the installer's business: a version may have none for an environment.
TAGS = [Tag("cp312", "abi3", "win_amd64"), Tag("cp39", "abi3", "manylinux_2_17_x86_64"), Tag("py3", "none", "any")]


def is_admitted(universal: Universal, values: Mapping[str, str]) -> bool:
    if not SpecifierSet(universal.requires_python).contains(values["python_full_version"]):
        return False
    return not universal.environments or any(Marker(text).evaluate(dict(values)) for text in universal.environments)


@settings(max_examples=60, deadline=None)
@given(worlds(), STATEMENTS, st.sampled_from(UNIVERSALS), OPTIONS)
async def test_what_is_selected_in_an_environment_is_what_is_required_there(
    text: str, statements: Statements, universal: Universal, options: Options
) -> None:
    world = World(text)
    stated = Statements(statements.requirements, statements.constraints, ())
    try:
        resolution = await resolve(stated.query(world, universal, options), Gateway(world))
    except NoSolution:
        reject()
    pylock = Pylock.from_dict(tomllib.loads(to_pylock(build(resolution))))
    for environment in CELLS:
        values = {key: str(value) for key, value in environment.items()}
        if not is_admitted(universal, values):
            with pytest.raises(PylockSelectError):
                list(pylock.select(environment=environment, tags=TAGS))
            continue
        found = {str(one.name): str(one.version) for one, _ in pylock.select(environment=environment, tags=TAGS)}
        faults = closure_faults(world, found, tuple(stated.requirements), values)
        # An upper bound of Requires-Python is a guess about the future; the lower one is in the lock.
        assert [one for one in faults if ">=3.8" not in one] == []
