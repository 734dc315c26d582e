"""Which index answers for a name: dependency confusion, and the strategies that invite it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.service.indexes import Wheel, basic, content, guarded, page, serving, versions
from tests.transport.server import HANG, RESET, Answer, index, reply

ROOT = Path(__file__).resolve().parents[2]
Tables = list[Mapping[str, Any]]

INTERNAL = Wheel("internal", "1.0")
HOSTILE = Wheel("internal", "99.0")

# What the private index does when it is asked for the name → the index that may answer in the end, or the problem.
STATES: dict[str, tuple[Answer, str]] = {
    "healthy": (page("internal", INTERNAL), "private"),
    "404": (reply(b"", 404), "public"),
    "410": (reply(b"", 410), "public"),
    "401": (reply(b"", 401), "index-unauthorized"),
    "403": (reply(b"", 403), "index-unauthorized"),
    "500": (reply(b"", 500), "index-unavailable"),
    "503": (reply(b"", 503), "index-unavailable"),
    "429": (reply(b"", 429, retry_after="3600"), "index-unavailable"),
    "reset": (RESET, "index-unavailable"),
    "silent": (HANG, "index-timeout"),
    "empty page": (page("internal"), "resolution-impossible"),
    "garbage": (reply(b"<<<", 200, content_type="application/vnd.pypi.simple.v1+json"), "index-bad-response"),
    "other type": (reply(b"GIF89a", 200, content_type="image/gif"), "index-bad-response"),
}


@pytest.mark.parametrize("state", STATES)
async def test_only_a_clean_not_found_lets_the_next_index_answer(tmp_path: Path, state: str) -> None:
    answer, outcome = STATES[state]
    mine, theirs = content(INTERNAL), content(HOSTILE)
    async with index({**mine, "/simple/internal/": answer}) as private, index(theirs) as public:
        tables: Tables = [
            {"name": "private", "url": f"{private.url}/simple/"},
            {"name": "public", "url": f"{public.url}/simple/", "default": True},
        ]
        network = {"timeout": {"connect": 0.3, "first_byte": 0.3}}
        async with serving(tmp_path, tables, network=network) as service:
            status, lock = await service.lock("internal")
        if outcome in {"private", "public"}:
            assert status == 200
            assert versions(lock) == {"internal": ("1.0" if outcome == "private" else "99.0", outcome)}
        else:
            assert lock["type"] == f"/problems/{outcome}"
            assert outcome == "resolution-impossible" or lock["index"] == "private"
        assert bool(public.seen) == (outcome == "public")


async def test_the_rule_holds_for_what_is_only_required_by_others(tmp_path: Path) -> None:
    front = Wheel("front", "1.0", ("internal",))
    broken = {**content(front), "/simple/internal/": reply(b"", 503)}
    async with index(broken) as private, index(content(HOSTILE)) as public:
        tables: Tables = [
            {"name": "private", "url": f"{private.url}/simple/"},
            {"name": "public", "url": f"{public.url}/simple/", "default": True},
        ]
        async with serving(tmp_path, tables) as service:
            status, problem = await service.lock("front")
        assert (status, problem["index"], problem["package"]) == (503, "private", "internal")
        assert public.seen == []


@pytest.mark.parametrize("code", [401, 403, 503])
async def test_an_ignored_error_code_means_not_here(tmp_path: Path, code: int) -> None:
    async with index({"*": reply(b"", code)}) as private, index(content(HOSTILE)) as public:
        tables: Tables = [
            {"name": "private", "url": f"{private.url}/simple/", "ignore_error_codes": [code]},
            {"name": "public", "url": f"{public.url}/simple/", "default": True},
        ]
        async with serving(tmp_path, tables) as service:
            status, lock = await service.lock("internal")
        assert (status, versions(lock)) == (200, {"internal": ("99.0", "public")})


async def test_a_pin_asks_no_other_index_and_an_explicit_index_answers_only_to_pins(tmp_path: Path) -> None:
    async with index(content(INTERNAL, Wheel("b", "1.0"))) as private, index(content(HOSTILE)) as public:
        tables: Tables = [
            {"name": "private", "url": f"{private.url}/simple/", "explicit": True},
            {"name": "public", "url": f"{public.url}/simple/", "default": True},
        ]
        pinned = {"packages": {"internal": {"index": "private"}}}
        async with serving(tmp_path, tables) as service:
            assert versions((await service.lock("internal"))[1]) == {"internal": ("99.0", "public")}
            assert private.seen == []
            assert versions((await service.lock("internal", options=pinned))[1]) == {"internal": ("1.0", "private")}
            status, problem = await service.lock("b")
            assert (status, problem["type"]) == (422, "/problems/resolution-impossible")
            absent = {"packages": {"internal": {"index": "public"}, "b": {"index": "public"}}}
            assert (await service.lock("b", options=absent))[0] == 422


@pytest.mark.parametrize("strategy", ["unsafe-first-match", "unsafe-best-match"])
async def test_mixing_indexes_is_denied_unless_the_operator_allows_it(tmp_path: Path, strategy: str) -> None:
    async with index(content(INTERNAL)) as private:
        tables = [{"name": "private", "url": f"{private.url}/simple/"}]
        async with serving(tmp_path, tables) as service:
            status, problem = await service.lock("internal", options={"index_strategy": strategy})
        assert (status, problem["type"]) == (403, "/problems/policy-denied")
        assert problem["rule"] == "policy.unsafe_index_strategies"
        assert private.seen == []


@pytest.mark.parametrize(
    ("strategy", "requirement", "expected"),
    [
        ("first-index", "a", ("2.0", "one")),
        ("unsafe-first-match", "a", ("2.0", "one")),
        ("unsafe-first-match", "a>2", ("3.0", "two")),
        ("unsafe-best-match", "a", ("3.0", "two")),
        ("unsafe-best-match", "a<3", ("2.0", "one")),
        ("unsafe-best-match", "a==1.5", ("1.5", "two")),
    ],
)
async def test_each_version_is_fetched_from_and_pinned_to_its_own_index(
    tmp_path: Path, strategy: str, requirement: str, expected: tuple[str, str]
) -> None:
    first = guarded(content(Wheel("a", "1.0"), Wheel("a", "2.0")), basic("one", "first-password"))
    second = guarded(content(*(Wheel("a", v) for v in ("1.5", "2.0", "3.0"))), basic("two", "second-password"))
    async with index(first) as one, index(second) as two:
        tables = [
            {"name": "one", "url": one.url.replace("://", "://one:first-password@") + "/simple/"},
            {"name": "two", "url": two.url.replace("://", "://two:second-password@") + "/simple/"},
        ]
        allowed = {"unsafe_index_strategies": True}
        async with serving(tmp_path, tables, policy=allowed) as service:
            status, lock = await service.lock(requirement, options={"index_strategy": strategy}, outputs=["pylock"])
        assert (status, versions(lock)) == (200, {"a": expected})
        home = {"one": one, "two": two}[expected[1]]
        assert lock["packages"][0]["files"][0]["url"].startswith(f"{home.url}/files/")
        assert f"{home.url}/simple/" in lock["outputs"]["pylock.toml"]
        assert "password" not in str(lock)


async def test_a_failing_index_fails_a_merge_too(tmp_path: Path) -> None:
    async with index({"*": reply(b"", 401)}) as private, index(content(HOSTILE)) as public:
        tables: Tables = [
            {"name": "private", "url": f"{private.url}/simple/"},
            {"name": "public", "url": f"{public.url}/simple/"},
        ]
        async with serving(tmp_path, tables, policy={"unsafe_index_strategies": True}) as service:
            status, problem = await service.lock("internal", options={"index_strategy": "unsafe-best-match"})
        assert (status, problem["index"]) == (502, "private")


async def test_a_strategy_on_the_command_line_is_the_operators_own_leave(tmp_path: Path) -> None:
    async with index(content(INTERNAL)) as one, index(content(HOSTILE)) as two:
        (tmp_path / "requirements.in").write_text("internal\n")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "service", "lock", str(tmp_path / "requirements.in"), "--format", "requirements"),
            *("--index", f"{one.url}/simple", "--default-index", f"{two.url}/simple", "--no-header"),
            *("--index-strategy", "unsafe-best-match", "--cache-dir", str(tmp_path / "cache")),
            stdout=asyncio.subprocess.PIPE,
            cwd=ROOT,
        )
        out, _ = await process.communicate()
    assert process.returncode == 0
    assert out.startswith(b"internal==99.0")
