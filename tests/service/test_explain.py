"""``POST /v1/explain``: why a package is in the lock, and why a wished version is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from service.asking import ExplainAnswer
from tests.service.support import TARGET, Service, serving

WORLD = """
    app 1.0: left>=1 & right & deep; sys_platform == 'win32'
    left 1.0: lib>=1,<3
    right 1.0: lib!=0.5
    deep 1.0: left
    lib 2.0
    lib 1.0
    lib 3.0
    tool 2.0: lib>=2
    tool 1.0
    alone 1.0
"""
LINUX = {"name": "ci", **TARGET}
WINDOWS = {"name": "win", "python": "3.13", "platform": "windows"}


async def explain(service: Service, package: str, *requirements: str, **more: Any) -> dict[str, Any]:
    body = {"requirements": list(requirements), "package": package, "targets": [LINUX], **more}
    if body["targets"] is None:
        del body["targets"]
    async with service.client.post("/v1/explain", json=body) as response:
        answer: dict[str, Any] = await response.json(content_type=None)
        assert response.status == 200, answer
        ExplainAnswer.model_validate(answer)
        return answer


def texts(answer: dict[str, Any]) -> list[list[str]]:
    return [[step["requirement"] for step in chain["steps"]] for chain in answer["chains"]]


async def test_all_shortest_chains_come_with_the_texts_of_their_requirements(tmp_path: Path) -> None:
    async with serving(tmp_path, WORLD) as service:
        answer = await explain(service, "LIB", "app>=1", "tool ; sys_platform == 'linux'", "alone")
    assert answer["package"] == "lib"
    assert answer["locked"] == [{"version": "2.0", "marker": None, "targets": ["ci"]}]
    assert texts(answer) == [
        ['tool; sys_platform == "linux"', "lib>=2"],
        ["app>=1", "left>=1", "lib>=1,<3"],
        ["app>=1", "right", "lib!=0.5"],
    ]
    assert [chain["requirement"] for chain in answer["chains"]] == [steps[0] for steps in texts(answer)]
    assert [(step["name"], step["version"]) for step in answer["chains"][1]["steps"]] == [
        ("app", "1.0"),
        ("left", "1.0"),
        ("lib", "2.0"),
    ]
    assert answer["why_not"] is None
    assert not answer["truncated"]


async def test_a_chain_names_the_targets_where_it_holds(tmp_path: Path) -> None:
    async with serving(tmp_path, WORLD) as service:
        deep = await explain(service, "deep", "app", targets=[LINUX, WINDOWS])
        both = await explain(service, "right", "app", targets=[LINUX, WINDOWS])
        anywhere = await explain(service, "deep", "app", targets=None)
    assert [chain["targets"] for chain in deep["chains"]] == [["win"]]
    assert [chain["targets"] for chain in both["chains"]] == [["ci", "win"]]
    assert texts(anywhere) == [["app", 'deep; sys_platform == "win32"']]
    assert anywhere["chains"][0]["targets"] == []
    assert anywhere["locked"][0]["marker"] == "sys_platform == 'win32'"


async def test_the_origin_of_a_requirement_is_its_file_and_line(tmp_path: Path) -> None:
    async with serving(tmp_path, WORLD) as service:
        files = {"requirements.in": "# the app\napp\n"}
        answer = await explain(service, "app", files=files, roots=["requirements.in"])
    assert [(chain["origin"], len(chain["steps"])) for chain in answer["chains"]] == [("requirements.in:2", 1)]


async def test_a_package_that_is_not_locked_has_no_chains(tmp_path: Path) -> None:
    async with serving(tmp_path, WORLD) as service:
        answer = await explain(service, "tool", "app")
    assert (answer["locked"], answer["chains"]) == ([], [])


@pytest.mark.parametrize("wish", [{"not": "<2"}, {"version": "1.0"}, {"not": "1.0"}])
async def test_a_possible_wish_is_answered_with_what_it_would_change(tmp_path: Path, wish: dict[str, str]) -> None:
    async with serving(tmp_path, WORLD) as service:
        answer = await explain(service, "lib", "app", "tool", **wish)
    why_not = answer["why_not"]
    assert why_not["possible"]
    assert why_not["changes"] == {
        "added": [],
        "removed": [],
        "changed": [{"name": "lib", "from": "2.0", "to": "1.0"}, {"name": "tool", "from": "2.0", "to": "1.0"}],
    }
    assert texts(answer)[0] == ["tool", "lib>=2"]  # the lock itself is as it was


async def test_an_impossible_wish_is_answered_with_its_derivation(tmp_path: Path) -> None:
    async with serving(tmp_path, WORLD) as service:
        answer = await explain(service, "lib", "app", **{"not": ">=3"})
    why_not = answer["why_not"]
    assert why_not["requirement"] == "lib>=3"
    assert not why_not["possible"]
    assert why_not["changes"] is None
    assert "left" in why_not["detail"]
    assert why_not["derivation"]["causes"]
    assert "lib" in why_not["packages"]


async def test_what_is_locked_already_changes_nothing_and_a_new_package_is_added(tmp_path: Path) -> None:
    async with serving(tmp_path, WORLD) as service:
        same = (await explain(service, "lib", "app", **{"not": "==2.*"}))["why_not"]
        new = (await explain(service, "tool", "app", **{"not": ">=2"}))["why_not"]
    assert same["possible"]
    assert same["changes"] == {"added": [], "removed": [], "changed": []}
    assert new["changes"]["added"] == [{"name": "tool", "version": "2.0"}]


async def test_an_override_that_decides_is_the_reason(tmp_path: Path) -> None:
    async with serving(tmp_path, WORLD) as service:
        answer = await explain(service, "lib", "app", overrides=["lib==3.0"], version="1.0")
    assert not answer["why_not"]["possible"]
    assert "overrides" in answer["why_not"]["detail"]
    assert answer["why_not"]["derivation"] is None


async def test_many_chains_are_cut_and_said_to_be(tmp_path: Path) -> None:
    layers = 8
    lines = ["app 1.0: a0, b0"]
    for at in range(layers):
        lines += [f"{side}{at} 1.0: a{at + 1}, b{at + 1}" for side in "ab"]
    lines += [f"a{layers} 1.0: end", f"b{layers} 1.0: end", "end 1.0"]
    async with serving(tmp_path, "\n".join(lines)) as service:
        answer = await explain(service, "end", "app")
    assert answer["truncated"]
    assert len(answer["chains"]) == 50
    assert {len(chain["steps"]) for chain in answer["chains"]} == {layers + 3}


@pytest.mark.parametrize(
    ("more", "pointer"),
    [
        ({"package": "not a name"}, "/package"),
        ({"not": "about two"}, "/not"),
        ({"not": ","}, "/not"),
        ({"not": ",".join(f"!={number}" for number in range(120))}, "/not"),
        ({"version": ">=2"}, "/version"),
        ({"not": "<2", "version": "1"}, ""),
        ({"why": "x"}, "/why"),
    ],
)
async def test_a_question_that_is_none_is_refused(tmp_path: Path, more: dict[str, Any], pointer: str) -> None:
    async with serving(tmp_path, WORLD) as service:
        body = {"requirements": ["app"], "package": "lib", "targets": [TARGET], **more}
        async with service.client.post("/v1/explain", json=body) as response:
            problem = await response.json(content_type=None)
    assert response.status == 422
    assert problem["errors"][0]["pointer"] == pointer


async def test_a_lock_that_is_impossible_itself_is_a_problem(tmp_path: Path) -> None:
    async with serving(tmp_path, WORLD) as service:
        body = {"requirements": ["app", "lib>=3"], "package": "lib", "targets": [TARGET]}
        async with service.client.post("/v1/explain", json=body) as response:
            problem = await response.json(content_type=None)
    assert response.status == 422
    assert problem["type"] == "/problems/resolution-impossible"
