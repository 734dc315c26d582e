"""The shape of a lock request, as pydantic checks it and as ``/v1/openapi.json`` shows it.

Unknown fields are refused, so that a typing mistake never changes an answer silently. What the fields mean
together (policy, indexes, files) is decided in ``service.query``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StringConstraints,
    ValidationError,
)

from resolver.errors import Fault, Place
from resolver.model import ForkStrategy, IndexStrategy, Prerelease, ResolutionMode

from .problems import Problem, fault_to_document
from .quantities import parse_moment

MAX_ITEMS = 2000  # requirements of one request; the largest monorepos have some hundreds
MAX_FILES = 200
MAX_TARGETS = 32  # each is a solve of its own
_MAX_FAULTS = 100  # that many are read by nobody

_NAME = r"^([A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9._-]*[A-Za-z0-9])$"  # PEP 508


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


Text = Annotated[str, StringConstraints(max_length=4096)]
Texts = Annotated[list[Text], Field(max_length=MAX_ITEMS)]
Name = Annotated[str, StringConstraints(pattern=_NAME, max_length=128), AfterValidator(_normalised)]
Names = Annotated[list[Name], Field(max_length=MAX_ITEMS)]
NamesOrAll = Annotated[list[Name | Literal[":all:"]], Field(max_length=MAX_ITEMS)]
Label = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=64)]
Moment = Annotated[
    str,
    StringConstraints(max_length=64),
    AfterValidator(_is_moment),
    Field(description="RFC 3339 instant, date, or a duration before now", examples=["P7D", "2026-01-31T00:00:00Z"]),
]
Output = Literal["pylock", "requirements"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class TargetModel(_Model):
    """One environment to lock for."""

    name: Label | None = None
    python: Annotated[str, StringConstraints(max_length=64), Field(examples=["3.13"])] | None = None
    platform: Annotated[str, StringConstraints(max_length=128), Field(examples=["x86_64-manylinux_2_28"])] | None = None
    implementation: Annotated[str, StringConstraints(max_length=32)] | None = None
    tags: Annotated[list[Annotated[str, StringConstraints(max_length=256)]], Field(max_length=20_000)] | None = None
    markers: dict[str, Text] | None = None


class UniversalModel(_Model):
    """All environments that these admit."""

    requires_python: Annotated[Text, AfterValidator(_is_specifier)] | None = None
    environments: Texts = []
    required_environments: Texts = []


class IndexReference(_Model):
    """An index by URL; refused unless the server's ``policy.index_urls`` allows it."""

    name: Label
    url: Text
    explicit: StrictBool = False


class PackageOptionsModel(_Model):
    """Options of one package."""

    index: Label | None = None
    prerelease: Prerelease | None = None
    exclude_newer: Moment | Literal[False] | None = None
    builds: Literal["never", "static", "sandbox"] | None = None


class OptionsModel(_Model):
    """How to choose."""

    resolution: ResolutionMode = ResolutionMode.HIGHEST
    prerelease: Prerelease = Prerelease.IF_NECESSARY
    fork_strategy: ForkStrategy = ForkStrategy.REQUIRES_PYTHON
    index_strategy: IndexStrategy = IndexStrategy.FIRST_INDEX
    exclude_newer: Moment | None = None
    builds: Literal["never", "static", "sandbox"] | None = None
    no_binary: NamesOrAll = []
    only_binary: NamesOrAll = []
    no_deps: StrictBool = False
    packages: Annotated[dict[Name, PackageOptionsModel], Field(max_length=MAX_ITEMS)] = {}


class LockModel(_Model):
    """An earlier lock, in any format that the service writes."""

    content: str


class BudgetModel(_Model):
    """What the resolve may cost."""

    seconds: Annotated[StrictInt | float, Field(gt=0)] = 60
    decisions: Annotated[StrictInt, Field(gt=0, le=1_000_000)] = 200_000


class LockRequest(_Model):
    """The body of ``POST /v1/lock``."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "requirements": ["fastapi[standard]>=0.115"],
                    "targets": [{"python": "3.13", "platform": "linux"}],
                    "outputs": ["pylock"],
                },
            ],
        },
    )

    requirements: Texts | None = None
    files: Annotated[
        dict[Annotated[str, StringConstraints(min_length=1, max_length=256)], str], Field(max_length=MAX_FILES)
    ] = {}
    roots: Annotated[list[Text], Field(max_length=MAX_FILES)] | None = None
    extras: Names = []
    groups: Names = []
    constraints: Texts = []
    overrides: Texts = []
    excludes: Names = []
    targets: Annotated[list[TargetModel], Field(min_length=1, max_length=MAX_TARGETS)] | None = None
    universal: UniversalModel | None = None
    indexes: Annotated[list[Label | IndexReference], Field(min_length=1, max_length=64)] | None = None
    options: OptionsModel = OptionsModel()
    lock: LockModel | None = None
    upgrade: StrictBool | Names = False
    outputs: Annotated[list[Output], Field(max_length=8)] = []
    budget: BudgetModel = BudgetModel()


_Asked = TypeVar("_Asked", bound=LockRequest)


def pointer(parts: Iterable[object]) -> str:
    """Return a JSON pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def _place(location: Sequence[Any], data: Any, *, is_missing: bool) -> str:
    """Return the pointer into the caller's own document; pydantic's names of union members are left out."""
    path: list[object] = []
    for at, part in enumerate(location):
        is_key = isinstance(data, Mapping) and part in data
        is_position = isinstance(data, list) and isinstance(part, int) and part < len(data)
        if is_key or is_position:
            data = data[part]
        elif not (is_missing and at == len(location) - 1):
            continue
        path.append(part)
    return pointer(path)


def parse(data: object) -> LockRequest:
    """Check ``data`` (of JSON) as :func:`parse_as` does."""
    return parse_as(LockRequest, data)


def parse_as(model: type[_Asked], data: object) -> _Asked:
    """Check ``data`` (of JSON) against a kind of lock request.

    Raises:
        Problem: ``invalid-request`` with every fault. Values are not repeated: they may hold credentials.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        faults: dict[tuple[str, str], Fault] = {}
        for one in error.errors(include_url=False, include_input=False, include_context=False):
            where = _place(one["loc"], data, is_missing=one["type"] == "missing")
            detail = one["msg"].removeprefix("Value error, ")  # pydantic's words, not ours
            if one["type"] == "extra_forbidden":
                detail = f"unknown field {str(one['loc'][-1])[:80]!r}"
            faults.setdefault((where, detail), Fault(Place(pointer=where), detail))
        raise problem(list(faults.values())) from None


def problem(faults: Sequence[Fault], name: str = "invalid-request") -> Problem:
    """Return one problem for all ``faults``."""
    first = f"{faults[0].place}: {faults[0].detail}".removeprefix(": ")
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    shown = [fault_to_document(fault) for fault in faults[:_MAX_FAULTS]]
    return Problem(name, first + more, {"errors": shown})
