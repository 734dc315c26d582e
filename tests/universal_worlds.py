"""Queries for all environments of worlds that have everything that divides, excludes or orders versions."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from hypothesis import strategies as st

from resolver.inputs import read_inputs
from resolver.model import ForkStrategy, Options, Prerelease, Query, ResolutionMode, Universal

from .fake_index import World

NAMES = "abcdef"
VERSIONS = ("1", "2", "2.1", "3rc1", "3")
SPECIFIERS = ("", "", ">=2", "<2", "<3", "==3", "!=2", "==2.*", ">=2,<3", ">1", "~=2.0", ">=3rc1", "==3rc1", "<=2")
EXTRAS = ("", "", "[x]")
WINDOWS, LINUX = "sys_platform == 'win32'", "sys_platform == 'linux'"
MARKERS = (
    *("", "", "", "", WINDOWS, "sys_platform != 'win32'", "os_name == 'nt'", "platform_system == 'Linux'"),
    *("python_version < '3.11'", "python_version >= '3.11'", "python_version == '3.12'"),
    *("python_full_version >= '3.12.4'", "python_full_version < '3.11.2'"),
    *("implementation_name == 'pypy'", "platform_python_implementation != 'PyPy'"),
    *("platform_machine == 'arm64'", "platform_machine != 'x86_64'"),
    "sys_platform == 'darwin' and platform_machine == 'arm64'",
    "python_version >= '3.13' and sys_platform == 'linux'",
    "python_version < '3.10' or sys_platform == 'win32'",
)
FLAGS = (
    *("", "", "", "", "yanked", "sdist", "py>=3.11", "py>=3.13", "py>=3.10.2", "py>=3.8,<3.12"),
    *("tag:cp312-abi3-win_amd64", "tag:cp39-abi3-manylinux_2_17_x86_64"),
)
UNIVERSALS = (
    *(Universal(">=3.9"), Universal(">=3.9"), Universal(">=3.9", environments=(LINUX, WINDOWS))),
    Universal(">=3.9,<3.13", environments=("implementation_name == 'cpython'",)),
    Universal(">=3.10.1", environments=(f"{LINUX} and python_version < '3.12'", "sys_platform == 'darwin'")),
    Universal(">=3.10", required_environments=(LINUX,)),
    Universal(">=3.11", required_environments=(f"{LINUX} and platform_machine == 'aarch64'", WINDOWS)),
)
OPTIONS = st.builds(
    Options,
    fork_strategy=st.sampled_from(list(ForkStrategy)),
    resolution=st.sampled_from([*[ResolutionMode.HIGHEST] * 3, *ResolutionMode]),
    prerelease=st.sampled_from([*[Prerelease.IF_NECESSARY_OR_EXPLICIT] * 3, *Prerelease]),
)


def _statement(name: str, extra: str, specifier: str, marker: str) -> str:
    return f"{name}{extra}{specifier}" + (f" ; {marker}" if marker else "")


def _statements(extras: Sequence[str]) -> st.SearchStrategy[str]:
    drawn = (st.sampled_from(values) for values in (NAMES, extras, SPECIFIERS, MARKERS))
    return st.builds(_statement, *drawn)


REQUIREMENT = _statements(EXTRAS)
BOUND = _statements([""])


@st.composite
def worlds(draw: st.DrawFn) -> str:
    """An index in the notation of :mod:`tests.fake_index`."""
    lines = []
    for name, version in product(NAMES, VERSIONS):
        is_first = version == VERSIONS[0]
        flag = "" if is_first else draw(st.sampled_from(FLAGS))
        requires = [] if is_first and name > "b" else draw(st.lists(REQUIREMENT, max_size=2))
        lines.append(f"{name} {version} {flag}" + (f": {' & '.join(requires)}" if requires else ""))
        if name in "abc" and draw(st.booleans()):
            lines.append(f"{name} {version} [x]: {draw(REQUIREMENT)}")
    return "\n".join(lines)


@dataclass(frozen=True)
class Statements:
    """What a caller asks for."""

    requirements: Sequence[str]
    constraints: Sequence[str]
    overrides: Sequence[str]

    def shuffled(self, order: random.Random) -> Statements:
        """The same in another order."""
        return Statements(*(order.sample(each, len(each)) for each in self._lists()))

    def _lists(self) -> tuple[Sequence[str], ...]:
        return self.requirements, self.constraints, self.overrides

    def query(self, world: World, universal: Universal, options: Options) -> Query:
        inputs = read_inputs(requirements=self.requirements, constraints=self.constraints, overrides=self.overrides)
        return Query(
            requirements=inputs.requirements,
            constraints=inputs.constraints,
            overrides=inputs.overrides,
            indexes=(world.index,),
            universal=universal,
            options=options,
        )


def _few(of: st.SearchStrategy[str], most: int) -> st.SearchStrategy[list[str]]:
    return st.lists(of, max_size=most) | st.just([])


STATEMENTS = st.builds(Statements, st.lists(REQUIREMENT, min_size=1, max_size=4), _few(BOUND, 2), _few(BOUND, 2))
