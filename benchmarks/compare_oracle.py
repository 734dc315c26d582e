"""Lock every requirement set of the snapshot and compare the pins with uv's recorded answers.

    python benchmarks/compare_oracle.py --snapshot ../shared/snapshot [--base-url URL] [--only jupyter] [--no-metadata]

Starts the snapshot's replay server, and a service unless ``--base-url`` names one (which must then allow loopback
index URLs). Every lock is also checked for soundness against the snapshot's own metadata files with ``packaging``,
independently of the resolver. Exit status 1 where a lock is unsound or a pin differs from the oracle's.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

# Where our pins differ from uv's, and why that is no fault. Any other difference is.
EXPLAINED = {
    # Every answer trades one lowest version for another; uv's own order decides otherwise.
    "transformers-wheels.3.11.lowest-direct": {"numpy", "onnx", "protobuf", "requests", "scipy"},
}

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str, process: subprocess.Popen[bytes], seconds: float = 120) -> None:
    """Wait until ``url`` answers anything."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"{process.args!r} ended with {process.returncode}")
        try:
            with _OPENER.open(url, timeout=2):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"{url} did not answer within {seconds} seconds")


@contextlib.contextmanager
def running(command: list[str], url: str, env: dict[str, str] | None = None) -> Iterator[None]:
    """Run ``command`` while the block runs; ``url`` tells when it is up."""
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)
    try:
        wait_for(url, process)
        yield
    finally:
        process.terminate()
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            process.kill()


@contextlib.contextmanager
def replay(snapshot: Path, port: int, run: str, *options: str) -> Iterator[str]:
    """The snapshot's index; yields its simple URL."""
    command = [sys.executable, str(snapshot / "replay.py"), "--port", str(port), "--run", run, *options]
    url = f"http://127.0.0.1:{port}/simple/"
    with running(command, f"{url}six/"):
        yield url


@contextlib.contextmanager
def service(port: int, cache: str, *options: str, index: str = "") -> Iterator[str]:
    """A service of ours with an empty cache; yields its base URL."""
    env = dict(os.environ)
    env |= {
        "LOCKWRIGHT_POLICY__INDEX_URLS": "loopback",
        "LOCKWRIGHT_CACHE__DIR": cache,
        "LOCKWRIGHT_LOG_LEVEL": "warning",
    }
    if index:
        env["UV_DEFAULT_INDEX"] = index
    command = [sys.executable, "-m", "service", "serve", "--port", str(port), *options]
    with running(command, f"http://127.0.0.1:{port}/healthz", env):
        yield f"http://127.0.0.1:{port}"


