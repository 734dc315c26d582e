"""From the options of ``lockwright lock`` to the JSON of ``POST /v1/lock``, wherever it is then answered."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement

from resolver.environment.target import TargetError, local_target, make_target

from .exits import USAGE, CommandError
from .sources import Sources


@dataclass(frozen=True, slots=True)
class Choices:
    """What the command line said, uninterpreted; empty and None mean that nothing was said."""

    python_version: str | None = None
    python_platform: str | None = None
    targets: tuple[str, ...] = ()
    universal: bool = False
    extras: tuple[str, ...] = ()
    all_extras: bool = False
    groups: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    upgrade: bool = False
    upgrade_packages: tuple[str, ...] = ()
    resolution: str | None = None
    prerelease: str | None = None
    exclude_newer: str | None = None
    no_binary: tuple[str, ...] = ()
    only_binary: tuple[str, ...] = ()
    builds: str | None = None
    no_deps: bool = False
    index_strategy: str | None = None
    fork_strategy: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, and how to call the parts of it that the user did not write as JSON."""

    body: dict[str, Any]
    places: Mapping[str, str] = field(default_factory=dict)
    """JSON pointer → what the user knows it as: ``--python-version``, ``overrides.txt:3``."""


def make_request(choices: Choices, sources: Sources, *, previous: str | None, outputs: Iterable[str]) -> Asked:
    """Return the request. ``previous`` is the text of the lock that is being replaced.

    Raises:
        CommandError: an option cannot be read.
    """
    places: dict[str, str] = {f"/overrides/{at}": place for at, place in enumerate(sources.override_places)}
    upgraded, constraints = _upgraded(choices.upgrade_packages)
    files, roots = dict(sources.files), list(sources.roots)
    if sources.constraints or not roots:
        # A file of our own that includes the constraint files, so that each constraint keeps its file and line.
        own = _free_name(files)
        files[own] = "".join(f"-c {name}\n" for name in sources.constraints)
        roots.append(own)
    body: dict[str, Any] = {
        "files": files,
        "roots": roots,
        "extras": [*choices.extras, *(_all_extras(sources) if choices.all_extras else ())],
        "groups": list(choices.groups),
        "constraints": constraints,
        "overrides": list(sources.overrides),
        "excludes": list(choices.excludes),
        "targets": [] if choices.universal else _targets(choices, places),
        "options": _options(choices),
        "outputs": sorted(set(outputs)),
    }
    if choices.universal:
        body["universal"] = _universal(choices, places) or None
    if previous is not None:
        body["lock"] = {"content": previous}
        body["upgrade"] = choices.upgrade or upgraded
    return Asked({key: value for key, value in body.items() if value not in ([], {}, None)}, places)


def _free_name(files: Mapping[str, str]) -> str:
    names = ("command-line.in", *(f"command-line-{number}.in" for number in range(len(files) + 1)))
    return next(name for name in names if name not in files)


def _all_extras(sources: Sources) -> list[str]:
    extras: dict[str, None] = {}
    for name in sources.roots:
        if name.endswith(".toml"):
            try:
                project = tomllib.loads(sources.files[name]).get("project", {})
            except tomllib.TOMLDecodeError:
                continue  # the service says where it is wrong
            found = project.get("optional-dependencies", {}) if isinstance(project, dict) else {}
            extras.update(dict.fromkeys(found if isinstance(found, dict) else ()))
    return list(extras)


def _upgraded(packages: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the names of ``-P``, and the constraints of those given as ``name<2`` (as in uv and pip-tools)."""
    names, constraints = [], []
    for text in packages:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            raise CommandError(
                f"error: --upgrade-package {text!r} is neither a name nor name==version", USAGE
            ) from None
        names.append(requirement.name)
        if requirement.specifier:
            constraints.append(f"{requirement.name}{requirement.specifier}")
    return names, constraints


def _options(choices: Choices) -> dict[str, Any]:
    options: dict[str, Any] = {
        "resolution": choices.resolution,
        "prerelease": choices.prerelease,
        "exclude_newer": choices.exclude_newer,
        "builds": choices.builds,
        "no_binary": _names(choices.no_binary),
        "only_binary": _names(choices.only_binary),
        "no_deps": choices.no_deps or None,
        "index_strategy": choices.index_strategy,
        "fork_strategy": choices.fork_strategy,
    }
    return {key: value for key, value in options.items() if value not in (None, [])}


def _names(values: Iterable[str]) -> list[str]:
    """Take lists apart, as pip does: ``:none:`` forgets what came before it."""
    names: list[str] = []
    for value in values:
        for name in filter(None, (part.strip() for part in value.split(","))):
            if name == ":none:":
                names.clear()
            else:
                names.append(name)
    return names


def _universal(choices: Choices, places: dict[str, str]) -> dict[str, Any]:
    """All environments, from a Python on; without one the project's or the server's own range."""
    if choices.targets or choices.python_platform is not None:
        raise CommandError("error: --universal is for every platform; leave out --target and --python-platform", USAGE)
    if choices.python_version is None:
        return {}
    places["/universal/requires_python"] = f"--python-version {choices.python_version}"
    return {"requires_python": f">={choices.python_version}"}


def _targets(choices: Choices, places: dict[str, str]) -> list[dict[str, Any]]:
    if choices.targets:
        if choices.python_version is not None or choices.python_platform is not None:
            raise CommandError("error: --target says python and platform itself; leave out the other options", USAGE)
        for at, text in enumerate(choices.targets):
            places[f"/targets/{at}"] = f"--target {text}"
        return [_named(text) for text in choices.targets]
    python, platform = choices.python_version, choices.python_platform
    given = {"--python-version": python, "--python-platform": platform}
    places["/targets/0"] = " ".join(f"{option} {value}" for option, value in given.items() if value is not None)
    if python is not None and platform is not None:
        return [{"python": python, "platform": platform}]
    # Part of the environment is this one, which only this process can describe.
    try:
        is_local = python is None and platform is None
        target = local_target() if is_local else make_target(name=None, python=python, platform=platform)
    except TargetError as error:
        raise CommandError(f"error: {places['/targets/0']}: {error}", USAGE) from None
    name = target.name.replace("_", "-")[:64]
    return [{"name": name, "platform": target.platform, "markers": dict(target.markers), "tags": list(target.tags)}]


def _named(text: str) -> dict[str, Any]:
    name, equals, rest = text.partition("=")
    python, colon, platform = rest.partition(":")
    if not (equals and colon and name and python and platform):
        raise CommandError(f"error: --target {text}: expected NAME=PYTHON:PLATFORM, such as ci=3.13:linux", USAGE)
    return {"name": name, "python": python, "platform": platform}
