"""Names that no index has: which of them a resolve takes to be absent without asking again."""

from __future__ import annotations

from collections.abc import Set as AbstractSet


class AbsentNames:
    """Believes what indexes said lately, but not of the caller's own names: they may just have been published."""

    def __init__(self, stated: AbstractSet[str]) -> None:
        """``stated`` are the caller's own."""
        self._stated = stated
        self._believed: set[str] = set()
        self._is_doubting = False

    def believe(self, name: str) -> bool:
        """Whether ``name``, which no index had lately, need not be asked for."""
        if self._is_doubting or name in self._stated:
            return False
        self._believed.add(name)
        return True

    def doubt(self) -> AbstractSet[str]:
        """Believe nothing any more; return what was believed. A refusal must not rest on it."""
        self._is_doubting = True
        believed, self._believed = self._believed, set()
        return believed
