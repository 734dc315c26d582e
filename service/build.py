"""Which build of the project this is: the solver's search may be compiled (``setup.py``)."""

from __future__ import annotations

from importlib.machinery import EXTENSION_SUFFIXES
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path


def is_compiled() -> bool:
    """Whether the search is; looked up beside the package, for who asks has mostly no need to import it."""
    package = find_spec("resolver")
    assert package is not None, "the service is installed with its resolver"
    folders = [Path(each) / "solver" for each in package.submodule_search_locations or ()]
    return any((folder / f"solver{suffix}").is_file() for folder in folders for suffix in EXTENSION_SUFFIXES)


def describe() -> str:
    """Say which version of the project this is, and that it is compiled where it is."""
    return f"{version('lockwright')} (compiled)" if is_compiled() else version("lockwright")
