"""Lock → pylock.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import Environment
from packaging.pylock import PackageArchive, PackageSdist, PackageWheel, Pylock
from packaging.tags import Tag

from resolver.environment.target import Target
from resolver.lock.build import build
from resolver.lock.errors import HashMissing, LockError
from resolver.lock.pylock import to_pylock
from resolver.model import Pin, Resolution

from .world import pin, resolution, sdist, target, wheel

GOLDENS = Path(__file__).parent.parent / "goldens"
LINUX = target("ci")
WINDOWS = target("desk", platform="windows")
OLD = target("old", python="3.11")


def one_target() -> Resolution:
    return resolution(
        {
            LINUX: [
                pin("fastapi", "0.115.8", "starlette<0.46,>=0.40", via=["requirements.in:1"], extras=["standard"]),
                pin("starlette", "0.45.3", via=["fastapi"], has_sdist=True),
                pin("greenlet", "3.1", wheels=["cp313-cp313-manylinux_2_17_x86_64", "cp313-cp313-win_amd64"]),
            ]
        },
        "fastapi[standard]>=0.115",
        "greenlet",
    )


def three_targets() -> Resolution:
    numbers = ["cp313-cp313-manylinux_2_28_x86_64", "cp313-cp313-win_amd64", "cp313-cp313-macosx_11_0_arm64"]
    return resolution(
        {
            LINUX: [
                pin("click", "8.2"),
                pin("numpy", "2.2", wheels=numbers),
            ],
            WINDOWS: [
                pin("click", "8.2", "colorama; sys_platform == 'win32'"),
                pin("colorama", "0.4.6", via=["click"]),
                pin("numpy", "2.2", wheels=numbers),
            ],
            OLD: [
                pin("click", "8.1"),
                pin("numpy", "1.26", wheels=["cp311-cp311-manylinux_2_17_x86_64"]),
            ],
        },
        "click",
        "numpy",
    )


def referenced() -> Resolution:
    url = "https://files.corp.example/src/demo%2Bx-1.0.tar.gz"
    source = replace(sdist("demo", "1.0"), url=url, upload_time=None)
    direct = replace(pin("demo", "1.0"), wheels=(), sdist=source, index=None, index_url=None)
    return resolution({LINUX: [replace(direct, reference=f"{url}#subdirectory=python&egg=demo")]}, f"demo @ {url}")


@pytest.mark.parametrize("name", ["one_target", "three_targets", "referenced"])
def test_the_text_is_the_golden_one(name: str) -> None:
    text = to_pylock(
        build({"one_target": one_target, "three_targets": three_targets, "referenced": referenced}[name]())
    )
    assert text == (GOLDENS / f"lock_{name}.pylock.toml").read_text("utf-8")


def selected(text: str, where: Target) -> dict[str, str]:
    """What an installer would take in ``where``: name → file name."""
    lock = Pylock.from_dict(tomllib.loads(text))
    lock.validate()
    environment = cast("Environment", dict(where.markers))
    tags = [Tag(*tag.split("-")) for tag in where.tags]
    return {
        f"{package.name} {package.version}": file.filename
        if isinstance(file, (PackageSdist, PackageWheel))
        else str(cast("PackageArchive", file).url)
        for package, file in lock.select(environment=environment, tags=tags)
    }


@pytest.mark.parametrize("asked", [one_target(), three_targets(), referenced()], ids=["one", "three", "referenced"])
def test_an_installer_selects_exactly_the_pins_of_each_target(asked: Resolution) -> None:
    text = to_pylock(build(asked))
    for resolved in asked.targets:
        chosen = selected(text, resolved.target)
        assert sorted(chosen) == sorted(f"{one.name} {one.version}" for one in resolved.pins.values())


def test_an_installer_selects_the_wheel_with_the_best_tag() -> None:
    asked = resolution({LINUX: [pin("a", "1", wheels=["py3-none-any", "cp313-cp313-manylinux_2_28_x86_64"])]})
    assert selected(to_pylock(build(asked)), LINUX) == {"a 1": "a-1-cp313-cp313-manylinux_2_28_x86_64.whl"}


def test_an_upper_bound_on_python_that_the_resolution_ignored_stops_no_installer() -> None:
    capped = replace(pin("a", "1"), requires_python=">=3.9,<3.13")
    beta = target("beta", python="3.15.0b1")
    new = replace(pin("b", "1"), requires_python=">=3.15")
    for where, chosen in ((LINUX, capped), (beta, new)):
        assert list(selected(to_pylock(build(resolution({where: [chosen]}))), where)) == [f"{chosen.name} 1"]


def test_nothing_is_lost_between_the_lock_and_its_text() -> None:
    lock = build(one_target())
    read = Pylock.from_dict(tomllib.loads(to_pylock(lock)))
    for written, package in zip(read.packages, lock.packages, strict=True):
        assert (written.name, str(written.version), written.index) == (package.name, package.version, package.index_url)
        for found, file in zip(written.wheels or (), package.wheels, strict=True):
            assert isinstance(found, PackageWheel)
            assert (found.filename, found.url, found.size) == (file.filename, file.url, file.size)
            assert found.hashes == dict(file.hashes)
            assert found.upload_time is not None
            assert found.upload_time.isoformat() == "2025-01-15T08:30:00.250000+00:00"


def test_dependencies_are_unambiguous_where_a_name_occurs_twice() -> None:
    mirror = replace(pin("b", "1"), index="mirror", index_url="https://mirror.example/simple/")
    windows = {WINDOWS: [pin("a", "1", "b", "c"), mirror, pin("c", "2")]}
    asked = resolution({LINUX: [pin("a", "1", "b", "c"), pin("b", "1"), pin("c", "1")], **windows})
    (package, *_) = tomllib.loads(to_pylock(build(asked)))["packages"]
    assert package["dependencies"] == [
        {"name": "b", "version": "1", "index": "https://packages.corp.example/simple/"},
        {"name": "b", "version": "1", "index": "https://mirror.example/simple/"},
        {"name": "c", "version": "1"},
        {"name": "c", "version": "2"},
    ]


def test_a_dependency_of_one_target_does_not_name_the_version_of_another() -> None:
    asked = resolution({LINUX: [pin("a", "1", "b"), pin("b", "1")], WINDOWS: [pin("b", "2")]})
    (package, *_) = tomllib.loads(to_pylock(build(asked)))["packages"]
    assert package["dependencies"] == [{"name": "b", "version": "1"}]


def test_a_dependency_of_one_target_does_not_name_the_index_of_another() -> None:
    mirror = replace(pin("b", "1"), index="mirror", index_url="https://mirror.example/simple/")
    asked = resolution({LINUX: [pin("a", "1", "b"), pin("b", "1")], WINDOWS: [mirror]})
    (package, *_) = tomllib.loads(to_pylock(build(asked)))["packages"]
    assert package["dependencies"] == [{"name": "b", "version": "1", "index": "https://packages.corp.example/simple/"}]


def test_every_file_without_a_hash_is_named() -> None:
    bare = replace(wheel("a", "1"), hashes=())
    odd = replace(wheel("b", "1"), hashes=(("crc32", "00"),))
    lock = build(resolution({LINUX: [replace(pin("a", "1"), wheels=(bare,)), replace(pin("b", "1"), wheels=(odd,))]}))
    with pytest.raises(HashMissing, match=r"a-1-py3-none-any\.whl \(index 'corp'\).*b-1-py3") as caught:
        to_pylock(lock)
    assert caught.value.files == (("a", bare.filename, "corp"), ("b", odd.filename, "corp"))


def test_a_package_without_files_is_refused() -> None:
    empty = replace(pin("a", "1"), wheels=())
    with pytest.raises(LockError, match="a 1 has no file"):
        to_pylock(build(resolution({LINUX: [empty]})))
    with pytest.raises(LockError, match="a is a direct reference to something that is no archive"):
        to_pylock(build(resolution({LINUX: [replace(empty, reference="git+https://git.corp.example/a")]})))


def test_an_empty_lock_is_valid() -> None:
    assert selected(to_pylock(build(resolution({LINUX: []}))), LINUX) == {}


def test_what_no_reader_could_parse_is_left_out() -> None:
    bad = replace(pin("a", "1"), requires_python=">=2.7.*")
    times = ["yesterday", "2025-13-01T00:00:00Z", "2025-01-01T00:00:00Z, size = 1", None]
    wheels = [replace(wheel("a", "1", f"py{3}{n}-none-any"), upload_time=one) for n, one in enumerate(times, 10)]
    asked = resolution(
        {replace(LINUX, tags={f"py3{n}-none-any": n for n in range(10, 14)}): [replace(bad, wheels=tuple(wheels))]}
    )
    (package,) = tomllib.loads(to_pylock(build(asked)))["packages"]
    assert "requires-python" not in package
    assert [set(one) for one in package["wheels"]] == [{"name", "url", "size", "hashes"}] * 4


TEXT = st.text(st.characters(codec="utf-8"), max_size=30)


@given(TEXT, TEXT)
def test_any_text_comes_back_from_toml_as_it_was(filename: str, marker: str) -> None:
    file = replace(wheel("a", "1"), filename=filename)
    lock = build(resolution({LINUX: [replace(pin("a", "1"), wheels=(file,))]}))
    read = tomllib.loads(to_pylock(replace(lock, environments=(marker,))))
    assert read["packages"][0]["wheels"][0]["name"] == filename
    assert read["environments"] == [marker]


NAMES = st.sampled_from(["a", "b", "c", "d"])


@st.composite
def worlds(draw: st.DrawFn) -> Mapping[Target, list[Pin]]:
    wheels = ["cp313-cp313-manylinux_2_28_x86_64", "cp313-cp313-win_amd64", "py3-none-any"]
    targets = draw(st.lists(st.sampled_from([LINUX, WINDOWS, OLD]), min_size=1, unique=True))
    return {
        where: [
            pin(name, draw(st.sampled_from(["1.0", "2.0"])), *draw(st.sets(NAMES)), wheels=draw(st.just(wheels)))
            for name in sorted(draw(st.sets(NAMES)))
        ]
        for where in targets
    }


@given(worlds())
def test_any_lock_is_valid_and_selects_what_was_resolved(world: Mapping[Target, list[Pin]]) -> None:
    text = to_pylock(build(resolution(world)))
    for where, pins in world.items():
        assert sorted(selected(text, where)) == sorted(f"{one.name} {one.version}" for one in pins)
