"""The optional compiled build: which modules it takes, and which build a process runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

from resolver.solver import solver
from service import build

ROOT = Path(__file__).resolve().parents[1]
IS_EXPECTED = os.environ.get("EXPECT_COMPILED") == "1"
SETUP = (ROOT / "setup.py").read_text()


def compiled_modules() -> set[str]:
    (listed,) = re.findall(r"(?s)SEARCH = \((.+?)\n\)", SETUP)
    return set(re.findall(r'"(\w+)"', listed))


def test_the_build_says_what_runs() -> None:
    """CI runs this file on the compiled build, too, and then expects that it is one."""
    assert solver.__file__.endswith(tuple(EXTENSION_SUFFIXES)) == IS_EXPECTED
    assert build.is_compiled() == IS_EXPECTED
    assert build.describe() == ("0.1.0 (compiled)" if IS_EXPECTED else "0.1.0")


@pytest.mark.parametrize("suffix", EXTENSION_SUFFIXES)
def test_a_compiled_solver_beside_its_source_is_noticed(suffix: str, tmp_path: Path) -> None:
    (tmp_path / "resolver" / "solver").mkdir(parents=True)
    (tmp_path / "resolver" / "__init__.py").touch()
    (tmp_path / "resolver" / "solver" / f"solver{suffix}").touch()
    script = f"import sys; sys.path.append({str(ROOT)!r}); from service import build; print(build.is_compiled())"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env={"PATH": ""}, capture_output=True, text=True, check=True
    )
    assert done.stdout == "True\n"


def test_what_is_compiled_is_there_and_what_runs_in_threads_is_not() -> None:
    """Compiled code keeps other threads from running until it comes back to Python."""
    present = {path.stem for path in (ROOT / "resolver" / "solver").glob("*.py")}
    assert compiled_modules() <= present
    assert not compiled_modules() & {"classes", "explanation", "filling", "premises", "shortening", "unifying"}


def test_without_the_variable_nothing_is_compiled_and_mypy_is_not_needed() -> None:
    script = (
        "import sys, setuptools; sys.modules['mypyc'] = None\n"
        "setuptools.setup = lambda **given: print(given)\n"
        f"exec({SETUP!r})"
    )
    done = subprocess.run([sys.executable, "-c", script], env={"PATH": ""}, capture_output=True, text=True, check=True)
    assert done.stdout == "{'ext_modules': []}\n"
