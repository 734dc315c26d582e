"""A specifier is changed as a person would change it, and then admits the version."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from resolver.remedies.relaxed import relaxed


@pytest.mark.parametrize(
    ("specifier", "version", "expected"),
    [
        ("<3", "3.0.1", "<4"),
        ("<2.1", "3.0.1", "<3.1"),
        ("<2.0.0", "3.1.4", "<4.0.0"),
        ("<0.30", "1.10.2", "<1.11"),
        ("<=2.5", "2.6.1", "<=2.6.1"),
        ("<3", "1!2.0", "<1!3"),
        ("<3", "4.0rc1", "<5"),
        (">=3", "2.9", ">=2.9"),
        (">3", "3", ">=3"),
        (">=3", "2.9+local", ">=2.9"),
        ("==1.0", "2.0", "==2.0"),
        ("==1.*", "2.5.1", "==2.*"),
        ("===1.0", "2.0", "===2.0"),
        ("~=1.2", "2.4.1", "~=2.4"),
        ("~=1.2.3", "2.4", "~=2.4.0"),
        ("!=2.0", "2.0", ""),
        (">=1,<2", "2.5", ">=1,<3"),
        (">=2,<3,!=1.5", "1.5", ">=1.5,<3"),
        (">=1,<2", "1.5", ">=1,<2"),
    ],
)
def test_clauses_that_exclude_the_version_are_changed(specifier: str, version: str, expected: str) -> None:
    assert relaxed(specifier, version) == expected


VERSIONS = st.from_regex(r"\A([1-2]!)?[0-3]\.[0-3](\.[0-3])?((a|rc)[1-2])?(\.post1)?(\.dev1)?(\+l)?\Z")
PUBLIC = st.from_regex(r"\A[0-3]\.[0-3](\.[0-3])?((a|rc)[1-2])?(\.post1)?\Z")
CLAUSES = st.tuples(st.sampled_from(["<", "<=", ">", ">=", "==", "!=", "~="]), PUBLIC).map("".join)


@given(st.lists(CLAUSES, min_size=1, max_size=3), VERSIONS)
def test_the_version_is_admitted_and_clauses_that_admitted_it_stay(clauses: list[str], version: str) -> None:
    found = relaxed(",".join(clauses), version)
    assert SpecifierSet(found).contains(Version(version), prereleases=True)
    kept = [one for one in clauses if SpecifierSet(one).contains(Version(version), prereleases=True)]
    assert found.startswith("==") or all(one in found.split(",") for one in kept)
