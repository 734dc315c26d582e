"""What an index and a question mean in one environment: slow, obvious, and by ``packaging`` alone.

What must never live here: an import of the resolver. The rules are those of the documents: yanked releases are for
who pins them (PEP 592), upper bounds of Requires-Python are ignored, pre-releases are versions like others unless the
mode forbids them, constraints bind without requiring, overrides replace.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product

from packaging.markers import Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from .random_index import PLATFORMS, IndexFile, IndexRelease, Question, RandomIndex

SYSTEMS = {
    "linux": ("posix", "Linux", "x86_64", "linux"),
    "windows": ("nt", "Windows", "AMD64", "win32"),
    "macos": ("posix", "Darwin", "arm64", "darwin"),
    "freebsd": ("posix", "FreeBSD", "amd64", "freebsd"),
}
"""os_name, platform_system, platform_machine, sys_platform."""

Package = tuple[str, str]
"""(project, extra); the extra is "" for the project itself."""


@dataclass(frozen=True)
class Cell:
    """One environment."""

    python: str
    """With its micro version."""
    platform: str

    @property
    def markers(self) -> dict[str, str]:
        os_name, system, machine, sys_platform = SYSTEMS[self.platform]
        return {
            "implementation_name": "cpython",
            "implementation_version": self.python,
            "os_name": os_name,
            "platform_machine": machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": system,
            "platform_version": "",
            "python_full_version": self.python,
            "python_version": self.python.rpartition(".")[0],
            "sys_platform": sys_platform,
        }

    def holds(self, requirement: Requirement, extra: str = "") -> bool:
        return requirement.marker is None or requirement.marker.evaluate({**self.markers, "extra": extra})


GRID = tuple(
    Cell(python, platform)
    for python, platform in product(("3.10.0", "3.11.0", "3.11.2", "3.11.4", "3.12.0", "3.13.0", "3.14.0"), SYSTEMS)
)
"""One environment of each kind that the markers of random indexes can tell apart."""


def admits_python(specifier: str | None, python: str) -> bool:
    """From the first version that is admitted on; the specifiers here have no gaps."""
    return all(
        Version(python) >= Version(one.version.removesuffix(".*"))
        for one in SpecifierSet(specifier or "")
        if one.operator in {">=", "~=", "=="}
    )


def grid_of(question: Question) -> tuple[Cell, ...]:
    """The environments that a universal lock is for."""
    return tuple(
        cell
        for cell in GRID
        if Version(cell.python) in SpecifierSet(question.requires_python)
        and (not question.environments or any(Marker(one).evaluate(cell.markers) for one in question.environments))
    )


ANYWHERE = 1000
"""The rank of a wheel for all platforms: after all others."""


def rank(tags: str, cell: Cell) -> int | None:
    """How well a wheel fits, the lower the better; None: it does not."""
    pythons, abi, platform = tags.split("-")
    start = {"linux": "manylinux", "windows": "win", "macos": "macosx"}.get(cell.platform, "nowhere")
    if platform != "any" and not platform.startswith(start):
        return None
    if "py3" in pythons.split("."):
        return ANYWHERE if platform == "any" else ANYWHERE - 1
    minor, wanted = int(cell.python.split(".")[1]), int(pythons.removeprefix("cp3"))
    if minor == wanted and abi != "abi3":
        return 0
    return minor - wanted + 1 if abi == "abi3" and minor >= wanted else None


@dataclass
class Meaning:
    """A question in one environment.

    A universal lock may know of a version more than one environment does: what some environment pins may be yanked in
    all, and a wheel is looked for in the lock's environments together. ``everywhere`` says so.
    """

    index: RandomIndex
    question: Question
    cell: Cell
    everywhere: bool = False
    _candidates: dict[str, list[str]] = field(default_factory=dict, repr=False)
    _required: dict[tuple[str, str, str], list[Requirement]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.requirements, self.constraints, self.overrides = (
            [Requirement(text) for text in texts]
            for texts in (self.question.requirements, self.question.constraints, self.question.overrides)
        )
        self.overridden = {canonicalize_name(one.name) for one in self.overrides}

    # ---- what is required

    def effective(self, stated: list[Requirement], extra: str = "") -> list[Requirement]:
        """Requirements that hold, after overrides and excludes."""
        found: list[Requirement] = []
        for one in stated:
            name = canonicalize_name(one.name)
            if name in self.question.excludes or not self.cell.holds(one, extra):
                continue
            if name not in self.overridden:
                found.append(one)
            else:
                found += [
                    other
                    for other in self.overrides
                    if canonicalize_name(other.name) == name and self.cell.holds(other) and other not in found
                ]
        return found

    def root(self) -> list[Requirement]:
        return self.effective(self.requirements)

    def required(self, package: Package, version: str) -> list[Requirement]:
        """What a version of a project requires, or an extra of it in addition."""
        name, extra = package
        found = self._required.get((name, extra, version))
        if found is None:
            release = self.index.releases[name, version]
            stated = [Requirement(text) for text in self._said(release)]
            stated = [one for one in stated if not extra or not self.cell.holds(one)]
            found = self._required[name, extra, version] = self.effective(stated, extra)
        return found

    # ---- what may be chosen

    def candidates(self, name: str) -> list[str]:
        """The versions that may be chosen, ascending."""
        found = self._candidates.get(name)
        if found is None:
            releases = [release for (project, _), release in self.index.releases.items() if project == name]
            texts = [release.version for release in releases if self.fault(release) is None]
            found = self._candidates[name] = sorted(texts, key=Version)
        return found

    def fault(self, release: IndexRelease) -> str | None:
        """Why a release is no candidate."""
        name, version = release.name, Version(release.version)
        usable = [file for file in release.files if self._is_usable(file, release)]
        if not usable:
            return "no usable file"
        offered = [file for file in release.files if self._is_offered(file, release)]
        for marker in self.question.required_environments if self.everywhere else ():
            if Marker(marker).evaluate(self.cell.markers) and not _serves(offered, marker):
                return "required environment"
        if version.is_prerelease and not self._admits_prereleases(name):
            return "pre-release"
        for one in self.constraints:
            if canonicalize_name(one.name) == name and self.cell.holds(one) and not admits(one.specifier, version):
                return "constraint"
        if all(file.is_lost for file in usable):
            return "lost"
        if not admits_python(release.requires_python, self.cell.python):
            return "Requires-Python"
        try:
            for text in self._said(release):
                Requirement(text)
        except InvalidRequirement:
            return "metadata"
        return None

    def _said(self, release: IndexRelease) -> tuple[str, ...]:
        """What the file that would be installed requires."""
        files = [file for file in release.files if not file.is_lost and self._is_usable(file, release)]
        if self.everywhere or not files:
            return release.requires
        return release.required_by(min(files, key=lambda file: (_rank(file, self.cell), release.filename(file))))

    def _is_usable(self, file: IndexFile, release: IndexRelease) -> bool:
        return admits_python(file.requires_python, self.cell.python) and self._is_offered(file, release)

    def _is_offered(self, file: IndexFile, release: IndexRelease) -> bool:
        """Whether a file may be used, though perhaps not by this Python."""
        question, name = self.question, release.name
        if name in (question.only_binary if file.tags is None else question.no_binary):
            return False
        if file.tags is None and (question.of_package(name, "builds") or question.builds) == "never":
            return False
        own = question.of_package(name, "exclude_newer")
        is_dated = question.is_dated if own is None else own is not False
        if is_dated and (file.uploaded is None or file.uploaded >= "2024-06-01"):
            return False
        if file.is_yanked and Version(release.version) not in self.pinned(name):
            return False
        if file.tags is None:
            return True
        cells = grid_of(question) if self.everywhere else (self.cell,)
        return any(rank(file.tags, cell) is not None for cell in cells)

    def _stated_on(self, name: str) -> list[Requirement]:
        """Everything that the question says of a name where it holds."""
        direct = [one for one in self.requirements if canonicalize_name(one.name) not in self.overridden]
        said = [one for one in (*direct, *self.overrides, *self.constraints) if canonicalize_name(one.name) == name]
        cells = grid_of(self.question) if self.everywhere else (self.cell,)
        return [one for one in said if any(cell.holds(one) for cell in cells)]

    def pinned(self, name: str) -> set[Version]:
        """The versions that a lone ``==`` or ``===`` names."""
        found: set[Version] = set()
        for one in self._stated_on(name):
            specifiers = list(one.specifier)
            if len(specifiers) == 1 and specifiers[0].operator in {"==", "==="} and "*" not in specifiers[0].version:
                found.add(Version(specifiers[0].version))
        return found

    def _admits_prereleases(self, name: str) -> bool:
        mode = self.question.of_package(name, "prerelease") or self.question.prerelease
        if mode != "explicit":
            return mode != "disallow"
        return any(
            specifier.operator != "!=" and "*" not in specifier.version and Version(specifier.version).is_prerelease
            for one in self._stated_on(name)
            for specifier in one.specifier
        )

    # ---- solutions

    def faults(self, pins: Mapping[str, str]) -> list[str]:
        """What is wrong with these versions, the idle ones included; () for a solution."""
        found = [
            f"{name} {version} is no candidate"
            for name, version in pins.items()
            if version not in self.candidates(name)
        ]
        reached: set[str] = set()
        for requirement in self._walk(pins):
            name = str(canonicalize_name(requirement.name))
            reached.add(name)
            if name not in pins:
                found.append(f"{requirement} is missing")
            elif not admits(requirement.specifier, Version(pins[name])):
                found.append(f"{requirement} is not met by {pins[name]}")
        return found + [f"{name} is idle" for name in sorted(pins.keys() - reached)]

    def _walk(self, pins: Mapping[str, str]) -> Iterator[Requirement]:
        """Every requirement that is met on the way from the question through pinned versions."""
        todo = list(reversed(self.root()))
        seen: set[Package] = set()
        while todo:
            requirement = todo.pop()
            yield requirement
            name = str(canonicalize_name(requirement.name))
            if name not in pins:
                continue
            for package in ((name, ""), *((name, str(canonicalize_name(extra))) for extra in requirement.extras)):
                if package not in seen:
                    seen.add(package)
                    todo += reversed(self.required(package, pins[name]))

    def solve(self) -> dict[str, str] | None:
        """Brute force: every candidate of the first name that is missing, until nothing is."""
        return self._extend({})

    def _extend(self, pins: dict[str, str]) -> dict[str, str] | None:
        missing: str | None = None
        for requirement in self._walk(pins):
            name = str(canonicalize_name(requirement.name))
            if name in pins:
                if not admits(requirement.specifier, Version(pins[name])):
                    return None
            elif missing is None:
                missing = name
        if missing is None:
            return pins
        for version in reversed(self.candidates(missing)):
            found = self._extend({**pins, missing: version})
            if found is not None:
                return found
        return None


def admits(specifier: SpecifierSet, version: Version) -> bool:
    return specifier.contains(version, prereleases=True)


def _rank(file: IndexFile, cell: Cell) -> int:
    found = ANYWHERE + 1 if file.tags is None else rank(file.tags, cell)
    assert found is not None
    return found


def _serves(files: list[IndexFile], marker: str) -> bool:
    """Whether some file can be installed somewhere in a required environment."""
    cells = [cell for cell in GRID if Marker(marker).evaluate(cell.markers)]
    return any(file.tags is None or rank(file.tags, cell) is not None for file in files for cell in cells)


def cells_of(question: Question) -> tuple[Cell, ...]:
    """The environments of a question for targets."""
    assert all(platform in PLATFORMS for _, platform in question.targets)
    return tuple(
        Cell(python if python.count(".") > 1 else f"{python}.0", platform) for python, platform in question.targets
    )
