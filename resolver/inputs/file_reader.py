"""Requirements files, followed through ``-r`` and ``-c`` in the mapping that was sent; no disk is ever asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from ..errors import Place
from ..model import Notice, Stated
from .binary_policy import BinaryPolicy
from .faults import Faults, host_of, listing, quoted
from .hashes import HashError, read_hash
from .logical_line import MAX_LINE, MAX_LOGICAL_LINE, LogicalLine
from .reference import NO_EDITABLE, NO_VARIABLE
from .requirements_file import BINARY_OPTIONS, IGNORED_OPTIONS, INDEX_OPTIONS, Option, Statement, statements
from .roots import is_project, join, why_foreign
from .stating import read_stated

# RELIABILITY 1.3: what one request may state in all.
MAX_REQUIREMENTS = 2000
MAX_FILES = 64
# Files that include files: people use two or three levels.
MAX_DEPTH = 16
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

    def notice(self, code: str, detail: str) -> None:
        """Keep a notice while there is room."""
        if len(self.notices) < MAX_NOTICES:
            self.notices.append(Notice(code, detail))


class FileReader:
    """Reads files of the mapping into a :class:`Gathered`; each file once per role, so cycles end."""

    def __init__(self, files: Mapping[str, str], gathered: Gathered) -> None:
        """``files``: normalised name → text."""
        self._files = files
        self._gathered = gathered
        self._faults = gathered.faults
        self._done: set[tuple[Role, str]] = set()
        self.used: set[str] = set()

    def read(self, name: str, role: Role, place: Place, depth: int = 0) -> None:
        """Read one file and what it includes; ``place`` names it, and is where its absence is a fault."""
        text = self._files.get(name)
        why = why_foreign(name)
        if (role, name) in self._done:
            return
        self._done.add((role, name))
        if text is None:
            self._faults.add(place, f'there is no file "{name[:200]}" among those sent: {listing(list(self._files))}')
            return
        self.used.add(name)
        if why is not None:
            self._faults.add(place, why)
        elif is_project(name):
            self._faults.add(place, f"{name} is a project, not a requirements file; name it in roots")
        elif depth > MAX_DEPTH:
            self._faults.add(place, f"files included more than {MAX_DEPTH} deep")
        elif len(self.used) > MAX_FILES:
            self._faults.add(place, f"more than {MAX_FILES} files are included")
        else:
            for statement in statements(text):
                if self._gathered.is_full:
                    return
                self._read_statement(name, statement, role, depth)

    def _read_statement(self, name: str, statement: Statement, role: Role, depth: int) -> None:
        line = statement.line
        place = Place(file=name, line=line.number)
        if line.longest > MAX_LINE or len(line.text) > MAX_LOGICAL_LINE:
            self._faults.add(place, f"a line of more than {MAX_LINE} characters, or too many joined by backslashes")
            return
        for fault in statement.faults:
            self._faults.add(place, fault)
        if statement.requirement is not None:
            self._read_requirement(line, statement, role, place)
            return
        for option in statement.options:
            self._apply(name, option, role, place, depth)

    def _read_requirement(self, line: LogicalLine, statement: Statement, role: Role, place: Place) -> None:
        hashes = []
        for option in statement.options:
            if option.name == "--hash":
                algorithm, _, digest = (option.value or "").partition(":")
                try:
                    hashes.append(read_hash(algorithm, digest))
                except HashError as error:
                    self._faults.add(place, str(error), is_requirement=True)
            elif option.name in IGNORED_OPTIONS:
                self._ignore(option, place)
            else:
                self._faults.add(place, f"{option.name} belongs on a line of its own, not behind a requirement")
        origin = f"{place.file}:{place.line}"
        stated = read_stated(
            statement.requirement, origin, replace(place, column=line.column(0)), self._faults, line.column
        )
        if stated is not None and hashes:
            stated = replace(stated, hashes=tuple(dict.fromkeys((*stated.hashes, *hashes))))
        self._gathered.add(role, stated)

    def _apply(self, name: str, option: Option, role: Role, place: Place, depth: int) -> None:
        value = option.value or ""
        gathered = self._gathered
        if option.name in INDEX_OPTIONS:
            self._ignore_index(option, place)
        elif option.name in IGNORED_OPTIONS:
            self._ignore(option, place)
        elif option.name in BINARY_OPTIONS:
            wrong = gathered.binary.apply(option.name, value)
            if wrong is not None:
                self._faults.add(place, wrong)
        elif option.name == "--pre":
            gathered.prerelease_allowed = True
        elif option.name == "--require-hashes":
            gathered.hashes_required_at = gathered.hashes_required_at or place
        elif option.name == "--editable":
            self._faults.add(place, NO_EDITABLE, is_requirement=True)
        elif option.name == "--hash":
            self._faults.add(place, "--hash belongs behind its requirement, on the same line or after a backslash")
        elif "${" in value:
            self._faults.add(place, NO_VARIABLE)
        elif "://" in value:
            self._faults.add(place, f"{option.name} names a URL; send the file itself among the files")
        elif not value.isprintable():
            self._faults.add(place, f"{option.name} names a file with characters that cannot be printed")
        else:
            # What a constraints file includes can only constrain.
            constrains = option.name == "--constraint" or role is Role.CONSTRAINT
            inner = Role.CONSTRAINT if constrains else role
            self.read(join(name, value), inner, place, depth + 1)

    def _ignore(self, option: Option, place: Place) -> None:
        self._gathered.notice("option-ignored", f"{place}: {option.name} does not change a lock and is not applied")

    def _ignore_index(self, option: Option, place: Place) -> None:
        host = host_of(option.value) if option.value else None
        hint = f"{place}: {option.name}{f' {host}' if host else ''}"
        if len(self._gathered.index_hints) < MAX_NOTICES:
            self._gathered.index_hints.append(hint)
        self._gathered.notice(
            "index-line-ignored",
            f"{hint} is not applied; indexes are chosen by the request or the service's configuration",
        )


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
