"""Lock every requirement set of the snapshot and compare the pins with uv's recorded answers.

    python -m benchmarks.compare_oracle --snapshot ../shared/snapshot [--base-url URL] [--only jupyter] [--no-metadata]

Starts the snapshot's replay server, and a service unless ``--base-url`` names one (which must then allow loopback
index URLs). Every lock is also checked for soundness against the snapshot's own metadata files with ``packaging``,
independently of the resolver. Exit status 1 where a lock is unsound or a pin differs from the oracle's.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from packaging.utils import canonicalize_name

from .index import replay
from .process import free_port, running
from .service import variables
from .soundness import unsound

# Where our pins differ from uv's, and why that is no fault. Any other difference is.
EXPLAINED = {
    # Every answer trades one lowest version for another; uv's own order decides otherwise.
    "transformers-wheels.3.11.lowest-direct": {"numpy", "onnx", "protobuf", "requests", "scipy"},
}

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@contextlib.contextmanager
def service(cache: str, *options: str) -> Iterator[str]:
    """A service of this environment's with an empty cache; yields its base URL."""
    port = free_port()
    command = [sys.executable, "-m", "service", "serve", "--port", str(port), *options]
    with running(command, f"http://127.0.0.1:{port}/healthz", variables(Path(cache))):
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
    options = ("--no-metadata",) if arguments.no_metadata else ()
    with contextlib.ExitStack() as stack:
        index = stack.enter_context(replay(arguments.snapshot, options=options)).url
        base = arguments.base_url
        if base is None:
            cache = stack.enter_context(tempfile.TemporaryDirectory())
            base = stack.enter_context(service(cache))
        wrong = compare(base, index, arguments.snapshot, arguments.only)
    print(f"{wrong} sets differ" if wrong else "every set is as expected")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
