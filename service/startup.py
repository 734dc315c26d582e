"""What a process does first, so that all else is imported in half the time. It imports next to nothing itself."""

from __future__ import annotations

import dataclasses
import gc
import os
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

from .late_modules import LateModule
from .late_patterns import compile_patterns, compile_patterns_late

_FIELD = getattr(dataclasses, "_FIELD", None)
_CLASS_VARIABLE = getattr(dataclasses, "_FIELD_CLASSVAR", None)

OURS = ("service", "resolver", "transport")

# Calls of a constructor that are carried out field by field before it is compiled: that costs as much as fifty of them.
FEW = 24


def hasten() -> None:
    """Make the imports that follow cheap: to be called once, before them."""
    gc.disable()  # imports leave no garbage in cycles; who serves turns the collector on again (``service.garbage``)
    # Pydantic would read the entry points of whatever is installed beside us, and show requests to its plugins.
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"
    compile_late()
    compile_patterns_late((*OURS, "packaging", "platform", "tomllib"))


def settle() -> None:
    """Import and compile now what requests would otherwise wait for: for a process that is to serve for long.

    What only refusals and pages without upload times need, all patterns, and of the dataclasses that requests are made
    of their constructors, comparisons and hashes.
    """
    for name in ("resolver.refusal", "resolver.remedies", "service.ledger_file"):
        import_module(name)
    compile_patterns()
    for module in [one for name, one in sys.modules.items() if name.partition(".")[0] in {"resolver", "transport"}]:
        for kind in [one for one in vars(module).values() if dataclasses.is_dataclass(one) and isinstance(one, type)]:
            for name in ("__init__", "__eq__", "__hash__"):
                compile_method = getattr(kind.__dict__.get(name), "settle", None)
                if compile_method is not None:
                    compile_method(kind)


def compile_late() -> None:
    """Have the methods of dataclasses compiled when they are first called: a process calls a few of them.

    A dataclass compiles its source text for each method, some 0.4 ms for a frozen one; we have two hundred. A Python
    whose ``dataclasses`` is built in another way (from 3.13 on) is left alone.
    """
    compile_now = getattr(dataclasses, "_create_fn", None)
    if compile_now is not None and not hasattr(compile_now, "is_late"):
        dataclasses._create_fn = _late(compile_now)  # type: ignore[attr-defined] # noqa: SLF001 - its only seam
        if isinstance(getattr(dataclasses, "inspect", None), LateModule):
            dataclasses.inspect = _Untold()  # type: ignore[attr-defined]
        is_type = getattr(dataclasses, "_is_type", None)
        if is_type is not None:
            dataclasses._is_type = _quick(is_type)  # type: ignore[attr-defined] # noqa: SLF001 - as above


def _quick(is_type: Callable[..., bool]) -> Callable[..., bool]:
    """Have ``is_type`` look for ``ClassVar``, ``InitVar`` and ``KW_ONLY`` in our classes only where they are named."""

    def quick(annotation: str, kind: type, *names: Any) -> bool:
        if "Var" in annotation or "KW_ONLY" in annotation or kind.__module__.partition(".")[0] not in OURS:
            return is_type(annotation, kind, *names)
        return False

    return quick


class _Untold:
    """In place of ``inspect``, of which a dataclass without a docstring takes its signature to make one."""

    @staticmethod
    def signature(_: type) -> str:
        return "(...)"


def _late(compile_now: Callable[..., Callable[..., Any]]) -> Callable[..., Callable[..., Any]]:
    def create(name: str, *source: Any, **scope: Any) -> Callable[..., Any]:
        compiled: Callable[..., Any] | None = None
        few = FEW if name == "__init__" else 0

        def compile_for(kind: type | None) -> None:
            """Compile the method, which is then out of the way in the class that has it."""
            nonlocal compiled
            if compiled is None:
                compiled = compile_now(name, *source, **scope)
                compiled.__qualname__ = method.__qualname__
            if kind is not None:
                setattr(kind, name, compiled)

        def method(self: Any, /, *args: Any, **named: Any) -> Any:
            nonlocal few
            if few:
                few -= 1
                if _fill(self, method, args, named):
                    return None
            compile_for(_owner(type(self), name, method))
            assert compiled is not None
            return compiled(self, *args, **named)

        method.__name__, method.__qualname__ = name, name
        method.settle = compile_for  # type: ignore[attr-defined]
        return method

    create.is_late = True  # type: ignore[attr-defined]
    return create


def _owner(kind: type, name: str, method: object) -> Any:
    """Of a class and its bases the one that has ``method``; None where it was replaced."""
    return next((one for one in kind.__mro__ if one.__dict__.get(name) is method), None)


def _fill(made: Any, method: Callable[..., Any], args: tuple[Any, ...], named: dict[str, Any]) -> bool:
    """Do what ``method``, the constructor of a frozen dataclass, does; False, and nothing, where that is not simple."""
    kind = _owner(type(made), "__init__", method)
    if kind is None or not kind.__dataclass_params__.frozen:
        return False
    fields = [one for one in kind.__dataclass_fields__.values() if one._field_type is not _CLASS_VARIABLE]  # noqa: SLF001
    ordered = [one.name for one in fields if not one.kw_only]
    values = dict(zip(ordered, args, strict=False))
    if len(args) > len(ordered) or values.keys() & named.keys():
        return False
    values.update(named)
    for one in fields:
        if not one.init or one._field_type is not _FIELD:  # noqa: SLF001 - InitVar
            return False
        if one.name not in values:
            if one.default is not dataclasses.MISSING:
                values[one.name] = one.default
            elif one.default_factory is not dataclasses.MISSING:
                values[one.name] = one.default_factory()
            else:
                return False
    if len(values) > len(fields):
        return False
    for one in fields:
        object.__setattr__(made, one.name, values[one.name])
    if hasattr(kind, "__post_init__"):
        made.__post_init__()
    return True
