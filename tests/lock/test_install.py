"""Real installers install what a lock says: pip and uv, from a file server on the loopback interface."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import io
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from resolver.environment.target import Target, local_target
from resolver.index.page import File
from resolver.lock.build import build
from resolver.lock.pylock import to_pylock
from resolver.lock.requirements_txt import to_requirements
from resolver.model import Lock, Resolution

from .world import pin, resolution, target

pytestmark = pytest.mark.slow


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class names it so
        """Say nothing: the test reports what matters."""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A directory, and the URL under which its files are served."""
    root = tmp_path / "files"
    root.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(root)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield root, f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def write_wheel(served: tuple[Path, str], name: str, version: str, requires: str = "") -> File:
    """Write a wheel that installs one module, and describe it as its index would."""
    root, url = served
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    contents = {
        f"{name}.py": f"version = {version!r}\n",
        f"{info}/METADATA": metadata + (f"Requires-Dist: {requires}\n" if requires else ""),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = []
    for path, text in contents.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        rows.append(f"{path},sha256={digest},{len(text.encode())}\n")
    contents[f"{info}/RECORD"] = "".join([*rows, f"{info}/RECORD,,\n"])
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, text in contents.items():
            archive.writestr(path, text)
    body = buffer.getvalue()
    filename = f"{name}-{version}-py3-none-any.whl"
    (root / filename).write_bytes(body)
    return File(
        filename=filename,
        url=url + filename,
        hashes=(("sha256", hashlib.sha256(body).hexdigest()),),
        tags="py3-none-any",
        size=len(body),
        upload_time="2025-01-15T08:30:00Z",
    )


def elsewhere() -> Target:
    """A target that the interpreter is not."""
    return target("elsewhere", platform="windows" if sys.platform != "win32" else "linux")


def world(served: tuple[Path, str]) -> Resolution:
    """Two packages by index and one by URL; another version and another package for the other target."""
    index = replace(pin("x", "1"), requires_python=None, index_url=served[1] + "simple/")
    top = replace(index, name="top", version="1.0", wheels=(write_wheel(served, "top", "1.0", "low>=1"),))
    low = replace(index, name="low", version="1.5", wheels=(write_wheel(served, "low", "1.5"),), is_direct=False)
    late = replace(low, version="2.0", wheels=(write_wheel(served, "low", "2.0"),))
    other = replace(low, name="other", wheels=(write_wheel(served, "other", "1.5"),))
    file = write_wheel(served, "linked", "3.0")
    linked = replace(
        index, name="linked", version="3.0", wheels=(file,), index=None, index_url=None, reference=file.url
    )
    return resolution(
        {local_target("here"): [top, low, linked], elsewhere(): [top, late, linked, other]},
        "top",
        f"linked @ {file.url}",
    )


def run(where: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run an installer, away from the configuration of the machine."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "SYSTEMROOT", "LANG"}}
    settings = {
        "HOME": str(where),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INPUT": "1",
        "UV_NO_CONFIG": "1",
        "UV_CACHE_DIR": str(where / "uv"),
    }
    return subprocess.run(
        command,
        cwd=where,
        env={**kept, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=100,
        check=False,
    )


def installed(site: Path) -> list[str]:
    return sorted(path.name.removesuffix(".dist-info") for path in site.glob("*.dist-info"))


def write_lock(where: Path, lock: Lock, form: str) -> str:
    text = to_pylock(lock) if form == "pylock.toml" else to_requirements(lock)
    (where / form).write_text(text, "utf-8")
    return form


EXPECTED = ["linked-3.0", "low-1.5", "top-1.0"]


@pytest.mark.parametrize("form", ["pylock.toml", "requirements.txt"])
def test_pip_installs_exactly_the_pins_of_this_environment(form: str, served: tuple[Path, str], tmp_path: Path) -> None:
    if importlib.util.find_spec("pip") is None:
        pytest.skip("pip is not installed beside this interpreter")
    name = write_lock(tmp_path, build(world(served)), form)
    found = ["--no-index", "--find-links", str(served[0])] if form == "requirements.txt" else []
    arguments = ["install", "--no-cache-dir", "--disable-pip-version-check", *found, "--target", "site", "-r", name]
    done = run(tmp_path, sys.executable, "-m", "pip", *arguments)
    assert done.returncode == 0, done.stdout
    assert installed(tmp_path / "site") == EXPECTED


@pytest.mark.parametrize("form", ["pylock.toml", "requirements.txt"])
def test_uv_installs_exactly_the_pins_of_this_environment(form: str, served: tuple[Path, str], tmp_path: Path) -> None:
    if importlib.util.find_spec("uv") is None:
        pytest.skip("uv is not installed beside this interpreter")
    name = write_lock(tmp_path, build(world(served)), form)
    found = ["--no-index", "--find-links", str(served[0]), "--require-hashes"] if form == "requirements.txt" else []
    arguments = ["install", "--python", sys.executable, *found, "--target", "site", "-r", name]
    done = run(tmp_path, sys.executable, "-m", "uv", "pip", *arguments)
    assert done.returncode == 0, done.stdout
    assert installed(tmp_path / "site") == EXPECTED


def test_uv_refuses_a_file_whose_bytes_are_not_the_locked_ones(served: tuple[Path, str], tmp_path: Path) -> None:
    if importlib.util.find_spec("uv") is None:
        pytest.skip("uv is not installed beside this interpreter")
    name = write_lock(tmp_path, build(world(served)), "pylock.toml")
    write_wheel(served, "top", "1.0", "low>=2")  # as long as before: the size alone does not tell
    arguments = ["install", "--python", sys.executable, "--target", "site", "-r", name]
    done = run(tmp_path, sys.executable, "-m", "uv", "pip", *arguments)
    assert done.returncode != 0
    assert "hash" in done.stdout.lower()
    assert installed(tmp_path / "site") == []
