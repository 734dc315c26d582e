"""Why a query has no lock, split by whose turn it is.

ResolverError
├── NoSolution          an answer: nothing satisfies the requirements
├── InvalidQuery        the caller: every fault of the input at once, each with its place
├── BudgetExhausted     the caller's budget (or the server's) is spent
└── IndexFailure        an index: unreachable, refusing, or talking nonsense
├── BadIndexResponse    a page or metadata that cannot be read
└── HashMismatch        bytes that are not those the index promised
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, TypeAlias

if TYPE_CHECKING:
    from .environment.space import EnvironmentSet
    from .remedies.remedy import Remedy, Suggestion


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the input: a JSON pointer, or a file with line and column (from 1)."""

    pointer: str | None = None
    file: str | None = None
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        if self.pointer is not None:
            return self.pointer
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)

    def column_of(self, offset: int) -> int | None:
        """Return the column ``offset`` characters behind this place, in the same line; None where it has no column."""
        return None if self.column is None else self.column + offset


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with the input, and the remedy in the same sentence."""

    place: Place
    detail: str


class ResolverError(Exception):
    """Base of everything that ends a resolve."""


class NoSolution(ResolverError):
    """The requirements contradict each other."""

    def __init__(
        self,
        detail: str,
        derivation: Mapping[str, object],
        packages: tuple[str, ...],
        hints: tuple[str, ...] = (),
        remedies: tuple[Remedy, ...] = (),
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.derivation = derivation
        self.packages = packages
        self.hints = hints
        self.remedies = remedies
        """What might help."""
        self.suggestions: tuple[Suggestion, ...] = ()
        """What does: each was verified by a solve."""
        self.conditions: tuple[EnvironmentSet, ...] = ()
        """Where requirements that this follows from hold. Of a region it may be true, and not of its parts."""


class InvalidQuery(ResolverError):
    """The input cannot be understood; ``faults`` holds all there is to say."""

    def __init__(self, faults: tuple[Fault, ...], *, is_requirement: bool = False) -> None:
        super().__init__("; ".join(f"{fault.place}: {fault.detail}" for fault in faults))
        self.faults = faults
        self.is_requirement = is_requirement


class BudgetExhausted(ResolverError):
    """Steps, seconds or memory ran out; ``packages`` cost the most, worst first."""

    def __init__(self, detail: str, packages: tuple[str, ...], facts: Mapping[str, object]) -> None:
        super().__init__(detail)
        self.detail = detail
        self.packages = packages
        self.facts = facts


def too_complex(packages: tuple[str, ...]) -> BudgetExhausted:
    """The environments in which ``packages`` are needed are beyond description."""
    detail = (
        f"the markers on the way to {', '.join(packages[:10])} combine too many independent conditions to be told "
        "apart; lock for targets, or narrow environments"
    )
    return BudgetExhausted(detail, packages[:10], {})


class Unsound(ResolverError):
    """A bug of ours: what was resolved does not satisfy what was asked. The lock is withheld."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("the lock did not pass its check: " + "; ".join(faults[:5]))
        self.faults = faults


class IndexFailure(ResolverError):
    """An index did not do its part. ``__cause__`` is the transport's error where there is one."""

    def __init__(self, detail: str, *, index: str, package: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.index = index
        self.package = package

    @classmethod
    def unanswered(cls, package: str, index: str, text: str, *, is_refusal: bool) -> Self:
        """There was no answer about ``package``, or only that we may not have one."""
        verb = "refused us for" if is_refusal else "did not answer for"
        return cls(f"index {index!r} {verb} {package!r}: {text}", index=index, package=package)


class BadIndexResponse(IndexFailure):
    """A page or metadata file that is malformed or exceeds a limit."""


Digests: TypeAlias = Iterable[tuple[str, str]]
"""(algorithm, digest in hex)."""


class HashMismatch(IndexFailure):
    """The digest differs from the promised one."""

    @classmethod
    def of(cls, what: str, expected: Digests, actual: Digests, index: str, package: str) -> Self:
        """Say which digests of ``what`` were promised, and which it has."""
        shown = [", ".join(f"{algorithm}:{digest}" for algorithm, digest in sorted(one)) for one in (expected, actual)]
        detail = f"{what} from index {index!r} is not what was promised: expected {shown[0]}, got {shown[1]}"
        return cls(detail, index=index, package=package)
