"""The environments that a wheel's tags admit, as a set (PEP 425, 600, 656).

For universal resolution a wheel is not ranked against one interpreter's list of tags; it is usable where its set
meets the lock's. Levels (glibc, macOS versions) have no marker variable and do not narrow a set.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import product

from .space import ALL, NOTHING, EnvironmentSet, from_marker, from_requires_python
from .tags import MAX_EXPANSION

_INTERPRETER = re.compile(r"(py|cp|pp|graalpy|jy|ip)(\d)(\d*)t?")
_IMPLEMENTATIONS = {"cp": "cpython", "pp": "pypy", "graalpy": "graalpy", "jy": "jython", "ip": "ironpython"}
# One machine has several names: Linux, macOS and Windows do not spell them alike.
_MACHINES = {
    "x86_64": ("x86_64", "AMD64", "amd64"),
    "amd64": ("AMD64", "x86_64", "amd64"),
    "arm64": ("arm64", "aarch64", "ARM64"),
    "aarch64": ("aarch64", "arm64", "ARM64"),
    "i686": ("i686", "i386", "x86"),
    "i386": ("i386", "i686", "x86"),
    "armv7l": ("armv7l", "armv8l"),
}
_NAMES_ELSEWHERE = {
    "linux": ("AMD64", "amd64", "arm64", "ARM64"),
    "darwin": ("AMD64", "amd64", "aarch64", "ARM64"),
    "win32": ("x86_64", "amd64", "aarch64", "arm64"),
}
_MACOS = {"universal2": ("arm64", "x86_64"), "universal": ("i386", "x86_64"), "intel": ("i386", "x86_64")}


@lru_cache(maxsize=32_768)
def from_tags(tags: str) -> EnvironmentSet:
    """The environments in which a wheel with the compressed tag set ``tags`` can be installed.

    A text that is no tag set admits none.
    """
    interpreters, abis, platforms = _split(tags)
    return _all_pythons(interpreters, abis) & _all_places(platforms)


def fits_in(whole: EnvironmentSet, tags: str) -> bool:
    """Whether a wheel can be installed somewhere in ``whole``: whether :func:`from_tags` has any of it.

    There are thousands of tag sets, but few sets of interpreters or of platforms.
    """
    interpreters, abis, platforms = _split(tags)
    return not (whole & _all_pythons(interpreters, abis)).is_disjoint(_all_places(platforms))


@lru_cache(maxsize=32_768)
def served_by(tags: str) -> EnvironmentSet:
    """The environments of the platforms and Pythons that the tags name, of whatever implementation.

    As in uv: that is what a wheel does for a required environment. Of a machine only the name counts that it has on
    the platform.
    """
    interpreters, abis, platforms = _split(tags)
    places = NOTHING
    for platform in platforms.split("."):
        places |= ALL if platform == "any" else _places(platform) - _names_elsewhere()
    return _all_pythons(interpreters, abis, of_any=True) & places


@lru_cache(maxsize=32_768)
def pythons_from(tags: str) -> EnvironmentSet:
    """The environments with a Python that the tags name or a later one, on any platform and of any implementation."""
    interpreters, abis, _ = _split(tags)
    return _all_pythons(interpreters, abis, and_later=True, of_any=True)


def _split(tags: str) -> Sequence[str]:
    parts = tags.lower().split("-")
    return parts if len(parts) == 3 else ("", "", "")


@lru_cache(maxsize=4_096)
def _all_pythons(interpreters: str, abis: str, *, and_later: bool = False, of_any: bool = False) -> EnvironmentSet:
    found = NOTHING
    named, built = interpreters.split("."), abis.split(".")
    if len(named) * len(built) <= MAX_EXPANSION:
        for interpreter, abi in product(named, built):
            pythons = _pythons(interpreter, abi, and_later=and_later)
            found |= pythons if of_any else pythons & _of_implementation(interpreter)
    return found


@lru_cache(maxsize=4_096)
def _all_places(platforms: str) -> EnvironmentSet:
    found = NOTHING
    for platform in platforms.split("."):
        found |= _places(platform)
    return found


@lru_cache(maxsize=4_096)
def _pythons(interpreter: str, abi: str, *, and_later: bool) -> EnvironmentSet:
    found = _INTERPRETER.fullmatch(interpreter)
    if found is None:
        return NOTHING
    kind, major, minor = found.groups()
    if not minor:
        return from_requires_python(f">={major},<{int(major) + 1}")
    if and_later or kind == "py" or abi == "abi3":
        return from_requires_python(f">={major}.{minor},<{int(major) + 1}")
    return from_requires_python(f"=={major}.{minor}.*")


def _of_implementation(interpreter: str) -> EnvironmentSet:
    found = _INTERPRETER.fullmatch(interpreter)
    name = None if found is None else _IMPLEMENTATIONS.get(found[1])
    return ALL if name is None else from_marker(f"implementation_name == '{name}'")


@lru_cache(maxsize=4_096)
def _places(platform: str) -> EnvironmentSet:
    if platform == "any":
        return ALL
    if platform == "win32":
        return from_marker("sys_platform == 'win32'") & _machines("i686")
    if platform.startswith("win_"):
        return from_marker("sys_platform == 'win32'") & _machines(platform.removeprefix("win_"))
    if platform.startswith("macosx_"):
        machine = platform.split("_", 3)[-1]
        return from_marker("sys_platform == 'darwin'") & _machines(*_MACOS.get(machine, (machine,)))
    linux = re.fullmatch(r"(?:manylinux(?:1|2010|2014|_\d+_\d+)|musllinux_\d+_\d+|linux)_(\w+)", platform)
    if linux is not None:
        return from_marker("sys_platform == 'linux'") & _machines(linux[1])
    if platform.startswith(("ios_", "android_")):
        return from_marker(f"sys_platform == '{platform.partition('_')[0]}'")
    if platform.startswith(("emscripten_", "pyodide_", "pyemscripten_")):
        return from_marker("sys_platform == 'emscripten'")
    # Whatever else: BSD, AIX, Solaris. Their tags name no marker's value, but none of the three above.
    return ALL - from_marker("sys_platform == 'linux' or sys_platform == 'darwin' or sys_platform == 'win32'")


def _machines(*names: str) -> EnvironmentSet:
    found = NOTHING
    for name in names:
        for spelling in _MACHINES.get(name, (name,)):
            if re.fullmatch(r"\w+", spelling):
                found |= from_marker(f"platform_machine == '{spelling}'")
    return found


@lru_cache(maxsize=1)
def _names_elsewhere() -> EnvironmentSet:
    """Where a machine has the name that it has on another platform: nobody is there, so no text needs to say so."""
    found = NOTHING
    for platform, names in _NAMES_ELSEWHERE.items():
        for name in names:
            found |= from_marker(f"sys_platform == '{platform}' and platform_machine == '{name}'")
    return found
