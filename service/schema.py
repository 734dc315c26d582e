"""The shape of a lock request, as pydantic checks it and as ``/v1/openapi.json`` shows it.

Unknown fields are refused, so that a typing mistake never changes an answer silently. What the fields mean
together (policy, indexes, files) is decided in ``service.query``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from resolver.errors import Fault, Place
from resolver.model import ForkStrategy, IndexStrategy, Prerelease, ResolutionMode

from .problems import Problem, fault_to_document
from .shape import Shape, checked, reason

if TYPE_CHECKING:
    from pydantic import StrictBool

    from .field_types import (
        Budget,
        Decisions,
        Files,
        Implementation,
        Label,
        Moment,
        Names,
        NamesOrAll,
        Outputs,
        Packages,
        Platform,
        Python,
        References,
        RequiresPython,
        Roots,
        Tags,
        Targets,
        Text,
        Texts,
    )

MAX_ITEMS = 2000  # requirements of one request; the largest monorepos have some hundreds
MAX_FILES = 200
MAX_TARGETS = 32  # each is a solve of its own
MAX_TEXT = 4096  # characters of a requirement, a path, a marker
NAME = r"^([A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9._-]*[A-Za-z0-9])$"  # PEP 508
_MAX_FAULTS = 100  # that many are read by nobody

Output = Literal["pylock", "requirements"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetModel(Shape):
    """One environment to lock for."""

    name: Label | None = None
    python: Python | None = None
    platform: Platform | None = None
    implementation: Implementation | None = None
    tags: Tags | None = None
    markers: dict[str, Text] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UniversalModel(Shape):
    """All environments that these admit."""

    requires_python: RequiresPython | None = None
    environments: Texts = field(default_factory=list)
    required_environments: Texts = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexReference(Shape):
    """An index by URL; refused unless the server's ``policy.index_urls`` allows it."""

    name: Label
    url: Text
    explicit: StrictBool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageOptionsModel(Shape):
    """Options of one package."""

    index: Label | None = None
    prerelease: Prerelease | None = None
    exclude_newer: Moment | Literal[False] | None = None
    builds: Literal["never", "static", "sandbox"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionsModel(Shape):
    """How to choose."""

    resolution: ResolutionMode = ResolutionMode.HIGHEST
    prerelease: Prerelease = Prerelease.IF_NECESSARY
    fork_strategy: ForkStrategy = ForkStrategy.REQUIRES_PYTHON
    index_strategy: IndexStrategy = IndexStrategy.FIRST_INDEX
    exclude_newer: Moment | None = None
    builds: Literal["never", "static", "sandbox"] | None = None
    no_binary: NamesOrAll = field(default_factory=list)
    only_binary: NamesOrAll = field(default_factory=list)
    no_deps: StrictBool = False
    packages: Packages = field(default_factory=dict)
    given: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class LockModel(Shape):
    """An earlier lock, in any format that the service writes."""

    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetModel(Shape):
    """What the resolve may cost."""

    seconds: Budget = 60
    decisions: Decisions = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LockRequest(Shape):
    """The body of ``POST /v1/lock``."""

    examples = (
        {
            "requirements": ["fastapi[standard]>=0.115"],
            "targets": [{"python": "3.13", "platform": "linux"}],
            "outputs": ["pylock"],
        },
    )

    requirements: Texts | None = None
    files: Files = field(default_factory=dict)
    roots: Roots | None = None
    extras: Names = field(default_factory=list)
    groups: Names = field(default_factory=list)
    constraints: Texts = field(default_factory=list)
    overrides: Texts = field(default_factory=list)
    excludes: Names = field(default_factory=list)
    targets: Targets | None = None
    universal: UniversalModel | None = None
    indexes: References | None = None
    options: OptionsModel = OptionsModel()
    lock: LockModel | None = None
    upgrade: StrictBool | Names = False
    outputs: Outputs = field(default_factory=list)
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
    from pydantic import ValidationError  # noqa: PLC0415 - see ``service.shape``

    try:
        return checked(model, data)
    except ValidationError as error:
        faults: dict[tuple[str, str], Fault] = {}
        found = error.errors(include_url=False, include_input=False, include_context=False)
        for one in found:
            own = one["loc"]
            if one["type"] == "too_short" and any(own == other["loc"][: len(own)] for other in found if other != one):
                continue  # pydantic counts the items of a tuple that have no faults
            where = _place(one["loc"], data, is_missing=one["type"] == "missing")
            detail = reason(one)
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
