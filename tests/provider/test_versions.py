"""Sets of versions: the cases that surprise, their words, and the questions policies ask."""

from __future__ import annotations

import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from resolver.provider.versions import SpecifierError, VersionList, exact_pin, mentions_prerelease


def _listed(*texts: str) -> VersionList:
    return VersionList.of([Version(text) for text in texts])


def _admitted(versions: VersionList, specifier: str) -> list[str]:
    return [versions.texts[bit - 1] for bit in versions.select(versions.mask(specifier))]


@pytest.mark.parametrize(
    ("texts", "specifier", "admitted"),
    [
        ("0.1.0 0.2.0a1 0.2.0", "<0.2.0", "0.1.0"),
        ("0.1.0 0.2.0a1 0.2.0", "<0.2.0a2", "0.1.0 0.2.0a1"),
        ("1.2.3a1 1.2.3 1.2.3.post1.dev0 1.2.3.post1", "<1.2.3.post1", "1.2.3a1 1.2.3"),
        ("1.0 1.0+local 1.0.post1 1.0.1", ">1.0", "1.0.1"),
        ("1.2.2 1.2.3 1.2.3+local 1.2.4", "==1.2.3", "1.2.3 1.2.3+local"),
        ("1.2.2 1.2.3 1.2.3+local 1.2.4", ">=1.2.3", "1.2.3 1.2.3+local 1.2.4"),
        ("1.2.2 1.2.3 1.2.3+local 1.2.4", "<=1.2.3", "1.2.2 1.2.3 1.2.3+local"),
        ("1.2.2 1.2.3 1.2.3+local 1.2.4", "<1.2.3", "1.2.2"),
        ("1.2.2 1.2.3 1.2.3+local 1.2.4", "!=1.2.3", "1.2.2 1.2.4"),
        ("1.2.2 1.2.3 1.2.3+local 1.2.4", "==1.2.3+local", "1.2.3+local"),
        ("1.2.2 1.2.3 1.2.3+local 1.2.4", "!=1.2.3+local", "1.2.2 1.2.3 1.2.4"),
        ("1.0.dev0 1.0 1.1 2.0.dev1 2.0", "==1.*", "1.0.dev0 1.0 1.1"),
        ("1.0 1.4.5 1.4.9 1.5.dev0 1.5", "~=1.4.5", "1.4.5 1.4.9"),
        ("1.0 1!0.5 1!1.0", ">=1.0", "1.0 1!0.5 1!1.0"),
        ("1.0 1!0.5 1!1.0", "==1!0.*", "1!0.5"),
        ("1.0 1.1", "===1.1", "1.1"),
        ("1.0 1.1", "===latest", ""),
        ("1.0 1.1", ">1.1,<1.0", ""),
        ("1.0 1.1", ">=1.0,", "1.0 1.1"),
    ],
)
def test_the_admitted_versions_are(texts: str, specifier: str, admitted: str) -> None:
    assert _admitted(_listed(*texts.split()), specifier) == admitted.split()


def test_arbitrary_equality_compares_text_where_uv_compares_versions() -> None:
    # PEP 440: "simple string equality operations which do not take into account any of the semantic information".
    versions = _listed("1.0")
    assert _admitted(versions, "===1.0.0") == []
    assert not SpecifierSet("===1.0.0").contains(Version("1.0"))


def test_bit_0_is_never_in_a_mask_and_all_versions_are_in_the_empty_specifier() -> None:
    versions = _listed("1.0", "2.0rc1", "2.0")
    assert versions.mask("") == versions.all == 0b1110
    assert versions.mask("!=1.0") == 0b1100
    assert versions.prereleases == 0b0100
    assert len(versions) == versions.count == 3
    assert versions.version(3) == Version("2.0")


def test_a_project_without_versions_has_only_the_empty_set() -> None:
    versions = _listed()
    assert versions.mask("") == versions.mask(">=1") == versions.prereleases == 0
    assert versions.exact("1.0") is None


