"""Regular expressions that are compiled when they are first used: a process uses a third of its two hundred."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any

_MEMBERS = (
    *("findall", "finditer", "fullmatch", "match", "scanner", "search", "split", "sub", "subn"),
    *("flags", "groupindex", "groups", "pattern"),
)

_FUNCTION = 0x1  # ``inspect.CO_OPTIMIZED``: the bodies of modules and classes are without

_ALL: list[LatePattern] = []


class LatePattern:
    """Behaves as the compiled pattern, and is as quick once one of its methods was called."""

    def __init__(self, compile_now: Callable[..., re.Pattern[Any]], pattern: Any, flags: Any) -> None:
        self._given = compile_now, pattern, flags
        _ALL.append(self)

    def __getattr__(self, name: str) -> Any:
        """Compile: nothing is here before."""
        if name not in _MEMBERS:
            raise AttributeError(name)
        compiled = self.compiled()
        for one in _MEMBERS:
            self.__dict__[one] = getattr(compiled, one)
        return self.__dict__[name]

    def compiled(self) -> re.Pattern[Any]:
        """Return the pattern itself."""
        compile_now, pattern, flags = self._given
        return compile_now(pattern, flags)  # ``re`` remembers it


def compile_patterns() -> None:
    """Compile all that wait; from now on each is compiled at once."""
    re.compile = getattr(re.compile, "late_for", re.compile)
    for one in _ALL:
        one.match  # noqa: B018 - it is there then
    _ALL.clear()


def compile_patterns_late(packages: tuple[str, ...]) -> None:
    """Have the patterns that modules of ``packages`` compile when they are imported compiled when they are used."""
    compile_now = re.compile
    if hasattr(compile_now, "late_for"):
        return

    def compile(pattern: Any, flags: Any = 0) -> Any:  # noqa: A001 - as it is called there
        if isinstance(pattern, LatePattern):
            return pattern.compiled()
        frame = sys._getframe(1)  # noqa: SLF001 - who imports is known by nothing else
        is_import = not frame.f_code.co_flags & _FUNCTION or frame.f_code.co_name == "<genexpr>"
        if is_import and str(frame.f_globals.get("__name__")).partition(".")[0] in packages:
            return LatePattern(compile_now, pattern, flags)
        return compile_now(pattern, flags)

    compile.late_for = compile_now  # type: ignore[attr-defined]
    re.compile = compile
