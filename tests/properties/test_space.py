"""Sets of environments obey the laws of sets, and are the sets that ``packaging`` evaluates markers to."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import product

from hypothesis import given, reject, settings
from hypothesis import strategies as st
from packaging.markers import Marker, UndefinedComparison
from packaging.version import Version

from resolver.environment.marker_text import to_marker
from resolver.environment.previews import rounded
from resolver.environment.sample import sample
from resolver.environment.space import (
    ALL,
    NOTHING,
    EnvironmentSet,
    admits_final_python,
    from_marker,
    from_requires_python,
    from_requires_python_floor,
    partition,
    split,
)

PYTHONS = (
    *("2.7.18", "3.1.0", "3.8.0", "3.8.19", "3.9.0", "3.9.2", "3.10.0", "3.11.0", "3.12.0a1", "3.12.0", "3.12.6"),
    *("3.12.7", "3.12.8rc1", "3.12.8", "3.13.0a1", "3.13.0rc1", "3.13.0rc2", "3.13.0", "3.13.1", "3.14.0", "3.14.2"),
)
PLATFORMS = (
    ("linux", "posix", "Linux"),
    ("darwin", "posix", "Darwin"),
    ("win32", "nt", "Windows"),
    ("cygwin", "posix", "CYGWIN_NT-10.0"),
    ("freebsd14", "posix", "FreeBSD"),
)
MACHINES = ("x86_64", "arm64", "aarch64", "AMD64")
IMPLEMENTATIONS = (("cpython", "CPython"), ("pypy", "PyPy"))
EXTRAS = ("", "test", "dev-tools")


def _environments() -> list[dict[str, str]]:
    return [
        {
            "implementation_name": name,
            "implementation_version": python if name == "cpython" else "7.3.17",
            "os_name": os_name,
            "platform_machine": machine,
            "platform_python_implementation": reported,
            "platform_release": "6.1.0",
            "platform_system": system,
            "platform_version": "#1 SMP",
            "python_full_version": python,
            "python_version": ".".join(python.split(".")[:2]),
            "sys_platform": platform,
        }
        for python, (platform, os_name, system), machine, (name, reported) in product(
            PYTHONS, PLATFORMS, MACHINES, IMPLEMENTATIONS
        )
    ]


GRID = _environments()
WHERE = st.tuples(st.sampled_from(GRID), st.sampled_from(EXTRAS))

_VERSION = st.sampled_from(
    [
        *("2.7", "3", "3.0", "3.1", "3.8", "3.9", "3.10", "3.12", "3.13", "3.9.0", "3.9.2", "3.12.7", "3.12.8"),
        *("3.13.0", "3.13.0a1", "3.13.0rc1", "3.13.0rc2", "3.12.8rc1", "3.12.0.dev0", "3.12.7.post1", "4", "1!3"),
    ]
)
_PYTHON = st.sampled_from(["python_version", "python_full_version", "implementation_version"])
_ORDERED = st.builds("{} {} '{}'".format, _PYTHON, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), _VERSION)
_WILDCARD = st.builds(
    "{} {} '{}.*'".format, _PYTHON, st.sampled_from(["==", "!="]), st.sampled_from(["3", "3.9", "3.12", "3.12.7"])
)
_COMPATIBLE = st.builds("{} ~= '{}'".format, _PYTHON, st.sampled_from(["3.9", "3.12.1", "3.13.0rc1", "3"]))
_IDENTICAL = st.builds("{} === '{}'".format, _PYTHON, st.sampled_from(["3.9", "3.12.7", "3.13.0rc1", "x"]))
_LISTED = st.builds(
    "{} {} '{}'".format,
    st.sampled_from(["python_version", "python_full_version"]),
    st.sampled_from(["in", "not in"]),
    st.sampled_from(["3.8, 3.9", "3.10 3.13", "3.12.7 3.13.0rc1", "2.7", "3.08"]),
)
_MIRRORED = st.builds(
    "'{}' {} {}".format,
    st.sampled_from(["3.9", "3.12.7", "3.13.0", "3.13.0rc1", "x"]),
    st.sampled_from(["<", "<=", ">", ">=", "==", "!=", "in", "not in"]),
    st.sampled_from(["python_version", "python_full_version"]),
)
_STRINGS = {
    "sys_platform": ["linux", "darwin", "win32", "cygwin", "freebsd14", "linux2", "inux"],
    "os_name": ["posix", "nt", "java"],
    "platform_system": ["Linux", "Darwin", "Windows", "FreeBSD", "CYGWIN_NT-10.0"],
    "platform_machine": ["x86_64", "arm64", "aarch64", "AMD64", "64"],
    "implementation_name": ["cpython", "pypy", "python", "graalpy"],
    "platform_python_implementation": ["CPython", "PyPy", "GraalVM"],
    "platform_version": ["#1 SMP", "#2"],
}
_STRING = st.sampled_from(sorted(_STRINGS)).flatmap(
    lambda name: st.one_of(
        st.builds("{} {} '{}'".format, st.just(name), st.sampled_from(["==", "!="]), st.sampled_from(_STRINGS[name])),
        st.builds(
            "{} {} '{}'".format,
            st.just(name),
            st.sampled_from(["in", "not in", "<", "<=", ">", ">=", "==", "~="]),
            st.sampled_from([*_STRINGS[name], "linux darwin", "x86_64 aarch64"]),
        ),
        st.builds(
            "'{}' {} {}".format,
            st.sampled_from(_STRINGS[name]),
            st.sampled_from(["==", "!=", "in", "not in"]),
            st.just(name),
        ),
    )
)
_RELEASE = st.builds("platform_release {} '{}'".format, st.sampled_from(["<", ">=", ">", "=="]), st.just("5.10"))
_EXTRA = st.builds("extra {} '{}'".format, st.sampled_from(["==", "!="]), st.sampled_from(["test", "Dev_Tools"]))
COMPARISON = st.one_of(
    _ORDERED, _STRING, _ORDERED, _STRING, _WILDCARD, _COMPATIBLE, _IDENTICAL, _LISTED, _MIRRORED, _EXTRA, _RELEASE
)
MARKER = st.recursive(
    COMPARISON,
    lambda inner: st.builds(
        lambda members, word: "(" + f" {word} ".join(members) + ")",
        st.lists(inner, min_size=2, max_size=4),
        st.sampled_from(["and", "or"]),
    ),
    max_leaves=7,
)
SPACE = st.builds(from_marker, MARKER)


@cache
def _marker(text: str) -> Marker:
    return Marker(text)


def _packaging(text: str, where: tuple[dict[str, str], str]) -> bool:
    try:
        return _marker(text).evaluate({**where[0], "extra": where[1]})
    except UndefinedComparison:
        reject()


def _contains(space: EnvironmentSet, where: tuple[dict[str, str], str]) -> bool:
    return space.contains(where[0], [where[1]] if where[1] else [])


PLACES = st.lists(WHERE, min_size=20, max_size=20)


@settings(max_examples=150, deadline=None)
@given(MARKER, PLACES)
def test_a_set_holds_the_environments_in_which_packaging_finds_the_marker_true(
    text: str, places: Sequence[tuple[dict[str, str], str]]
) -> None:
    space = from_marker(text)
    for where in places:
        assert _contains(space, where) is _packaging(text, where)


@settings(max_examples=100, deadline=None)
@given(MARKER, MARKER, PLACES)
def test_the_text_under_an_assumption_denotes_the_set_within_it(
    text: str, assumed: str, places: Sequence[tuple[dict[str, str], str]]
) -> None:
    space, assuming = from_marker(text), from_marker(assumed)
    written = to_marker(space, assuming=assuming)
    assert from_marker(written) & assuming is space & assuming
    assert (written is None) is assuming.implies(space)
    if written is None:
        return
    assert str(Marker(written)) == written
    for where in places:
        if _contains(assuming, where):
            assert _packaging(written, where) is _contains(space, where)


@settings(max_examples=80, deadline=None)
@given(MARKER)
def test_no_conjunction_of_a_text_can_be_left_out(text: str) -> None:
    space = from_marker(text)
    written = to_marker(space)
    if written is None:
        assert space is ALL
        return
    parts = written.split(" or ")
    if "(" not in written:
        for left_out in range(len(parts)) if len(parts) > 1 else ():
            rest = " or ".join(part for number, part in enumerate(parts) if number != left_out)
            assert from_marker(rest) is not space


@settings(max_examples=100, deadline=None)
@given(SPACE, SPACE, SPACE)
def test_sets_are_a_boolean_algebra_in_which_equal_means_the_same_object(
    a: EnvironmentSet, b: EnvironmentSet, c: EnvironmentSet
) -> None:
    assert a & b is b & a
    assert a | b is b | a
    assert (a & b) & c is a & (b & c)
    assert (a | b) | c is a | (b | c)
    assert a & (b | c) is (a & b) | (a & c)
    assert a | (b & c) is (a | b) & (a | c)
    assert a & (a | b) is a
    assert ~(a & b) is ~a | ~b
    assert ~~a is a
    assert a - b is a & ~b
    assert a & ~a is NOTHING
    assert a | ~a is ALL
    assert a & ALL is a | NOTHING is a


@settings(max_examples=100, deadline=None)
@given(SPACE, SPACE, PLACES)
def test_questions_about_two_sets_are_answered_as_their_members_say(
    a: EnvironmentSet, b: EnvironmentSet, places: Sequence[tuple[dict[str, str], str]]
) -> None:
    assert a.is_disjoint(b) is (a & b).is_empty() is (a & b is NOTHING)
    assert a.implies(b) is (a - b).is_empty() is (a | b is b)
    assert a.is_all() is (a is ALL)
    for where in places:
        ours, theirs = _contains(a, where), _contains(b, where)
        assert _contains(a & b, where) is (ours and theirs)
        assert _contains(a | b, where) is (ours or theirs)
        assert _contains(a - b, where) is (ours and not theirs)
        assert _contains(~a, where) is not ours
        assert not (ours and theirs and a.is_disjoint(b))
        assert not (ours and not theirs and a.implies(b))


# Substrings, and releases of operating systems, are flags: which of them go together is not known to the algebra.
_DECIDED = MARKER.filter(lambda text: " in " not in text and "platform_release" not in text)


@settings(max_examples=100, deadline=None)
@given(_DECIDED)
def test_a_set_that_is_not_empty_has_a_member_that_packaging_agrees_with(text: str) -> None:
    space = from_marker(text)
    found = sample(space)
    assert (found is None) is space.is_empty()
    if found is not None:
        assert space.contains(found.markers, found.extras)
        if len(found.extras) <= 1:
            assert _packaging(text, (found.markers, "".join(found.extras)))


@settings(max_examples=80, deadline=None)
@given(SPACE, st.sampled_from(EXTRAS), PLACES)
def test_extras_that_are_known_leave_a_question_about_the_environment(
    space: EnvironmentSet, extra: str, places: Sequence[tuple[dict[str, str], str]]
) -> None:
    left = space.without_extras([extra])
    assert not left.mentions_extra
    for environment, _ in places:
        assert left.contains(environment) is space.contains(environment, [extra])


@settings(max_examples=40, deadline=None)
@given(st.lists(SPACE, max_size=4), SPACE)
def test_the_blocks_of_a_partition_are_disjoint_cover_all_and_are_cut_by_nothing(
    spaces: list[EnvironmentSet], within: EnvironmentSet
) -> None:
    for blocks in (partition(spaces, within=within), split(within, spaces)):
        union = NOTHING
        for block in blocks:
            assert not block.is_empty()
            assert block.is_disjoint(union)
            union |= block
        assert union is within
    for block in partition(spaces, within=within):
        assert all(block.implies(space) or block.is_disjoint(space) for space in spaces)
    signatures = [tuple(block.implies(space) for space in spaces) for block in partition(spaces, within=within)]
    assert len(signatures) == len(set(signatures))


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.builds("{}{}".format, st.sampled_from([">=", ">", "<", "<=", "!=", "=="]), _VERSION), max_size=3).map(
        ",".join
    ),
    st.sampled_from(GRID),
)
def test_requires_python_admits_what_its_specifiers_do_and_its_floor_all_above(
    specifier: str, where: dict[str, str]
) -> None:
    admitted, floor = from_requires_python(specifier), from_requires_python_floor(specifier)
    text = " and ".join(
        f"python_full_version {part[: -len(part.lstrip('<>=!'))]} '{part.lstrip('<>=!')}'"
        for part in specifier.split(",")
        if part
    )
    assert admitted is from_marker(text or None)
    assert admitted.implies(floor)
    assert floor.is_empty() is admitted.is_empty()
    if floor.contains(where):
        assert floor.contains({**where, "python_full_version": "3.99.0"})
    if admits_final_python(admitted):
        assert sample(admitted) is not None


def test_the_strategy_reaches_every_kind_of_set() -> None:
    reached: set[str] = set()

    @settings(max_examples=250, deadline=None, database=None, derandomize=True)
    @given(MARKER)
    def collect(text: str) -> None:
        space = from_marker(text)
        reached.update(space.variables)
        reached.add("all" if space is ALL else "nothing" if space is NOTHING else "some")
        written = to_marker(space)
        if written is not None:
            reached.update(word for word in (" or ", " and ", " in ", "not in", "(") if word in written)

    collect()
    variables = {
        "python_version",
        "python_full_version",
        "implementation_version",
        "platform_release",
        "extra",
        *_STRINGS,
    }
    assert reached == {*variables, "all", "nothing", "some", " or ", " and ", " in ", "not in", "("}


@settings(max_examples=200, deadline=None)
@given(SPACE, WHERE)
def test_rounding_moves_pre_releases_of_python_only(space: EnvironmentSet, where: tuple[dict[str, str], str]) -> None:
    if Version(where[0]["python_full_version"]).is_prerelease:
        return
    assert _contains(rounded(space), where) == _contains(space, where)
    assert rounded(rounded(space)) is rounded(space)


def test_however_two_parts_were_told_apart_they_are_the_same_for_who_locks() -> None:
    texts = ("python_version < '3.11'", "python_full_version <= '3.11' and python_full_version != '3.11'")
    below, at_most_previews = map(from_marker, texts)
    assert below is not at_most_previews
    assert rounded(below) is rounded(at_most_previews)
