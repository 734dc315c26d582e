"""Which of the files that were sent are read, and which never are."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from itertools import islice

from .logical_line import MAX_LINE
from .requirements_file import INCLUDES, MAX_STATEMENTS, statements
from .script import is_script

PYPROJECT = "pyproject.toml"

_STATE = "state the dependencies in pyproject.toml [project] or in a requirements file"
_AS_LOCK = 'a lock is an answer, not a question; send it as "lock" to keep its versions'
# File name → why it is not read, and what to do.
FOREIGN = {
    "setup.py": f"setup.py would have to be run, and nothing is run here; {_STATE}",
    "setup.cfg": f"setup.cfg is setuptools' own format; {_STATE}",
    "Pipfile": f"Pipfile is Pipenv's own format; {_STATE}",
    "Pipfile.lock": f"Pipfile.lock is Pipenv's own format; {_STATE}",
    "poetry.lock": f"poetry.lock is Poetry's own format; {_STATE}",
    "uv.lock": "uv.lock is uv's own format; send pyproject.toml, and an exported pylock.toml as the earlier lock",
    "environment.yml": f"environment.yml is conda's format; {_STATE}",
    "environment.yaml": f"environment.yaml is conda's format; {_STATE}",
    "conda-lock.yml": f"conda-lock.yml is conda's format; {_STATE}",
    "pylock.toml": _AS_LOCK,
}


def why_foreign(name: str) -> str | None:
    """Return why the file is not read as a source of requirements; None when it is."""
    base = posixpath.basename(name)
    if base.startswith("pylock.") and base.endswith(".toml"):
        return _AS_LOCK
    return FOREIGN.get(base)


def is_project(name: str) -> bool:
    """Whether the file is read as a pyproject.toml: any ``.toml`` is."""
    return name.endswith(".toml")


def join(containing: str, named: str) -> str:
    """Return the name that ``-r named`` in file ``containing`` means, in the mapping's terms: no disk is asked."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(containing), named))


def default_roots(files: Mapping[str, str], aside: Iterable[str]) -> list[str] | None:
    """Choose what to read when nothing was named; None when only the caller can tell.

    The only file; else ``pyproject.toml``; else the one file that no other file includes. ``aside`` are files with
    a part of their own (constraints, overrides): neither they nor what they include is chosen.
    """
    includes = {name: _includes(name, text) for name, text in files.items()}
    reached: set[str] = set()
    waiting = list(aside)
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting.extend(includes.get(name, ()))
    candidates = [name for name in files if name not in reached]
    if PYPROJECT in candidates:
        return [PYPROJECT]
    if len(candidates) <= 1:
        return candidates
    included = {one for name in candidates for one in includes[name] if one != name}
    tops = [name for name in candidates if name not in included]
    return tops if len(tops) == 1 else None


def _includes(name: str, text: str) -> set[str]:
    if is_project(name) or is_script(name, text) or why_foreign(name) is not None:
        return set()
    return {
        join(name, option.value)
        for statement in islice(statements(text), MAX_STATEMENTS)
        if statement.line.longest <= MAX_LINE
        for option in statement.options
        if option.name in INCLUDES and option.value is not None
    }
