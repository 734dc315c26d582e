"""Remedies are tried within bounds, and only what helped is suggested."""

from __future__ import annotations

import asyncio
import io
import zipfile
from dataclasses import dataclass, field

import pytest

from resolver.driver import MAX_FURTHER_FACTS, resolve
from resolver.errors import NoSolution, Place
from resolver.index.gateway import Gateway
from resolver.model import Budget, Options, Query, ResolutionMode
from resolver.remedies import Edit, Effort, Remedy, Suggestions, Versions
from resolver.remedies.suggestions import MAX_SUGGESTIONS, MAX_TRIALS
from tests.fake_index import World
from tests.test_driver import chosen, query
from transport.message import Request, Response

NOTHING = Query((), ())


def remedy(name: str, effort: Effort = Effort.OPTION, kind: str = "") -> Remedy:
    edit = Edit(Place(pointer=f"/{name}"), None, name)
    return Remedy(effort, kind or name, name, (edit,), lambda query: query)


def refusal(*remedies: Remedy) -> NoSolution:
    return NoSolution("no", {}, ("a",), remedies=remedies)


@dataclass
class Trials:
    """Answers in turn; the last one for ever."""

    answers: list[Versions | NoSolution | None]
    count: int = 0
    decisions: list[int] = field(default_factory=list)

    async def __call__(self, query: Query) -> Versions | NoSolution | None:
        self.decisions.append(query.budget.decisions)
        answer = self.answers[min(self.count, len(self.answers) - 1)]
        self.count += 1
        return answer


async def found(trials: Trials, *remedies: Remedy) -> list[str]:
    suggestions = Suggestions(NOTHING, refusal(*remedies), trials)
    await suggestions.search()
    return [one.detail for one in suggestions.found]


async def test_what_does_not_help_is_not_suggested() -> None:
    trials = Trials([None, {"a": ("1.0",)}, refusal()])
    assert await found(trials, remedy("x"), remedy("y"), remedy("z")) == ["y"]


async def test_trials_are_few_and_small() -> None:
    trials = Trials([None])
    assert await found(trials, *(remedy(str(number)) for number in range(50))) == []
    assert trials.count == MAX_TRIALS
    assert max(trials.decisions) < Budget().decisions


async def test_a_handful_of_suggestions_is_enough() -> None:
    trials = Trials([{"a": ("1.0",)}])
    assert len(await found(trials, *(remedy(str(number)) for number in range(50)))) == MAX_SUGGESTIONS


async def test_nobody_is_told_to_give_up_a_requirement_who_can_do_with_less() -> None:
    give_up = remedy("give up", Effort.STATEMENT)
    assert await found(Trials([{"a": ("1.0",)}]), remedy("x"), give_up) == ["x"]
    assert await found(Trials([None, {}]), remedy("x"), give_up, give_up) == ["give up", "give up"]


async def test_options_of_one_kind_are_tried_together_where_one_alone_leads_to_the_next() -> None:
    first, second, other = remedy("x", kind="age"), remedy("y", kind="age"), remedy("z", kind="yanked")
    trials = Trials([refusal(other, first, second), {"a": ("1.0",), "b": ("2.0",)}])
    assert await found(trials, first) == ["x, and y"]
    assert await found(Trials([refusal(other)]), first) == []


class Stalled(World):
    """An index that never answers for one project."""

    async def fetch(self, request: Request) -> Response:
        if "/slow/" in request.url:
            await asyncio.Event().wait()
        return await super().fetch(request)


async def test_a_slow_index_costs_the_time_for_suggestions_and_no_more() -> None:
    world = Stalled("a 1.0: slow\na 2.0: c<2\nc 2.0\nslow 1.0")
    with pytest.raises(NoSolution, match="you require a>=2") as caught:
        await resolve(query(world, "a>=2", budget=Budget(suggestions=0.05)), Gateway(world))
    assert caught.value.suggestions == ()


async def test_a_trial_looks_at_requirements_in_the_order_in_which_the_changed_request_would() -> None:
    # The statement on x has an upper bound, so it is looked at before that on a; without one it comes after it.
    world = World("a 1.0\na 2.0\nx 1.0a1: a>=2\nx 1.0a2")
    lowest = Options(resolution=ResolutionMode.LOWEST)
    with pytest.raises(NoSolution) as caught:
        await resolve(query(world, "a>=1", "x~=1.0", options=lowest), Gateway(world))
    (suggestion,) = caught.value.suggestions
    assert suggestion.detail == "change x~=1.0 (requirements[1]) to x>=1.0a2"
    changed = await resolve(query(world, "a>=1", "x>=1.0a2", options=lowest), Gateway(world))
    assert suggestion.result == {"x": (chosen(changed)["x"],)}


async def test_trials_ask_for_few_facts_that_the_solve_did_not_know() -> None:
    length = MAX_FURTHER_FACTS
    chain = "\n".join(f"p{number} 1.0: p{number + 1}" for number in range(length))
    world = World(f"a 1.0: p0\na 2.0: c<2\nc 1.0\nc 2.0\n{chain}\np{length} 1.0")
    with pytest.raises(NoSolution) as caught:
        await resolve(query(world, "a>=2", "c>=2", budget=Budget(suggestions=60)), Gateway(world))
    assert [one.detail for one in caught.value.suggestions] == ["change c>=2 (requirements[1]) to c>=1.0"]
    assert sum(world.requests.values()) < MAX_FURTHER_FACTS + 20


async def test_nothing_is_tried_where_the_query_asks_for_no_suggestions() -> None:
    world = World("a 1.0\na 2.0")
    with pytest.raises(NoSolution) as caught:
        await resolve(query(world, "a<1", budget=Budget(suggestions=0)), Gateway(world))
    assert caught.value.suggestions == ()


async def test_a_referenced_file_is_fetched_once_for_all_trials() -> None:
    world = World("a 1.0: b<2\nb 1.0\nb 2.0\nc 1.0")
    wheel = "https://index.example/files/r-1.0-py3-none-any.whl"
    world.files["r-1.0-py3-none-any.whl"] = _wheel("r")
    with pytest.raises(NoSolution) as caught:
        await resolve(query(world, "a", "b>=2", f"r @ {wheel}"), Gateway(world))
    assert caught.value.suggestions
    assert world.requests[wheel] == 1


async def test_a_project_by_url_that_has_the_wrong_version_may_come_from_an_index() -> None:
    world = World("r 1.0\nr 2.0\na 1.0: r>=2\na 1.1: r>=2")
    world.files["r-1.0-py3-none-any.whl"] = _wheel("r")
    with pytest.raises(NoSolution) as caught:
        await resolve(query(world, "a", "r @ https://index.example/files/r-1.0-py3-none-any.whl"), Gateway(world))
    wanted = "take r from an index instead of by URL (requirements[1])"
    (suggestion,) = (one for one in caught.value.suggestions if one.detail == wanted)
    assert [(str(one.place), one.after) for one in suggestion.edits] == [("/requirements/1", "r")]
    assert suggestion.result == {"a": ("1.1",), "r": ("2.0",)}


def _wheel(name: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(f"{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{name}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\n")
    return buffer.getvalue()
