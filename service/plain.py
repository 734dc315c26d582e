"""Shapes that a look shows to be valid, made without pydantic: what a command line and its settings mostly are.

None says no more than that pydantic is to be asked, which tells all faults in its words. What is made here equals what
pydantic would make.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, get_args

from packaging.utils import canonicalize_name

from resolver.model import ForkStrategy, IndexStrategy, Prerelease, ResolutionMode
from transport.secret import Secret

from .schema import (
    MAX_FILES,
    MAX_ITEMS,
    MAX_TARGETS,
    MAX_TEXT,
    NAME,
    LockModel,
    LockRequest,
    OptionsModel,
    Output,
    TargetModel,
    UniversalModel,
)
from .settings import (
    INDEX_NAME,
    CacheSettings,
    IndexSettings,
    Level,
    LogFormat,
    NetworkSettings,
    PolicySettings,
    PrivateAddresses,
    ServiceSettings,
    Settings,
    split_userinfo,
)

_NAME = re.compile(NAME)
_INDEX_NAME = re.compile(INDEX_NAME)
_SECONDS = re.compile(r"\d{1,9}(\.\d{1,9})?", re.ASCII)
_DIGIT = re.compile(r"\d", re.ASCII)
_FROM = re.compile(r">=\d+(\.\d+)*", re.ASCII)

_Look = Callable[[Any], Any]
"""Returns the value that pydantic would, or raises ValueError."""
_Made = TypeVar("_Made")


def lock_request(body: object) -> LockRequest | None:
    """Return the request that ``body``, of JSON, is."""
    return _plain(_request, body)


def settings(values: object) -> Settings | None:
    """Return the settings that ``values`` are."""
    return _plain(_settings, values)


def index(table: object) -> IndexSettings | None:
    """Return the index that ``table`` describes."""
    return _plain(_index, table)


def _plain(make: Callable[[Any], _Made], data: object) -> _Made | None:
    try:
        return make(data)
    except (ValueError, TypeError):  # a member that has to be there is not
        return None


def _members(looks: Mapping[str, _Look], data: Any) -> dict[str, Any]:
    """The members of ``data``, all of which are known."""
    if data.__class__ is not dict or not data.keys() <= looks.keys():
        raise ValueError
    return {key: looks[key](value) for key, value in data.items()}


def _text(longest: int, value: Any) -> str:
    if value.__class__ is not str or len(value) > longest:
        raise ValueError
    value.encode()  # half a character is none
    return str(value)


def _match(pattern: re.Pattern[str], longest: int, value: Any) -> str:
    if pattern.fullmatch(_text(longest, value)) is None:
        raise ValueError
    return str(value)


def _one_of(words: tuple[object, ...], value: Any) -> Any:
    if value.__class__ is not str or value not in words:
        raise ValueError
    return value


def _bool(value: Any) -> bool:
    if value.__class__ is not bool:
        raise ValueError
    return bool(value)


def _list(look: _Look, least: int, most: int, value: Any) -> list[Any]:
    if value.__class__ is not list or not least <= len(value) <= most:
        raise ValueError
    return [look(one) for one in value]


def _mapping(key: _Look, look: _Look, most: int, value: Any) -> dict[str, Any]:
    if value.__class__ is not dict or len(value) > most:
        raise ValueError
    return {key(name): look(one) for name, one in value.items()}


def _name(value: Any) -> str:
    return str(canonicalize_name(_match(_NAME, 128, value)))


def _path(value: Any) -> Path:
    return Path(_text(MAX_TEXT, value)).expanduser()


# -- requests --------------------------------------------------------------------

_texts = partial(_list, partial(_text, MAX_TEXT), 0, MAX_ITEMS)
_names = partial(_list, _name, 0, MAX_ITEMS)
_names_or_all = partial(_list, lambda value: value if value == ":all:" else _name(value), 0, MAX_ITEMS)

_TARGET: Mapping[str, _Look] = {
    "name": partial(_match, _INDEX_NAME, 64),
    "python": partial(_text, 64),
    "platform": partial(_text, 128),
    "tags": partial(_list, partial(_text, 256), 0, 20_000),
    "markers": partial(_mapping, partial(_text, MAX_TEXT), partial(_text, MAX_TEXT), MAX_ITEMS),
}
_OPTIONS: Mapping[str, _Look] = {
    "resolution": ResolutionMode,
    "prerelease": Prerelease,
    "fork_strategy": ForkStrategy,
    "index_strategy": IndexStrategy,
    "no_binary": _names_or_all,
    "only_binary": _names_or_all,
    "no_deps": _bool,
}


def _options(value: Any) -> OptionsModel:
    members = _members(_OPTIONS, value)
    return OptionsModel(**members, given=frozenset(members))


_REQUEST: Mapping[str, _Look] = {
    "requirements": _texts,
    "files": partial(_mapping, lambda value: _text(256, value or None), partial(_text, 1 << 30), MAX_FILES),
    "roots": partial(_list, partial(_text, MAX_TEXT), 0, MAX_FILES),
    "extras": _names,
    "groups": _names,
    "constraints": _texts,
    "overrides": _texts,
    "excludes": _names,
    "targets": partial(_list, lambda value: TargetModel(**_members(_TARGET, value)), 1, MAX_TARGETS),
    "universal": lambda value: UniversalModel(**_members({"requires_python": partial(_match, _FROM, 64)}, value)),
    "options": _options,
    "lock": lambda value: LockModel(**_members({"content": partial(_text, 1 << 30)}, value)),
    "upgrade": lambda value: value if value.__class__ is bool else _names(value),
    "outputs": partial(_list, partial(_one_of, get_args(Output)), 0, 8),
}


def _request(body: Any) -> LockRequest:
    return LockRequest(**_members(_REQUEST, body))


# -- settings --------------------------------------------------------------------


def _url(value: Any) -> Secret:
    split_userinfo(_text(MAX_TEXT, value))
    return Secret(value)


_INDEX: Mapping[str, _Look] = {
    "name": partial(_match, _INDEX_NAME, 64),
    "url": _url,
    "default": _bool,
    "cache_control": partial(_mapping, partial(_one_of, ("api", "files")), partial(_text, MAX_TEXT), 2),
}
_POLICY: Mapping[str, _Look] = {
    "index_urls": partial(_one_of, ("none", "loopback")),
    "private_addresses": partial(_one_of, get_args(PrivateAddresses)),
}
_NETWORK: Mapping[str, _Look] = {"netrc": _path, "retries": lambda value: int(_match(_DIGIT, 1, value))}
_SERVICE: Mapping[str, _Look] = {
    "log_level": lambda value: _one_of(get_args(Level), _text(64, value).lower()),
    "log_format": partial(_one_of, get_args(LogFormat)),
    **{
        one.name: lambda value: float(_match(_SECONDS, 64, value))
        for one in fields(ServiceSettings)
        if one.type == "Seconds"
    },
}


def _index(table: Any) -> IndexSettings:
    return IndexSettings(**_members(_INDEX, table))


_SETTINGS: Mapping[str, _Look] = {
    "index": lambda value: tuple(_list(_index, 0, MAX_ITEMS, value)),
    "default_index": partial(_text, MAX_TEXT),
    "policy": lambda value: PolicySettings(**_members(_POLICY, value)),
    "network": lambda value: NetworkSettings(**_members(_NETWORK, value)),
    "service": lambda value: ServiceSettings(**_members(_SERVICE, value)),
    "cache": lambda value: CacheSettings(**_members({"dir": _path}, value)),
}


def _settings(values: Any) -> Settings:
    return Settings(**_members(_SETTINGS, values))
