"""All that a request states, from lists and files, as one :class:`Inputs`; every fault is told at once."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..errors import Place
from ..model import Notice, Stated
from .dependency_groups import normalised
from .faults import Faults, listing, quoted
from .file_reader import MAX_FILES, FileReader
from .gathered import Gathered, Role, check_hashes
from .project import Project
from .roots import PYPROJECT, default_roots, is_project, why_foreign
from .script import Script, is_script
from .stating import read_stated
from .toml_document import read_toml
from .tool_uv import ToolUv

MAX_FILE_NAME = 512  # characters; a path in a repository stays far below


@dataclass(frozen=True, slots=True)
class Inputs:
    """What was asked, in the domain's words. Requirements keep their order and their duplicates: they intersect."""

    requirements: tuple[Stated, ...] = ()
    constraints: tuple[Stated, ...] = ()
    overrides: tuple[Stated, ...] = ()
    excludes: frozenset[str] = frozenset()
    """Normalised names."""
    requires_python: str | None = None
    """``requires-python`` of the projects and scripts among the roots, intersected."""
    no_binary: frozenset[str] = frozenset()
    """From lines in files: normalised names or ``:all:``."""
    only_binary: frozenset[str] = frozenset()
    prerelease_allowed: bool = False
    """A file says ``--pre``."""
    index_hints: tuple[str, ...] = ()
    """``file:line: option host`` of lines that name indexes: not applied, free of credentials."""
    extras: tuple[str, ...] = ()
    """Those that were applied, normalised, in the order asked."""
    groups: tuple[str, ...] = ()
    warnings: tuple[Notice, ...] = ()


def read_inputs(
    *,
    requirements: Sequence[str] = (),
    files: Mapping[str, str] | None = None,
    roots: Sequence[str] = (),
    constraints: Sequence[str] = (),
    overrides: Sequence[str] = (),
    excludes: Sequence[str] = (),
    extras: Sequence[str] = (),
    groups: Sequence[str] = (),
    constraint_files: Sequence[str] = (),
    override_files: Sequence[str] = (),
) -> Inputs:
    """Read what a request states.

    Args:
        requirements: PEP 508 texts.
        files: Name → text; names are relative paths with ``/``.
        roots: The files to start from; without any, see :func:`resolver.inputs.roots.default_roots`.
        constraints: PEP 508 texts that limit versions without requiring anything.
        overrides: PEP 508 texts that replace what packages require.
        excludes: Projects to leave out wherever they are required.
        extras: Of the projects among the roots.
        groups: Of the projects among the roots, else of ``pyproject.toml`` among the files (PEP 735).
        constraint_files: Files all of whose requirements are constraints.
        override_files: Files whose requirements are overrides.

    Raises:
        InvalidQuery: with every fault that was found, each with its place.
    """
    reader = _Reader(files or {})
    reader.read_list(requirements, Role.REQUIREMENT, "requirements")
    reader.read_list(constraints, Role.CONSTRAINT, "constraints")
    reader.read_list(overrides, Role.OVERRIDE, "overrides")
    reader.read_files(constraint_files, Role.CONSTRAINT, "constraint_files")
    reader.read_files(override_files, Role.OVERRIDE, "override_files")
    reader.read_roots(roots, aside=(*constraint_files, *override_files))
    reader.read_extras(extras)
    reader.read_groups(groups)
    reader.read_excludes(excludes)
    return reader.finish()


