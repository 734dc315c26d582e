"""The other peers: pip, pip-tools, Poetry, PDM and nab, each as its users would lock, with a cache of its own.

They run for the Python that they are installed for; Poetry and PDM lock for every platform unless told otherwise, and
no peer but uv is asked for a universal lock.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import tomllib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

from packaging.utils import canonicalize_name

from .process import Finished, clean_environment, run
from .question import HERE, Question
from .service import Pins, Refused, beside
from .uv import read_pins


class Peer(ABC):
    """A command that locks."""

    name: str
    """Of the command, beside this Python."""
    module: str
    """The distribution that it comes from."""

    def __init__(self, directory: Path) -> None:
        """``directory`` is for its inputs, caches and settings, and is its alone."""
        self.directory = directory
        self.cache = directory / "cache"
        self.cache.mkdir()

    @property
    def executable(self) -> str:
        """Where the command is.

        Raises:
            Refused: it is not installed.
        """
        found = beside(self.name)
        if found is None:
            raise Refused(f"{self.name} is not installed")
        return str(found)

    @abstractmethod
    def write(self, question: Question, index: str, project: Path) -> list[str]:
        """Write the inputs into ``project``; return the command that locks them."""

    @abstractmethod
    def pins(self, finished: Finished, project: Path) -> Pins:
        """What was locked."""

    def variables(self) -> Mapping[str, str]:
        """What the command finds in its environment."""
        return {}

    def lock(self, question: Question, index: str, limit: float) -> tuple[Finished, Pins]:
        """Lock with the cache as it is, in a new project.

        Raises:
            Refused: it failed, or took longer than ``limit`` seconds.
        """
        project = Path(tempfile.mkdtemp(dir=self.directory))
        home = {"HOME": str(self.directory), "XDG_STATE_HOME": str(self.directory / "state")}
        command = self.write(question, index, project)
        finished = run(command, clean_environment(**home, **self.variables()), cwd=project, limit=limit)
        if finished.seconds >= limit:
            raise Refused(f"{self.name} took longer than {limit:g} s")
        if finished.code:
            said = (finished.errors.strip() or finished.output.strip()).splitlines()
            raise Refused(f"{self.name} ended with {finished.code}: {said[-1][:160] if said else ''}")
        return finished, self.pins(finished, project)

    def forget(self) -> None:
        """Empty the cache."""
        shutil.rmtree(self.cache, ignore_errors=True)
        self.cache.mkdir()


class Pip(Peer):
    """``pip install --dry-run --report``."""

    name = module = "pip"

    def write(self, question: Question, index: str, project: Path) -> list[str]:
        """As :meth:`Peer.write`."""
        (project / "set.in").write_text(question.text)
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"]
        command += ["--only-binary", ":all:", "--index-url", index, "--cache-dir", str(self.cache)]
        return [*command, "--report", "report.json", "-r", "set.in"]

    def variables(self) -> Mapping[str, str]:
        """As :meth:`Peer.variables`."""
        return {"PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}

    def pins(self, finished: Finished, project: Path) -> Pins:
        """As :meth:`Peer.pins`."""
        del finished
        report = json.loads((project / "report.json").read_text())
        found = [one["metadata"] for one in report["install"]]
        return {canonicalize_name(one["name"]): (one["version"],) for one in found}


class PipTools(Pip):
    """``pip-compile``."""

    name = "pip-compile"
    module = "pip-tools"

    def write(self, question: Question, index: str, project: Path) -> list[str]:
        """As :meth:`Peer.write`."""
        (project / "set.in").write_text(question.text)
        command = [self.executable, "--quiet", "--no-header", "--no-annotate", "--strip-extras", "--allow-unsafe"]
        command += ["--index-url", index, "--cache-dir", str(self.cache / "pip-tools")]
        command += ["--pip-args", f"--only-binary :all: --cache-dir {self.cache / 'pip'}"]
        return [*command, "-o", "locked.txt", "set.in"]

    def pins(self, finished: Finished, project: Path) -> Pins:
        """As :meth:`Peer.pins`."""
        del finished
        return read_pins((project / "locked.txt").read_text())


def _project(question: Question, tables: str) -> str:
    """A pyproject.toml for the Python that runs this."""
    wanted = "".join(f"    {json.dumps(line)},\n" for line in question.requirements)
    major, minor = HERE.split(".")
    python = f">={HERE},<{major}.{int(minor) + 1}"
    head = f'[project]\nname = "measured"\nversion = "1"\nrequires-python = "{python}"\n'
    return f"{head}dependencies = [\n{wanted}]\n{tables}"


def _locked(path: Path) -> Pins:
    """The pins of a lock in TOML: poetry.lock, pdm.lock and pylock.toml name their arrays alike."""
    document = tomllib.loads(path.read_text())
    found: dict[str, set[str]] = {}
    for package in document.get("package", document.get("packages", [])):
        found.setdefault(canonicalize_name(package["name"]), set()).add(package["version"])
    return {name: tuple(sorted(versions)) for name, versions in found.items()}


class Poetry(Peer):
    """``poetry lock``."""

    name = module = "poetry"

    def write(self, question: Question, index: str, project: Path) -> list[str]:
        """As :meth:`Peer.write`."""
        tables = f'[tool.poetry]\npackage-mode = false\n[[tool.poetry.source]]\nname = "snapshot"\nurl = "{index}"\n'
        (project / "pyproject.toml").write_text(_project(question, f'{tables}priority = "primary"\n'))
        return [self.executable, "lock", "--no-interaction", "--quiet"]

    def variables(self) -> Mapping[str, str]:
        """As :meth:`Peer.variables`."""
        own = {f"POETRY_{kind}_DIR": str(self.directory / kind.lower()) for kind in ("CONFIG", "DATA")}
        return own | {"POETRY_CACHE_DIR": str(self.cache), "POETRY_VIRTUALENVS_CREATE": "false"}

    def pins(self, finished: Finished, project: Path) -> Pins:
        """As :meth:`Peer.pins`."""
        del finished
        return _locked(project / "poetry.lock")


class Pdm(Peer):
    """``pdm lock`` for one platform."""

    name = module = "pdm"

    def write(self, question: Question, index: str, project: Path) -> list[str]:
        """As :meth:`Peer.write`."""
        tables = f'[[tool.pdm.source]]\nname = "pypi"\nurl = "{index}"\nverify_ssl = true\n'
        (project / "pyproject.toml").write_text(_project(question, tables))
        target = ["--python", f"=={HERE}.*", "--platform", "manylinux_2_28_x86_64", "--implementation", "cpython"]
        return [self.executable, "lock", "--quiet", "-p", str(project), *target]

    def variables(self) -> Mapping[str, str]:
        """As :meth:`Peer.variables`."""
        return {
            "PDM_CACHE_DIR": str(self.cache),
            "PDM_CHECK_UPDATE": "0",
            "PDM_CONFIG_FILE": str(self.directory / "pdm.toml"),
            "PDM_IGNORE_SAVED_PYTHON": "1",
            "PDM_ONLY_BINARY": ":all:",
            "PDM_USE_VENV": "0",
        }

    def pins(self, finished: Finished, project: Path) -> Pins:
        """As :meth:`Peer.pins`."""
        del finished
        return _locked(project / "pdm.lock")


class Nab(Peer):
    """``nab lock``."""

    name = module = "nab"

    def write(self, question: Question, index: str, project: Path) -> list[str]:
        """As :meth:`Peer.write`."""
        tables = f'[tool.nab]\ndist-policy = "wheel-only"\nindexes = [{{ name = "snapshot", url = "{index}" }}]\n'
        (project / "pyproject.toml").write_text(_project(question, tables))
        return [self.executable, "--no-progress", "lock", "--cache-dir", str(self.cache), "--output", "pylock.toml"]

    def pins(self, finished: Finished, project: Path) -> Pins:
        """As :meth:`Peer.pins`."""
        del finished
        return _locked(project / "pylock.toml")


PEERS: Mapping[str, type[Peer]] = {
    "pip": Pip,
    "pip-tools": PipTools,
    "poetry": Poetry,
    "pdm": Pdm,
    "nab": Nab,
}
