"""Why there is no solution, in words."""

from __future__ import annotations

import json

import pytest

from resolver.solver import Explanation
from resolver.solver.conflict import either
from resolver.solver.explanation import MAX_NODES
from resolver.solver.incompatibility import Derived, Incompatibility, NoVersions
from resolver.solver.prose import MAX_SENTENCES
from tests.solver_world import World, solve
from tests.test_solver import pigeonhole


def explanation(releases: dict[str, list[str]], *root: str) -> Explanation:
    world = World(releases)
    return world.explain(solve(world, root).event)


def test_a_requirement_beyond_what_is_available() -> None:
    found = explanation(
        {"b 1.0": ["urllib3 <2"], "b 2.0": [], "urllib3 2.0": [], "urllib3 2.1": []},
        "b ==1.0",
    )
    assert found.text == (
        "Because only urllib3>=2.0 is available and b==1.0 depends on urllib3<2, b==1.0 cannot be used. "
        "And because you require b==1.0, your requirements are unsatisfiable."
    )
    assert found.packages == ("b", "urllib3")
    assert found.derivation == {
        "conclusion": "your requirements are unsatisfiable",
        "causes": [
            {
                "kind": "no-versions",
                "package": "urllib3",
                "versions": "<2",
                "detail": "only urllib3>=2.0 is available",
            },
            {
                "kind": "dependency",
                "package": "b",
                "versions": "==1.0",
                "requires": "urllib3<2",
                "source": "urllib3 <2",
            },
            {"kind": "dependency", "package": "you", "versions": "*", "requires": "b==1.0", "source": "b ==1.0"},
        ],
    }


def test_linear_error_reporting() -> None:
    found = explanation(
        {"foo 1.0.0": ["bar >=2.0.0"], "bar 2.0.0": ["baz >=3.0.0"], "baz 1.0.0": [], "baz 3.0.0": []},
        "foo",
        "baz <3.0.0",
    )
    assert found.text == (
        "Because all versions of foo depend on bar>=2.0.0 and all versions of bar depend on baz>=3.0.0, all versions "
        "of foo depend on baz>=3.0.0. And because you require foo and baz<3.0.0, your requirements are unsatisfiable."
    )


def test_branching_error_reporting() -> None:
    found = explanation(
        {
            "foo 1.0.0": ["a >=1.0.0,<2", "b >=1.0.0,<2"],
            "foo 1.1.0": ["x >=1.0.0,<2", "y >=1.0.0,<2"],
            "a 1.0.0": ["b >=2.0.0,<3"],
            "b 1.0.0": [],
            "b 2.0.0": [],
            "x 1.0.0": ["y >=2.0.0,<3"],
            "y 1.0.0": [],
            "y 2.0.0": [],
        },
        "foo >=1.0.0,<2",
    )
    first, second = found.text.split("\n")
    assert first == (
        "Because foo==1.0.0 depends on a>=1.0.0,<2 and all versions of a depend on b>=2.0.0,<3, foo==1.0.0 depends on "
        "b>=2.0.0,<3. And because you require foo>=1.0.0,<2 and foo==1.0.0 depends on b>=1.0.0,<2, you require "
        "foo==1.1.0. (1)"
    )
    assert second.endswith("And because you require foo==1.1.0 (1), your requirements are unsatisfiable.")
    nested = found.derivation["causes"]
    assert isinstance(nested, list)
    assert [one["conclusion"] for one in nested] == ["you require foo==1.1.0", "foo==1.1.0 cannot be used"]


@pytest.mark.parametrize(
    ("fact", "told"),
    [
        ("!yanked broken", "a==2 was yanked (broken)"),
        ("!yanked", "a==2 was yanked"),
        ("!requires-python >=3.13", "a==2 needs Python >=3.13"),
        ("!no-usable-file cp39-cp39-win32", "a==2 has no usable file (cp39-cp39-win32)"),
        ("!no-usable-file", "a==2 has no usable file for the target"),
        ("!excluded-newer 2024-01-01", "a==2 was uploaded too recently (2024-01-01)"),
        ("!constraint a<2 (c.txt:1)", "a==2 is excluded by the constraint a<2 (c.txt:1)"),
        ("!prerelease pre-releases are not allowed", "a==2 needs pre-releases to be allowed"),
        ("?metadata has no name", "a==2 has no name"),
        ("?metadata line 3", "a==2 cannot be used: line 3"),
        ("?strange", "a==2 cannot be used (strange)"),
    ],
)
def test_every_kind_of_fact_has_its_words(fact: str, told: str) -> None:
    found = explanation({"a 1": [], "a 2": [fact]}, "a >=2")
    assert told in found.text
    assert found.text.endswith(", your requirements are unsatisfiable.")


