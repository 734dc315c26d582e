"""Versions against specifiers as ``packaging`` sees them, for the independent walk."""

from __future__ import annotations

from functools import lru_cache

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version


@lru_cache(maxsize=65_536)
def contains(specifier: str, version: str) -> bool:
    """Whether PEP 440 admits ``version``; whether pre-releases are welcome was decided before."""
    if not specifier:
        return True
    try:
        return SpecifierSet(specifier).contains(Version(version), prereleases=True)
    except InvalidSpecifier:
        return True  # of old metadata; the provider reports it, and it admits what an installer admits
    except InvalidVersion:
        return False


@lru_cache(maxsize=16_384)
def old_enough(requires_python: str, python: str) -> bool:
    """Whether ``python`` is not below the lower bounds: those are what a candidate may be rejected for, as in uv."""
    try:
        specifiers = SpecifierSet(requires_python)
    except InvalidSpecifier:
        return True
    release = Version(Version(python.rstrip("+")).base_version)  # 3.14.0rc1 counts as a 3.14
    bounds = [one for one in specifiers if one.operator in {">=", ">", "~=", "=="}]
    lowest = [Version(Version(one.version.removesuffix(".*")).base_version) for one in bounds]
    return all(
        release > bound if one.operator == ">" else release >= bound for one, bound in zip(bounds, lowest, strict=True)
    )
