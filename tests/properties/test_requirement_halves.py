"""A requirement that is read in halves is what ``packaging`` makes of the whole line, or is left to it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as Oracle
from packaging.utils import canonicalize_name

from resolver import requirement
from resolver.requirement import RequirementError, parse

_SPACE = st.sampled_from(["", "", "", " ", "  ", "\t"])
_NAME = st.sampled_from(["a", "A.b", "a-_b", "a1", "_a", "a-", "zope.interface", "é"])
_VERSION = st.sampled_from(["1", "1.0", "01.2", "1.*", "2.0rc1", "1.0+local", "1!2", "", "x", "1..2", "1.0.post1"])
_OPERATOR = st.sampled_from([">=", "<=", ">", "<", "==", "!=", "~=", "===", "=", ""])
_BOUND = st.tuples(_SPACE, _OPERATOR, _SPACE, _VERSION, _SPACE).map("".join)
_BOUNDS = st.lists(_BOUND, max_size=3).map(",".join)
_EXTRAS = st.lists(st.tuples(_SPACE, _NAME, _SPACE).map("".join), max_size=3).map(",".join)
_BRACKETS = st.one_of(st.just(""), st.just(""), _EXTRAS.map(lambda inside: f"[{inside}]"), st.just("[a"))
_HEAD = st.tuples(_SPACE, _NAME, _SPACE, _BRACKETS, _SPACE, _BOUNDS, _SPACE).map("".join)
_COMPARISON = st.sampled_from(
    [
        'extra == "a"',
        "extra=='a-b'",
        'extra == "A_b"',
        "'a' == extra",
        "os_name == 'nt'",
        "python_version<'3.9'",
        "extra",
    ]
)
_MARKER = st.lists(_COMPARISON, min_size=1, max_size=3).flatmap(
    lambda parts: st.sampled_from([" and ", " or "]).map(lambda word: word.join(parts))
)
_LINE = st.one_of(
    _HEAD,
    st.tuples(_HEAD, st.just(";"), _SPACE, _MARKER, _SPACE).map("".join),
    st.tuples(_HEAD, st.just(";"), _SPACE).map("".join),
    st.tuples(_NAME, st.just(" @ https://x.example/a;b"), st.sampled_from(["", " ; os_name == 'nt'"])).map("".join),
)


def expected(line: str) -> tuple[object, ...] | None:
    """What ``packaging`` says."""
    try:
        whole = Oracle(line)
    except InvalidRequirement:
        return None
    return (
        str(canonicalize_name(whole.name)),
        tuple(sorted({str(canonicalize_name(extra)) for extra in whole.extras})),
        {str(one) for one in whole.specifier},
        whole.url,
        whole.marker and str(whole.marker),
        str(whole),
    )


@settings(max_examples=1500, deadline=None)
@given(_LINE)
def test_a_line_reads_as_packaging_reads_it(line: str) -> None:
    for memory in (requirement._CACHE, requirement._HEADS, requirement._MARKERS):
        memory.clear()
    try:
        made = parse(line)
    except RequirementError:
        assert expected(line) is None
        return
    specifiers = set(made.specifier.split(",")) - {""}
    found = (made.name, made.extras, specifiers, made.url, made.marker_text, made.text)
    assert found == expected(line)
    assert (made.marker and str(made.marker)) == made.marker_text
    assert parse(line) is made
    assert parse(made.text) is made


def test_the_generator_reaches_both_ways() -> None:
    ways: set[bool] = set()

    @settings(max_examples=300, database=None, deadline=None)
    @given(_HEAD)
    def collect(head: str) -> None:
        if expected(head) is not None:
            ways.add(requirement._PLAIN_HEAD.fullmatch(head) is not None)

    collect()
    assert ways == {True, False}
