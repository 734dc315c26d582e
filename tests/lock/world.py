"""A notation for tiny resolutions: targets by name, pins in a line, files with hashes that derive from their names."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from resolver.environment.target import Target
from resolver.errors import Place
from resolver.index.page import File
from resolver.model import Edge, Notice, Pin, Query, Resolution, Stated, TargetResolution
from resolver.requirement import parse
from transport.message import Index

CORP = Index(name="corp", url="https://packages.corp.example/simple/")

_PLATFORMS = {
    # sys_platform, platform_system, os_name, platform_machine, platform tags
    "linux": ("linux", "Linux", "posix", "x86_64", ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "linux_x86_64")),
    "linux-old": ("linux", "Linux", "posix", "x86_64", ("manylinux_2_17_x86_64", "linux_x86_64")),
    "arm": ("linux", "Linux", "posix", "aarch64", ("manylinux_2_28_aarch64", "linux_aarch64")),
    "macos": ("darwin", "Darwin", "posix", "arm64", ("macosx_11_0_arm64", "macosx_11_0_universal2")),
    "windows": ("win32", "Windows", "nt", "AMD64", ("win_amd64",)),
}


def target(name: str, python: str = "3.13", platform: str = "linux", implementation: str = "cpython") -> Target:
    """Return a target; ``python`` of two parts means its ``.0``."""
    sys_platform, system, os_name, machine, platforms = _PLATFORMS[platform]
    full = python if python.count(".") == 2 else f"{python}.0"
    minor = ".".join(full.split(".")[:2])
    spoken = {"cpython": "CPython", "pypy": "PyPy"}[implementation]
    markers = {
        "implementation_name": implementation,
        "implementation_version": full,
        "os_name": os_name,
        "platform_machine": machine,
        "platform_python_implementation": spoken,
        "platform_release": "",
        "platform_system": system,
        "platform_version": "",
        "python_full_version": full,
        "python_version": minor,
        "sys_platform": sys_platform,
    }
    digits = minor.replace(".", "")
    interpreter = f"cp{digits}" if implementation == "cpython" else f"pp{digits}"
    abi = interpreter if implementation == "cpython" else f"pypy{digits}_pp73"
    tags = [f"{interpreter}-{abi}-{one}" for one in platforms]
    tags += [f"{interpreter}-none-any", f"py{digits}-none-any", "py3-none-any"]
    version = f"python_full_version == '{full}'" if python == full else f"python_version == '{minor}'"
    return Target(
        name=name,
        python=full,
        implementation=implementation,
        platform=platform,
        markers=markers,
        tags={tag: rank for rank, tag in enumerate(tags)},
        marker=f"{version} and platform_machine == '{machine}' and sys_platform == '{sys_platform}'",
        key=hashlib.sha256(repr((sorted(markers.items()), tags)).encode()).hexdigest(),
    )


def wheel(name: str, version: str, tags: str = "py3-none-any", host: str = "files.corp.example") -> File:
    """Return a wheel whose hash is that of its file name."""
    filename = f"{name.replace('-', '_')}-{version}-{tags}.whl"
    return File(
        filename=filename,
        url=f"https://{host}/packages/{filename}",
        hashes=(("sha256", hashlib.sha256(filename.encode()).hexdigest()),),
        tags=tags,
        size=1000 + len(filename),
        upload_time="2025-01-15T08:30:00.250000Z",
        requires_python=">=3.9",
    )


def sdist(name: str, version: str, host: str = "files.corp.example") -> File:
    """Return an sdist whose hash is that of its file name."""
    filename = f"{name.replace('-', '_')}-{version}.tar.gz"
    made = wheel(name, version, host=host)
    digest = hashlib.sha256(filename.encode()).hexdigest()
    url = f"https://{host}/packages/{filename}"
    return replace(made, filename=filename, url=url, hashes=(("sha256", digest),), tags=None)


def edge(text: str) -> Edge:
    """Return the edge of a requirement's text."""
    requirement = parse(text)
    marker = str(requirement.marker) if requirement.marker else None
    return Edge(requirement.name, requirement.extras, marker, requirement.specifier)


def pin(
    name: str,
    version: str,
    *requires: str,
    via: Sequence[str] = ("requirements.in:1",),
    wheels: Iterable[str] = ("py3-none-any",),
    has_sdist: bool = False,
    extras: Sequence[str] = (),
    yanked: str | None = None,
) -> Pin:
    """Return a pin from the index ``corp``; it is direct where an origin in ``via`` is a file."""
    return Pin(
        name=name,
        version=version,
        index=CORP.name,
        index_url=CORP.url,
        wheels=tuple(wheel(name, version, tags) for tags in wheels),
        sdist=sdist(name, version) if has_sdist else None,
        requires_python=">=3.9",
        extras=tuple(extras),
        requires=tuple(edge(text) for text in requires),
        via=tuple(via),
        is_direct=any(".in" in origin for origin in via),
        yanked=yanked,
    )


def stated(text: str, line: int = 1) -> Stated:
    """Return a requirement as written in line ``line`` of ``requirements.in``."""
    return Stated(parse(text), f"requirements.in:{line}", Place(file="requirements.in", line=line))


def resolution(
    pins: Mapping[Target, Iterable[Pin]],
    *requirements: str,
    constraints: Sequence[str] = (),
    requires_python: str | None = None,
    previous: Mapping[str, tuple[str, ...]] | None = None,
    warnings: Sequence[Notice] = (),
) -> Resolution:
    """Return what the driver would answer for ``requirements``."""
    query = Query(
        requirements=tuple(stated(text, line) for line, text in enumerate(requirements, start=1)),
        constraints=tuple(stated(text) for text in constraints),
        indexes=(CORP,),
        targets=tuple(pins),
        requires_python=requires_python,
        previous=previous or {},
    )
    resolved = tuple(TargetResolution(where, {one.name: one for one in chosen}) for where, chosen in pins.items())
    return Resolution(query=query, targets=resolved, warnings=tuple(warnings))
