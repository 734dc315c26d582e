"""Words for incompatibilities: one phrase per node of a derivation graph, without its reasons."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from .facts import ABSENT, Package, VersionTable
from .grammar import OPERATORS, agree, fact, ranges
from .incompatibility import (
    ROOT,
    FromDependency,
    FromExclusion,
    Incompatibility,
    NoVersions,
    Unavailable,
)

MAX_RANGES: Final = 3
"""Of one package that a sentence lists."""
UNSATISFIABLE: Final = "your requirements are unsatisfiable"

Note: TypeAlias = Callable[[FromDependency], str]
Rank: TypeAlias = Callable[[Package, str], tuple[int, str]]
"""Of a package and where it is stated (empty: anywhere): how early the caller speaks of it, and its name."""


def no_note(_: FromDependency) -> str:
    """Say nothing."""
    return ""


def no_rank(_: Package, _source: str) -> tuple[int, str]:
    """Prefer none."""
    return 0, ""


class Words:
    """Phrases, given the tables of the packages that occur and the way to call them."""

    def __init__(
        self,
        tables: Mapping[Package, VersionTable],
        label: Callable[[Package], str],
        note: Note = no_note,
        rank: Rank = no_rank,
    ) -> None:
        """``note`` says what follows a requirement: where it is stated, or where it holds; it begins with a space.

        ``rank`` is the caller's order: of equal parts of a sentence that which the caller stated first comes first.
        """
        self._tables = tables
        self._label = label
        self._note = note
        self._rank = rank
        self._stated: dict[tuple[Package, int], str] = {}
        self._subjects: set[Package] = set()

    def learn(self, cause: FromDependency) -> None:
        """Remember how a set of versions is stated, to call it so in conclusions: ``<2`` says more than ``==1.0``."""
        self._subjects.add(cause.package)
        if isinstance(cause.key, str):
            self._stated.setdefault((cause.dependency, cause.admitted), cause.key)

    def learn_exclusion(self, package: Package) -> None:
        """Remember that something is said of a package's versions."""
        self._subjects.add(package)

    def is_later(self, cause: FromDependency, other: FromDependency) -> bool:
        """Whether the caller speaks of what ``cause`` is about after what ``other`` is about."""
        if cause.package is ROOT and other.package is ROOT:
            return self._rank(cause.dependency, cause.source) > self._rank(other.dependency, other.source)
        if cause.package is ROOT or other.package is ROOT:
            return False
        return self._rank(cause.package, "") > self._rank(other.package, "")

    def name(self, package: Package) -> str:
        """What the package is called."""
        return "you" if package is ROOT else self._label(package)

    def versions(self, package: Package, mask: int) -> str:
        """The versions of a mask as a suffix to the name, ``*`` where they are all there are."""
        table = self._tables.get(package)
        if table is None or not mask & ~ABSENT:
            return "*"
        mask &= ~ABSENT
        if mask == self._every(table) and table.count > 1:
            return "*"
        words = table.describe(mask)
        return words if words.startswith(OPERATORS) else "*"

    def subject(self, package: Package, mask: int) -> str:
        """The versions as the subject of a sentence."""
        suffix = self.versions(package, mask)
        name = self.name(package)
        if suffix == "*":
            return f"all versions of {name}"
        return self._counted(package, mask) or ranges(name, suffix, "or")

    def requirement(self, package: Package, admitted: int, key: object = None) -> str:
        """A requirement as it is stated, or as the versions that satisfy it."""
        name = self.name(package)
        if key is None:
            key = self._stated.get((package, admitted & ~ABSENT))
        if isinstance(key, str):
            return name if key in {"", "*"} else f"{name}{key}"
        suffix = self.versions(package, admitted)
        if suffix == "*":
            return name
        counted = self._counted(package, admitted)
        return f"one of {counted}" if counted else ranges(name, suffix, "or")

    def _counted(self, package: Package, mask: int) -> str | None:
        """How many versions there are and where they lie, where they are too scattered to be listed."""
        mask &= ~ABSENT
        table = self._tables.get(package)
        if table is None or runs(mask) <= MAX_RANGES:
            return None
        lowest, highest = table.describe(mask & -mask), table.describe(1 << mask.bit_length() - 1)
        between = f"from {lowest.removeprefix('==')} to {highest.removeprefix('==')}"
        return f"{mask.bit_count()} versions of {self.name(package)} {between}"

    def phrase(self, node: Incompatibility) -> str:
        """What the incompatibility says."""
        cause = node.cause
        match cause:
            case FromDependency():
                return self._dependency(cause)
            case FromExclusion() | Unavailable():
                ((package, mask),) = node.terms.items()
                subject = self.subject(package, mask) if mask else self.name(package)
                return agree(subject, fact(cause.kind, cause.detail))
            case NoVersions():
                (package,) = node.terms
                return self._no_versions(package, cause.key)
            case _:
                return self.conclusion(node)

    def conclusion(self, node: Incompatibility) -> str:
        """What was derived: the terms alone."""
        ordered = sorted(
            (one for one in node.terms.items() if one[0] is not ROOT), key=lambda one: self._rank(one[0], "")
        )
        terms = dict(ordered)
        if not terms:
            return UNSATISFIABLE
        selected = [self.subject(package, mask) for package, mask in terms.items() if not mask & ABSENT]
        needed = [
            self.requirement(package, self._complement(package, mask))
            for package, mask in terms.items()
            if mask & ABSENT
        ]
        if not needed:
            if len(selected) == 1:
                return f"{selected[0]} cannot be used"
            return f"{' and '.join(selected)} are incompatible"
        if not selected:
            return f"you require {' or '.join(needed)}"
        requirement = f"depends on {' or '.join(needed)}"
        if len(selected) == 1:
            return agree(selected[0], requirement)
        return f"{' and '.join(selected)} together depend on {' or '.join(needed)}"

    def _dependency(self, cause: FromDependency) -> str:
        requirement, note = self.requirement(cause.dependency, cause.admitted, cause.key), self._note(cause)
        if cause.package is not ROOT:
            return agree(self.subject(cause.package, cause.versions), f"depends on {requirement}{note}")
        only = self._only(cause.dependency) if "==" not in requirement else ""
        if only:
            note = f"{note[:-1]}; {only})" if note.endswith(")") else f"{note} ({only})"
        return f"you require {requirement}{note}"

    def _only(self, package: Package) -> str:
        """The only version of a package that the caller requires, where it is told why that one cannot be used."""
        table = self._tables.get(package)
        if table is None or table.count != 1 or package not in self._subjects:
            return ""
        version = table.describe(2)
        return f"only {version[2:]} is available" if version.startswith("==") else ""

    def _no_versions(self, package: Package, key: object) -> str:
        name, table = self.name(package), self._tables.get(package)
        if table is None or not table.count:
            return f"there are no versions of {name}"
        stated = str(key)
        only = table.describe(2)
        if table.count == 1 and only.startswith("=="):
            return f"only {name}{only} is available"
        if "," not in stated and stated[:1] in {"<", ">"}:
            # Missing beyond one end: where the versions begin, or end, says more than what is missing.
            end = table.describe(2 if stated[0] == "<" else 1 << table.count)
            if end.startswith("=="):
                bound = ">=" if stated[0] == "<" else "<="
                return f"only {name}{bound}{end[2:]} is available"
        return f"there is no version of {name}{stated}{_nearest(table, stated)}"

    def _complement(self, package: Package, mask: int) -> int:
        table = self._tables.get(package)
        return self._every(table) & ~mask if table is not None else 0

    @staticmethod
    def _every(table: VersionTable) -> int:
        return (1 << (table.count + 1)) - 1 - ABSENT


def _nearest(table: VersionTable, stated: str) -> str:
    """The versions on both sides of a requirement that none fits, for the end of a phrase."""
    first = stated.partition(",")[0].removesuffix(".*")
    bound = first.lstrip("".join(OPERATORS))
    if not bound or stated.startswith("!"):
        return ""
    operator = first.removesuffix(bound)
    if operator == "===":
        return ""  # it need not be a version
    bound, _, local = bound.partition("+")  # ordered comparisons know no local versions (PEP 440)
    below = table.mask(f"<={bound}" if operator == ">" or local else f"<{bound}")
    above = table.mask(f">={bound}" if operator == "<" else f">{bound}")
    masks = ([1 << below.bit_length() - 1] if below else []) + ([above & -above] if above else [])
    found = [words[2:] for words in map(table.describe, masks) if words.startswith("==")]
    if not above and len(found) == 1:
        return f" (the newest is {found[0]})"
    return f" (the nearest {'are' if len(found) > 1 else 'is'} {' and '.join(found)})" if found else ""


def runs(mask: int) -> int:
    """How many stretches of neighbouring versions a set has."""
    return (mask & ~(mask << 1)).bit_count()