def post(base: str, body: dict[str, object]) -> tuple[int, dict[str, object]]:
    """POST a lock request; the status and the answer."""
    request = urllib.request.Request(f"{base}/v1/lock", json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with _OPENER.open(request, timeout=120) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def lock_request(text: str, index: str, python: str, resolution: str) -> dict[str, object]:
    """The request that asks what the oracle was asked."""
    return {
        "files": {"set.in": text},
        "roots": ["set.in"],
        "targets": [{"name": "t", "python": python, "platform": "x86_64-unknown-linux-gnu"}],
        "indexes": [{"name": "snapshot", "url": index}],
        "options": {"only_binary": [":all:"], "resolution": resolution},
        "outputs": ["pylock"],
    }


def environment(python: str) -> dict[str, str]:
    """Marker values of CPython on x86-64 Linux."""
    found = {key: str(value) for key, value in default_environment().items()}
    found.update(
        python_version=python,
        python_full_version=f"{python}.0",
        implementation_version=f"{python}.0",
        implementation_name="cpython",
        platform_python_implementation="CPython",
        os_name="posix",
        sys_platform="linux",
        platform_system="Linux",
        platform_machine="x86_64",
        platform_release="",
        platform_version="",
    )
    return found


@functools.cache
def snapshot_metadata(data: Path, name: str, version: str) -> list[str] | None:
    """The Requires-Dist texts of any wheel of that version in the snapshot."""
    for path in sorted((data / name).glob("*.metadata")):
        with contextlib.suppress(ValueError):
            _, found, _, _ = parse_wheel_filename(path.name.removesuffix(".metadata"))
            if found == Version(version):
                head = path.read_text("utf-8", "replace").replace("\r\n", "\n").split("\n\n", 1)[0]
                return [line[14:].strip() for line in head.splitlines() if line.lower().startswith("requires-dist:")]
    return None


def unsound(text: str, pins: dict[str, str], python: str, data: Path) -> list[str]:
    """Walk the requirements from the set for a Python on x86-64 Linux."""
    return unsound_in(text, pins, environment(python), data)


def unsound_in(text: str, pins: dict[str, str], env: dict[str, str], data: Path) -> list[str]:
    """Walk the requirements from the set; what is not satisfied, missing, or superfluous."""
    faults: list[str] = []
    reached: set[str] = set()
    done: set[tuple[str, str]] = set()
    lines = [line.split(" #")[0].strip() for line in text.splitlines()]
    todo = [(Requirement(line), "", "the set") for line in lines if line and not line.startswith("#")]
    while todo:
        requirement, extra, parent = todo.pop()
        if requirement.marker is not None and not requirement.marker.evaluate({**env, "extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        if name not in pins:
            faults.append(f"{parent} needs {requirement}, which is absent")
            continue
        if not requirement.specifier.contains(pins[name], prereleases=True):
            faults.append(f"{parent} needs {requirement}, got {pins[name]}")
        reached.add(name)
        for wanted in ("", *map(canonicalize_name, requirement.extras)):
            if (name, wanted) in done:
                continue
            done.add((name, wanted))
            requires = snapshot_metadata(data, name, pins[name])
            if requires is None:
                faults.append(f"{name} {pins[name]} is not in the snapshot")
                continue
            for one in requires:
                with contextlib.suppress(InvalidRequirement):
                    todo.append((Requirement(one), wanted, f"{name} {pins[name]}"))
    faults += [f"{name} is not required" for name in sorted(set(pins) - reached)]
    return faults


def oracle_pins(path: Path) -> dict[str, str]:
    """The pins of a recorded answer."""
    pairs = (line.split("==") for line in path.read_text().splitlines() if "==" in line)
    return {canonicalize_name(name): version.split()[0] for name, version in pairs}


def compare(base: str, index: str, snapshot: Path, only: list[str]) -> int:
    """Lock all sets; print a line each; the number of sets that are not as they should be."""
    wrong = 0
    for path in sorted((snapshot / "oracle").glob("*.txt")):
        stem = path.name.removesuffix(".txt")
        if "universal" in stem or (only and not any(stem.startswith(one) for one in only)):
            continue
        name, rest = stem.split(".", 1)
        is_unsat = rest.endswith(".unsat")
        python = ".".join(rest.split(".")[:2])
        resolution = "lowest-direct" if rest.endswith("lowest-direct") else "highest"
        text = (snapshot / "sets" / f"{name}.in").read_text()
        started = time.perf_counter()
        status, answer = post(base, lock_request(text, index, python, resolution))
        seconds = time.perf_counter() - started
        if status != 200 or is_unsat:
            as_expected = is_unsat and status == 422 and "resolution-impossible" in str(answer.get("type"))
            wrong += not as_expected
            verdict = "ok  unsatisfiable" if as_expected else f"BAD HTTP {status}"
            print(f"{verdict:18} {stem:36} {seconds:6.2f}s  {str(answer.get('detail', answer))[:600]}")
            continue
        packages = answer["packages"]
        assert isinstance(packages, list)
        pins = {one["name"]: one["version"] for one in packages}
        faults = unsound(text, pins, python, snapshot / "data")
        expected = oracle_pins(path)
        differing = {
            one: (expected.get(one), pins.get(one))
            for one in sorted({*expected, *pins})
            if expected.get(one) != pins.get(one)
        }
        is_explained = set(differing) <= EXPLAINED.get(stem, set())
        wrong += bool(faults) or not is_explained
        verdict = (
            "BAD unsound" if faults else "DIFFERENT" if not is_explained else "ok" if not differing else "explained"
        )
        stats = answer["stats"]
        assert isinstance(stats, dict)
        print(
            f"{verdict:18} {stem:36} {seconds:6.2f}s  {len(pins)} packages, {stats['requests']} requests, "
            f"{stats['decisions']} decisions, {stats['conflicts']} conflicts"
        )
        for fault in faults[:10]:
            print(f"    {fault}")
        for one, (theirs, ours) in differing.items():
            print(f"    {one}: uv {theirs}, ours {ours}")
        sys.stdout.flush()
    return wrong


def main() -> int:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--snapshot", type=Path, default=Path("../shared/snapshot"))
    parser.add_argument("--base-url")
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--no-metadata", action="store_true")
    arguments = parser.parse_args()
    options = ["--no-metadata"] if arguments.no_metadata else []
    with contextlib.ExitStack() as stack:
        run = stack.enter_context(tempfile.TemporaryDirectory())
        index = stack.enter_context(replay(arguments.snapshot, free_port(), run, *options))
        base = arguments.base_url
        if base is None:
            cache = stack.enter_context(tempfile.TemporaryDirectory())
            base = stack.enter_context(service(free_port(), cache))
        wrong = compare(base, index, arguments.snapshot, arguments.only)
    print(f"{wrong} sets differ" if wrong else "every set is as expected")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
