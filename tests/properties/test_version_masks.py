"""Masks of specifiers agree with ``packaging``, version by version."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from resolver.provider.versions import VersionList
from resolver.specifier import canonical_key, sort_key, sort_key_of

# A small alphabet on purpose: specifiers and versions must share releases, or no boundary is ever met.
_NUMBER = st.sampled_from(["0", "1", "2", "10"])
_RELEASE = st.lists(_NUMBER, min_size=1, max_size=3).map(".".join)
_EPOCH = st.sampled_from(["", "", "", "1!"])
_PRE = st.sampled_from(["", "", "a0", "a1", "b1", "rc1", "rc2"])
_POST = st.sampled_from(["", "", ".post0", ".post1"])
_DEV = st.sampled_from(["", "", ".dev0", ".dev1"])
_LOCAL = st.sampled_from(["", "", "", "+local", "+local.1", "+1", "+2.cu12"])
_PUBLIC = st.tuples(_EPOCH, _RELEASE, _PRE, _POST, _DEV).map("".join)
_VERSION = st.tuples(_PUBLIC, _LOCAL).map("".join)
_ORDERED = st.tuples(st.sampled_from([">", ">=", "<", "<="]), _PUBLIC).map("".join)
_EQUAL = st.tuples(st.sampled_from(["==", "!=", "==="]), _VERSION).map("".join)
_WILDCARD = st.tuples(st.sampled_from(["==", "!="]), _EPOCH, _RELEASE, st.just(".*")).map("".join)
_COMPATIBLE = st.tuples(st.just("~="), _EPOCH, _NUMBER, st.just("."), _RELEASE, _PRE, _POST, _DEV).map("".join)
_SPECIFIERS = st.lists(_ORDERED | _EQUAL | _WILDCARD | _COMPATIBLE, max_size=3).map(",".join)


def _listed(texts: list[str]) -> VersionList:
    return VersionList.of(sorted({Version(text) for text in texts}))


@settings(max_examples=600, deadline=None)
@given(st.lists(_VERSION, max_size=40), _SPECIFIERS)
def test_a_mask_holds_exactly_the_versions_that_packaging_admits(texts: list[str], specifier: str) -> None:
    versions = _listed(texts)
    oracle = SpecifierSet(specifier)
    expected = {bit for bit, version in enumerate(versions.versions, 1) if oracle.contains(version, prereleases=True)}
    assert set(versions.select(versions.mask(specifier))) == expected


@settings(max_examples=250, deadline=None)
@given(_VERSION, _VERSION)
def test_sort_keys_order_as_versions_do(one: str, other: str) -> None:
    left, right = Version(one), Version(other)
    assert (sort_key(left) < sort_key(right)) == (left < right)
    assert (sort_key(left) == sort_key(right)) == (left == right)


@settings(max_examples=400, deadline=None)
@given(st.tuples(_VERSION, st.sampled_from(["", "", " ", ".", "0", "-1", "dev", "\n"])).map("".join))
def test_a_version_read_in_one_match_is_canonical_and_has_the_key_that_packaging_gives(text: str) -> None:
    found = canonical_key(text)
    if found is not None:
        assert str(Version(text)) == text
        assert found == sort_key(Version(text))


@settings(max_examples=250, deadline=None)
@given(_VERSION)
def test_a_public_version_of_the_first_epoch_is_read_in_one_match(text: str) -> None:
    version = Version(text)
    assert (canonical_key(str(version)) is None) == (version.epoch != 0 or version.local is not None)
    assert sort_key_of(str(version)) == sort_key(version)


@settings(max_examples=250, deadline=None)
@given(st.lists(_PUBLIC, min_size=1, max_size=8), st.integers(min_value=0))
def test_the_words_for_a_set_of_versions_without_locals_denote_that_set(texts: list[str], seed: int) -> None:
    versions = _listed(texts)
    mask = seed & versions.all
    words = versions.describe(mask)
    if words == "no version":
        assert mask == 0
        return
    union = 0
    for run in words.split(" | "):
        union |= versions.mask("" if run == "any version" else run)
    assert union == mask


def test_the_strategies_reach_every_operator_and_both_answers() -> None:
    reached: set[tuple[str, bool]] = set()

    @settings(max_examples=500, deadline=None, database=None, derandomize=True)
    @given(_VERSION, _SPECIFIERS)
    def collect(text: str, specifier: str) -> None:
        for one in SpecifierSet(specifier):
            kind = one.operator + (".*" if one.version.endswith(".*") else "")
            reached.add((kind, one.contains(text, prereleases=True)))

    collect()
    kinds = ("==", "!=", "===", ">", ">=", "<", "<=", "~=", "==.*", "!=.*")
    assert reached == {(kind, answer) for kind in kinds for answer in (True, False)}
