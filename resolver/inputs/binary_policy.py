"""``--no-binary`` and ``--only-binary``: later lines win over earlier ones, and each takes names from the other."""

from __future__ import annotations

from .dependency_groups import normalised

ALL = ":all:"
NONE = ":none:"


class BinaryPolicy:
    """Which projects must come as sdists (``no_binary``) or as wheels (``only_binary``)."""

    def __init__(self) -> None:
        self.no_binary: set[str] = set()
        self.only_binary: set[str] = set()

    def apply(self, option: str, value: str) -> str | None:
        """Apply one option (long spelling); return what is wrong with its value, None when nothing is."""
        chosen, other = self.no_binary, self.only_binary
        if option == "--only-binary":
            chosen, other = other, chosen
        for part in value.split(","):
            word = part.strip()
            if word == ALL:
                chosen.clear()
                other.clear()
                chosen.add(ALL)
            elif word == NONE:
                chosen.clear()
            else:
                name = normalised(word)
                if name is None:
                    return f"{option} takes project names, {ALL} or {NONE}, separated by commas"
                chosen.add(name)
                other.discard(name)
        return None
