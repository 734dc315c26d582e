"""Which wheels fit a target, and which Requires-Python admits it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.tags import parse_tag

from resolver.environment.tags import rank, requires_python_admits
from resolver.environment.target import Target, make_target


def _target(python: str = "3.13", platform: str = "linux") -> Target:
    return make_target(name=None, python=python, platform=platform)


_COMPRESSED = st.tuples(
    st.lists(st.sampled_from(["py2", "py3", "cp39", "cp313", "CP312", "pp310"]), min_size=1, max_size=3),
    st.lists(st.sampled_from(["none", "abi3", "cp313", "cp312"]), min_size=1, max_size=2),
    st.lists(
        st.sampled_from(["any", "manylinux_2_17_x86_64", "manylinux2014_x86_64", "win_amd64", "linux_armv6l"]),
        min_size=1,
        max_size=3,
    ),
).map(lambda parts: "-".join(".".join(part) for part in parts))


@settings(max_examples=200, deadline=None)
@given(_COMPRESSED, st.sampled_from([_target(), _target("3.9", "windows"), _target("3.13t")]))
def test_the_rank_of_a_tag_set_is_that_of_its_best_tag(tags: str, target: Target) -> None:
    ranks = [target.tags[str(tag)] for tag in parse_tag(tags) if str(tag) in target.tags]
    assert rank(tags, target) == (min(ranks) if ranks else None)
    assert rank(tags, target) == (min(ranks) if ranks else None)  # from memory


def test_a_wheel_for_the_interpreter_is_better_than_a_stable_one_and_that_better_than_a_pure_one() -> None:
    target = _target()
    native = rank("cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64", target)
    stable = rank("cp39.cp310-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64", target)
    pure = rank("py2.py3-none-any", target)
    assert native is not None
    assert stable is not None
    assert pure is not None
    assert native < stable < pure


@pytest.mark.parametrize("tags", ["", "py3-none", "py3-none-any-more", ".".join(["py3"] * 5000) + "-none-any"])
def test_a_text_that_is_no_tag_set_has_no_rank(tags: str) -> None:
    assert rank(tags, _target()) is None


@pytest.mark.parametrize(
    ("spec", "python", "admits"),
    [
        ("", "3.13", True),
        (">=3.13", "3.13", True),
        (">=3.13.1", "3.13", False),
        (">3.13", "3.13", False),
        (">3.13", "3.13.1", True),
        (">=3.14", "3.13", False),
        ("==3.9.*", "3.13", True),
        ("==3.14.*", "3.13", False),
        ("~=3.7", "3.13", True),
        ("<3", "3.13", True),
        (">=3.6,<3.10", "3.13", True),
        (">=2.7,!=3.0.*,!=3.1.*", "3.13", True),
        (">=3.8,!=3.13.*", "3.13", True),
        (">=3.13,!=3.13.*", "3.13", False),
        (">=3.13,!=3.13.*", "3.14.0rc1", True),
        (">=3.13,!=3.13.*,!=3.14.*", "3.14", False),
        (">=3.13,!=3.13.0", "3.13", False),
        ("!=3.13.*", "3.13", True),
        (">=3.14", "3.14.0rc1", True),
        (">=3.14.0b1", "3.14", True),
        (">=3.10", "3.9", False),
        (">=3.9", "3.10", True),
    ],
)
def test_requires_python_is_a_lower_bound(spec: str, python: str, admits: bool) -> None:  # noqa: FBT001
    assert requires_python_admits(spec, _target(python)) is admits


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([">=", ">", "==", "~=", "==*"]),
            st.sampled_from(["3.8", "3.9.2", "3.10", "3.12.0", "3.13.1"]),
        ),
        max_size=3,
    ),
    st.sampled_from(["3.8", "3.9.1", "3.9.2", "3.10.5", "3.12", "3.13", "3.13.1"]),
)
def test_a_python_that_packaging_admits_is_admitted_and_one_below_every_bound_is_not(
    parts: list[tuple[str, str]], python: str
) -> None:
    spec = ",".join(f"=={version}.*" if operator == "==*" else f"{operator}{version}" for operator, version in parts)
    target = _target(python)
    if SpecifierSet(spec).contains(target.python):
        assert requires_python_admits(spec, target)
    lower = [f">={v}" if op in {"==", "~=", "==*"} else f"{op}{v}" for op, v in parts]
    assert requires_python_admits(spec, target) is SpecifierSet(",".join(lower)).contains(target.python)


@pytest.mark.parametrize(
    ("spec", "admits"),
    [
        (">=3.6.*", True),
        (">=3.14.*", False),
        (">=2.7,!=3.0.*,", True),
        (">=3.14 <4", False),
        (">='3.14'", False),
        ("=>3.14", False),
        ("~=3", True),
        (">=3.14,!=3.0*", False),
        (">=3.14,!=3.0.x", False),
        (">=3.14.", False),
        ("3.14 or so", True),
        (">=" + "9" * 5000, True),
    ],
)
def test_a_misspelled_requires_python_is_repaired_or_counts_as_absent(spec: str, admits: bool) -> None:  # noqa: FBT001
    assert requires_python_admits(spec, _target()) is admits
