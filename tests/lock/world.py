"""A notation for tiny resolutions: targets by name, pins in a line, files with hashes that derive from their names."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from resolver.environment.target import Target, make_target
from resolver.errors import Place
from resolver.index.page import File
from resolver.model import Edge, Notice, Pin, Query, Resolution, Stated, TargetResolution
from resolver.requirement import parse
from transport.message import Index

CORP = Index(name="corp", url="https://packages.corp.example/simple/")

_PLATFORMS = {
    "linux": "x86_64-manylinux_2_28",
    "linux-old": "x86_64-manylinux_2_17",
    "arm": "aarch64-manylinux_2_28",
    "macos": "aarch64-apple-darwin",
    "windows": "x86_64-pc-windows-msvc",
}


def target(name: str, python: str = "3.13", platform: str = "linux", implementation: str = "cpython") -> Target:
    """Return a target; ``platform`` is a key of ``_PLATFORMS``."""
    return make_target(name=name, python=python, platform=_PLATFORMS[platform], implementation=implementation)


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
