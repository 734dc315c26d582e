"""``POST /v1/lock`` and the stored locks, over real sockets."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import msgpack
import pytest
from packaging.pylock import Pylock
from packaging.utils import canonicalize_name

from tests.service.support import TARGET, serving

WORLD = """
    a 2.0: b>=1
    a 1.0
    b 1.0
    b 1.1
"""


async def test_a_lock_has_the_shape_of_the_api_page(tmp_path: Path) -> None:
    async with serving(tmp_path, WORLD) as service:
        body = {"requirements": ["a"], "targets": [{"name": "ci", **TARGET}], "outputs": ["pylock", "requirements"]}
        async with service.client.post("/v1/lock", json=body) as response:
            answer = await response.json()
            headers = response.headers
    assert response.status == 200
    assert answer["id"].startswith("lk_")
    assert answer["query"].startswith("sha256:")
    assert answer["served_from"] == "solved"
    assert [(one["name"], one["version"], one["direct"]) for one in answer["packages"]] == [
        ("a", "2.0", True),
        ("b", "1.1", False),
    ]
    assert set(answer["outputs"]) == {"pylock.toml", "requirements.txt"}
    assert answer["packages"][0]["targets"] == ["ci"]
    assert answer["stats"]["projects"] == 2
    assert headers["Content-Location"] == f"/v1/locks/{answer['id']}"
    assert not headers["ETag"].startswith("W/")
    assert "solve;dur=" in headers["Server-Timing"]
    assert headers["X-Request-ID"]


async def test_only_the_outputs_that_were_asked_for_are_given(tmp_path: Path) -> None:
    async with serving(tmp_path, WORLD) as service:
        assert (await service.lock("a"))[1]["outputs"] == {}
        assert set((await service.lock("a", outputs=["requirements"]))[1]["outputs"]) == {"requirements.txt"}
        status, problem = await service.lock("a", outputs=["poetry"])
    assert (status, problem["errors"][0]["pointer"]) == (422, "/outputs/0")


async def test_the_same_lock_has_the_same_id_whatever_the_solve_cost(tmp_path: Path) -> None:
    async with serving(tmp_path / "one", WORLD) as one, serving(tmp_path / "two", WORLD) as two:
        first, again = (await one.lock("a"))[1], (await one.lock("a"))[1]
        elsewhere = (await two.lock("a", budget={"seconds": 7}))[1]
        other = (await one.lock("b"))[1]
    assert first["id"] == again["id"] == elsewhere["id"] != other["id"]


@pytest.mark.parametrize("age", ["P7D", "7 days"])
async def test_an_age_is_the_same_request_a_moment_later(tmp_path: Path, age: str) -> None:
    async with serving(tmp_path, "a 1.0 at:2020-01-01T00:00:00Z") as service:
        options = {"exclude_newer": age}
        first, second = [(await service.lock("a", options=options))[1] for _ in range(2)]
        moments = [query.options.exclude_newer for query in service.resolver.queries]
    assert moments[0] != moments[1]
    assert first["query"] == second["query"]


async def test_a_lock_in_toml_is_a_pylock_that_packaging_accepts(tmp_path: Path) -> None:
    import tomllib  # noqa: PLC0415

    async with serving(tmp_path, WORLD) as service:
        headers = {"Accept": "application/toml"}
        body = {"requirements": ["a"], "targets": [TARGET]}
        async with service.client.post("/v1/lock", json=body, headers=headers) as response:
            text = await response.text()
    assert response.content_type == "application/toml"
    lock = Pylock.from_dict(tomllib.loads(text))
    assert [package.name for package in lock.packages] == [canonicalize_name("a"), canonicalize_name("b")]


async def test_msgpack_says_what_json_says(tmp_path: Path) -> None:
    async with serving(tmp_path, WORLD) as service:
        body = {"requirements": ["a"], "targets": [TARGET]}
        async with service.client.post("/v1/lock?format=msgpack", json=body) as response:
            packed = msgpack.unpackb(await response.read())
        plain = (await service.lock("a"))[1]
    for answer in (packed, plain):
        del answer["stats"]
    assert packed == plain


async def test_a_requirements_file_takes_its_options_from_the_query(tmp_path: Path) -> None:
    async with serving(tmp_path, WORLD) as service:
        url = "/v1/lock?python=3.13&platform=linux&format=requirements&resolution=lowest"
        headers = {"Content-Type": "text/plain"}
        async with service.client.post(url, data=b"a<2\nb\n", headers=headers) as response:
            text = await response.text()
    assert response.status == 200, text
    assert response.content_type == "text/plain"
    assert "a==1.0" in text
    assert "b==1.0" in text


async def test_a_pyproject_is_a_body(tmp_path: Path) -> None:
    project = b'[project]\nname = "x"\nversion = "1"\ndependencies = ["a"]\n[dependency-groups]\ndev = ["b<1.1"]\n'
    async with serving(tmp_path, WORLD) as service:
        url = "/v1/lock?python=3.13&groups=dev"
        headers = {"Content-Type": "application/toml"}
        async with service.client.post(url, data=project, headers=headers) as response:
            answer = await response.json()
    assert response.status == 200, answer
    assert {one["name"]: one["version"] for one in answer["packages"]} == {"a": "2.0", "b": "1.0"}


async def test_a_script_is_a_body(tmp_path: Path) -> None:
    script = b'# /// script\n# requires-python = ">=3.12"\n# dependencies = ["a<2", "b"]\n# ///\nimport a\n'
    async with serving(tmp_path, WORLD) as service:
        headers = {"Content-Type": "text/x-python"}
        async with service.client.post("/v1/lock?python=3.13", data=script, headers=headers) as response:
            answer = await response.json()
        form = aiohttp.FormData()
        form.add_field("file", script, filename="tool.py", content_type="text/x-python")
        async with service.client.post("/v1/lock?universal=true", data=form) as response:
            universal = await response.json()
    assert response.status == 200, universal
    assert {one["name"]: one["version"] for one in answer["packages"]} == {"a": "1.0", "b": "1.1"}
    assert answer["packages"][0]["via"] == ["script.py"]
    assert universal["requires_python"] == ">=3.12"


async def test_a_form_carries_several_files_and_options(tmp_path: Path) -> None:
    form = aiohttp.FormData()
    form.add_field("file", b"-c limits.txt\na\n", filename="requirements.in")
    form.add_field("file", b"a<2\n", filename="limits.txt")
    form.add_field("roots", "requirements.in")
    form.add_field("python", "3.13")
    async with serving(tmp_path, WORLD) as service, service.client.post("/v1/lock", data=form) as response:
        answer = await response.json()
    assert response.status == 200, answer
    assert {one["name"]: one["version"] for one in answer["packages"]} == {"a": "1.0"}


async def test_without_targets_a_lock_is_universal_for_the_servers_default(tmp_path: Path) -> None:
    async with serving(tmp_path, WORLD) as service:
        for body in ({"requirements": ["a"]}, {"requirements": ["a"], "universal": {"requires_python": ">=3.10"}}):
            async with service.client.post("/v1/lock", json=body) as response:
                answer = await response.json()
            assert response.status == 200, answer
            assert answer["requires_python"].startswith(">=3.1")
            assert [one["marker"] for one in answer["packages"] if one["name"] == "a"] == [None]


async def test_an_environment_that_is_none_is_a_fault_with_its_place(tmp_path: Path) -> None:
    universal = {
        "environments": ["sys_platform == 'linux'", "sys_platform = 'x'"],
        "required_environments": ["extra == 'x'"],
    }
    body = {"requirements": ["a"], "universal": universal}
    async with serving(tmp_path, WORLD) as service, service.client.post("/v1/lock", json=body) as response:
        problem = await response.json(content_type="application/problem+json")
    assert response.status == 422
    assert [one["pointer"] for one in problem["errors"]] == [
        "/universal/environments/1",
        "/universal/required_environments/0",
    ]


async def test_every_fault_is_told_at_once_with_its_place(tmp_path: Path) -> None:
    async with serving(tmp_path, WORLD) as service:
        status, problem = await service.lock(
            "a", optoins={}, options={"resolution": "hihgest"}, targets=[{"python": 3.13}], extras="a"
        )
        assert status == 422
        assert problem["type"] == "/problems/invalid-request"
        assert {fault["pointer"] for fault in problem["errors"]} == {
            "/optoins",
            "/options/resolution",
            "/targets/0/python",
            "/extras",
        }
        status, problem = await service.lock("a", targets=[{"python": "9.x"}], indexes=["nope"])
        assert {fault["pointer"] for fault in problem["errors"]} == {"/targets/0", "/indexes/0"}
        assert "world" in str(problem["errors"])


async def test_a_requirement_that_is_none_is_named(tmp_path: Path) -> None:
    async with serving(tmp_path, WORLD) as service:
        status, problem = await service.lock("a", "b>=", "c;;")
    assert (status, problem["type"]) == (422, "/problems/requirement-invalid")
    assert [fault["pointer"] for fault in problem["errors"]] == ["/requirements/1", "/requirements/2"]
    assert problem["retryable"] is False


async def test_an_impossible_lock_is_an_answer_with_a_derivation(tmp_path: Path) -> None:
    async with serving(tmp_path, WORLD) as service:
        status, problem = await service.lock("a==2", "b<1")
    assert (status, problem["type"]) == (422, "/problems/resolution-impossible")
    assert problem["derivation"]["conclusion"]
    assert "b" in problem["packages"]


async def test_a_lock_is_found_again_and_never_changes(tmp_path: Path) -> None:
    async with serving(tmp_path, WORLD) as service:
        lock = (await service.lock("a", outputs=["pylock", "requirements"]))[1]
        async with service.client.get(f"/v1/locks/{lock['id']}") as response:
            stored = await response.json()
            etag = response.headers["ETag"]
        assert stored["served_from"] == "stored"
        assert stored["packages"] == lock["packages"]
        assert "immutable" in response.headers["Cache-Control"]
        for name, text in lock["outputs"].items():
            async with service.client.get(f"/v1/locks/{lock['id']}/{name}") as response:
                assert await response.text() == text
                assert response.headers["ETag"] != etag
        tags = {"If-None-Match": f'"other", W/{etag}'}
        async with service.client.get(f"/v1/locks/{lock['id']}", headers=tags) as response:
            assert (response.status, await response.read()) == (304, b"")
            assert response.headers["ETag"] == etag
    async with serving(tmp_path, WORLD) as later, later.client.get(f"/v1/locks/{lock['id']}") as response:
        assert (await response.json())["packages"] == lock["packages"]


@pytest.mark.parametrize("identifier", ["lk_" + "0" * 40, "nothing", "..%2f..%2fetc"])
async def test_an_unknown_lock_is_not_found(tmp_path: Path, identifier: str) -> None:
    async with serving(tmp_path) as service, service.client.get(f"/v1/locks/{identifier}") as response:
        problem = await response.json(content_type="application/problem+json")
    assert (response.status, problem["type"]) == (404, "/problems/not-found")


async def test_no_cache_revalidates_and_a_plain_request_does_not(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        await service.lock("a")
        headers = {"Cache-Control": "max-age=0, no-cache"}
        body = {"requirements": ["a"], "targets": [TARGET]}
        async with service.client.post("/v1/lock", json=body, headers=headers) as response:
            assert response.status == 200
    assert [query.refresh for query in service.resolver.queries] == [False, True]


async def test_an_earlier_lock_is_preferred_until_it_is_upgraded(tmp_path: Path) -> None:
    async with serving(tmp_path, WORLD) as service:
        old = (await service.lock("a<2", "b<1.1", outputs=["pylock"]))[1]["outputs"]["pylock.toml"]
        kept = (await service.lock("a", "b", lock={"content": old}))[1]
        raised = (await service.lock("a", "b", lock={"content": old}, upgrade=["a"]))[1]
        newest = (await service.lock("a", "b", lock={"content": old}, upgrade=True))[1]
    versions = [{one["name"]: one["version"] for one in lock["packages"]} for lock in (kept, raised, newest)]
    assert versions == [{"a": "1.0", "b": "1.0"}, {"a": "2.0", "b": "1.0"}, {"a": "2.0", "b": "1.1"}]
    assert raised["changes"]["changed"] == [{"name": "a", "from": "1.0", "to": "2.0"}]


async def test_an_index_by_url_needs_the_policy(tmp_path: Path) -> None:
    mine = {"name": "mine", "url": "http://u:hunter2@127.0.0.1:1/simple/"}
    async with serving(tmp_path) as service:
        status, problem = await service.lock("a", indexes=["world", mine])
        assert (status, problem["type"]) == (403, "/problems/policy-denied")
        assert problem["rule"] == "policy.index_urls"
        assert "hunter2" not in str(problem)
    async with serving(tmp_path, settings={"policy": {"index_urls": "loopback"}}) as service:
        assert (await service.lock("a", indexes=["default", mine]))[0] == 200
        used = service.resolver.queries[0].indexes
        assert [(index.name, index.configured) for index in used] == [("world", True), ("mine", False)]
        elsewhere = {"name": "mine", "url": "https://packages.corp.example/simple/"}
        assert (await service.lock("a", indexes=[elsewhere]))[0] == 403


async def test_a_release_age_below_the_servers_floor_is_raised_and_said(tmp_path: Path) -> None:
    world = "a 1.0 at:2020-01-01T00:00:00Z"
    async with serving(tmp_path, world, settings={"policy": {"min_release_age": "P3D"}}) as service:
        loose = (
            await service.lock("a", options={"exclude_newer": "P1D", "packages": {"A": {"exclude_newer": False}}})
        )[1]
        strict = (await service.lock("a", options={"exclude_newer": "P9D"}))[1]
    warned = [(one["code"], one["package"]) for one in loose["warnings"]]
    assert sorted(warned, key=str) == [("release-age-floor", "a"), ("release-age-floor", None)]
    assert strict["warnings"] == []


@pytest.mark.parametrize(
    ("place", "pointer"),
    [
        ({"targets": [{"python": "", "platform": "linux"}]}, "/targets/0"),
        ({"universal": {"requires_python": ">=4,<3"}}, "/universal/requires_python"),
        ({"universal": {"requires_python": "==3.11.*,!=3.11.*"}}, "/universal/requires_python"),
        ({"universal": {"requires_python": ">=3.14.0a1,<3.14.0b1"}}, "/universal/requires_python"),
        (
            {
                "universal": {
                    "requires_python": ">=3.12",
                    "environments": ["os_name == 'nt'", "python_version < '3.11'"],
                }
            },
            "/universal/environments/1",
        ),
    ],
)
async def test_no_lock_is_made_for_nobody(tmp_path: Path, place: dict[str, object], pointer: str) -> None:
    async with serving(tmp_path) as service:
        status, problem = await service.lock("a", **{"targets": None, **place})
    assert (status, problem["type"]) == (422, "/problems/invalid-request")
    assert [fault["pointer"] for fault in problem["errors"]] == [pointer]


async def test_a_budget_that_ends_at_once_concerns_no_package(tmp_path: Path) -> None:
    async with serving(tmp_path, WORLD) as service:
        status, problem = await service.lock("a", "b", budget={"decisions": 1})
    assert (status, problem["type"]) == (422, "/problems/budget-exhausted")
    assert (problem["packages"], problem["detail"][-16:]) == ([], "raise the budget")
