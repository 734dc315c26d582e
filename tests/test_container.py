"""The container's recipe: read as text, and its steps done without a container where that is cheap."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from service.quantities import parse_duration
from service.settings import ServiceSettings

ROOT = Path(__file__).resolve().parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = (ROOT / "compose.yaml").read_text()


def instructions(name: str) -> list[str]:
    joined = re.sub(r"\\\n\s*", " ", re.sub(r"(?m)^#.*\n", "", DOCKERFILE))
    return [line.removeprefix(f"{name} ") for line in joined.splitlines() if line.startswith(f"{name} ")]


def compose_value(key: str) -> str:
    found = re.search(rf"(?m)^ +{key}: (.+)$", COMPOSE)
    assert found is not None, f"compose.yaml has no {key}"
    return found[1]


def test_everything_that_is_copied_is_there_and_not_ignored() -> None:
    ignore = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in ignore
    kept = [line.removeprefix("!") for line in ignore if line.startswith("!")]
    copied = [path for line in instructions("COPY") if not line.startswith("--from") for path in line.split()[:-1]]
    assert copied
    for path in copied:
        assert (ROOT / path).exists(), path
        assert any(Path(path).match(pattern) for pattern in kept), f"{path} is not sent to the builder"


def test_the_packages_of_the_project_are_all_copied() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "benchmarks"}
    assert packages <= {word for line in instructions("COPY") for word in line.split()}


def test_the_service_runs_as_an_unprivileged_user_with_hashed_requirements() -> None:
    assert instructions("USER") == ["lockwright"]
    installs = [line for line in instructions("RUN") if "pip install" in line]
    assert len(installs) == 2
    for line in installs:
        assert ("--require-hashes" in line) != ("--no-deps" in line), line


def test_what_only_compiles_is_not_left_in_the_image() -> None:
    pins = {
        name: set(re.findall(r"(?m)^([a-z0-9-]+)==", (ROOT / "requirements" / f"{name}.txt").read_text()))
        for name in ("native", "run")
    }
    (removal,) = [line for line in instructions("RUN") if "pip uninstall" in line]
    removed = set(removal.partition("pip uninstall --yes ")[2].split())
    assert removed == (pins["native"] - pins["run"]) | {"pip"}


def test_entrypoint_command_and_health_check_are_commands_that_exist() -> None:
    assert instructions("ENTRYPOINT") == ['["lockwright"]']
    assert instructions("CMD") == ['["serve", "--host", "0.0.0.0"]']
    assert instructions("HEALTHCHECK")[0].endswith('CMD ["lockwright", "health"]')
    assert 'test: ["CMD", "lockwright", "health"]' in COMPOSE
    for command in (["serve", "--host", "0.0.0.0", "--help"], ["health", "--help"]):
        done = subprocess.run([sys.executable, "-m", "service", *command], cwd=ROOT, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr


def test_base_images_are_named_without_a_registry() -> None:
    (image,) = [line.partition("=")[2] for line in instructions("ARG") if line.startswith("PYTHON_IMAGE=")]
    assert "/" not in image
    assert {line.split()[0] for line in instructions("FROM")} == {"${PYTHON_IMAGE}"}
    assert "/" not in compose_value("image")


def test_compose_waits_longer_than_a_drain_may_take() -> None:
    settings = ServiceSettings()
    grace = parse_duration(compose_value("stop_grace_period")).total_seconds()
    assert grace > settings.drain_grace + settings.drain_limit


def test_compose_writes_only_to_the_cache_and_to_memory() -> None:
    assert compose_value("read_only") == "true"
    cache = "/var/cache/lockwright"
    assert f"- cache:{cache}" in COMPOSE
    assert instructions("VOLUME") == [cache]
    assert f"LOCKWRIGHT_CACHE__DIR={cache}" in DOCKERFILE
    assert "\t" not in COMPOSE


def test_the_hashed_requirements_name_no_place_to_install_from() -> None:
    for path in sorted((ROOT / "requirements").glob("*.txt")):
        for line in path.read_text().splitlines():
            assert re.fullmatch(
                r"[a-z0-9-]+(\[[a-z0-9,-]+\])?==\S+( ; [^\\]+)?( \\)?|    --hash=sha256:[0-9a-f]{64}( \\)?", line
            ), line


def test_the_pins_satisfy_what_the_project_asks_for() -> None:
    import tomllib  # noqa: PLC0415

    from packaging.requirements import Requirement  # noqa: PLC0415

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = {"run": project["dependencies"], "dev": project["optional-dependencies"]["dev"]}
    for name, requirements in asked.items():
        pins = dict(re.findall(r"(?m)^([a-z0-9-]+)==(\S+)", (ROOT / "requirements" / f"{name}.txt").read_text()))
        for text in requirements:
            requirement = Requirement(text)
            assert requirement.specifier.contains(pins[requirement.name]), f"{text} but {pins[requirement.name]}"


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="which files are tracked is known only in a git checkout")
def test_the_installed_project_has_its_packages_data_and_command(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--no-deps", "--no-index"]
    done = subprocess.run(
        [*command, "--no-build-isolation", "--wheel-dir", tmp_path, _copy(tmp_path / "source")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
        names = archive.namelist()
    tracked = subprocess.run(["git", "ls-files", "service/web"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(tracked.stdout.split()) <= set(names)
    assert not any(name.startswith("tests/") for name in names)
    script = "from service.cli.main import run; raise SystemExit(run(['--version']))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path / "site", capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("lockwright "), done.stderr


def _copy(to: Path) -> Path:
    """Copy what is tracked: a build must not depend on, or leave, files in the work tree."""
    archive = to.with_suffix(".tar")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    with tarfile.open(archive, "w") as tar:
        for name in filter(None, listed.decode().split("\0")):
            if (ROOT / name).is_file():
                tar.add(ROOT / name, name)
    with tarfile.open(archive) as tar:
        tar.extractall(to, filter="data")
    return to
