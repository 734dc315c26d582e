"""What stays in memory of how projects were seen: so many bytes, and what was used last."""

from __future__ import annotations

from dataclasses import dataclass

from resolver.provider import views as module
from resolver.provider.views import Views


@dataclass(eq=False)
class Seen:
    """A view that notes whether it left."""

    weight: int = 100
    left: bool = False

    def weigh(self) -> int:
        return self.weight

    def part(self) -> None:
        self.left = True


def test_the_least_recently_used_go_first() -> None:
    views, seen = Views(500), [Seen() for _ in range(8)]
    for one in seen[:5]:
        views.note(one)
    views.use(seen[0])
    for one in seen[5:]:
        views.note(one)
    assert [one.left for one in seen] == [False, True, True, True, False, False, False, False]
    assert views.bytes == 500
    assert len(views) == 5


def test_what_has_grown_is_weighed_again() -> None:
    views, grown = Views(100 * (module.RIPE + 10)), Seen()
    views.note(grown)
    grown.weight = 100 * (module.RIPE + 9)
    later = [Seen() for _ in range(module.RIPE)]
    for one in later:
        views.note(one)
    assert grown.left  # it was used least recently, too
    assert not any(one.left for one in later)
    assert views.bytes == 100 * module.RIPE


def test_what_goes_with_its_page_is_counted_no_more() -> None:
    views, seen = Views(500), [Seen() for _ in range(3)]
    for one in seen:
        views.note(one)
    views.drop(seen[:2])
    views.use(seen[0])
    assert views.bytes == 100
    assert not any(one.left for one in seen)
