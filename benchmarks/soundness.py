"""Whether pins are sound, by a walk with ``packaging`` over the snapshot's own metadata: nothing of the resolver's."""

from __future__ import annotations

import contextlib
import functools
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version


def environment(python: str) -> dict[str, str]:
    """Marker values of CPython on x86-64 Linux."""
    found = {key: str(value) for key, value in default_environment().items()}
    found.update(
        python_version=python,
        python_full_version=f"{python}.0",
        implementation_version=f"{python}.0",
        implementation_name="cpython",
        platform_python_implementation="CPython",
        os_name="posix",
        sys_platform="linux",
        platform_system="Linux",
        platform_machine="x86_64",
        platform_release="",
        platform_version="",
    )
    return found


@functools.cache
def snapshot_metadata(data: Path, name: str, version: str) -> list[str] | None:
    """The Requires-Dist texts of any wheel of that version in the snapshot."""
    for path in sorted((data / name).glob("*.metadata")):
        with contextlib.suppress(ValueError):
            _, found, _, _ = parse_wheel_filename(path.name.removesuffix(".metadata"))
            if found == Version(version):
                head = path.read_text("utf-8", "replace").replace("\r\n", "\n").split("\n\n", 1)[0]
                return [line[14:].strip() for line in head.splitlines() if line.lower().startswith("requires-dist:")]
    return None


def unsound(text: str, pins: dict[str, str], python: str, data: Path) -> list[str]:
    """Walk the requirements from the set for a Python on x86-64 Linux."""
    return unsound_in(text, pins, environment(python), data)


def unsound_in(text: str, pins: dict[str, str], env: dict[str, str], data: Path) -> list[str]:
    """Walk the requirements from the set; what is not satisfied, missing, or superfluous."""
    faults: list[str] = []
    reached: set[str] = set()
    done: set[tuple[str, str]] = set()
    lines = [line.split(" #")[0].strip() for line in text.splitlines()]
    todo = [(Requirement(line), "", "the set") for line in lines if line and not line.startswith("#")]
    while todo:
        requirement, extra, parent = todo.pop()
        if requirement.marker is not None and not requirement.marker.evaluate({**env, "extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        if name not in pins:
            faults.append(f"{parent} needs {requirement}, which is absent")
            continue
        if not requirement.specifier.contains(pins[name], prereleases=True):
            faults.append(f"{parent} needs {requirement}, got {pins[name]}")
        reached.add(name)
        for wanted in ("", *map(canonicalize_name, requirement.extras)):
            if (name, wanted) in done:
                continue
            done.add((name, wanted))
            requires = snapshot_metadata(data, name, pins[name])
            if requires is None:
                faults.append(f"{name} {pins[name]} is not in the snapshot")
                continue
            for one in requires:
                with contextlib.suppress(InvalidRequirement):
                    todo.append((Requirement(one), wanted, f"{name} {pins[name]}"))
    faults += [f"{name} is not required" for name in sorted(set(pins) - reached)]
    return faults
