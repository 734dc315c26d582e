"""In which places of a resolution a pin is used: most regions of a universal one agree on most pins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from resolver.model import Pin


@dataclass(slots=True)
class Use:
    """One pin, which several places may share."""

    pin: Pin
    positions: list[int]
    """Of the places, ascending."""
    mask: int
    """The same as bits."""


def uses(places: Sequence[Mapping[str, Pin]]) -> list[Use]:
    """The pins of all places, each once as far as it is one object, in the order in which they are met."""
    found: dict[int, Use] = {}
    for position, pins in enumerate(places):
        bit = 1 << position
        for pin in pins.values():
            use = found.get(id(pin))
            if use is None:
                found[id(pin)] = Use(pin, [position], bit)
            else:
                use.positions.append(position)
                use.mask |= bit
    return list(found.values())
