"""The solver makes uv's choices, where both have many: on random registries that need conflict resolution.

uv reads the registry as a directory of wheels, without an index.
"""

from __future__ import annotations

import random
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.solver_world import World, random_world, solve

UV = Path(sys.executable).with_name("uv")
REGISTRIES = 12  # a tenth of a second each


def requirement(text: str) -> str:
    return f"pkg-{text.replace(' ', '')}"


def write_wheels(world: World, directory: Path) -> None:
    for release, stated in world.releases.items():
        name, version = release.split()
        if "[" in name:
            continue
        lines = ["Metadata-Version: 2.1", f"Name: pkg-{name}", f"Version: {version}"]
        if any(text.startswith("!") for text in stated):
            lines.append("Requires-Python: >=3.99")
        lines += [f"Requires-Dist: {requirement(text)}" for text in stated if not text.startswith("!")]
        if f"{name}[x]" in world.tables:
            lines.append("Provides-Extra: x")
            extra = world.releases[f"{name}[x] {version}"]
            lines += [f"Requires-Dist: {requirement(text)} ; extra == 'x'" for text in extra]
        with zipfile.ZipFile(directory / f"pkg_{name}-{version}-py3-none-any.whl", "w") as wheel:
            info = f"pkg_{name}-{version}.dist-info"
            wheel.writestr(f"{info}/METADATA", "\n".join(lines) + "\n")
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")


def choose_with_uv(world: World, root: list[str], directory: Path) -> dict[str, str]:
    write_wheels(world, directory)
    options = ["--no-index", "--offline", "--no-cache", "--no-config", "--no-header", "--no-annotate", "-q"]
    done = subprocess.run(
        [UV, "pip", "compile", "-", "--find-links", directory, "--python", sys.executable, *options],
        input="\n".join(map(requirement, root)),
        capture_output=True,
        text=True,
        check=True,
        cwd=directory,
    )
    return dict(re.findall(r"^pkg-(\w+)(?:\[x\])?==(\S+)$", done.stdout, re.MULTILINE))


@pytest.mark.skipif(not UV.exists(), reason="uv is not installed")
def test_where_conflicts_must_be_resolved_the_pins_are_those_of_uv(tmp_path: Path) -> None:
    compared = 0
    for seed in range(2000):
        world, root = random_world(random.Random(seed))
        if any(text.startswith("?") for stated in world.releases.values() for text in stated):
            continue  # there is no such thing in a directory of wheels
        run = solve(world, root)
        if run.pins is None or not run.solver.conflicts:
            continue
        directory = tmp_path / str(seed)
        directory.mkdir()
        pins = {name: version for name, version in run.pins.items() if "[" not in name}
        assert choose_with_uv(world, root, directory) == pins, f"seed {seed}"
        compared += 1
        if compared == REGISTRIES:
            break
    assert compared == REGISTRIES
