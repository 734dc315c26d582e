"""What is made without pydantic equals what pydantic would make, and pydantic refuses nothing of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from service import plain
from service.schema import LockRequest
from service.settings import IndexSettings, Settings
from service.shape import Shape, checked

_TEXTS = st.sampled_from(
    ["a", "a>=1", "", "A_b", "-", "x" * 130, ">=3.11", ">=3", "3.13", "linux", ":all:", "\ud800", "a\n"]
)
_ODD = st.sampled_from([None, True, False, 0, 1.5, [], {}, [None], {"a": 1}, "", "P7D", "highest"])


def _or_odd(usual: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(usual, usual, usual, _ODD)


_LISTS = st.lists(_or_odd(_TEXTS), max_size=3)
_TARGETS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "name": _or_odd(_TEXTS),
            "python": _or_odd(_TEXTS),
            "platform": _or_odd(_TEXTS),
            "implementation": _TEXTS,
            "tags": _or_odd(_LISTS),
            "markers": _or_odd(st.dictionaries(_TEXTS, _or_odd(_TEXTS), max_size=2)),
        },
    ),
    max_size=2,
)
_OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "resolution": st.sampled_from(["highest", "lowest", "LOWEST", None]),
        "prerelease": st.sampled_from(["allow", "if-necessary", "x"]),
        "fork_strategy": st.sampled_from(["fewest", "requires-python", 1]),
        "index_strategy": st.sampled_from(["first-index", "unsafe-best-match", True]),
        "exclude_newer": st.sampled_from(["P7D", "2026-01-31", "x"]),
        "no_binary": _or_odd(_LISTS),
        "only_binary": _or_odd(_LISTS),
        "no_deps": _ODD,
    },
)
_REQUESTS = st.fixed_dictionaries(
    {},
    optional={
        "requirements": _or_odd(_LISTS),
        "files": _or_odd(st.dictionaries(_TEXTS, _or_odd(_TEXTS), max_size=2)),
        "roots": _or_odd(_LISTS),
        "extras": _or_odd(_LISTS),
        "constraints": _or_odd(_LISTS),
        "targets": _or_odd(_TARGETS),
        "universal": _or_odd(st.fixed_dictionaries({}, optional={"requires_python": _or_odd(_TEXTS)})),
        "options": _or_odd(_OPTIONS),
        "lock": _or_odd(st.fixed_dictionaries({}, optional={"content": _or_odd(_TEXTS)})),
        "upgrade": _or_odd(_LISTS),
        "outputs": _or_odd(st.lists(st.sampled_from(["pylock", "requirements", "json", None]), max_size=3)),
        "budget": st.just({"decisions": 7}),
        "unknown": _ODD,
    },
)
_URLS = st.sampled_from(["https://a.example/", "https://u:p@a.example/s", "ftp://a.example", "a", "", None])
_INDEXES = st.fixed_dictionaries(
    {},
    optional={
        "name": _or_odd(_TEXTS),
        "url": _URLS,
        "default": _ODD,
        "cache_control": _or_odd(st.just({"api": "max-age=1"})),
        "username": st.just("u"),
    },
)
_SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "index": _or_odd(st.lists(_INDEXES, max_size=2)),
        "default_index": _or_odd(_URLS),
        "policy": _or_odd(
            st.fixed_dictionaries(
                {}, optional={"index_urls": st.sampled_from(["none", "loopback", "https://a.example"])}
            )
        ),
        "service": _or_odd(
            st.fixed_dictionaries(
                {},
                optional={
                    "log_level": st.sampled_from(["INFO", "debug", "x", 1]),
                    "log_format": st.sampled_from(["json", "x"]),
                    "drain_grace": st.sampled_from(["0", "1.5", "1m", "inf", 3, -1, True]),
                    "max_body": st.sampled_from(["4 MiB", "4"]),
                },
            )
        ),
        "network": _or_odd(
            st.fixed_dictionaries(
                {}, optional={"retries": st.sampled_from(["3", "11", 4]), "netrc": st.sampled_from(["~/n", ""])}
            )
        ),
        "cache": _or_odd(st.fixed_dictionaries({}, optional={"dir": st.sampled_from(["~/c", "/c", "", 3])})),
    },
)


def _is_what_pydantic_makes(kind: type[Shape], made: Shape | None, data: Any) -> None:
    if made is not None:
        assert made == checked(kind, data)


@given(_REQUESTS)
def test_a_plain_request_is_what_pydantic_makes_of_it(body: dict[str, Any]) -> None:
    _is_what_pydantic_makes(LockRequest, plain.lock_request(body), body)


@given(_SETTINGS)
def test_plain_settings_are_what_pydantic_makes_of_them(values: dict[str, Any]) -> None:
    _is_what_pydantic_makes(Settings, plain.settings(values), values)


@given(_INDEXES)
def test_a_plain_index_is_what_pydantic_makes_of_it(table: dict[str, Any]) -> None:
    _is_what_pydantic_makes(IndexSettings, plain.index(table), table)


@pytest.mark.parametrize(
    "body",
    [
        {"files": {"a.in": "a\n"}, "roots": ["a.in"], "targets": [{"python": "3.11", "platform": "linux"}]},
        {"requirements": ["a"], "universal": {"requires_python": ">=3.11"}, "outputs": ["requirements"]},
        {"requirements": ["a"], "options": {"only_binary": [":all:"], "prerelease": "allow"}, "upgrade": ["A.b"]},
        {"requirements": ["a"], "lock": {"content": "a==1\n"}, "upgrade": True},
    ],
)
def test_what_a_command_line_mostly_asks_is_plain(body: dict[str, Any]) -> None:
    assert plain.lock_request(body) == checked(LockRequest, body)


def test_what_a_machine_of_ci_sets_is_plain() -> None:
    values = {
        "index": [{"name": "default", "url": "https://u:p@a.example/simple", "default": True}],
        "cache": {"dir": "~/c"},
        "service": {"log_level": "ERROR", "drain_grace": "0"},
        "policy": {"index_urls": "loopback"},
        "network": {"netrc": "~/.netrc", "retries": "0"},
    }
    assert plain.settings(values) == checked(Settings, values)


def test_faults_of_shapes_are_told_with_their_place() -> None:
    twice = {"index": [{"name": "a", "url": "https://a.example"}, {"name": "a", "url": "https://b.example"}]}
    assert plain.settings(twice) is None
    with pytest.raises(ValidationError, match="two indexes are called a"):
        checked(Settings, twice)
    with pytest.raises(ValidationError, match=r"index\.0\n.*header and header_file belong together"):
        checked(Settings, {"index": [{"name": "a", "url": "https://a.example", "header": "x"}]})