def test_a_fact_about_all_versions_is_in_the_plural() -> None:
    found = explanation({"a 1": ["!yanked"], "a 2": ["!yanked"]}, "a")
    assert found.text == "Because you require a and all versions of a were yanked, your requirements are unsatisfiable."


def test_facts_of_one_kind_are_told_at_once() -> None:
    releases = {f"a {i}": [f"!no-usable-file cp3{i}-cp3{i}-win32"] for i in range(1, 9)}
    found = explanation(releases, "a >2")
    assert found.text == (
        "Because you require a>2 and a>=3 has no usable file (cp33-cp33-win32 or cp34-cp34-win32 or cp35-cp35-win32 "
        "or …), your requirements are unsatisfiable."
    )


def test_a_proof_speaks_only_of_the_versions_that_matter() -> None:
    found = explanation({"a 1": ["!yanked"], "a 2": [], "a 3": ["!yanked"]}, "a >=3")
    assert found.text == "Because you require a>=3 and a==3 was yanked, your requirements are unsatisfiable."


def test_a_package_that_does_not_exist() -> None:
    found = explanation({"a 1": ["nope >=1"]}, "a")
    assert found.text.startswith(
        "Because all versions of a depend on nope>=1 and nope was not found in the index, all versions of a cannot"
    )
    assert found.packages == ("a", "nope")


def test_a_version_that_does_not_exist() -> None:
    found = explanation({"a 1": []}, "a ==9")
    assert found.text == (
        "Because there is no version of a==9 and you require a==9, your requirements are unsatisfiable."
    )


def test_two_requirements_that_exclude_each_other() -> None:
    found = explanation({"a 1": [], "a 2": []}, "a >1", "a <2")
    assert found.text == "Because you require a>1 and a<2, your requirements are unsatisfiable."


def test_a_version_that_excludes_itself() -> None:
    found = explanation({"a 1": ["a >=2"], "a 2": []}, "a <2")
    assert found.text == "Because you require a<2 and a==1 depends on a>=2, your requirements are unsatisfiable."


def test_where_the_words_of_several_versions_differ_the_versions_that_they_mean_are_told() -> None:
    found = explanation({"a 1": ["b >=2"], "a 2": ["b >1"], "b 1": [], "b 2": []}, "a", "b <2")
    assert "all versions of a depend on b==2" in found.text


def test_an_explanation_needs_no_table_of_an_extra() -> None:
    world = World({"a[x] 1": ["c >1"], "a 1": ["c <2"], "c 1": [], "c 2": []})
    del world.tables["a[x]"]
    run = solve(World(world.releases), ["a[x]"])
    assert "all versions of a[x] depend on c>1" in world.explain(run.event).text


def test_an_endless_proof_is_cut_and_its_data_bounded() -> None:
    world, root = pigeonhole(6)
    found = world.explain(solve(world, root).event)
    assert found.text.count(".") < 4 * MAX_SENTENCES
    assert "more steps]" in found.text
    assert found.text.endswith("your requirements are unsatisfiable.")
    assert len(json.dumps(found.derivation)) < 300 * MAX_NODES


def test_reasons_are_joined_inside_of_their_brackets_and_no_deeper_than_anyone_reads() -> None:
    assert either("was yanked (x (broken))", "was yanked (x (unsafe))") == "was yanked (x (broken or unsafe))"
    assert either("was yanked (broken)", "is gone") == "was yanked (broken) or is gone"
    deep, closed = "a" + " (a" * 100_000, ")" * 100_000
    told = either(deep + closed, deep + "b" + closed)
    assert told.count(" or ") == 1
    assert told.endswith("b" + closed)


def test_a_proof_of_any_depth_is_let_go_of() -> None:
    """Compiled, objects that hold each other are taken apart by a stack that Python does not guard."""
    proof = Incompatibility({}, NoVersions(""))
    for _ in range(200_000):
        proof = Incompatibility({}, Derived(proof, proof))
    del proof
