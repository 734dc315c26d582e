"""A remedy changes the caller's own input; a suggestion is a remedy that a solve verified."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from ..errors import Place
from ..model import Query, Stated


class Effort(IntEnum):
    """What a remedy asks of the caller, the least first."""

    OPTION = 0
    """An option for one package."""
    BOUND = 1
    """Other versions in a statement."""
    ENVIRONMENT = 2
    """Another Python, or one required environment less."""
    STATEMENT = 3
    """A statement less."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One place of the input and what it should say."""

    place: Place
    before: object
    """As it stands in the request (JSON), or the text of the requirement; None: nothing is there."""
    after: object
    """None: remove it."""
    option: str | None = None
    """The option (API's name) that it is about; None for a statement or an environment."""


@dataclass(frozen=True, slots=True)
class Remedy:
    """A change that may help."""

    effort: Effort
    kind: str
    """Remedies of one kind may be needed together: two packages whose pre-releases are left out."""
    detail: str
    """Prose in the imperative, without a full stop."""
    edits: tuple[Edit, ...]
    to_query: Callable[[Query], Query] = field(compare=False)
    """The query with the change made."""
    loosened: tuple[Stated, ...] = ()
    """The statements, of one text, whose bounds ``to_query`` leaves out, to find out what they should admit."""
    packages: frozenset[str] = frozenset()
    """Those that came into play when the remedy was put together from several."""
    members: tuple[Remedy, ...] = ()
    """Those that it was put together from."""

    @property
    def parts(self) -> tuple[Remedy, ...]:
        """The single remedies that it consists of."""
        return self.members or (self,)

    def joined(self, other: Remedy, packages: Iterable[str]) -> Remedy:
        """Both at once; ``packages`` are those that the refusal is about which called for ``other``."""
        return Remedy(
            max(self.effort, other.effort),
            self.kind if self.kind == other.kind else "several",
            f"{self.detail}, and {other.detail}",
            (*self.edits, *other.edits),
            lambda query: other.to_query(self.to_query(query)),
            packages=self.packages | other.packages | frozenset(packages),
            members=(*self.parts, *other.parts),
        )


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A remedy and the answer that it leads to."""

    detail: str
    edits: tuple[Edit, ...]
    result: Mapping[str, tuple[str, ...]]
    """name → versions, of the packages that the refusal named and of those that the edits are about."""
