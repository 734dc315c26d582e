"""Requirements files, pyproject.toml, scripts and earlier locks become stated requirements. Pure."""

from __future__ import annotations

from .earlier_lock import LockContent, LockedVersion, preferences, read_lock
from .reading import Inputs, read_inputs

__all__ = ["Inputs", "LockContent", "LockedVersion", "preferences", "read_inputs", "read_lock"]
