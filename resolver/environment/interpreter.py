"""An interpreter by its version: what it says in markers, and which tags it supports on a platform (PEP 425)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from packaging.tags import compatible_tags, cpython_tags, generic_tags
from packaging.version import Version

from .errors import TargetError, suggestion

OLDEST_MINOR = 6  # of Python 3: the oldest whose wheels and metadata today's specifications describe
NEWEST_MINOR = 99  # two digits: beyond it tags such as cp3100 and their order are undefined
_FREE_THREADED_SINCE = 13  # PEP 703
_PYMALLOC_UNTIL = 7  # CPython 3.8 dropped the m of cp37m
_PYPY_ABI = "pp73"  # PyPy 7.3, the only line that still has releases
_PYPY_VERSION = "7.3.0"
_TEXT = re.compile(r"(\d{1,3})\.(\d{1,3})(?:\.(\d{1,3}))?((?:a|b|rc)\d{1,3})?(t?)", re.ASCII)
_IMPLEMENTATIONS = {"cpython": "CPython", "pypy": "PyPy"}


@dataclass(frozen=True, slots=True)
class Interpreter:
    """One Python."""

    implementation: str
    """``cpython`` or ``pypy``: the marker ``implementation_name``."""
    version: Version
    """Always of three parts."""
    is_exact: bool
    """A patch release or pre-release was named, not just ``3.13``."""
    is_free_threaded: bool

    @property
    def platform_python_implementation(self) -> str:
        """The marker of that name."""
        return _IMPLEMENTATIONS[self.implementation]

    @property
    def implementation_version(self) -> str:
        """The marker of that name; PyPy's own version is not Python's."""
        return str(self.version) if self.implementation == "cpython" else _PYPY_VERSION

    def tags(self, platforms: Sequence[str]) -> Iterator[str]:
        """Supported tags, best first, each once."""
        release = self.version.release[:2]
        short = f"{release[0]}{release[1]}"
        if self.implementation == "pypy":
            tags = [
                *generic_tags(f"pp{short}", [f"pypy{short}_{_PYPY_ABI}"], platforms),
                *compatible_tags(release, f"pp{release[0]}", platforms),
            ]
        else:
            flag = "t" if self.is_free_threaded else "m" if release[1] <= _PYMALLOC_UNTIL else ""
            tags = [
                *cpython_tags(release, [f"cp{short}{flag}"], platforms),
                *compatible_tags(release, f"cp{short}", platforms),
            ]
        return iter(dict.fromkeys(map(str, tags)))


@lru_cache(maxsize=512)
def parse_interpreter(python: str, implementation: str) -> Interpreter:
    """The interpreter for a version: ``3.13`` (its ``.0``, as in uv), ``3.13.1``, ``3.14.0rc1``, ``3.13t``.

    Raises:
        TargetError: not such a version, out of range, or an implementation that is not known.
    """
    name = implementation.lower()
    if name not in _IMPLEMENTATIONS:
        near = suggestion(name[:40], _IMPLEMENTATIONS)
        raise TargetError(f"unknown implementation {implementation[:40]!r}{near} Accepted are cpython and pypy")
    found = _TEXT.fullmatch(python.strip())
    if not found:
        raise TargetError(f"python {python[:40]!r} is not a version like 3.13, 3.13.1, 3.14.0rc1 or 3.13t")
    major, minor, micro = int(found[1]), int(found[2]), found[3]
    if major != 3 or not OLDEST_MINOR <= minor <= NEWEST_MINOR:
        raise TargetError(f"python {python[:40]!r} is not supported; use 3.{OLDEST_MINOR} or later, like 3.13")
    free_threaded = bool(found[5])
    if free_threaded and (minor < _FREE_THREADED_SINCE or name != "cpython"):
        raise TargetError(f"python {python[:40]!r}: only CPython 3.13 and later have a free-threaded build")
    version = Version(f"{major}.{minor}.{micro or 0}{found[4] or ''}")
    return Interpreter(name, version, micro is not None or found[4] is not None, free_threaded)