class _Reader:
    def __init__(self, files: Mapping[str, str]) -> None:
        self._faults = Faults()
        self._gathered = Gathered(self._faults)
        self._files = self._normalise(files)
        self._reader = FileReader(self._files, self._gathered)
        self._projects: dict[str, Project] = {}
        self._has_broken_project = False
        self._excludes: set[str] = set()
        self._sources: dict[str, tuple[str, Place]] = {}
        self._requires_python: list[str] = []
        self._extras: tuple[str, ...] = ()
        self._groups: tuple[str, ...] = ()

    def _normalise(self, files: Mapping[str, str]) -> dict[str, str]:
        found: dict[str, str] = {}
        if len(files) > MAX_FILES:
            self._faults.add(Place(pointer="/files"), f"{len(files)} files; at most {MAX_FILES} are read")
            return found
        for name, text in files.items():
            place = Place(pointer=_pointer("files", name))
            normal = posixpath.normpath(name) if name else ""
            if not name.strip() or not name.isprintable() or len(name) > MAX_FILE_NAME:
                # Not in the pointer either: it goes to logs and terminals.
                self._faults.add(Place(pointer="/files"), "a file name must be printable and not too long")
            elif not _is_text(text):
                self._faults.add(place, "the content of a file must be a string")
            elif normal in found:
                self._faults.add(place, f"names the same file as another entry: {normal}")
            else:
                found[normal] = text
        return found

    def read_list(self, texts: Sequence[str], role: Role, field: str) -> None:
        for index, text in enumerate(texts):
            stated = read_stated(text, f"{field}[{index}]", Place(pointer=f"/{field}/{index}"), self._faults)
            if not self._gathered.add(role, stated):
                return

    def read_files(self, names: Sequence[str], role: Role, field: str) -> None:
        for index, name in enumerate(names):
            self._reader.read(posixpath.normpath(name), role, Place(pointer=f"/{field}/{index}"))

    def read_roots(self, roots: Sequence[str], aside: Sequence[str]) -> None:
        if roots:
            for index, root in enumerate(roots):
                self._read_root(posixpath.normpath(root), Place(pointer=f"/roots/{index}"))
            return
        chosen = default_roots(self._files, map(posixpath.normpath, aside))
        if chosen is None:
            names = listing(list(self._files))
            self._faults.add(Place(pointer="/roots"), f"several files were sent; name those to start from: {names}")
            return
        for root in chosen:
            self._read_root(root, Place(pointer=_pointer("files", root)))

    def _read_root(self, name: str, place: Place) -> None:
        text = self._files.get(name)
        if text is None or why_foreign(name) is not None:
            self._reader.read(name, Role.REQUIREMENT, place)
        elif is_project(name):
            self._read_project(name)
        elif is_script(name, text):
            self._read_script(name, text)
        else:
            self._reader.read(name, Role.REQUIREMENT, place)

    def _read_script(self, name: str, text: str) -> None:
        if name in self._reader.used:
            return
        self._reader.used.add(name)
        script = Script(name, text, self._faults)
        if script.document is not None:
            self._gathered.extend(Role.REQUIREMENT, script.dependencies())
            self._limit_python(script.requires_python)
            self._apply_tool(ToolUv(script.document, self._faults))

    def _limit_python(self, requires_python: str | None) -> None:
        if requires_python is not None:
            self._requires_python.append(requires_python)

    def _read_project(self, name: str) -> None:
        if name in self._projects:
            return
        project = self._open(name)
        if project is None:
            return
        project.check_is_project()
        self._gathered.extend(Role.REQUIREMENT, project.dependencies())
        self._limit_python(project.requires_python)

    def _open(self, name: str) -> Project | None:
        """Read a pyproject.toml; its ``[tool.uv]`` applies to everything, as it does in uv."""
        self._reader.used.add(name)
        document = read_toml(name, self._files[name], self._faults)
        if document is None:
            self._has_broken_project = True
            return None
        project = self._projects[name] = Project(document, self._faults)
        self._apply_tool(ToolUv(document, self._faults))
        return project

    def _apply_tool(self, tool: ToolUv) -> None:
        for role, more in ((Role.CONSTRAINT, tool.constraints()), (Role.OVERRIDE, tool.overrides())):
            self._gathered.extend(role, more)
        self._excludes.update(tool.excludes())
        self._sources.update({key: (kind, tool.place()) for key, kind in tool.sources().items()})
        for notice in tool.notices():
            self._gathered.notice(notice.code, notice.detail, notice.package)

    def read_extras(self, extras: Sequence[str]) -> None:
        names = self._names(extras, "extras", "an extra")
        self._extras = tuple(dict.fromkeys(names.values()))
        known = [extra for project in self._projects.values() for extra in project.extras]
        for index, extra in names.items():
            place = Place(pointer=f"/extras/{index}")
            if not self._projects:
                if not self._has_broken_project:
                    self._faults.add(place, f"extras are those of a project; name its {PYPROJECT} in roots")
                return
            holders = [project for project in self._projects.values() if extra in project.extras]
            for project in holders:
                self._gathered.extend(Role.REQUIREMENT, project.extra_requirements(extra))
            if holders:
                continue
            if any(project.has_dynamic_extras for project in self._projects.values()):
                self._faults.add(place, "the extras are dynamic: only a build could tell them; list them in [project]")
            else:
                self._faults.add(place, f"there is no extra {extra}; defined: {listing(known)}")

    def read_groups(self, groups: Sequence[str]) -> None:
        names = self._names(groups, "groups", "a dependency group")
        self._groups = tuple(dict.fromkeys(names.values()))
        if names and not self._projects and not self._has_broken_project and PYPROJECT in self._files:
            self._open(PYPROJECT)
        known = [group for project in self._projects.values() for group in project.groups.names]
        for index, group in names.items():
            place = Place(pointer=f"/groups/{index}")
            if not self._projects:
                if not self._has_broken_project:
                    self._faults.add(place, f"dependency groups are read from {PYPROJECT}; send it among the files")
                return
            holders = [project for project in self._projects.values() if group in project.groups.names]
            for project in holders:
                self._gathered.extend(Role.REQUIREMENT, project.group_requirements(group))
            if not holders:
                self._faults.add(place, f"there is no dependency group {group}; defined: {listing(known)}")

    def read_excludes(self, excludes: Sequence[str]) -> None:
        self._excludes.update(self._names(excludes, "excludes", "a project").values())

    def _names(self, values: Sequence[str], field: str, what: str) -> dict[int, str]:
        """Return index → normalised name; what is none becomes a fault."""
        found: dict[int, str] = {}
        for index, value in enumerate(values):
            name = normalised(value)
            if name is None:
                self._faults.add(Place(pointer=f"/{field}/{index}"), f"{quoted(str(value))} is not the name of {what}")
            else:
                found[index] = name
        return found

    def finish(self) -> Inputs:
        gathered = self._gathered
        check_hashes(gathered)
        self._check_sources()
        self._faults.raise_if_any()
        for name in self._files:
            if name not in self._reader.used:
                gathered.notice("file-unused", f"{name} was sent, but nothing reads it; name it in roots or include it")
        stated = {role: tuple(some) for role, some in gathered.stated.items()}
        if not stated[Role.REQUIREMENT]:
            gathered.notice("no-requirements", "nothing is required: the lock is empty")
        return Inputs(
            requirements=stated[Role.REQUIREMENT],
            constraints=stated[Role.CONSTRAINT],
            overrides=stated[Role.OVERRIDE],
            excludes=frozenset(self._excludes),
            requires_python=",".join(dict.fromkeys(self._requires_python)) or None,
            no_binary=frozenset(gathered.binary.no_binary),
            only_binary=frozenset(gathered.binary.only_binary),
            prerelease_allowed=gathered.prerelease_allowed,
            index_hints=tuple(gathered.index_hints),
            extras=self._extras,
            groups=self._groups,
            warnings=tuple(gathered.notices),
        )

    def _check_sources(self) -> None:
        """Refuse requirements that uv would take from a path, a checkout or a URL: an index must not answer for them.

        The name of a private package on a public index may be somebody else's.
        """
        for stated in self._gathered.stated[Role.REQUIREMENT]:
            name = stated.requirement.name
            source = self._sources.get(name)
            if source is not None and stated.requirement.url is None and name not in self._excludes:
                kind, place = source
                self._faults.add(
                    place,
                    f"[tool.uv.sources] takes {name} from {kind}, not from an index; "
                    "exclude it, or require a wheel of it by URL",
                )


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _pointer(*parts: str) -> str:
    """Return a JSON pointer (RFC 6901 §3)."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)
