"""Requirements files, followed through ``-r`` and ``-c`` in the mapping that was sent; no disk is ever asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..errors import Place
from .faults import host_of, listing
from .gathered import MAX_NOTICES, Gathered, Role
from .hashes import HashError, read_hash
from .logical_line import MAX_LINE, MAX_LOGICAL_LINE, LogicalLine
from .reference import NO_EDITABLE, NO_VARIABLE
from .requirements_file import (
    BINARY_OPTIONS,
    IGNORED_OPTIONS,
    INDEX_OPTIONS,
    MAX_STATEMENTS,
    Option,
    Statement,
    statements,
)
from .roots import is_project, join, why_foreign
from .script import is_script
from .stating import read_stated

# RELIABILITY 1.3 bounds what a request states; these bound how it is spread.
MAX_FILES = 64
# Files that include files: people use two or three levels.
MAX_DEPTH = 16


class FileReader:
    """Reads files of the mapping into a :class:`Gathered`; each file once per role, so cycles end."""

    def __init__(self, files: Mapping[str, str], gathered: Gathered) -> None:
        """``files``: normalised name → text."""
        self._files = files
        self._gathered = gathered
        self._faults = gathered.faults
        self._done: set[tuple[Role, str]] = set()
        self._statements = 0
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
        elif is_script(name, text):
            self._faults.add(place, f"{name} is a script, not a requirements file; name it in roots")
        elif depth > MAX_DEPTH:
            self._faults.add(place, f"files included more than {MAX_DEPTH} deep")
        elif len(self.used) > MAX_FILES:
            self._faults.add(place, f"more than {MAX_FILES} files are included")
        else:
            for statement in statements(text):
                self._statements += 1
                if self._statements == MAX_STATEMENTS + 1:
                    here = Place(file=name, line=statement.line.number)
                    self._faults.add(here, f"the files hold more than {MAX_STATEMENTS} statements")
                if self._statements > MAX_STATEMENTS or self._gathered.is_full:
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
            f"{hint} is not applied; indexes are chosen by the request or the configuration",
        )
