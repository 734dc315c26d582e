"""What a service that has seen an index before asks it again, and what it does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.service.indexes import Service, Wheel, content, page, versions
from tests.transport.server import Answer, Server, TestClock, index, reply

from .service import fresh_for, serving, table, with_headers

Answers = dict[str, Answer | list[Answer]]

A1, A2 = Wheel("a", "1.0", ("b>=1",)), Wheel("a", "2.0", ("b>=1",))
B1, B2 = Wheel("b", "1.0"), Wheel("b", "2.0")


def targets(server: Server) -> list[str]:
    found = sorted(seen.target for seen in server.seen)
    server.seen.clear()
    return found


async def again(service: Service, **options: Any) -> tuple[str, dict[str, str]]:
    """Ask for the same lock and return where it came from, and the versions."""
    status, lock = await service.lock("a", options=options)
    assert status == 200
    return lock["served_from"], {name: version for name, (version, _) in versions(lock).items()}


async def test_a_question_that_was_never_asked_is_answered_without_a_request_while_the_pages_are_fresh(
    tmp_path: Path,
) -> None:
    answers: Answers = {**content(A1, A2, B1), "/simple/a/": fresh_for(60, A1, A2), "/simple/b/": fresh_for(60, B1)}
    async with index(answers) as server, serving(tmp_path, table(server)) as service:
        assert (await service.lock("a<2"))[0] == 200
        assert len(targets(server)) == 4
        assert (await service.lock("a<2", "b"))[1]["stats"]["requests"] == 0
        assert (await service.lock("b", "a!=2.0"))[1]["served_from"] == "solved"
        assert targets(server) == []
        assert versions((await service.lock("a"))[1])["a"][0] == "2.0"
        assert targets(server) == ["/files/a-2.0-py3-none-any.whl.metadata"]


async def test_the_same_question_is_answered_from_what_is_stored_as_long_as_the_pages_are_fresh(
    tmp_path: Path,
) -> None:
    clock = TestClock()
    answers: Answers = {
        **content(A1, A2, B1),
        "/simple/a/": [fresh_for(60, A1), fresh_for(60, A1, A2)],
        "/simple/b/": fresh_for(600, B1),
    }
    async with index(answers) as server, serving(tmp_path, table(server), clock=clock) as service:
        assert await again(service) == ("solved", {"a": "1.0", "b": "1.0"})
        assert await again(service) == ("stored", {"a": "1.0", "b": "1.0"})
        clock.now += 59
        assert await again(service) == ("stored", {"a": "1.0", "b": "1.0"})
        targets(server)
        clock.now += 2
        assert await again(service) == ("solved", {"a": "2.0", "b": "1.0"})
        assert targets(server) == ["/files/a-2.0-py3-none-any.whl.metadata", "/simple/a/"]
        assert await again(service) == ("stored", {"a": "2.0", "b": "1.0"})


async def test_pages_that_are_confirmed_keep_an_answer_alive(tmp_path: Path) -> None:
    clock = TestClock()
    tagged = with_headers(page("a", A1), cache_control="max-age=60", etag='"1"')
    confirmed = reply(b"", 304, cache_control="max-age=60", etag='"1"')
    answers: Answers = {**content(A1, B1), "/simple/a/": [tagged, confirmed], "/simple/b/": fresh_for(600, B1)}
    async with index(answers) as server, serving(tmp_path, table(server), clock=clock) as service:
        _, first = await service.lock("a")
        clock.now += 61
        assert (await service.lock("a", "b"))[0] == 200  # another question, which has the page confirmed
        status, second = await service.lock("a")
        assert (status, second["served_from"], second["id"]) == (200, "stored", first["id"])
        assert targets(server).count("/simple/a/") == 2


async def test_a_page_that_somebody_else_had_renewed_ends_the_answers_that_rest_on_it(tmp_path: Path) -> None:
    answers: Answers = {
        **content(A1, A2, B1),
        "/simple/a/": [fresh_for(600, A1), fresh_for(600, A1, A2)],
        "/simple/b/": fresh_for(600, B1),
    }
    body = {"requirements": ["a"], "targets": [{"python": "3.13", "platform": "linux"}], "options": {"no_deps": True}}
    async with index(answers) as server, serving(tmp_path, table(server)) as service:
        assert await again(service) == ("solved", {"a": "1.0", "b": "1.0"})
        async with service.client.post("/v1/lock", json=body, headers={"cache-control": "no-cache"}) as response:
            assert response.status == 200
        assert await again(service) == ("solved", {"a": "2.0", "b": "1.0"})


async def test_a_client_that_wants_all_to_be_asked_anew_gets_no_stored_answer(tmp_path: Path) -> None:
    answers: Answers = {**content(B1), "/simple/b/": fresh_for(600, B1)}
    body = {"requirements": ["b"], "targets": [{"python": "3.13", "platform": "linux"}]}
    async with index(answers) as server, serving(tmp_path, table(server)) as service:
        for _ in range(2):
            async with service.client.post("/v1/lock", json=body, headers={"cache-control": "no-cache"}) as response:
                assert (await response.json())["served_from"] == "solved"
        assert targets(server).count("/simple/b/") == 2


async def test_pages_that_are_never_fresh_are_asked_for_each_time(tmp_path: Path) -> None:
    async with index(content(B1)) as server, serving(tmp_path, table(server)) as service:
        for _ in range(3):
            assert (await service.lock("b"))[1]["served_from"] == "solved"
        assert targets(server).count("/simple/b/") == 3


async def test_a_new_password_sees_the_index_for_itself(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("one")
    answers: Answers = {**content(A1, A2, B1), "/simple/a/": [fresh_for(600, A1), fresh_for(600, A1, A2)]}
    answers["/simple/b/"] = fresh_for(600, B1)
    async with (
        index(answers) as server,
        serving(tmp_path, table(server, username="ci", password_file=str(secret))) as service,
    ):
        assert await again(service) == ("solved", {"a": "1.0", "b": "1.0"})
        assert await again(service) == ("stored", {"a": "1.0", "b": "1.0"})
        secret.write_text("another")
        assert await again(service) == ("solved", {"a": "2.0", "b": "1.0"})


async def test_a_listed_file_that_is_not_there_is_not_asked_for_again_at_once(tmp_path: Path) -> None:
    clock = TestClock()
    answers: Answers = {**content(B1, B2), "/simple/b/": fresh_for(6000, B1, B2)}
    for name in (f"/files/{B2.filename}.metadata", f"/files/{B2.filename}"):
        answers[name] = reply(b"", 404)
    async with index(answers) as server, serving(tmp_path, table(server), clock=clock) as service:
        assert versions((await service.lock("b"))[1])["b"][0] == "1.0"
        assert f"/files/{B2.filename}.metadata" in targets(server)
        _, lock = await service.lock("b>=1")
        assert [warning["code"] for warning in lock["warnings"]] == ["file-missing"]
        assert targets(server) == []
        clock.now += 301
        assert versions((await service.lock("b", "b>=1"))[1])["b"][0] == "1.0"
        assert f"/files/{B2.filename}.metadata" in targets(server)


async def test_a_stored_answer_is_the_lock_that_was_solved(tmp_path: Path) -> None:
    answers: Answers = {**content(A1, B1), "/simple/a/": fresh_for(600, A1), "/simple/b/": fresh_for(600, B1)}
    async with index(answers) as server, serving(tmp_path, table(server)) as service:
        _, first = await service.lock("a", outputs=["pylock", "requirements"])
        _, second = await service.lock("a", outputs=["requirements", "pylock"])
        for lock in (first, second):
            del lock["served_from"], lock["stats"]
        assert first == second
