"""uv, at its best: ``uv pip compile``, offline with a full cache or with none at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from packaging.utils import canonicalize_name

from .process import Finished, clean_environment, run
from .question import PLATFORM, Question
from .service import Pins, Refused


def read_pins(text: str) -> Pins:
    """The pins of a requirements file: versions by name, several where markers tell them apart."""
    found: dict[str, set[str]] = {}
    for line in text.splitlines():
        pin = line.partition(";")[0].strip().removesuffix("\\").split(" --hash")[0].strip()
        name, equals, version = pin.partition("==")
        if equals and not line.startswith((" ", "#")):
            found.setdefault(canonicalize_name(name.partition("[")[0]), set()).add(version.strip())
    return {name: tuple(sorted(versions)) for name, versions in found.items()}


class Uv:
    """uv with a cache directory of its own."""

    def __init__(self, executable: Path, directory: Path) -> None:
        """``directory`` is for inputs and the cache, and is ours alone."""
        self.executable = executable
        self._directory = directory
        self.cache = directory / "uv-cache"

    def write(self, question: Question) -> list[str]:
        """Write the inputs; return the command that compiles them, without index and cache."""
        inputs = Path(tempfile.mkdtemp(dir=self._directory))
        (inputs / "set.in").write_text(question.text)
        command = [str(self.executable), "pip", "compile", "--no-config", "--quiet", "--no-header", "--no-annotate"]
        command += ["--only-binary", ":all:", "--python-version", question.python, str(inputs / "set.in")]
        if question.constraints:
            (inputs / "limits.txt").write_text("".join(f"{line}\n" for line in question.constraints))
            command += ["--constraint", str(inputs / "limits.txt")]
        return [*command, "--universal"] if question.is_universal else [*command, "--python-platform", PLATFORM]

    def compile(self, command: list[str], index: str, *, offline: bool = False) -> Finished:
        """Compile with the cache as it is.

        Raises:
            Refused: there is no answer.
        """
        full = [*command, "--default-index", index, *(["--offline"] if offline else [])]
        finished = run(full, self.environment())
        if finished.code:
            raise Refused(finished.errors.strip()[:300] or f"exit code {finished.code}")
        return finished

    def environment(self) -> Mapping[str, str]:
        """Nothing configured, nothing downloaded but what is asked for."""
        return clean_environment(UV_CACHE_DIR=str(self.cache), UV_PYTHON_DOWNLOADS="never", UV_NO_PROGRESS="1")

    def forget(self) -> None:
        """Empty the cache."""
        shutil.rmtree(self.cache, ignore_errors=True)
