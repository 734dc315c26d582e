"""Modules of the standard library that are imported when they are first used: a lock uses none of them.

``asyncio`` imports ``ssl``, and with it OpenSSL; ``dataclasses`` and ``click`` import ``inspect``, and with it the
parser's tree and the disassembler. Each is taken for what it is only where something is looked up in it.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

MODULES = (
    *("asyncio.sslproto", "base64", "inspect", "linecache", "netrc", "random", "sqlite3", "ssl", "tomllib"),
    *("traceback", "uuid"),
)


class LateModule(ModuleType):
    """Stands where a module will be, and hands on what it has: whoever imported it early keeps this one."""

    def __getattr__(self, name: str) -> Any:
        """Import: nothing is here before."""
        if sys.modules.get(self.__name__) is self:
            sys.modules.pop(self.__name__, None)
        found = getattr(import_module(self.__name__), name)
        setattr(self, name, found)
        return found


def import_late(names: tuple[str, ...] = MODULES) -> None:
    """Have the modules ``names``, as far as they are not there, imported when one of their names is used."""
    for name in names:
        if name not in sys.modules:
            sys.modules[name] = stand_in = LateModule(name)
            if name == "inspect":
                stand_in.cleandoc = cleandoc  # type: ignore[attr-defined] # all that click wants of it, for each option


def cleandoc(text: str) -> str:
    """Return what :func:`inspect.cleandoc` does."""
    first, *others = text.expandtabs().split("\n")
    margin = min((len(line) - len(line.lstrip()) for line in others if line.strip()), default=0)
    lines = [first.lstrip(), *(line[margin:] for line in others)]
    while lines and not lines[-1]:
        lines.pop()
    while lines and not lines[0]:
        lines.pop(0)
    return "\n".join(lines)
