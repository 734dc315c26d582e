"""The driver over a tiny index: from a query to pins."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resolver.driver import resolve
from resolver.environment.target import make_target
from resolver.errors import BudgetExhausted, InvalidQuery, NoSolution
from resolver.index.gateway import Gateway
from resolver.inputs import read_inputs
from resolver.model import (
    Budget,
    Options,
    PackageOptions,
    PolicyLimits,
    Preference,
    Prerelease,
    Query,
    Resolution,
    ResolutionMode,
    Universal,
)
from resolver.solving import CONTESTED_FROM
from transport.message import Request, Response

from .fake_index import FILES, World
from .index.archives import NAME, make_wheel

LINUX = make_target(name="linux", python="3.12", platform="linux")
WINDOWS = make_target(name="windows", python="3.12", platform="windows")


def query(world: World, *requirements: str, constraints: tuple[str, ...] = (), **fields: object) -> Query:
    overrides = fields.pop("overrides", ())
    assert isinstance(overrides, tuple)
    inputs = read_inputs(requirements=requirements, constraints=constraints, overrides=overrides)
    fields.setdefault("targets", (LINUX,))
    return Query(
        requirements=inputs.requirements,
        constraints=inputs.constraints,
        overrides=inputs.overrides,
        indexes=(world.index,),
        **fields,  # type: ignore[arg-type]
    )


async def pins(world: World, *requirements: str, **fields: object) -> dict[str, str]:
    return chosen(await resolve(query(world, *requirements, **fields), Gateway(world)))  # type: ignore[arg-type]


def chosen(resolution: Resolution, position: int = 0) -> dict[str, str]:
    return {name: pin.version for name, pin in resolution.targets[position].pins.items()}


async def refused(world: World, *requirements: str, **fields: object) -> str:
    with pytest.raises(NoSolution) as caught:
        await pins(world, *requirements, **fields)
    return caught.value.detail


async def test_the_highest_versions_of_a_closure_are_chosen() -> None:
    world = World("""
        a 1.0
        a 2.0: b>=1
        b 1.0: c
        b 1.5: c
        c 3.0
    """)
    assert await pins(world, "a") == {"a": "2.0", "b": "1.5", "c": "3.0"}


async def test_every_page_and_every_metadata_file_is_asked_for_once() -> None:
    world = World("""
        a 2.0: b>=1 & c
        b 1.0: c
        b 1.5: c & d
        c 3.0: d
        d 1.0: a
    """)
    await pins(world, "a", "d")
    assert set(world.requests.values()) == {1}
    assert len(world.requests) == 8


async def test_a_conflict_is_resolved_by_an_older_version() -> None:
    world = World("""
        a 2.0: c<2
        a 1.0: c
        b 1.0: c>=2
        c 1.0
        c 2.0
    """)
    assert await pins(world, "a", "b") == {"a": "1.0", "b": "1.0", "c": "2.0"}


async def test_an_impossible_query_is_explained_with_its_reasons() -> None:
    world = World("""
        a 1.0: c<2
        b 1.0: c>=2
        c 1.0
        c 2.0
    """)
    text = await refused(world, "a", "b")
    assert "a" in text
    assert "c<2" in text.replace(" ", "")
    assert "unsatisfiable" in text


async def test_a_name_that_no_index_knows_is_said_to_be_unknown() -> None:
    assert "nowhere was not found" in await refused(World("a 1.0: nowhere"), "a")


async def test_markers_are_evaluated_for_the_target() -> None:
    world = World("""
        a 1.0: b ; sys_platform == 'win32' & c ; python_version >= '3.12'
        b 1.0
        c 1.0
    """)
    assert await pins(world, "a") == {"a": "1.0", "c": "1.0"}


async def test_extras_add_their_requirements_and_keep_the_version_of_their_project() -> None:
    world = World("""
        a 1.0
        a 1.0 [fast]: b
        a 2.0
        a 2.0 [fast]: b>=2
        b 1.0
    """)
    assert await pins(world, "a[fast]") == {"a": "1.0", "b": "1.0"}


async def test_an_extra_that_names_its_own_project_is_followed() -> None:
    world = World("""
        a 1.0
        a 1.0 [all]: a[x]
        a 1.0 [x]: b
        b 1.0
    """)
    assert await pins(world, "a[all]") == {"a": "1.0", "b": "1.0"}


async def test_an_unknown_extra_is_ignored_with_a_notice() -> None:
    world = World("a 1.0")
    resolution = await resolve(query(world, "a[nope]"), Gateway(world))
    assert chosen(resolution) == {"a": "1.0"}
    assert [one.code for one in resolution.warnings] == ["unknown-extra"]


async def test_yanked_releases_are_for_those_who_pin_them() -> None:
    world = World("""
        a 1.0
        a 2.0 yanked
    """)
    assert await pins(world, "a") == {"a": "1.0"}
    assert await pins(world, "a==2.0") == {"a": "2.0"}
    assert "yanked" in await refused(world, "a>1")


@pytest.mark.parametrize("pin", ["a==2", "A==2.0.0", "a===2.0", "a==2.0 ; sys_platform == 'linux'"])
async def test_a_pin_admits_a_yanked_release_in_any_spelling_of_its_version(pin: str) -> None:
    world = World("""
        a 1.0
        a 2.0 yanked
        b 1.0: a>1
    """)
    assert await pins(world, pin, "b") == {"a": "2.0", "b": "1.0"}
    assert await pins(world, "b", constraints=(pin,)) == {"a": "2.0", "b": "1.0"}


async def test_requires_python_excludes_a_version_and_is_named() -> None:
    world = World("""
        a 1.0
        a 2.0 py>=3.13
    """)
    assert await pins(world, "a") == {"a": "1.0"}
    assert "3.13" in await refused(world, "a>1")


async def test_wheels_for_other_platforms_are_no_candidates() -> None:
    world = World("""
        a 1.0
        a 2.0 tag:cp312-cp312-win_amd64
    """)
    assert await pins(world, "a") == {"a": "1.0"}
    assert await pins(world, "a", targets=(WINDOWS,)) == {"a": "2.0"}


async def test_a_static_sdist_is_a_candidate_unless_builds_are_never() -> None:
    world = World("""
        a 1.0
        a 2.0 sdist: b
        b 1.0
    """)
    assert await pins(world, "a") == {"a": "2.0", "b": "1.0"}
    only = Options(only_binary=frozenset({":all:"}))
    assert await pins(world, "a", options=only) == {"a": "1.0"}


async def test_a_project_that_is_named_is_not_among_all_of_the_opposite_list() -> None:
    world = World("""
        a 1.0
        a 2.0 sdist
        b 1.0
        b 2.0 sdist
    """)
    all_but_a = Options(no_binary=frozenset({":all:"}), only_binary=frozenset({"a"}))
    assert await pins(world, "a", "b", options=all_but_a) == {"a": "1.0", "b": "2.0"}
    only_a = Options(only_binary=frozenset({":all:"}), no_binary=frozenset({"a"}))
    assert await pins(world, "a", "b", options=only_a) == {"a": "2.0", "b": "1.0"}


async def test_an_override_by_url_takes_the_place_of_a_requirement_by_another_url() -> None:
    world = World("bar 1.0")
    world.files[NAME] = make_wheel()
    elsewhere = "foo @ https://elsewhere.example/foo-2.0-py3-none-any.whl"
    found = await pins(world, elsewhere, overrides=(f"foo @ {FILES}{NAME}",))
    assert found == {"foo": "1.0", "bar": "1.0"}


async def test_who_names_a_file_by_its_url_gets_it_however_new_it_is_unless_the_server_has_a_floor() -> None:
    world = World("bar 1.0 at:2024-01-01T00:00:00Z")
    world.files[NAME] = make_wheel()
    limit = datetime(2024, 6, 1, tzinfo=UTC)
    given, options = f"foo @ {FILES}{NAME}", Options(exclude_newer=limit)
    assert await pins(world, given, options=options) == {"foo": "1.0", "bar": "1.0"}
    told = await refused(world, given, options=options, limits=PolicyLimits(newest=limit))
    assert "foo==1.0 has no known upload time" in told


async def test_stable_versions_come_first_and_pre_releases_when_they_are_all_there_is() -> None:
    world = World("""
        a 1.0
        a 2.0rc1
        b 1.0a1
    """)
    assert await pins(world, "a", "b") == {"a": "1.0", "b": "1.0a1"}
    assert await pins(world, "a", options=Options(prerelease=Prerelease.ALLOW)) == {"a": "2.0rc1"}
    assert "pre-release" in await refused(world, "b", options=Options(prerelease=Prerelease.DISALLOW))


async def test_lowest_direct_is_lowest_for_the_stated_and_highest_for_the_rest() -> None:
    world = World("""
        a 1.0: b
        a 2.0: b
        b 1.0
        b 2.0
    """)
    assert await pins(world, "a", options=Options(resolution=ResolutionMode.LOWEST)) == {"a": "1.0", "b": "1.0"}
    direct = Options(resolution=ResolutionMode.LOWEST_DIRECT)
    assert await pins(world, "a", options=direct) == {"a": "1.0", "b": "2.0"}
    # As in uv an override states what b has to be wherever it is required, and requires it nowhere.
    assert await pins(world, "a", overrides=("b>=1",), options=direct) == {"a": "1.0", "b": "2.0"}
    assert await pins(world, "a", "b<2", overrides=("b>=1",), options=direct) == {"a": "1.0", "b": "1.0"}


async def test_constraints_bind_without_requiring_and_are_named_in_refusals() -> None:
    world = World("""
        a 1.0: b
        b 1.0
        b 2.0
        z 1.0
    """)
    assert await pins(world, "a", constraints=("b<2", "z==9")) == {"a": "1.0", "b": "1.0"}
    assert "b<1" in (await refused(world, "a", constraints=("b<1",))).replace(" ", "")


async def test_an_override_takes_the_place_of_a_requirement_with_its_marker_but_not_with_its_extra() -> None:
    world = World("""
        a 1.0: b<2 ; sys_platform == 'win32'
        a 1.0 [x]: c<2
        b 1.0
        b 2.0
        c 1.0
        c 2.0
    """)
    overrides = ("b>=2", "c>=2", "d ; sys_platform == 'win32'")
    assert await pins(world, "a", overrides=overrides) == {"a": "1.0", "b": "2.0"}
    assert await pins(world, "a[x]", "d", overrides=overrides) == {"a": "1.0", "b": "2.0", "c": "2.0"}
    assert await pins(world, "b ; sys_platform == 'win32'", overrides=("b<2",)) == {"b": "1.0"}


async def test_overrides_replace_and_excludes_remove() -> None:
    world = World("""
        a 1.0: b<2 & c
        b 1.0
        b 2.0
        c 1.0
    """)
    found = await pins(world, "a", overrides=("b>=2",), excludes=frozenset({"c"}))
    assert found == {"a": "1.0", "b": "2.0"}


async def test_preferences_keep_a_version_that_is_still_possible() -> None:
    world = World("""
        a 1.0
        a 2.0
        b 1.0
        b 2.0
    """)
    kept = (Preference("a", "1.0"), Preference("b", "1.0"))
    assert await pins(world, "a", "b>1", preferences=kept) == {"a": "1.0", "b": "2.0"}


async def test_exclude_newer_looks_at_the_upload_time_and_can_be_lifted_for_a_package() -> None:
    world = World("""
        a 1.0 at:2024-01-01T00:00:00Z
        a 2.0 at:2025-01-01T00:00:00Z
    """)
    limit = datetime(2024, 6, 1, tzinfo=UTC)
    assert await pins(world, "a", options=Options(exclude_newer=limit)) == {"a": "1.0"}
    lifted = Options(exclude_newer=limit, packages={"a": PackageOptions(exclude_newer=False)})
    assert await pins(world, "a", options=lifted) == {"a": "2.0"}


async def test_releases_without_an_upload_time_are_told_of_for_packages_of_the_lock_only() -> None:
    world = World("""
        a 1.0 at:2024-01-01T00:00:00Z: b
        a 2.0 at:2024-02-01T00:00:00Z: b<2 & c & d<0
        b 1.0 at:2024-01-01T00:00:00Z
        b 2.0
        c 1.0
        d 1.0
    """)
    options = Options(exclude_newer=datetime(2024, 6, 1, tzinfo=UTC))
    resolution = await resolve(query(world, "a", options=options), Gateway(world))
    assert chosen(resolution) == {"a": "1.0", "b": "1.0"}
    assert [(one.code, one.package) for one in resolution.warnings] == [("no-upload-time", "b")]


async def test_no_deps_leaves_the_closure_out() -> None:
    world = World("a 1.0: b")
    assert await pins(world, "a", options=Options(no_deps=True)) == {"a": "1.0"}


async def test_later_targets_prefer_the_pins_of_earlier_ones() -> None:
    world = World("""
        a 1.0
        a 2.0 tag:cp312-cp312-win_amd64
    """)
    both = await resolve(query(world, "a", targets=(LINUX, WINDOWS)), Gateway(world))
    assert [chosen(both, position) for position in (0, 1)] == [{"a": "1.0"}, {"a": "1.0"}]


async def test_a_package_that_pulls_in_another_by_url_is_no_candidate() -> None:
    world = World("""
        a 1.0
        a 2.0: b @ https://elsewhere.example/b-1.0-py3-none-any.whl
    """)
    assert await pins(world, "a") == {"a": "1.0"}


async def test_a_release_whose_metadata_cannot_be_read_is_passed_over() -> None:
    world = World("""
        a 1.0
        a 2.0: this is no requirement
    """)
    assert await pins(world, "a") == {"a": "1.0"}


async def test_an_index_that_does_not_exist_cannot_be_pinned_to() -> None:
    options = Options(packages={"a": PackageOptions(index="nope")})
    with pytest.raises(InvalidQuery, match="world"):
        await pins(World("a 1.0"), "a", options=options)


async def test_a_budget_of_decisions_ends_a_search_and_names_the_packages() -> None:
    lines = [
        f"p{pigeon} {hole}.0: " + " & ".join(f"h{hole}=={pigeon}.0" for _ in (0,))
        for pigeon in range(1, 9)
        for hole in range(1, 8)
    ]
    lines += [f"h{hole} {pigeon}.0" for hole in range(1, 8) for pigeon in range(1, 9)]
    world = World("\n".join(lines))
    with pytest.raises(BudgetExhausted) as caught:
        await pins(world, *(f"p{pigeon}" for pigeon in range(1, 9)), budget=Budget(decisions=50))
    assert caught.value.packages


class Late(World):
    """An index that never answers for one project; while it is waited for, the loop's clock runs on by an hour."""

    async def fetch(self, request: Request) -> Response:
        if "/slow/" in request.url:
            loop = asyncio.get_running_loop()
            now = loop.time
            loop.time = lambda: now() + 3600  # type: ignore[method-assign]
            await asyncio.Event().wait()
        return await super().fetch(request)


