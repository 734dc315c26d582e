"""What came with each stated requirement in the end: the names that are reached from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from .index.closures import Root
from .model import Pin
from .name import names_of
from .segments import Breath


async def closures(roots: Iterable[Root], resolutions: Sequence[Mapping[str, Pin]]) -> dict[Root, set[str]]:
    """The names that each root reaches in any of the ``resolutions``, its own among them."""
    breath = Breath()
    found: dict[Root, set[str]] = {}
    for root in roots:
        names = found[root] = set()
        for pins in resolutions:
            names |= await _reached(root, pins, breath)
    return found


async def _reached(root: Root, pins: Mapping[str, Pin], breath: Breath) -> set[str]:
    name, *extras = root
    todo = names_of(name, extras)
    seen = set(todo)
    while todo:
        name, extra = todo.pop()
        pin = pins.get(name)
        for edge in () if pin is None else pin.requires:
            if edge.extra == extra:
                found = set(names_of(edge.name, edge.extras)) - seen
                seen |= found
                todo += found
        await breath.take()
    return {name for name, _ in seen if name in pins}
