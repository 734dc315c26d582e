"""What a process does first, so that all else is imported in half the time. It imports next to nothing itself."""

from __future__ import annotations

import dataclasses
import gc
import os
from collections.abc import Callable
from typing import Any


def hasten() -> None:
    """Make the imports that follow cheap: to be called once, before them."""
    gc.disable()  # imports leave no garbage in cycles; who serves turns the collector on again (``service.garbage``)
    # Pydantic would read the entry points of whatever is installed beside us, and show requests to its plugins.
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"
    compile_late()


def compile_late() -> None:
    """Have the methods of dataclasses compiled when they are first called: a process calls a few of them.

    A dataclass compiles its source text for each method, some 0.4 ms for a frozen one; we have two hundred. A Python
    whose ``dataclasses`` is built in another way (from 3.13 on) is left alone.
    """
    compile_now = getattr(dataclasses, "_create_fn", None)
    if compile_now is not None and not hasattr(compile_now, "is_late"):
        dataclasses._create_fn = _late(compile_now)  # type: ignore[attr-defined] # noqa: SLF001 - its only seam


def _late(compile_now: Callable[..., Callable[..., Any]]) -> Callable[..., Callable[..., Any]]:
    def create(name: str, *source: Any, **scope: Any) -> Callable[..., Any]:
        compiled: Callable[..., Any] | None = None

        def method(self: Any, /, *args: Any, **named: Any) -> Any:
            nonlocal compiled
            if compiled is None:
                compiled = compile_now(name, *source, **scope)
                compiled.__qualname__ = method.__qualname__
            for owner in type(self).__mro__:
                if owner.__dict__.get(name) is method:
                    setattr(owner, name, compiled)  # from now on this function is out of the way
                    break
            return compiled(self, *args, **named)

        method.__name__, method.__qualname__ = name, name
        return method

    create.is_late = True  # type: ignore[attr-defined]
    return create