async def test_where_the_seconds_run_out_the_packages_of_a_long_search_are_named_first() -> None:
    """Eight birds for seven holes, until the first one flies off: a search of hundreds of conflicts that ends well."""
    birds, holes = range(8), range(7)
    doors = [(hole, pair, f"h{hole}x{pair[0]}x{pair[1]}") for hole in holes for pair in combinations(birds, 2)]
    lines = ["p0 0.1", "slow 1.0"]
    for bird, hole in product(birds, holes):
        wanted = [f"{door}=={bird}.0" for at, pair, door in doors if at == hole and bird in pair]
        lines.append(f"p{bird} {hole + 1}.0: {' & '.join(wanted)}")
    lines += [f"{door} {bird}.0" for _, pair, door in doors for bird in pair]
    world, names = Late("\n".join(lines)), [f"p{bird}" for bird in birds]
    found = await resolve(query(world, *names), Gateway(world))
    assert found.stats.conflicts > CONTESTED_FROM
    seconds = Budget(seconds=600)
    stated = (*names, "slow ; sys_platform == 'win32'")
    with pytest.raises(BudgetExhausted, match="no answer within 600 seconds") as caught:
        await resolve(query(world, *stated, targets=(LINUX, WINDOWS), budget=seconds), Gateway(world))
    assert set(caught.value.packages[:7]) <= set(names)


