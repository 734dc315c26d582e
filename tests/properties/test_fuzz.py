"""The whole resolver on random indexes: sound, complete where it promises to be, and its "no" is proved.

``fuzz.py`` judges; ``python -m tests.properties.fuzz`` goes through thousands more.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from resolver.driver import resolve
from resolver.errors import NoSolution
from resolver.index.gateway import Gateway

from .fuzz import judge, to_query
from .meaning import Meaning, cells_of
from .peers import PEERS, NoAnswer
from .random_index import Question, RandomIndex, random_case
from .told import Reading, package_of

WORLDS = 60  # of each kind, with two questions each: some seconds


@pytest.mark.parametrize("is_universal", [False, True], ids=["target", "universal"])
async def test_answers_stand_and_the_worlds_are_hard_enough_for_that_to_mean_much(*, is_universal: bool) -> None:
    traits: Counter[str] = Counter()
    worlds = WORLDS // 2 if is_universal else WORLDS  # each of those is many environments
    for seed in range(worlds):
        verdict = await judge(seed, is_universal=is_universal)
        assert verdict.faults == [], f"seed {seed}: python -m tests.properties.fuzz --seed {seed} --show"
        traits.update(verdict.traits)
    least = {"no solution": 0.4, "extra": 0.15, "extra of itself": 0.2, "learned": 0.08, "pre-release": 0.1}
    least |= {"pre-releases only": 0.05, "yanked": 0.01, "tags": 0.04, "suggested": 0.4}
    if is_universal:
        least |= {"forked": 0.15, "sdist": 0.01}
    else:
        least |= {"backtracked": 0.2, "wheels differ": 0.1, "nab-resolver agrees": 1}
    shares = {trait: traits[trait] / worlds for trait in least}
    assert {trait: share for trait, share in shares.items() if share < least[trait]} == {}


@pytest.mark.parametrize(
    ("seed", "is_universal"),
    [
        pytest.param(8801027, True, id="a wheel that the page lists but the index lacks serves no Python of a region"),
        pytest.param(7700741, False, id="requirements that state the same of a project and of its extra"),
    ],
)
async def test_worlds_that_were_once_judged_wrong_are_right(seed: int, *, is_universal: bool) -> None:
    assert (await judge(seed, is_universal=is_universal)).faults == []


def test_brute_force_and_both_peers_agree_on_what_is_solvable() -> None:
    answers = Counter[bool]()
    for seed in range(1000, 1000 + WORLDS):
        index, questions = random_case(seed, is_universal=False)
        for question in questions:
            meaning = Meaning(index, question, cells_of(question)[0])
            expected = meaning.solve()
            answers[expected is not None] += 1
            assert expected is None or meaning.faults(expected) == []
            for pins in PEERS.values():
                try:
                    found = pins(meaning)
                except NoAnswer:
                    continue
                assert found is None or meaning.faults(found) == [] or expected is not None
    assert min(answers.values()) > 0.2 * answers.total()


async def test_the_judge_sees_a_version_too_many_and_one_that_does_not_fit() -> None:
    """Whoever judges is judged: a lock that is made wrong by hand does not pass."""
    seen = 0
    for seed in range(40):
        index, (question, *_) = random_case(seed, is_universal=False)
        meaning = Meaning(index, question, cells_of(question)[0])
        pins = meaning.solve()
        if not pins:
            continue
        idle = next((name for name in index.names if name not in pins), None)
        if idle is not None:
            assert meaning.faults({**pins, idle: _any(index, idle)}) != []
        for name in pins:
            fewer = {one: version for one, version in pins.items() if one != name}
            assert meaning.faults(fewer) != []
            seen += 1
    assert seen > 20


def _any(index: RandomIndex, name: str) -> str:
    return next(version for other, version in index.releases if other == name)


async def test_the_reader_of_reasons_misses_what_is_left_out_and_sees_what_is_untrue() -> None:
    """With any one of its facts gone, a proof of two facts proves nothing any more."""
    proofs = 0
    for seed in range(60):
        index, (question, *_) = random_case(seed, is_universal=False)
        try:
            await resolve(to_query(index, question), Gateway(index))
        except NoSolution as error:
            causes = error.derivation["causes"]
            assert isinstance(causes, list)
            if len(causes) != 2 or any("causes" in cause for cause in causes):
                continue
            if {cause["kind"] for cause in causes} & {"no-versions", "not-found"}:
                continue  # these are in the list of versions, too
            proofs += 1
            meaning = Meaning(index, question, cells_of(question)[0])
            for left in causes:
                reading = Reading(meaning)
                reading.read({"causes": [left]})
                assert reading.leaves_a_solution() is not None
            one = next(cause for cause in causes if cause["kind"] == "dependency")
            false = Reading(meaning)
            name, extra = package_of(one["requires"])
            false.read({"causes": [{**one, "requires": f"{name}[{extra}]>999" if extra else f"{name}>999"}]})
            assert false.untrue
    assert proofs > 5


async def test_the_same_question_has_the_same_answer_however_much_the_gateway_knows() -> None:
    for seed in range(20):
        index, questions = random_case(seed, is_universal=bool(seed % 2), questions=2)
        warm = Gateway(index)
        for question in (*questions, *questions):
            assert await _answer(index, question, warm) == await _answer(index, question, Gateway(index))
        hasty = replace(questions[0], requirements=tuple(reversed(questions[0].requirements)))
        assert (await _answer(index, hasty, warm))[0] == (await _answer(index, questions[0], warm))[0]


async def _answer(index: RandomIndex, question: Question, gateway: Gateway) -> tuple[bool, object]:
    """Whether there is an answer, and which; or why there is none."""
    try:
        resolution = await resolve(to_query(index, question), gateway)
    except NoSolution as error:
        return False, error.detail
    pins = [place.pins for place in resolution.targets] + [place.pins for place in resolution.regions]
    return True, [{name: pin.version for name, pin in each.items()} for each in pins]