def test_an_exact_version_is_found_in_any_spelling_with_its_local_part() -> None:
    versions = _listed("1.0", "1.0+cu12", "2.0")
    assert versions.exact("1.0.0") == versions.exact(Version("1")) == 1
    assert versions.exact("1.0+CU12") == 2
    assert versions.exact("1.0+cpu") is None
    assert versions.exact("nonsense") is None


@pytest.mark.parametrize("texts", [("2.0", "1.0"), ("1.0", "1.0.0")])
def test_versions_that_do_not_ascend_are_refused(texts: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="ascend strictly"):
        _listed(*texts)


@pytest.mark.parametrize(
    ("specifier", "words"),
    [
        ("", "any version"),
        (">9", "no version"),
        ("==2.0", "==2.0"),
        ("<=1.2", "<2.0"),
        (">=1.1,<3", ">=1.1,<3.0"),
        (">=2.0", ">=2.0"),
        (">=3.1", "==3.1"),
        ("!=2.0", "<2.0 | >=3.0"),
        ("==1.0", "==1.0"),
    ],
)
def test_a_set_is_described_with_versions_that_exist(specifier: str, words: str) -> None:
    versions = _listed("1.0", "1.1", "1.2", "2.0", "3.0", "3.1")
    assert versions.describe(versions.mask(specifier)) == words
    assert versions.describe(versions.mask(specifier) | 1) == words


def test_a_run_before_the_release_of_its_own_pre_release_ends_with_that_pre_release() -> None:
    versions = _listed("1.0", "2.0rc1", "2.0")
    assert versions.describe(0b0110) == "<=2.0rc1"


def test_a_scattered_set_is_cut_short() -> None:
    versions = _listed(*(f"{number}.0" for number in range(40)))
    words = versions.describe(sum(1 << bit for bit in range(1, 41, 2)))
    assert words == "==0.0 | ==2.0 | ==4.0 | ==6.0 | ==8.0 | ==10.0 | … (14 more ranges)"


def test_a_text_that_is_no_specifier_or_too_long_is_refused() -> None:
    versions = _listed("1.0")
    for text in ("1.0", ">=1.0+local", "~=1", ">=1.0 <2", "==" + "9" * 4400):
        with pytest.raises(SpecifierError):
            versions.mask(text)
    assert versions.mask(",".join(f"!={number}" for number in range(2, 102))) == versions.all
    with pytest.raises(SpecifierError, match="more than 100"):
        versions.mask(",".join(f"!={number}" for number in range(2, 103)))


def test_the_table_of_masks_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resolver.provider.versions.MAX_INTERNED", 4)
    versions = _listed("1.0", "2.0")
    for number in range(50):
        assert versions.mask(f"<{number}.5") == (0b110 if number > 1 else 0b10 if number == 1 else 0)
        assert len(versions.masks) <= 4
    assert versions.mask("") == 0b110


@pytest.mark.parametrize(
    ("specifier", "version"),
    [("==1.2", "1.2"), ("===1.2", "1.2"), ("== 1.2", "1.2"), ("==1.2+cu12", "1.2+cu12")],
)
def test_a_lone_equality_is_an_exact_pin(specifier: str, version: str) -> None:
    assert exact_pin(specifier) == Version(version)


@pytest.mark.parametrize("specifier", ["", "==1.*", "==1.2,!=1.3", ">=1.2", "~=1.2", "===latest"])
def test_anything_else_is_not(specifier: str) -> None:
    assert exact_pin(specifier) is None


@pytest.mark.parametrize(
    ("specifier", "mentions"),
    [
        (">=2.0rc1", True),
        ("==1.0.dev3", True),
        ("<2.0a1,>1", True),
        ("!=2.0rc1", False),
        (">=1.0.post1", False),
        ("==1.0+local", False),
        (">=1.0", False),
        ("", False),
        ("===rubbish", False),
    ],
)
def test_a_specifier_that_names_a_pre_release_asks_for_them(specifier: str, mentions: bool) -> None:  # noqa: FBT001
    assert mentions_prerelease(specifier) is mentions
