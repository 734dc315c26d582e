"""Platforms by name: what they say in markers, and which wheel platform tags they can install.

Names and baselines are uv's (``uv help pip compile``): a plain GNU triple means glibc 2.28, macOS and iOS mean 13.0,
Android means API level 24. Deployment-target variables of the process are not looked at: a service must give the same
answer whatever shell started it. Raw wheel platform tags (``manylinux_2_28_x86_64``) name platforms too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from packaging.tags import android_platforms, ios_platforms, mac_platforms

from .errors import TargetError, suggestion

DEFAULT_GLIBC = 28
DEFAULT_MUSL = 2
DEFAULT_MACOS = (13, 0)
DEFAULT_IOS = (13, 0)
DEFAULT_ANDROID = 24
MAX_LEVEL = 99  # of glibc, musl, macOS, Android: far beyond any release, and keeps tag lists short
MAX_NAME = 100  # characters that an error quotes

# The oldest glibc that manylinux wheels of an architecture may name (PEP 513, 571, 599, 600).
_OLDEST_GLIBC = {
    "x86_64": 5,
    "i686": 5,
    "aarch64": 17,
    "armv7l": 17,
    "ppc64": 17,
    "ppc64le": 17,
    "s390x": 17,
    "riscv64": 31,
    "loongarch64": 36,
}
# Before PEP 600 the levels had names of their own.
_LEGACY_ALIASES = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
_ALIASES = {
    "linux": "x86_64-unknown-linux-gnu",
    "macos": "aarch64-apple-darwin",
    "windows": "x86_64-pc-windows-msvc",
    "arm64-apple-darwin": "aarch64-apple-darwin",
}
_RISCV_GLIBC = 39  # uv's baseline for it: the first that distributions shipped widely
_ARCH = "|".join(_OLDEST_GLIBC)
_LEGACY_GLIBC = {"1": 5, "2010": 12, "2014": 17}


@dataclass(frozen=True, slots=True)
class Platform:
    """An operating system on a machine."""

    name: str
    """As the caller wrote it."""
    os_name: str
    sys_platform: str
    platform_system: str
    platform_machine: str
    platform_release: str
    platform_version: str
    tags: tuple[str, ...]
    """Wheel platform tags, best first."""


def _linux(name: str, arch: str, tags: Iterator[str] | tuple[str, ...]) -> Platform:
    return Platform(name, "posix", "linux", "Linux", arch, "", "", tuple(tags))


def _manylinux(name: str, arch: str, glibc: int) -> Platform:
    oldest = _OLDEST_GLIBC[arch]
    if not oldest <= glibc <= MAX_LEVEL:
        raise TargetError(f"platform {name!r}: glibc 2.{glibc}; manylinux on {arch} starts at 2.{oldest}")

    def tags() -> Iterator[str]:
        for minor in range(glibc, oldest - 1, -1):
            yield f"manylinux_2_{minor}_{arch}"
            if minor in _LEGACY_ALIASES:
                yield f"{_LEGACY_ALIASES[minor]}_{arch}"
        yield f"linux_{arch}"

    return _linux(name, arch, tags())


def _gnu(name: str, arch: str) -> Platform:
    glibc = _RISCV_GLIBC if arch == "riscv64" else max(DEFAULT_GLIBC, _OLDEST_GLIBC[arch])
    return _manylinux(name, arch, glibc)


def _musllinux(name: str, arch: str, musl: int) -> Platform:
    if musl > MAX_LEVEL:
        raise TargetError(f"platform {name!r}: there is no musl 1.{musl}; use {arch}-unknown-linux-musl")
    return _linux(name, arch, (*(f"musllinux_1_{minor}_{arch}" for minor in range(musl, -1, -1)), f"linux_{arch}"))


def _macos(name: str, arch: str, version: tuple[int, int]) -> Platform:
    oldest = (11, 0) if arch == "arm64" else (10, 4)
    if not oldest <= version <= (MAX_LEVEL, MAX_LEVEL):
        raise TargetError(f"platform {name!r}: macOS on {arch} starts at {oldest[0]}.{oldest[1]}")
    return Platform(name, "posix", "darwin", "Darwin", arch, "", "", tuple(mac_platforms(version, arch)))


def _windows(name: str, arch: str) -> Platform:
    machine, tag = {
        "x86_64": ("AMD64", "win_amd64"),
        "aarch64": ("ARM64", "win_arm64"),
        "i686": ("x86", "win32"),
    }[arch]
    return Platform(name, "nt", "win32", "Windows", machine, "", "", (tag,))


def _ios(name: str, multiarch: str, version: tuple[int, int]) -> Platform:
    if not (12, 0) <= version <= (MAX_LEVEL, MAX_LEVEL):  # the first that CPython runs on (PEP 730)
        raise TargetError(f"platform {name!r}: iOS starts at 12.0")
    machine = multiarch.rpartition("_")[0]
    return Platform(name, "posix", "ios", "iOS", machine, "", "", tuple(ios_platforms(version, multiarch)))


def _android(name: str, abi: str, level: int) -> Platform:
    if not 16 <= level <= MAX_LEVEL:
        raise TargetError(f"platform {name!r}: Android's API levels start at 16")
    machine = {"arm64_v8a": "aarch64"}.get(abi, abi)
    return Platform(name, "posix", "android", "Android", machine, "", "", tuple(android_platforms(level, abi)))


def _pyodide(name: str, year: int) -> Platform:
    emscripten = {2024: "3.1.58", 2025: "4.0.9"}[year]  # what each Pyodide ABI is built with
    tags = (f"pyodide_{year}_0_wasm32", f"pyemscripten_{year}_0_wasm32")  # the latter by PEP 783
    return Platform(name, "posix", "emscripten", "Emscripten", "wasm32", emscripten, "#1", tags)


_WINDOWS_TAGS = {"win_amd64": "x86_64", "win_arm64": "aarch64", "win32": "i686"}

_FORMS: tuple[tuple[str, Callable[[str, re.Match[str]], Platform]], ...] = (
    (rf"({_ARCH})-unknown-linux-gnu", lambda name, at: _gnu(name, at[1])),
    (r"(riscv64)-unknown-linux", lambda name, at: _gnu(name, at[1])),
    (rf"({_ARCH})-manylinux_2_(\d+)", lambda name, at: _manylinux(name, at[1], int(at[2]))),
    (rf"({_ARCH})-manylinux(1|2010|2014)", lambda name, at: _manylinux(name, at[1], _LEGACY_GLIBC[at[2]])),
    (rf"({_ARCH})-unknown-linux-musl", lambda name, at: _musllinux(name, at[1], DEFAULT_MUSL)),
    (rf"({_ARCH})-musllinux_1_(\d+)", lambda name, at: _musllinux(name, at[1], int(at[2]))),
    (r"aarch64-apple-darwin", lambda name, _at: _macos(name, "arm64", DEFAULT_MACOS)),
    (r"x86_64-apple-darwin", lambda name, _at: _macos(name, "x86_64", DEFAULT_MACOS)),
    (r"(x86_64|aarch64|i686)-pc-windows-msvc", lambda name, at: _windows(name, at[1])),
    (r"arm64-apple-ios", lambda name, _at: _ios(name, "arm64_iphoneos", DEFAULT_IOS)),
    (
        r"(arm64|x86_64)-apple-ios-simulator",
        lambda name, at: _ios(name, f"{at[1]}_iphonesimulator", DEFAULT_IOS),
    ),
    (r"aarch64-linux-android", lambda name, _at: _android(name, "arm64_v8a", DEFAULT_ANDROID)),
    (r"x86_64-linux-android", lambda name, _at: _android(name, "x86_64", DEFAULT_ANDROID)),
    (r"wasm32-pyodide(2024|2025)", lambda name, at: _pyodide(name, int(at[1]))),
    # Raw wheel platform tags: the newest level that the platform has.
    (rf"manylinux_2_(\d+)_({_ARCH})", lambda name, at: _manylinux(name, at[2], int(at[1]))),
    (rf"manylinux(1|2010|2014)_({_ARCH})", lambda name, at: _manylinux(name, at[2], _LEGACY_GLIBC[at[1]])),
    (rf"musllinux_1_(\d+)_({_ARCH})", lambda name, at: _musllinux(name, at[2], int(at[1]))),
    (rf"linux_({_ARCH})", lambda name, at: _linux(name, at[1], (f"linux_{at[1]}",))),
    (r"macosx_(\d+)_(\d+)_(arm64|x86_64)", lambda name, at: _macos(name, at[3], (int(at[1]), int(at[2])))),
    (r"(win_amd64|win_arm64|win32)", lambda name, at: _windows(name, _WINDOWS_TAGS[at[1]])),
    (
        r"ios_(\d+)_(\d+)_((?:arm64|x86_64)_iphone(?:os|simulator))",
        lambda name, at: _ios(name, at[3], (int(at[1]), int(at[2]))),
    ),
    (r"android_(\d+)_(arm64_v8a|x86_64)", lambda name, at: _android(name, at[2], int(at[1]))),
    (r"(?:pyodide|pyemscripten)_(2024|2025)_0_wasm32", lambda name, at: _pyodide(name, int(at[1]))),
)
_PATTERNS = tuple((re.compile(pattern, re.ASCII), make) for pattern, make in _FORMS)

NAMES = (
    *("linux", "macos", "windows"),
    *(f"{arch}-unknown-linux-gnu" for arch in _OLDEST_GLIBC),
    *(f"{arch}-{level}" for arch in ("x86_64", "aarch64") for level in ("manylinux2014", "manylinux_2_28")),
    *(f"{arch}-unknown-linux-musl" for arch in ("x86_64", "aarch64")),
    *("aarch64-apple-darwin", "x86_64-apple-darwin"),
    *(f"{arch}-pc-windows-msvc" for arch in ("x86_64", "aarch64", "i686")),
    *("aarch64-linux-android", "x86_64-linux-android"),
    *("arm64-apple-ios", "arm64-apple-ios-simulator", "x86_64-apple-ios-simulator"),
    *("wasm32-pyodide2024", "wasm32-pyodide2025"),
    *("manylinux_2_28_x86_64", "musllinux_1_2_x86_64", "macosx_14_0_arm64", "win_amd64", "linux_x86_64"),
)
"""What errors suggest; any glibc, musl and macOS version is accepted in place of those named here."""


@lru_cache(maxsize=512)
def parse_platform(name: str) -> Platform:
    """The platform called ``name``.

    Raises:
        TargetError: no such platform; the message suggests near ones.
    """
    if len(name) <= MAX_NAME:
        spelling = _ALIASES.get(name.lower(), name)
        for pattern, make in _PATTERNS:
            found = pattern.fullmatch(spelling)
            if found:
                return make(name, found)
    raise TargetError(
        f"unknown platform {name[:MAX_NAME]!r}{suggestion(name[:MAX_NAME], NAMES)} Accepted are linux, macos, windows, "
        "triples like x86_64-unknown-linux-gnu, levels like x86_64-manylinux_2_28, and wheel platform tags like "
        "macosx_14_0_arm64"
    )
