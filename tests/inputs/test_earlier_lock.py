"""Every format that the service writes gives the same versions and hashes back."""

from __future__ import annotations

import json

import pytest
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st

from resolver.errors import Fault, InvalidQuery, Place
from resolver.inputs import LockContent, LockedVersion, preferences, read_lock
from resolver.model import Preference

A, B = "a" * 64, "b" * 64
WHEEL = {"url": "https://files.example/attrs-24.1-py3-none-any.whl", "hashes": {"sha256": A}}
SDIST = {"url": "https://files.example/attrs-24.1.tar.gz", "hashes": {"sha256": B.upper(), "md5": "ignored"}}
ATTRS = LockedVersion("attrs", "24.1", (("sha256", A), ("sha256", B)))
SIX = LockedVersion("six", "1.16.0", (), "sys_platform == 'linux'")

PYLOCK = tomli_w.dumps(
    {
        "lock-version": "1.0",
        "requires-python": ">=3.11",
        "packages": [
            {"name": "attrs", "version": "24.1", "wheels": [WHEEL], "sdist": SDIST},
            {"name": "six", "version": "1.16.0", "marker": "sys_platform == 'linux'"},
            {"name": "here", "directory": {"path": "."}},
        ],
    }
)
REQUIREMENTS = f"""# made by a resolver
-i https://user:secret@packages.example/simple
attrs==24.1 \\
    --hash=sha256:{A} \\
    --hash=sha256:{B}
    # via app
six==1.16.0 ; sys_platform == 'linux'
ranged>=1
wild==1.*
"""
ANSWER = json.dumps(
    {
        "id": "lk_1",
        "requires_python": ">=3.11",
        "packages": [
            {"name": "attrs", "version": "24.1", "marker": None, "files": [WHEEL, SDIST]},
            {"name": "six", "version": "1.16.0", "marker": "sys_platform == 'linux'", "files": []},
        ],
    }
)
CYCLONEDX = json.dumps(
    {
        "bomFormat": "CycloneDX",
        "components": [
            {
                "name": "attrs",
                "version": "24.1",
                "purl": "pkg:pypi/attrs@24.1",
                "hashes": [{"alg": "SHA-256", "content": A}, {"alg": "SHA-256", "content": B}],
            },
            {"name": "openssl", "version": "3", "purl": "pkg:generic/openssl@3"},
        ],
    }
)


@pytest.mark.parametrize(("text", "form"), [(PYLOCK, "pylock"), (REQUIREMENTS, "requirements"), (ANSWER, "json")])
def test_the_same_lock_is_read_from_every_format(text: str, form: str) -> None:
    lock = read_lock(text)
    assert lock.format == form
    assert [(one.name, one.version, one.hashes) for one in lock.packages] == [
        (one.name, one.version, one.hashes) for one in (ATTRS, SIX)
    ]
    assert [(one.marker or "").replace('"', "'") for one in lock.packages] == ["", SIX.marker]
    assert lock.requires_python == (None if form == "requirements" else ">=3.11")


def test_a_bill_of_materials_is_read_for_its_python_packages() -> None:
    assert read_lock(CYCLONEDX) == LockContent("cyclonedx", (ATTRS,))


def test_a_universal_lock_keeps_every_version_of_a_name() -> None:
    lock = read_lock("six==1.15 ; os_name == 'nt'\nsix==1.16 ; os_name != 'nt'\nattrs==24.1")
    assert lock.versions == {"six": ("1.15", "1.16"), "attrs": ("24.1",)}
    assert [one.version for one in preferences(lock, upgrade=False)] == ["1.15", "1.16", "24.1"]


def test_upgrade_releases_everything_or_the_named_projects() -> None:
    lock = LockContent("pylock", (ATTRS, SIX))
    assert preferences(lock, upgrade=True) == ()
    assert preferences(lock, upgrade=["SIX", "unknown"]) == (Preference("attrs", "24.1", ATTRS.hashes),)
    assert [one.name for one in preferences(lock, upgrade=False)] == ["attrs", "six"]


