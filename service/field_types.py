"""The types of the fields of shapes, as pydantic checks them. Imported when something is to be checked."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, StrictFloat, StrictInt, StringConstraints
from pydantic_core import CoreSchema, core_schema

from transport.secret import Secret

from .quantities import parse_duration, parse_moment, parse_size
from .schema import (
    MAX_FILES,
    MAX_ITEMS,
    MAX_TARGETS,
    MAX_TEXT,
    NAME,
    IndexReference,
    Output,
    PackageOptionsModel,
    TargetModel,
)
from .settings import INDEX_NAME, Level, split_userinfo

__all__ = ["StrictBool"]  # a type as it is

_NUMBER = re.compile(r"\d+(\.\d+)?")


def _is_moment(text: str) -> str:
    parse_moment(text)
    return text


def _is_specifier(text: str) -> str:
    try:
        SpecifierSet(text)
    except InvalidSpecifier:
        raise ValueError("not a version specifier such as >=3.11") from None
    return text


def _normalised(text: str) -> str:
    return str(canonicalize_name(text))


def _seconds(value: object) -> object:
    if isinstance(value, str) and not _NUMBER.fullmatch(value.strip()):  # the environment has no number type
        return parse_duration(value).total_seconds()
    return value


def _bytes(value: object) -> object:
    return parse_size(value) if isinstance(value, str) else value


def _prefixes(value: object) -> object:
    if isinstance(value, str) and value not in {"none", "loopback"}:
        return tuple(part for part in re.split(r"[,\s]+", value) if part)
    return value


def _are_urls(value: str | tuple[str, ...]) -> str | tuple[str, ...]:
    return tuple(split_userinfo(prefix)[0] for prefix in value) if isinstance(value, tuple) else value


def _index_url(text: str) -> Secret:
    split_userinfo(text)
    return Secret(text)


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


class _Made:
    """A value of a class of ours, made of a text by ``make``."""

    def __init__(self, make: Callable[[str], Secret]) -> None:
        self._make = make

    def __get_pydantic_core_schema__(self, source: object, handler: object) -> CoreSchema:
        del source, handler
        return core_schema.no_info_after_validator_function(self._make, core_schema.str_schema())


# -- of requests -----------------------------------------------------------------

Text = Annotated[str, StringConstraints(max_length=MAX_TEXT)]
Texts = Annotated[list[Text], Field(max_length=MAX_ITEMS)]
Name = Annotated[str, StringConstraints(pattern=NAME, max_length=128), AfterValidator(_normalised)]
Names = Annotated[list[Name], Field(max_length=MAX_ITEMS)]
NamesOrAll = Annotated[list[Name | Literal[":all:"]], Field(max_length=MAX_ITEMS)]
Label = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=64)]
Moment = Annotated[
    str,
    StringConstraints(max_length=64),
    AfterValidator(_is_moment),
    Field(description="RFC 3339 instant, date, or a duration before now", examples=["P7D", "2026-01-31T00:00:00Z"]),
]
RequiresPython = Annotated[Text, AfterValidator(_is_specifier)]
Python = Annotated[str, StringConstraints(max_length=64), Field(examples=["3.13"])]
Platform = Annotated[str, StringConstraints(max_length=128), Field(examples=["x86_64-manylinux_2_28"])]
Implementation = Annotated[str, StringConstraints(max_length=32)]
Tags = Annotated[list[Annotated[str, StringConstraints(max_length=256)]], Field(max_length=20_000)]
Packages = Annotated[dict[Name, PackageOptionsModel], Field(max_length=MAX_ITEMS)]
Files = Annotated[
    dict[Annotated[str, StringConstraints(min_length=1, max_length=256)], str], Field(max_length=MAX_FILES)
]
Roots = Annotated[list[Text], Field(max_length=MAX_FILES)]
Targets = Annotated[list[TargetModel], Field(min_length=1, max_length=MAX_TARGETS)]
References = Annotated[list[Label | IndexReference], Field(min_length=1, max_length=64)]
Outputs = Annotated[list[Output], Field(max_length=8)]
Budget = Annotated[StrictFloat, Field(gt=0)]
Decisions = Annotated[StrictInt, Field(gt=0, le=1_000_000)]

# -- of settings -----------------------------------------------------------------

Seconds = Annotated[float, BeforeValidator(_seconds, json_schema_input_type=str | float)]
Bytes = Annotated[int, BeforeValidator(_bytes, json_schema_input_type=str | int)]
Home = Annotated[Path, AfterValidator(Path.expanduser)]
Hidden = Annotated[Secret, _Made(Secret)]
IndexName = Annotated[str, Field(pattern=INDEX_NAME)]
IndexUrl = Annotated[Secret, _Made(_index_url)]
UrlPrefixes = Annotated[
    Literal["none", "loopback"] | tuple[str, ...], BeforeValidator(_prefixes), AfterValidator(_are_urls)
]
LogLevel = Annotated[Level, BeforeValidator(_lower)]
Connections = Annotated[int, Field(ge=1, le=1024)]
Retries = Annotated[int, Field(ge=0, le=10)]
Solves = Annotated[int, Field(ge=1, le=10_000)]
Waiting = Annotated[int, Field(ge=0, le=100_000)]
Stored = Annotated[int, Field(ge=0)]
