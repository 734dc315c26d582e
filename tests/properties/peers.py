"""Two other resolvers, given a meaning: resolvelib, which searches, and nab-resolver, which learns as ours does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from nab_resolver.errors import ResolutionError, ResolutionTerminatedError
from nab_resolver.ranges import Range
from nab_resolver.resolver import BaseProvider
from nab_resolver.resolver import Resolver as NabResolver
from nab_resolver.types import RangeProtocol, RootRequirement
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version
from resolvelib import AbstractProvider, BaseReporter, ResolutionImpossible
from resolvelib import Resolver as LibResolver
from resolvelib.structs import RequirementInformation

from .meaning import Meaning, Package, admits

MAX_ROUNDS = 200_000  # far beyond what worlds of two dozen releases take


class NoAnswer(Exception):
    """A peer gave up."""


Wish = tuple[Package, SpecifierSet]
Choice = tuple[Package, str]


def wishes(stated: Iterable[Requirement]) -> Iterator[Wish]:
    """Requirements on packages, an extra being one."""
    for one in stated:
        name = str(canonicalize_name(one.name))
        yield (name, ""), one.specifier
        for extra in one.extras:
            yield (name, str(canonicalize_name(extra))), one.specifier


def required(meaning: Meaning, package: Package, version: str) -> Iterator[Wish]:
    """What a version of a package requires; that of an extra its project's, too."""
    name, extra = package
    if extra:
        yield (name, ""), SpecifierSet(f"==={version}")
    yield from wishes(meaning.required(package, version))


def offered(meaning: Meaning, package: Package) -> list[str]:
    """The versions that may be chosen, ascending, without those that require to be another one."""
    return [
        version
        for version in meaning.candidates(package[0])
        if all(
            wish[0][0] != package[0] or admits(wish[1], Version(version))
            for wish in required(meaning, package, version)
        )
    ]


def of_others(meaning: Meaning, package: Package, version: str) -> Iterator[Wish]:
    """What a version that is offered requires of other packages: peers do not expect it to require itself."""
    return (wish for wish in required(meaning, package, version) if wish[0] != package)


class _Lib(AbstractProvider[Wish, Choice, Package]):
    def __init__(self, meaning: Meaning) -> None:
        self.meaning = meaning

    def identify(self, requirement_or_candidate: Wish | Choice) -> Package:
        return requirement_or_candidate[0]

    def get_preference(
        self,
        identifier: Package,
        resolutions: Mapping[Package, Choice],
        candidates: Mapping[Package, Iterator[Choice]],
        information: Mapping[Package, Iterator[RequirementInformation[Wish, Choice]]],
        backtrack_causes: Sequence[RequirementInformation[Wish, Choice]],
    ) -> Any:
        return sum(1 for _ in candidates[identifier]), identifier

    def find_matches(
        self,
        identifier: Package,
        requirements: Mapping[Package, Iterator[Wish]],
        incompatibilities: Mapping[Package, Iterator[Choice]],
    ) -> list[Choice]:
        wanted = list(requirements[identifier])
        spoilt = {version for _, version in incompatibilities[identifier]}
        return [
            (identifier, version)
            for version in reversed(offered(self.meaning, identifier))
            if version not in spoilt and all(admits(specifier, Version(version)) for _, specifier in wanted)
        ]

    def is_satisfied_by(self, requirement: Wish, candidate: Choice) -> bool:
        return admits(requirement[1], Version(candidate[1]))

    def get_dependencies(self, candidate: Choice) -> list[Wish]:
        return list(of_others(self.meaning, *candidate))


def resolvelib_pins(meaning: Meaning) -> dict[str, str] | None:
    """The answer of resolvelib."""
    resolver = LibResolver(_Lib(meaning), BaseReporter())
    try:
        found = resolver.resolve(list(wishes(meaning.root())), max_rounds=MAX_ROUNDS)
    except ResolutionImpossible:
        return None
    except RecursionError:  # packages that nobody needs any more, and that need each other
        raise NoAnswer from None
    # Its mapping may keep what was dropped on the way.
    pins = {name: version for (name, extra), (_, version) in found.mapping.items() if not extra}
    return _without_idle(meaning, pins)


class _Nab(BaseProvider[Package, int]):
    """Versions are counted from 1 in ascending order."""

    def __init__(self, meaning: Meaning) -> None:
        self.meaning = meaning

    def _admitted(self, wish: Wish) -> Range[int]:
        versions = enumerate(self.versions(wish[0]), 1)
        return Range.from_versions(number for number, text in versions if admits(wish[1], Version(text)))

    def versions(self, package: Package) -> list[str]:
        return self.meaning.candidates(package[0])

    def roots(self) -> list[RootRequirement[Package, int]]:
        return [RootRequirement(wish[0], self._admitted(wish)) for wish in wishes(self.meaning.root())]

    def choose_version(self, package: Package, version_range: RangeProtocol[int]) -> int | None:
        fit = offered(self.meaning, package)
        versions = reversed(list(enumerate(self.versions(package), 1)))
        return next((number for number, text in versions if number in version_range and text in fit), None)

    def has_satisfying_version(self, package: Package, version_range: RangeProtocol[int]) -> bool:
        return self.choose_version(package, version_range) is not None

    def get_dependencies(self, package: Package, version: int) -> Mapping[Package, RangeProtocol[int]]:
        found: dict[Package, Range[int]] = {}
        for wish in of_others(self.meaning, package, self.versions(package)[version - 1]):
            admitted = self._admitted(wish)
            found[wish[0]] = found[wish[0]] & admitted if wish[0] in found else admitted
        return found

    def prioritize(
        self,
        package: Package,
        version_range: RangeProtocol[int],
        conflict_counts: Mapping[Package, int],
        culprit_counts: Mapping[Package, int] | None = None,
    ) -> Any:
        return -conflict_counts.get(package, 0), package

    def widen_decision(self, package: Package, version: int) -> None:
        return None


def nab_pins(meaning: Meaning) -> dict[str, str] | None:
    """The answer of nab-resolver."""
    provider = _Nab(meaning)
    try:
        found = NabResolver(provider).resolve(provider.roots())
    except ResolutionTerminatedError:
        raise NoAnswer from None
    except ResolutionError:
        return None
    pins = {name: provider.versions((name, extra))[number - 1] for (name, extra), number in found.items() if not extra}
    return _without_idle(meaning, pins)


def _without_idle(meaning: Meaning, pins: Mapping[str, str]) -> dict[str, str]:
    idle = {fault.removesuffix(" is idle") for fault in meaning.faults(pins) if fault.endswith(" is idle")}
    return {name: version for name, version in pins.items() if name not in idle}


PEERS: Mapping[str, Callable[[Meaning], dict[str, str] | None]] = {
    "resolvelib": resolvelib_pins,
    "nab-resolver": nab_pins,
}

FALLIBLE = frozenset({"resolvelib"})
"""Its jumps back may pass over a solution, and where packages need each other it may leave some out: against a solution
that was walked through, its "no" is no proof, nor is an answer of its own that does not stand."""
