"""Records in a dictionary, and clocks that are set by hand."""

from __future__ import annotations

from collections.abc import Callable

from resolver.index.fact_store import Part
from resolver.index.instants import Instants


class Kept(dict[tuple[str, ...], bytes]):
    """Obeys :class:`resolver.index.fact_store.Records`."""

    def get(self, *key: str) -> bytes | None:  # type: ignore[override]
        return super().get(key)

    def put(self, value: bytes | Callable[[], bytes], *key: str, then: Callable[[Part], None] | None = None) -> None:
        self[key] = value if isinstance(value, bytes) else value()
        part = self.open(*key)
        if then is not None and part is not None:
            then(part)

    def open(self, *key: str) -> Part | None:
        return None if self.get(*key) is None else lambda start, end: (self.get(*key) or b"")[start:end]


class Clocks:
    """The clocks of one process: the monotonic one begins somewhere else in each."""

    def __init__(self, wall: float = 1_000_000.0, monotonic: float = 50.0) -> None:
        self.wall = wall
        self.monotonic = monotonic

    def advance(self, seconds: float) -> None:
        self.wall += seconds
        self.monotonic += seconds

    @property
    def instants(self) -> Instants:
        return Instants(lambda: self.monotonic, lambda: self.wall)
