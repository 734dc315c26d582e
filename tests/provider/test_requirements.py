"""Which requirements of a release apply where."""

from __future__ import annotations

from resolver.environment.place import Place
from resolver.environment.region import Region
from resolver.environment.space import from_marker, from_requires_python
from resolver.environment.target import make_target
from resolver.index.page import CoreMetadata
from resolver.provider.requirements import Metadata, read
from resolver.requirement import Requirement

WHOLE = from_requires_python(">=3.9")
PLACES: tuple[Place, ...] = (
    make_target(name=None, python="3.9", platform="x86_64-unknown-linux-gnu"),
    make_target(name=None, python="3.12", platform="x86_64-pc-windows-msvc"),
    Region(WHOLE & from_marker("python_version < '3.11'"), WHOLE),
    Region(WHOLE, WHOLE),
)
EXTRAS = (None, "x", "y", "unheard-of")


def metadata(*requires: str) -> Metadata:
    return read(CoreMetadata("a", "1", requires, None, frozenset({"x", "y"}), "2.1", frozenset()))


def _holding(of: Metadata, environment: dict[str, str]) -> set[Requirement]:
    return {one for one in of.requires if one.marker is None or one.marker.evaluate(environment)}


def test_what_no_marker_decides_applies_in_every_place() -> None:
    plain = metadata("b>=1", 'c; extra == "x"', 'd[z]<2; extra == "x"', 'e; extra == "y"')
    told = {extra: [one.name for one in plain.everywhere(extra) or ()] for extra in EXTRAS}
    assert told == {None: ["b"], "x": ["c", "d"], "y": ["e"], "unheard-of": []}
    for extra in EXTRAS:
        assert all(plain.active(place, extra) is plain.everywhere(extra) for place in PLACES)


def test_where_a_marker_decides_each_place_is_asked() -> None:
    mixed = metadata("b", "c; python_version < '3.11'", "d; extra == 'x'", "e; extra == 'y' and os_name == 'nt'")
    assert [mixed.everywhere(extra) is None for extra in EXTRAS] == [True, False, True, False]
    for place in PLACES[:2]:
        assert not isinstance(place, Region)
        without = _holding(mixed, {**place.markers, "extra": ""})
        assert set(mixed.active(place, None)) == without
        for extra in filter(None, EXTRAS):
            assert set(mixed.active(place, extra)) == _holding(mixed, {**place.markers, "extra": extra}) - without
    old, every = PLACES[2:]
    assert (
        [one.name for one in mixed.active(old, None)] == [one.name for one in mixed.active(every, None)] == ["b", "c"]
    )
    assert [one.name for one in mixed.active(every, "y")] == ["e"]


def test_what_applies_everywhere_takes_no_time_in_another_place() -> None:
    large = metadata(*(f"b{number}" for number in range(1000)))
    assert large.is_large(PLACES[0], None)
    large.active(PLACES[0], None)
    assert not large.is_large(PLACES[3], None)
