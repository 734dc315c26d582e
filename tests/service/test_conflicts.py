"""Each conflict of ``conflicts.txt`` is explained as ``goldens/conflicts.txt`` says, word for word.

A case is a title, an index in the notation of :mod:`tests.fake_index`, perhaps the server's policy, and a request. With
``UPDATE_GOLDENS=1`` the answers are written instead of compared: read the difference before it is committed.
"""

from __future__ import annotations

import copy
import json
import os
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version

from resolver.driver import resolve
from resolver.errors import NoSolution
from resolver.index.gateway import Gateway
from resolver.model import Query
from service.policy import Policy
from service.problems import from_error, to_document
from service.query import to_query
from service.schema import parse
from service.settings import PolicySettings
from service.shape import checked
from tests.fake_index import World

_CASES = Path(__file__).with_name("conflicts.txt")
_GOLDEN = Path(__file__).parent.parent / "goldens" / "conflicts.txt"
_NOW = datetime(2026, 1, 31, tzinfo=UTC)
_TARGET = {"python": "3.12", "platform": "linux"}


@dataclass(frozen=True)
class Case:
    title: str
    index: str
    request: dict[str, Any]
    policy: dict[str, Any] = field(default_factory=dict)

    @property
    def request_in_full(self) -> dict[str, Any]:
        given = {} if "universal" in self.request else {"targets": [_TARGET]}
        return {**given, **self.request}

    def query(self, world: World) -> Query:
        return to_query(
            parse(self.request_in_full),
            indexes=(world.index,),
            policy=Policy(checked(PolicySettings, self.policy), _NOW),
            max_seconds=60,
            default_requires_python=">=3.11",
        ).query

    async def problem(self, *, seed: int | None = None) -> dict[str, Any]:
        world = World(self.index, seed=seed)
        with pytest.raises(NoSolution) as caught:
            await resolve(self.query(world), Gateway(world))
        return to_document(from_error(caught.value))

    async def answer(self) -> str:
        problem = await self.problem()
        lines = [str(problem["detail"])]
        lines += [f"hint: {hint}" for hint in problem["hints"]]
        for one in problem["suggestions"]:
            lines.append(f"suggestion: {one['detail']}")
            lines += [f"    {json.dumps(change)}" for change in one["changes"]]
            lines.append(f"    {json.dumps(one['result'])}")
        return "\n".join(lines)


def _cases() -> list[Case]:
    cases = []
    for block in _CASES.read_text("utf-8").split("=== ")[1:]:
        title, _, body = block.partition("\n")
        index, *parts = body.split("--- ")
        words = dict(part.split(" ", 1) for part in parts)
        cases.append(Case(title, index.strip(), *(json.loads(words.get(one, "{}")) for one in ("request", "policy"))))
    return cases


def _golden() -> dict[str, str]:
    blocks = _GOLDEN.read_text("utf-8").split("=== ")[1:]
    return {title: body.strip("\n") for title, _, body in (block.partition("\n") for block in blocks)}


CASES = _cases()


async def test_the_golden_file_has_exactly_the_cases() -> None:
    if os.environ.get("UPDATE_GOLDENS"):
        answers = [f"=== {case.title}\n{await case.answer()}\n" for case in CASES]
        _GOLDEN.write_text("\n".join(answers), "utf-8")
    assert list(_golden()) == [case.title for case in CASES]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
async def test_a_conflict_is_explained_word_for_word(case: Case) -> None:
    assert await case.answer() == _golden()[case.title]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
async def test_who_does_what_a_suggestion_says_gets_the_versions_that_it_names(case: Case) -> None:
    for suggestion in (await case.problem())["suggestions"]:
        changed = _applied(case.request_in_full, suggestion["changes"])
        world = World(case.index)
        resolution = await resolve(replace(case, request=changed).query(world), Gateway(world))
        versions: dict[str, set[str]] = {}
        for pins in (*(one.pins for one in resolution.targets), *(one.pins for one in resolution.regions)):
            for name, pin in pins.items():
                versions.setdefault(name, set()).add(pin.version)
        chosen = {name: sorted(versions[name], key=Version) for name in versions.keys() & suggestion["result"].keys()}
        assert chosen == suggestion["result"], suggestion["detail"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
async def test_the_order_in_which_the_network_answers_changes_no_word(case: Case) -> None:
    assert await case.problem(seed=1) == await case.problem()


def _applied(request: dict[str, Any], changes: list[dict[str, Any]]) -> dict[str, Any]:
    """The request with the changes made, as a client would make them."""
    changed = copy.deepcopy(request)
    for change in sorted(changes, key=lambda one: str(one.get("pointer")), reverse=True):
        if "file" in change:
            lines = changed["files"][change["file"]].split("\n")
            assert lines[change["line"] - 1] == change["from"]
            lines[change["line"] - 1] = change["to"] or ""
            changed["files"][change["file"]] = "\n".join(lines)
            continue
        *path, last = change["pointer"].split("/")[1:]
        place: Any = changed
        for step in path:
            place = place[int(step)] if isinstance(place, list) else place.setdefault(step, [] if last == "-" else {})
        if last == "-":
            place.append(change["to"])
        elif not isinstance(place, list):
            assert place.get(last) == change["from"]
            place[last] = change["to"]
        elif change["to"] is None:
            del place[int(last)]
        else:
            assert place[int(last)] == change["from"]
            place[int(last)] = change["to"]
    return changed
