"""A target: one concrete environment to lock for."""

from __future__ import annotations

import json
import sysconfig
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from types import MappingProxyType

from packaging.markers import default_environment
from packaging.tags import parse_tag, platform_tags, sys_tags
from packaging.version import InvalidVersion, Version

from .errors import TargetError
from .expression import parse_marker
from .interpreter import Interpreter, parse_interpreter
from .platforms import Platform, parse_platform

__all__ = ["VARIABLES", "Target", "TargetError", "local_target", "make_target"]

VARIABLES = frozenset(
    {
        "implementation_name",
        "implementation_version",
        "os_name",
        "platform_machine",
        "platform_python_implementation",
        "platform_release",
        "platform_system",
        "platform_version",
        "python_full_version",
        "python_version",
        "sys_platform",
    }
)
"""The environment variables of the dependency specifiers specification, without ``extra``."""
MAX_TAGS = 20_000  # given in full; CPython on a new glibc has some 2,000
MAX_VALUE = 256  # characters of a marker variable; the longest real one, platform_version, has some 120
MAX_CACHED = 128  # targets remembered, some 200 kB of tags each


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """One environment. ``key`` identifies it: equal keys mean equal markers and tags."""

    name: str
    python: str
    """Full version for markers and Requires-Python: ``3.13`` was given → ``3.13.0``."""
    implementation: str
    platform: str
    """As the caller named it."""
    markers: Mapping[str, str]
    """The eleven PEP 508 variables, without ``extra``."""
    tags: Mapping[str, int]
    """Supported tag (``cp313-cp313-manylinux_2_28_x86_64``) → rank, 0 is the best."""
    marker: str
    """A PEP 508 marker that describes this environment in a lock (``environments``)."""
    key: str
    """SHA-256 of markers and tags, in hex."""

    @property
    def fit_key(self) -> str:
        """Equal keys mean that the same files fit."""
        return self.key


def make_target(
    *,
    name: str | None,
    python: str | None,
    platform: str | None,
    implementation: str = "cpython",
    tags: Sequence[str] | None = None,
    markers: Mapping[str, str] | None = None,
) -> Target:
    """The target that these words describe; a repeated call costs microseconds.

    ``tags`` (best first, compressed sets allowed) and ``markers`` (all eleven variables) given in full replace what
    ``python`` and ``platform`` would say. Where one of those two is needed and absent, the running interpreter's
    stands in for it, as in uv.

    Raises:
        TargetError: a value is not understood; the message names it and what is accepted.
    """
    target = _make(
        python,
        platform,
        implementation,
        None if tags is None else tuple(tags),
        None if markers is None else tuple(sorted(markers.items())),
    )
    return replace(target, name=name) if name is not None and name != target.name else target


@lru_cache(maxsize=1)
def _local() -> Target:
    markers = {str(variable): str(value) for variable, value in default_environment().items()}
    return _target(sysconfig.get_platform(), markers, (str(tag) for tag in sys_tags()), is_exact=True)


def local_target(name: str | None = None) -> Target:
    """The environment of the running interpreter."""
    target = _local()
    return target if name is None else replace(target, name=name)


@lru_cache(maxsize=MAX_CACHED)
def _make(
    python: str | None,
    platform: str | None,
    implementation: str,
    tags: tuple[str, ...] | None,
    markers: tuple[tuple[str, str], ...] | None,
) -> Target:
    given = None if markers is None else _checked_markers(dict(markers))
    expanded = None if tags is None else _checked_tags(tags)
    if given is not None and expanded is not None:
        if python is not None and not _agrees(python, implementation, given):
            raise TargetError(
                f"python {python[:40]!r} contradicts the marker python_full_version; leave one of them out"
            )
        return _target(platform or given["sys_platform"], given, expanded, is_exact=True)
    if python is None and given is not None:
        python = given["python_full_version"]
    if python is None:
        python = default_environment()["python_full_version"].rstrip("+")
    interpreter = parse_interpreter(python, implementation)
    where = _local_platform() if platform is None else parse_platform(platform)
    return _target(
        where.name,
        given or _markers_of(interpreter, where),
        expanded or interpreter.tags(where.tags),
        is_exact=interpreter.is_exact,
        free_threaded=interpreter.is_free_threaded,
    )


def _local_platform() -> Platform:
    here = default_environment()
    return Platform(
        sysconfig.get_platform(),
        here["os_name"],
        here["sys_platform"],
        here["platform_system"],
        here["platform_machine"],
        here["platform_release"],
        here["platform_version"],
        tuple(platform_tags()),
    )