@pytest.mark.parametrize(
    ("budget", "named", "spent"),
    [
        (Budget(packages=20), "p20", {"packages": 21}),
        (Budget(candidates=45), "p1", {"packages": 23, "candidates": 46}),
        (Budget(requests=30), "p1", {"requests": 30}),
    ],
)
@pytest.mark.parametrize("is_universal", [False, True], ids=["target", "universal"])
async def test_packages_versions_and_requests_have_a_limit_that_is_named(
    budget: Budget, named: str, spent: dict[str, int], *, is_universal: bool
) -> None:
    """A chain that an index can spin for ever: each package requires the next."""
    world = World("\n".join(f"p{at} {version}.0: p{at + 1}" for at in range(200) for version in (1, 2)))
    asked = query(world, "p0", budget=budget)
    if is_universal:
        asked = replace(asked, targets=(), universal=Universal(">=3.12"))
    gateway = Gateway(world)
    for _ in range(2):
        with pytest.raises(BudgetExhausted) as caught:
            await resolve(asked, gateway)
        assert named in caught.value.packages
        assert caught.value.facts == spent
    assert world.requests.total() <= 80
    assert await pins(World("a 1.0"), "a", budget=Budget(packages=1, candidates=1, requests=2)) == {"a": "1.0"}


CHAIN = """
    a 1.0: b & c
    a 2.0: b<2 & c & d
    b 1.0: d
    b 2.0: e
    c 1.0: e<2
    c 2.0: e>=2 & d>=2
    d 1.0
    d 2.0: f
    e 1.0
    e 2.0: f
    f 1.0: a
"""


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32))
async def test_the_order_in_which_the_network_answers_is_irrelevant(seed: int) -> None:
    calm = await pins(World(CHAIN), "a", "e>1")
    shuffled = await pins(World(CHAIN, seed=seed), "a", "e>1")
    assert shuffled == calm