def test_versions_come_back_in_their_canonical_spelling() -> None:
    (package,) = read_lock('lock-version = "1.0"\n[[packages]]\nname = "A_b"\nversion = "v1.0.RC1"\n').packages
    assert (package.name, package.version) == ("a-b", "1.0rc1")


PARTS = ("python_version >= '3.12'", "python_version < '3.12'")


@pytest.mark.parametrize(
    "text",
    [
        f'lock-version = "1.0"\n[tool.lockwright]\nresolution-markers = ["{PARTS[0]}", "{PARTS[1]}"]\n',
        f"# Part: {PARTS[0]}\n# Part: {PARTS[1]}\nsix==1.16\n",
        json.dumps({"packages": [], "resolution_markers": PARTS}),
    ],
)
def test_the_parts_that_a_lock_was_solved_in_are_read_from_every_format(text: str) -> None:
    assert read_lock(text).regions == PARTS


@pytest.mark.parametrize("markers", [[], "x", [*PARTS, "not a marker"], ["extra == 'x'"], ["os_name == 'nt'"] * 501])
def test_parts_that_cannot_be_read_are_none(markers: object) -> None:
    assert read_lock(json.dumps({"packages": [], "resolution_markers": markers})).regions == ()


def test_a_version_is_kept_where_the_lock_has_it() -> None:
    lock = read_lock("six==1.15 ; os_name == 'nt'\nsix==1.16 ; os_name != 'nt'")
    assert [(one.version, (one.marker or "").replace('"', "'")) for one in preferences(lock, upgrade=False)] == [
        ("1.15", "os_name == 'nt'"),
        ("1.16", "os_name != 'nt'"),
    ]
    unreadable = {"packages": [{"name": "six", "version": "1.16", "marker": "x"}]}
    assert preferences(read_lock(json.dumps(unreadable)), upgrade=False) == (Preference("six", "1.16"),)


def test_an_empty_lock_prefers_nothing() -> None:
    assert read_lock("") == LockContent("requirements", ())


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("{", "/lock/content", "not JSON"),
        ("{}", "/lock/content", "no packages"),
        ('{"packages": 1}', "/lock/content", "must be a list"),
        ('{"packages": [{"name": "a", "version": 1}]}', "/lock/content", "not a version"),
        ('{"packages": [{"version": "1"}]}', "/lock/content", "no valid name"),
        ('lock-version = "2.0"', "/lock/content", "1.0"),
        ('lock-version = "1.0"\nx ==', "/lock/content", "not TOML"),
        ('version = 1\n[[package]]\nname = "a"', "/lock/content", "another tool"),
        ("a==1\nnot ok", "/lock/content", "not ok"),
        ("a===" + "1" * 200, "/lock/content", "longer than 128"),
    ],
)
def test_a_broken_lock_is_a_fault_at_its_place(text: str, place: str, said: str) -> None:
    with pytest.raises(InvalidQuery) as caught:
        read_lock(text)
    (fault,) = caught.value.faults
    assert str(fault.place) == place
    assert said in fault.detail


def test_the_fault_of_a_file_names_the_file_and_the_line() -> None:
    with pytest.raises(InvalidQuery, match=r"^old\.txt:2: "):
        read_lock("a==1\nnot ok", place=Place(file="old.txt"))


_VALUES = st.recursive(
    st.one_of(st.none(), st.integers(), st.text(max_size=8), st.sampled_from(["attrs", "1.0", A])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["name", "version", "packages", "files", "hashes", "sha256", "bomFormat", "components"]),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)


_ANSWERS = _VALUES.map(lambda value: {"packages": [value]})


@given(st.one_of(st.text(max_size=80), st.one_of(_VALUES, _ANSWERS).map(json.dumps)))
@settings(max_examples=200, deadline=None)
def test_garbage_is_a_lock_or_a_fault(text: str) -> None:
    lock: LockContent | None = None
    faults: tuple[Fault, ...] = ()
    try:
        lock = read_lock(text)
    except InvalidQuery as error:
        faults = error.faults
    assert (lock is None) == bool(faults)
    assert lock is None or all(package.name and package.version for package in lock.packages)
