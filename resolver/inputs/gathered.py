"""What the readers of lists, files and projects have gathered so far, within the limits of one request."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from ..errors import Place
from ..model import Notice, Stated
from .binary_policy import BinaryPolicy
from .faults import Faults, quoted

# RELIABILITY 1.3: what one request may state in all.
MAX_REQUIREMENTS = 2000
# As with faults: nobody reads more.
MAX_NOTICES = 100


class Role(Enum):
    """What the requirements of a file are for."""

    REQUIREMENT = "requirement"
    CONSTRAINT = "constraint"
    OVERRIDE = "override"


@dataclass(slots=True)
class Gathered:
    """What was read so far."""

    faults: Faults
    stated: dict[Role, list[Stated]] = field(default_factory=lambda: {role: [] for role in Role})
    notices: list[Notice] = field(default_factory=list)
    index_hints: list[str] = field(default_factory=list)
    binary: BinaryPolicy = field(default_factory=BinaryPolicy)
    prerelease_allowed: bool = False
    hashes_required_at: Place | None = None
    is_full: bool = False

    def add(self, role: Role, stated: Stated | None) -> bool:
        """Keep one requirement (None was a fault and is skipped); False when there is no room for more."""
        if self.is_full or stated is None:
            return not self.is_full
        if sum(map(len, self.stated.values())) >= MAX_REQUIREMENTS:
            self.is_full = True
            self.faults.add(
                stated.place,
                f"more than {MAX_REQUIREMENTS} requirements, constraints and overrides in one request; split it",
            )
            return False
        self.stated[role].append(stated)
        return True

    def extend(self, role: Role, stated: Iterable[Stated]) -> None:
        """Keep requirements while there is room, and read no further."""
        for one in stated:
            if not self.add(role, one):
                return

    def notice(self, code: str, detail: str, package: str | None = None) -> None:
        """Keep a notice while there is room."""
        if len(self.notices) < MAX_NOTICES:
            self.notices.append(Notice(code, detail, package))


def check_hashes(gathered: Gathered) -> None:
    """Under ``--require-hashes``, note each requirement that is not pinned or has no hash, as pip does.

    A constraint of the same name may pin and carry the hashes for it.
    """
    if gathered.hashes_required_at is None:
        return
    constraints = gathered.stated[Role.CONSTRAINT]
    pinned = {one.requirement.name for one in constraints if _is_pinned(one)}
    hashed = {one.requirement.name for one in constraints if one.hashes}
    for stated in gathered.stated[Role.REQUIREMENT]:
        name = stated.requirement.name
        missing = []
        if not (_is_pinned(stated) or name in pinned):
            missing.append("pinned with ==")
        if not (stated.hashes or name in hashed):
            missing.append("given a --hash")
        if missing:
            gathered.faults.add(
                stated.place,
                f"{quoted(name)} must be {' and '.join(missing)}: {gathered.hashes_required_at} says --require-hashes",
                is_requirement=True,
            )


def _is_pinned(stated: Stated) -> bool:
    requirement = stated.requirement
    if requirement.url is not None:
        return True
    return any(
        one.startswith("==") and not one.endswith(".*") for one in requirement.specifier.split(",")
    )  # "===" starts so too