def _markers_of(interpreter: Interpreter, platform: Platform) -> dict[str, str]:
    return {
        "implementation_name": interpreter.implementation,
        "implementation_version": interpreter.implementation_version,
        "os_name": platform.os_name,
        "platform_machine": platform.platform_machine,
        "platform_python_implementation": interpreter.platform_python_implementation,
        "platform_release": platform.platform_release,
        "platform_system": platform.platform_system,
        "platform_version": platform.platform_version,
        "python_full_version": str(interpreter.version),
        "python_version": ".".join(map(str, interpreter.version.release[:2])),
        "sys_platform": platform.sys_platform,
    }


def _target(
    platform: str, markers: dict[str, str], tags: Iterable[str], *, is_exact: bool, free_threaded: bool = False
) -> Target:
    ordered = tuple(dict.fromkeys(tags))
    document = json.dumps({"markers": markers, "tags": ordered}, sort_keys=True, separators=(",", ":"))
    python = markers["python_full_version"]
    shown = python if is_exact else markers["python_version"]
    return Target(
        name=f"{shown}{'t' if free_threaded else ''}-{platform}",
        python=python,
        implementation=markers["implementation_name"],
        platform=platform,
        markers=MappingProxyType(markers),
        tags=MappingProxyType({tag: rank for rank, tag in enumerate(ordered)}),
        marker=_describe(markers),
        key=sha256(document.encode()).hexdigest(),
    )


def _describe(markers: Mapping[str, str]) -> str:
    """What sets this environment apart in a lock.

    A patch release is a lower bound, as a lock made for 3.13.1 is good for every later 3.13; a pre-release likewise.
    """
    clauses = [f"python_version == {_quoted(markers['python_version'])}"]
    full = markers["python_full_version"]
    if Version(full.rstrip("+")) != Version(markers["python_version"]):
        clauses.append(f"python_full_version >= {_quoted(full.rstrip('+'))}")
    clauses += [
        f"{variable} == {_quoted(markers[variable])}"
        for variable in ("sys_platform", "platform_machine", "implementation_name")
    ]
    return str(parse_marker(" and ".join(clauses)))


def _quoted(value: str) -> str:
    return f'"{value}"' if '"' not in value else f"'{value}'"


def _agrees(python: str, implementation: str, markers: Mapping[str, str]) -> bool:
    interpreter = parse_interpreter(python, implementation)
    if interpreter.is_exact:
        return str(interpreter.version) == markers["python_full_version"]
    return ".".join(map(str, interpreter.version.release[:2])) == markers["python_version"]


def _checked_markers(markers: dict[str, str]) -> dict[str, str]:
    missing, unknown = sorted(VARIABLES - markers.keys()), sorted(markers.keys() - VARIABLES)
    if missing:
        raise TargetError(f"markers must be given in full; missing: {', '.join(missing)}")
    if unknown:
        raise TargetError(
            f"unknown marker variables {', '.join(name[:40] for name in unknown[:5])}; "
            f"accepted are {', '.join(sorted(VARIABLES))}"
        )
    for variable, value in markers.items():
        if len(value) > MAX_VALUE or not value.isprintable() or ('"' in value and "'" in value):
            raise TargetError(f"marker {variable} must be at most {MAX_VALUE} printable characters, one kind of quote")
    try:
        full = Version(markers["python_full_version"])
        short = Version(markers["python_version"])
    except InvalidVersion:
        raise TargetError(
            "markers python_version and python_full_version must be versions like 3.13 and 3.13.1"
        ) from None
    if full.release[:2] != short.release:
        raise TargetError(
            f"marker python_version {markers['python_version']!r} is not that of python_full_version "
            f"{markers['python_full_version']!r}; use its first two parts"
        )
    return markers


def _checked_tags(tags: tuple[str, ...]) -> tuple[str, ...]:
    if not tags:
        raise TargetError("tags must name at least one tag, like py3-none-any; leave them out to have them derived")
    if len(tags) > MAX_TAGS:
        raise TargetError(f"{len(tags)} tags; at most {MAX_TAGS} are allowed")
    expanded: dict[str, None] = {}
    for text in tags:
        try:
            parsed = sorted(map(str, parse_tag(text, limit=MAX_TAGS - len(expanded))))
        except ValueError:
            raise TargetError(f"{text[:100]!r} is not a wheel tag like cp313-cp313-manylinux_2_28_x86_64") from None
        expanded.update(dict.fromkeys(parsed))
    return tuple(expanded)
