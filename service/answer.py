"""The shapes of answers, for the API's description. The answers themselves are made by ``service.rendering``."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FileShape(_Shape):
    """A wheel or sdist."""

    filename: str
    url: str
    hashes: dict[str, str]
    size: int | None
    upload_time: str | None


class RequiresShape(_Shape):
    """An edge of the graph."""

    name: str
    marker: str | None


class PackageShape(_Shape):
    """A locked package; ``marker`` is null where it is in every environment of the lock."""

    name: str
    version: str
    marker: str | None
    extras: list[str]
    direct: bool
    targets: list[str]
    index: str | None
    requires_python: str | None
    requires: list[RequiresShape]
    via: list[str]
    files: list[FileShape]
    flags: list[Literal["yanked", "prerelease", "sdist-only", "no-upload-time"]]


class VersionShape(_Shape):
    """A package that came or went."""

    name: str
    version: str


class ChangeShape(_Shape):
    """A package whose version changed."""

    name: str
    before: str = Field(alias="from")
    after: str = Field(alias="to")


class ChangesShape(_Shape):
    """Against the lock that the request sent."""

    added: list[VersionShape]
    removed: list[VersionShape]
    changed: list[ChangeShape]


class WarningShape(_Shape):
    """Something to know although there is a lock."""

    code: str
    package: str | None
    index: str | None
    detail: str


class SecondsShape(_Shape):
    """Where the time went."""

    fetch: float
    solve: float
    render: float


class SlowestShape(_Shape):
    """A package that took long."""

    package: str
    ms: float


class StatsShape(_Shape):
    """What the resolution cost."""

    seconds: SecondsShape
    projects: int
    metadata: int
    decisions: int
    conflicts: int
    requests: int
    cache_hits: int
    slowest: list[SlowestShape]


class LockAnswer(_Shape):
    """A lock. A stored one has no ``stats``."""

    id: str = Field(pattern="^lk_[0-9a-f]{40}$")
    query: str = Field(pattern="^sha256:[0-9a-f]{64}$")
    served_from: Literal["solved", "joined", "stored"]
    requires_python: str | None
    environments: list[str]
    packages: list[PackageShape]
    changes: ChangesShape
    warnings: list[WarningShape]
    outputs: dict[str, str]
    stats: StatsShape | None = None


class FaultShape(_Shape):
    """One fault of a request, with its place: a pointer into the JSON, or a file."""

    pointer: str | None = None
    file: str | None = None
    line: int | None = None
    column: int | None = None
    detail: str


class EditShape(_Shape):
    """A place of the request to change: a pointer into the JSON, or a line of a file that was sent.

    A pointer that ends in ``-`` adds to a list, one to an option that the request does not have adds it.
    """

    pointer: str | None = None
    file: str | None = None
    line: int | None = None
    option: str | None = Field(default=None, description="The option that it is about, where it is about one")
    before: bool | str | list[str] | None = Field(alias="from", description="null: nothing was stated")
    after: bool | str | list[str] | None = Field(alias="to", description="null: remove it")


class SuggestionShape(_Shape):
    """Changes of the request that, all together, lead to a lock: a solve has verified it."""

    detail: str
    changes: list[EditShape]
    result: dict[str, list[str]] = Field(description="The versions that the packages of the conflict have then")


class ProblemAnswer(BaseModel):
    """A problem document (RFC 9457); further members depend on its type."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(pattern="^/problems/[a-z-]+$")
    title: str
    status: int
    detail: str
    retryable: bool
    instance: str | None = None
    errors: list[FaultShape] | None = None
    packages: list[str] | None = None
    derivation: dict[str, object] | None = None
    hints: list[str] | None = None
    suggestions: list[SuggestionShape] | None = None
    index: str | None = None
