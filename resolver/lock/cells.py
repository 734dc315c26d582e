"""Concrete environments out of all that a universal lock is for: where the independent walk tries it.

A set of cells is an integer, one bit a cell. Markers are evaluated by ``packaging``, once for all cells that agree on
the variables which the marker names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache

from packaging.version import Version

from resolver.environment.expression import UNDEFINED
from resolver.environment.sample import sample
from resolver.environment.space import EnvironmentSet
from resolver.model import Universal
from resolver.requirement import parse

from .specifiers import contains

MAX_GRID = 32  # Pythons by platforms; five minors fit whole, and of more the rarer platforms are left out
MAX_WITNESSES = 8  # for regions that the grid does not meet; a real lock has none or one
NEWEST_MINOR = 14  # of Python 3, the newest that has a release; a later one differs in nothing until it has one
_MAX_CACHED = 65_536  # evaluations of a marker, some 200 bytes each

# sys_platform, os_name, platform_system, platform_machine: the usual ones first.
_PLATFORMS = (
    ("linux", "posix", "Linux", "x86_64"),
    ("win32", "nt", "Windows", "AMD64"),
    ("darwin", "posix", "Darwin", "arm64"),
    ("linux", "posix", "Linux", "aarch64"),
    ("darwin", "posix", "Darwin", "x86_64"),
    ("win32", "nt", "Windows", "ARM64"),
)
_VARIABLES = (
    *("implementation_name", "implementation_version", "os_name", "platform_machine", "platform_python_implementation"),
    *("platform_release", "platform_system", "platform_version", "python_full_version", "python_version"),
    "sys_platform",
)
_RELEASE = re.compile(r"\d+(?:\.\d+){1,2}")


@dataclass(frozen=True, slots=True)
class Cell:
    """One environment."""

    values: Mapping[str, str]
    """All eleven marker variables."""

    @property
    def python(self) -> str:
        """Its full version."""
        return self.values["python_full_version"]

    @property
    def name(self) -> str:
        """How it is called in texts."""
        return f"Python {self.python} on {self.values['sys_platform']} {self.values['platform_machine']}"


class Cells:
    """A sample of the environments of one lock."""

    def __init__(self, universal: Universal, regions: Sequence[EnvironmentSet], markers: Iterable[str]) -> None:
        """Deterministic. ``markers`` are those of the lock: the Pythons that they name are tried on both sides."""
        self.cells = _grid(universal, markers)
        met = [any(space.contains(cell.values) for cell in self.cells) for space in regions]
        missed = [space for space, is_met in zip(regions, met, strict=True) if not is_met]
        self.cells += [cell for space in missed[:MAX_WITNESSES] if (cell := _witness(space)) is not None]
        self.every = (1 << len(self.cells)) - 1
        self._classes: dict[tuple[str, ...], list[tuple[tuple[str, ...], int]]] = {}
        self._masks: dict[str, tuple[int, int]] = {}
        self._inside: dict[EnvironmentSet, int] = {}

    def inside(self, space: EnvironmentSet) -> int:
        """The cells that a set of environments contains."""
        found = self._inside.get(space)
        if found is None:
            found = sum(1 << at for at, cell in enumerate(self.cells) if space.contains(cell.values))
            self._inside[space] = found
        return found

    def where(self, marker: str | None) -> tuple[int, int]:
        """The cells in which a marker holds, and those in which it may: it has no meaning in the latter."""
        if marker is None:
            return self.every, self.every
        found = self._masks.get(marker)
        if found is None:
            surely, maybe = 0, 0
            variables = tuple(variable for variable in _VARIABLES if variable in marker)
            for values, mask in self._alike(variables):
                holds = _holds(marker, variables, values)
                surely |= mask if holds else 0
                maybe |= mask if holds is not False else 0
            found = self._masks[marker] = surely, maybe
        return found

    def _alike(self, variables: tuple[str, ...]) -> list[tuple[tuple[str, ...], int]]:
        found = self._classes.get(variables)
        if found is None:
            masks: dict[tuple[str, ...], int] = {}
            for at, cell in enumerate(self.cells):
                values = tuple(cell.values[variable] for variable in variables)
                masks[values] = masks.get(values, 0) | 1 << at
            found = self._classes[variables] = list(masks.items())
        return found

    def pythons(self, mask: int) -> Iterable[tuple[str, int]]:
        """The Pythons of some cells, and which of these cells have each."""
        for (python,), cells in self._alike(("python_full_version",)):
            if cells & mask:
                yield python, cells & mask

    def name(self, mask: int) -> str:
        """The first of some cells."""
        return self.cells[(mask & -mask).bit_length() - 1].name


@lru_cache(maxsize=32)  # universal locks of one kind have the same regions and markers; some 100 kB each
def cells_of(universal: Universal, regions: tuple[EnvironmentSet, ...], markers: tuple[str, ...]) -> Cells:
    """The cells of a lock, shared by locks that have the same ones. Arguments as of :class:`Cells`."""
    return Cells(universal, regions, markers)


@lru_cache(maxsize=_MAX_CACHED)
def _holds(text: str, variables: tuple[str, ...], values: tuple[str, ...]) -> bool | None:
    """None where a comparison has no meaning. Variables that are not given do not occur."""
    marker = parse(f"x ; {text}").marker
    environment: dict[str, str | AbstractSet[str]] = dict(zip(variables, values, strict=True))
    environment |= {"extra": "", "extras": frozenset(), "dependency_groups": frozenset()}
    try:
        return marker is None or marker.evaluate(environment)
    except UNDEFINED:
        return None


def _grid(universal: Universal, markers: Iterable[str]) -> list[Cell]:
    pythons = _pythons(universal.requires_python, markers)
    minors = list({text.rpartition(".")[0]: text for text in reversed(pythons)}.values())[::-1]
    tried = [(python, platform) for platform in _PLATFORMS[:3] for python in minors]
    tried += [(python, platform) for platform in _PLATFORMS for python in pythons]
    grid = [
        Cell(values)
        for python, platform in dict.fromkeys(tried)
        if _is_admitted(values := _values(python, platform), universal.environments)
    ]
    return grid[:MAX_GRID]


def _pythons(requires_python: str, markers: Iterable[str]) -> list[str]:
    """The first release of each minor, and what bounds name: the release itself and the one before it; ascending."""
    named = {text for marker in (requires_python, *markers) for text in _RELEASE.findall(marker)}
    releases = {(3, minor, 0) for minor in range(NEWEST_MINOR + 1)}
    for text in named:
        major, minor, micro = (*map(int, text.split(".")), 0)[:3]
        releases.add((major, minor, micro))
        if micro:
            releases.add((major, minor, micro - 1))
    texts = (".".join(map(str, release)) for release in sorted(releases) if release[0] == 3)
    return [text for text in texts if contains(requires_python, text)]


def _values(python: str, platform: tuple[str, str, str, str]) -> dict[str, str]:
    sys_platform, os_name, system, machine = platform
    return {
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
        "sys_platform": sys_platform,
    }


def _is_admitted(values: dict[str, str], environments: Sequence[str]) -> bool:
    chosen = tuple(values.values())
    return not environments or any(_holds(marker, tuple(values), chosen) is not False for marker in environments)


def _witness(space: EnvironmentSet) -> Cell | None:
    found = sample(space)
    # Between a pre-release and its release PEP 440 and Requires-Python disagree: nobody locks for those.
    if found is None or Version(found.markers["python_full_version"]).is_prerelease:
        return None
    return Cell(found.markers)
