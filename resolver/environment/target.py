"""A target: one concrete environment to lock for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """One environment. ``key`` identifies it: equal keys mean equal markers and tags."""

    name: str
    python: str
    """Full version for markers and Requires-Python: ``3.13`` was given → ``3.13.0``."""
    implementation: str
    platform: str
    """As the caller named it."""
    markers: Mapping[str, str]
    """The eleven PEP 508 variables, without ``extra``."""
    tags: Mapping[str, int]
    """Supported tag (``cp313-cp313-manylinux_2_28_x86_64``) → rank, 0 is the best."""
    marker: str
    """A PEP 508 marker that describes this environment in a lock (``environments``)."""
    key: str
    """SHA-256 of markers and tags, in hex."""
