"""``POST /v1/check``: is this lock still good for these inputs?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from packaging.markers import Marker

from service.asking import CheckAnswer
from tests.service.support import TARGET, Service, serving

WORLD = """
    a 2.0: b>=1, c; sys_platform == 'win32'
    a 1.0
    b 1.0
    b 1.1
    c 1.0
    d 1.0
    d 1.0 [fast]: b
"""
WINDOWS = {"name": "win", "python": "3.13", "platform": "windows"}
LINUX = {"name": "ci", **TARGET}
FORMS = ["pylock", "requirements", "json"]


async def check(service: Service, lock: str, *requirements: str, **more: Any) -> dict[str, Any]:
    body = {"requirements": list(requirements), "lock": {"content": lock}, "targets": [TARGET], **more}
    if body["targets"] is None:
        del body["targets"]
    async with service.client.post("/v1/check", json=body) as response:
        answer: dict[str, Any] = await response.json()
        assert response.status == 200, answer
        CheckAnswer.model_validate(answer)
        assert answer["ok"] == answer["modes"]["satisfies"]["ok"] == (not answer["modes"]["satisfies"]["faults"])
        return answer


def faults(answer: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answer["modes"]["satisfies"]["faults"]
    return found


async def locked(service: Service, form: str, *requirements: str, **more: Any) -> str:
    body = {"requirements": list(requirements), "targets": [TARGET], **more}
    if body["targets"] is None:
        del body["targets"]
    async with service.client.post(f"/v1/lock?format={form}", json=body) as response:
        assert response.status == 200
        return await response.text()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "places",
    [
        {"targets": [LINUX]},
        {"targets": [LINUX, WINDOWS]},
        {"targets": None, "universal": {"requires_python": ">=3.10"}},
        {"targets": None, "universal": {"environments": ["sys_platform == 'linux'", "sys_platform == 'win32'"]}},
    ],
)
async def test_a_fresh_lock_is_good_for_what_it_was_made_from(
    tmp_path: Path, form: str, places: dict[str, Any]
) -> None:
    stated = ("a ; sys_platform != 'darwin'", "d[fast]>=1", "c[nonesuch]", "b<1.1 ; python_version < '3.12'")
    more = {"constraints": ["b>=1"], "excludes": ["nothing"], **places}
    async with serving(tmp_path, WORLD) as service:
        lock = await locked(service, form, *stated, **more)
        asked = len(service.resolver.queries)
        assert (await check(service, lock, *stated, **more))["ok"]
        assert len(service.resolver.queries) == asked  # no index, no solve


@pytest.mark.parametrize("form", FORMS)
async def test_each_requirement_that_is_not_met_is_named(tmp_path: Path, form: str) -> None:
    async with serving(tmp_path, WORLD) as service:
        lock = await locked(service, form, "a==1.0")
        answer = await check(
            service,
            lock,
            "a>=2",
            "b",
            "c ; sys_platform == 'win32'",
            files={"limits.txt": "a>1.5\n", "requirements.in": "-c limits.txt\n"},
            roots=["requirements.in"],
            targets=[LINUX],
        )
    assert [(one["target"], one["requirement"]) for one in faults(answer)] == [
        ("ci", "a>=2"),
        ("ci", "b"),
        ("ci", "a>1.5"),
    ]
    assert "the lock has a 1.0" in faults(answer)[0]["detail"]
    assert "does not have it" in faults(answer)[1]["detail"]
    assert "limits.txt:1" in faults(answer)[2]["detail"]


async def test_a_universal_fault_says_in_which_environments(tmp_path: Path) -> None:
    async with serving(tmp_path, WORLD) as service:
        lock = await locked(service, "pylock", "a", targets=[LINUX])
        from_311 = {"requires_python": ">=3.11"}
        narrow = await locked(service, "pylock", "c ; sys_platform == 'win32'", targets=None, universal=from_311)
        missing = await check(service, narrow, "c", targets=None, universal=from_311)
        foreign = await check(service, lock, "a", targets=[WINDOWS])
        older = await check(service, narrow, "b", "c", targets=None, universal={"requires_python": ">=3.8"})
    assert [(one["environment"], one["requirement"]) for one in faults(missing)] == [("sys_platform != 'win32'", "c")]
    assert ("win", "environments") in [(one["target"], one["requirement"]) for one in faults(foreign)]
    python = [one for one in faults(older) if one["requirement"] == "requires-python"]
    assert [Marker(one["environment"]).evaluate({"python_full_version": "3.10.9"}) for one in python] == [True]
    assert [Marker(one["environment"]).evaluate({"python_full_version": "3.11.0"}) for one in python] == [False]
    assert [one["environment"] for one in faults(older) if one["requirement"] == "b"] == [None]


async def test_without_a_place_the_lock_is_judged_where_it_is_for(tmp_path: Path) -> None:
    async with serving(tmp_path, WORLD) as service:
        lock = await locked(service, "pylock", "a")
        assert (await check(service, lock, "a", targets=None))["ok"]
        project = {"pyproject.toml": "[project]\nname = 'p'\nversion = '1'\nrequires-python = '>=3.9'\n"}
        wider = await check(service, lock, "a", files=project, roots=["pyproject.toml"], targets=None)
    assert "requires-python" in {one["requirement"] for one in faults(wider)}


async def test_overrides_and_excludes_decide_before_requirements(tmp_path: Path) -> None:
    async with serving(tmp_path, WORLD) as service:
        lock = await locked(service, "json", "a")
        assert (await check(service, lock, "a<1", overrides=["a>=2"]))["ok"]
        overridden = await check(service, lock, "a", overrides=["b==1.0"])
        excluded = await check(service, lock, "a", excludes=["b"])
        assert (await check(service, lock, "a", "gone", excludes=["gone"]))["ok"]
    assert [one["requirement"] for one in faults(overridden)] == ["b==1.0"]
    assert "b is excluded" in faults(excluded)[0]["detail"]


async def test_edges_extras_and_hashes_of_the_lock_are_held_to(tmp_path: Path) -> None:
    async with serving(tmp_path, WORLD) as service:
        lock = await locked(service, "json", "a", "d")
        plain = await check(service, lock, "d[fast]")
        torn = await check(service, lock.replace('"name":"b","version"', '"name":"bb","version"'), "a")
        pin = f"d==1.0 --hash=sha256:{'0' * 64}\n"
        other = await check(service, lock, files={"requirements.in": pin}, roots=["requirements.in"])
    assert "without fast" in faults(plain)[0]["detail"]
    assert faults(torn) == [
        {"target": "3.13-linux", "requirement": "b", "detail": "a 2.0 requires b, which the lock does not have"}
    ]
    assert "hashes" in faults(other)[0]["detail"]


async def test_a_lock_with_two_versions_in_one_environment_contradicts_itself(tmp_path: Path) -> None:
    lock = "b==1.0 ; sys_platform == 'linux'\nb==1.1 ; python_version >= '3.12'\n"
    async with serving(tmp_path, WORLD) as service:
        answer = await check(service, lock, "b", targets=None, universal={"requires_python": ">=3.12"})
        assert (await check(service, lock, "b", targets=[WINDOWS]))["ok"]
    assert [one["environment"] for one in faults(answer)] == ["sys_platform == 'linux'"]
    assert "both b 1.0 and b 1.1" in faults(answer)[0]["detail"]


async def test_a_direct_reference_is_met_by_the_same_file_only(tmp_path: Path) -> None:
    wheel = "https://files.example/b-1.0-py3-none-any.whl"
    lock = f"b @ {wheel} --hash=sha256:{'0' * 64}\n"
    async with serving(tmp_path, WORLD) as service:
        assert (await check(service, lock, f"b @ {wheel}"))["ok"]
        assert (await check(service, lock, "b>=1"))["ok"]
        other = await check(service, lock, "b @ https://other.example/b-1.0-py3-none-any.whl")
        indexed = await check(service, "b==1.0\n", f"b @ {wheel}")
    for answer in (other, indexed):
        assert "from another place" in faults(answer)[0]["detail"]


@pytest.mark.parametrize(
    ("more", "pointer", "words"),
    [
        ({"modes": ["current"]}, "/modes/0", "supported: satisfies"),
        ({"modes": ["satisfies", "available"]}, "/modes/1", "supported: satisfies"),
        ({"modes": []}, "/modes", "at least 1"),
        ({"lock": None}, "/lock", ""),
        ({"lock": {"content": "{"}}, "/lock/content", "JSON"),
        (
            {"lock": {"content": 'lock-version = "1.0"\nenvironments = ["bad"]\npackages = []'}},
            "/lock/content",
            "marker",
        ),
        ({"lock": {"content": "\n".join(f"a=={at}" for at in range(33))}}, "/lock/content", "33 entries of a"),
        ({"package": "a"}, "/package", "unknown field"),
    ],
)
async def test_what_cannot_be_checked_is_refused_with_its_place(
    tmp_path: Path, more: dict[str, Any], pointer: str, words: str
) -> None:
    async with serving(tmp_path, WORLD) as service:
        body = {"requirements": ["a"], "lock": {"content": "a==1.0"}, "targets": [TARGET], **more}
        async with service.client.post("/v1/check", json=body) as response:
            problem = await response.json(content_type=None)
    assert response.status == 422
    assert problem["errors"][0]["pointer"] == pointer
    assert words in problem["errors"][0]["detail"]


async def test_a_question_is_json(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        async with service.client.post("/v1/check", data="a", headers={"Content-Type": "text/plain"}) as response:
            assert response.status == 415
            assert response.headers["Accept-Post"] == "application/json"
        async with service.client.get("/v1/check") as response:
            assert response.status == 405
