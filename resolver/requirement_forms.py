"""A requirement as the solver and the regions see it. Each form is made once."""

from __future__ import annotations

from functools import lru_cache

from .environment.region import Condition
from .environment.space import from_marker
from .name import names_of
from .provider.versions import exact_pin
from .requirement import Requirement
from .solver import Dependency
from .statement_order import is_bounded

MAX_CACHED = 16_384  # requirements, some 300 bytes each


@lru_cache(maxsize=MAX_CACHED)
def dependencies_on(requirement: Requirement, source: str) -> tuple[Dependency, ...]:
    """What it is to the solver; ``source`` is where it is stated."""
    exact = exact_pin(requirement.specifier) is not None or requirement.url is not None
    packages = names_of(requirement.name, requirement.extras)
    return tuple([Dependency(package, requirement.specifier, source, is_exact=exact) for package in packages])


@lru_cache(maxsize=MAX_CACHED)
def condition_of(requirement: Requirement, extra: str | None) -> Condition:
    """Where it holds, once ``extra`` is taken."""
    taken = () if extra is None else (extra,)
    space = from_marker(requirement.marker_text).without_extras(taken)
    return Condition(requirement.name, space, is_bounded(requirement.specifier))
