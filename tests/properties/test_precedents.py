"""What a service answers after related questions is what one answers that never heard another."""

from __future__ import annotations

import math
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from resolver.driver import resolve
from resolver.errors import NoSolution
from resolver.index.gateway import Gateway
from resolver.inputs import read_inputs
from resolver.lock.build import build
from resolver.lock.check import check
from resolver.lock.document import to_document
from resolver.model import ForkStrategy, Options, Query, Resolution, ResolutionMode, Universal
from transport.message import Request, Response

from ..fake_index import World
from ..test_universal import REQUIREMENTS, worlds


class Fresh(World):
    """A world whose pages stay as they are, so that nobody asks for them twice."""

    async def fetch(self, request: Request) -> Response:
        return replace(await super().fetch(request), fresh_until=math.inf)


CONSTRAINTS = st.builds(
    "{}{}{}".format,
    st.sampled_from("abcdef"),
    st.sampled_from((">=1", "<=3", "<3", "!=2", "<=2", "==2", ">1", "<4", "!=9")),
    st.sampled_from(("", "", "", " ; sys_platform == 'win32'", " ; python_version < '3.12'")),
)


def query_of(world: World, requirements: list[str], constraints: list[str], options: Options) -> Query:
    inputs = read_inputs(requirements=tuple(requirements), constraints=tuple(constraints))
    return Query(
        inputs.requirements,
        (world.index,),
        constraints=inputs.constraints,
        universal=Universal(">=3.9"),
        options=options,
    )


async def answer(query: Query, gateway: Gateway) -> tuple[object, Resolution | None]:
    try:
        resolution = await resolve(query, gateway)
    except NoSolution as error:
        return error.detail, None
    lock = build(resolution)
    assert check(lock, resolution) == ()
    return to_document(lock), resolution


@settings(max_examples=60, deadline=None)
@given(
    worlds(),
    st.lists(REQUIREMENTS, min_size=1, max_size=3),
    st.lists(st.lists(CONSTRAINTS, max_size=2), min_size=2, max_size=5),
    st.builds(
        Options,
        fork_strategy=st.sampled_from(list(ForkStrategy)),
        resolution=st.sampled_from([*[ResolutionMode.HIGHEST] * 3, *ResolutionMode]),
    ),
)
async def test_earlier_questions_change_no_answer(
    text: str, requirements: list[str], variants: list[list[str]], options: Options
) -> None:
    world = Fresh(text)
    gateway = Gateway(world)
    for constraints in [*variants, *variants[:1]]:
        query = query_of(world, requirements, constraints, options)
        alone, _ = await answer(query, Gateway(Fresh(text)))
        after, _ = await answer(query, gateway)
        assert after == alone, constraints


WORLD = """
    a 1.0: c
    a 2.0: b ; python_version >= '3.12' & b<2 ; python_version < '3.12' & c
    b 1.0
    b 2.0
    b 3.0 py>=3.13
    c 1.0
    c 2.0 yanked
"""


async def decisions(gateway: Gateway, query: Query) -> int:
    _, resolution = await answer(query, gateway)
    assert resolution is not None
    return resolution.stats.decisions


async def test_a_bound_that_takes_no_candidate_away_needs_no_solve() -> None:
    world = Fresh(WORLD)
    gateway = Gateway(world)
    first = query_of(world, ["a"], [], Options())
    assert await decisions(gateway, first)
    for constraint in ("c<=1.0", "a<=2.0", "a>=1.0", "unheard-of<3"):  # of c, nothing newer is a candidate
        assert await decisions(gateway, query_of(world, ["a"], [constraint], Options())) == 0, constraint
    for constraint in ("a<2", "a==2.0", "b<9", "c<=1.0; python_version < '3.12'"):
        # it takes something away, or may admit what is yanked, or is about what divided a region, or holds in a part
        assert await decisions(gateway, query_of(world, ["a"], [constraint], Options())), constraint
    assert await decisions(gateway, query_of(world, ["c", "a"], [], Options()))
    assert await decisions(gateway, replace(first, options=Options(resolution=ResolutionMode.LOWEST)))


async def test_a_page_that_changed_needs_a_solve() -> None:
    world = Fresh(WORLD)
    gateway = Gateway(world)
    query = query_of(world, ["a"], [], Options())
    assert await decisions(gateway, query)
    assert not await decisions(gateway, query)
    assert await decisions(Gateway(Fresh(WORLD)), query)
    assert await decisions(gateway, replace(query, refresh=True))
