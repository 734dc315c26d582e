"""Locking again with the last lock changes no byte, and neither does the order of requirements."""

from __future__ import annotations

import random
from dataclasses import replace

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resolver.driver import resolve
from resolver.errors import NoSolution
from resolver.index.gateway import Gateway
from resolver.inputs import preferences, read_lock
from resolver.lock.build import build
from resolver.lock.check import check
from resolver.lock.document import to_document
from resolver.lock.pylock import to_pylock
from resolver.lock.requirements_txt import to_requirements
from resolver.model import Lock, Options, Query, Universal

from ..fake_index import World
from ..universal_worlds import OPTIONS, STATEMENTS, UNIVERSALS, Statements, worlds


async def locked(text: str, query: Query) -> Lock:
    resolution = await resolve(query, Gateway(World(text)))
    lock = build(resolution)
    assert check(lock, resolution) == ()
    return lock


@settings(max_examples=150, deadline=None)
@given(worlds(), STATEMENTS, st.sampled_from(UNIVERSALS), OPTIONS, st.randoms(use_true_random=False))
async def test_a_lock_is_the_same_from_its_own_forms_and_from_any_order_of_requirements(
    text: str, statements: Statements, universal: Universal, options: Options, order: random.Random
) -> None:
    query = statements.query(World(text), universal, options)
    shuffled = statements.shuffled(order).query(World(text), universal, options)
    try:
        lock = await locked(text, query)
    except NoSolution:
        with pytest.raises(NoSolution):
            await locked(text, shuffled)
        return
    pylock = to_pylock(lock)
    assert to_pylock(await locked(text, shuffled)) == pylock
    for form in (pylock, to_requirements(lock), orjson.dumps(to_document(lock)).decode()):
        earlier = read_lock(form)
        kept = replace(query, preferences=preferences(earlier, upgrade=False), regions=earlier.regions)
        assert to_pylock(await locked(text, kept)) == pylock
