"""What came with each stated requirement in the end: the names that are reached from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .index.closures import Root
from .model import Pin
from .name import names_of


def closure(root: Root, resolutions: Sequence[Mapping[str, Pin]]) -> set[str]:
    """The names that ``root`` reaches in any of the ``resolutions``, its own among them."""
    return set().union(*(_reached(root, pins) for pins in resolutions))


def _reached(root: Root, pins: Mapping[str, Pin]) -> set[str]:
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
    return {name for name, _ in seen if name in pins}
