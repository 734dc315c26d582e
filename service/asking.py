"""The shapes of the questions about locks, ``POST /v1/check`` and ``/v1/explain``, and of their answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from resolver.specifier import parse

from .answer import ChangesShape
from .field_types import Name
from .schema import LockModel, LockRequest

MODES = ("satisfies",)


def _is_mode(text: str) -> str:
    if text not in MODES:
        raise ValueError(f"this server does not have the mode {text[:40]!r}; supported: {', '.join(MODES)}")
    return text


def _specifier(text: str) -> str:
    """A lone version means exactly that one."""
    try:
        return f"=={Version(text)}"
    except InvalidVersion:
        pass
    try:
        if parse(text):
            return str(SpecifierSet(text))
    except ValueError:
        pass
    raise ValueError("neither a version specifier such as <2 nor a version")


def _version(text: str) -> str:
    try:
        return str(Version(text))
    except InvalidVersion:
        raise ValueError("not a version") from None


Mode = Annotated[str, AfterValidator(_is_mode), Field(json_schema_extra={"enum": list(MODES)})]
Specifier = Annotated[
    str,
    StringConstraints(min_length=1, max_length=512),
    AfterValidator(_specifier),
    Field(description="Version specifiers; a lone version means ==", examples=["<2", "1.26.4"]),
]
Exact = Annotated[str, StringConstraints(min_length=1, max_length=128), AfterValidator(_version)]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRequest(LockRequest):
    """The body of ``POST /v1/check``: a lock request, with the lock that is judged.

    With neither ``targets`` nor ``universal`` the lock is judged for its own environments.
    """

    examples = ({"requirements": ["a>=1"], "lock": {"content": "a==1.0"}},)

    lock: LockModel
    modes: Annotated[tuple[Mode, ...], Field(min_length=1, max_length=8)] = MODES


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainRequest(LockRequest):
    """The body of ``POST /v1/explain``: a lock request, and the package that it is about."""

    examples = ({"requirements": ["a>=1"], "package": "b", "not": "<2"},)

    package: Name
    not_: Annotated[Specifier | None, Field(alias="not", description="Why are versions like these not locked?")] = None
    version: Annotated[Exact | None, Field(description="The same as not: ==VERSION")] = None

    def __post_init__(self) -> None:
        if self.not_ is not None and self.version is not None:
            raise ValueError("not and version exclude each other; give one of them")

    @property
    def wished(self) -> str | None:
        """The specifiers of the versions that the caller would rather have."""
        return self.not_ if self.version is None else f"=={self.version}"


REQUESTS: tuple[type[LockRequest], ...] = (LockRequest, CheckRequest, ExplainRequest)
"""The kinds of questions."""


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CheckFaultShape(_Shape):
    """Something that the inputs ask for and the lock does not give.

    It has ``target``, the name of one; or ``environment``, a marker (null: in every environment).
    """

    target: str | None = None
    environment: str | None = None
    requirement: str
    detail: str


class ModeShape(_Shape):
    """The answer of one mode."""

    ok: bool
    faults: list[CheckFaultShape]


class CheckAnswer(_Shape):
    """Whether the lock is still good: in all modes, and in each."""

    ok: bool
    modes: dict[str, ModeShape]


class LockedShape(_Shape):
    """A version of the package in the lock."""

    version: str
    marker: str | None
    targets: list[str]


class StepShape(_Shape):
    """A package on the way; ``requirement`` is why it is there: the previous step's, or the caller's own."""

    name: str
    version: str
    requirement: str


class ChainShape(_Shape):
    """A shortest way from a requirement of the caller to the package.

    ``targets`` names those where it leads there; it is empty for a universal lock.
    """

    requirement: str
    origin: str
    targets: list[str]
    steps: list[StepShape]


class WhyNotShape(_Shape):
    """What would happen with the wished versions: how the lock would change, or why it is impossible."""

    requirement: str
    possible: bool
    changes: ChangesShape | None
    detail: str | None
    derivation: dict[str, object] | None
    packages: list[str]
    hints: list[str]


class ExplainAnswer(_Shape):
    """Why a package is in the lock (no chains: it is not), and why wished versions of it are not."""

    package: str
    locked: list[LockedShape]
    chains: list[ChainShape]
    truncated: bool = Field(description="There are more chains than are shown")
    why_not: WhyNotShape | None
