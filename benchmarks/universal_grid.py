"""Universal locks of the snapshot's sets, examined in every cell of a grid and compared with uv's recorded answers.

    python -m benchmarks.universal_grid --snapshot ../shared/snapshot [--base-url URL] [--only trio] [--oracle DIR]

``--oracle`` names another directory of answers, ``SET.universal-PYTHON.txt`` as ``uv pip compile --universal`` writes
them, for Pythons that were not recorded.

A cell is a Python (3.9 to 3.14), a platform and a machine. In each cell the lock's markers select packages; they are
walked from the set's requirements with the snapshot's own metadata and ``packaging``, independently of the resolver.
Exit status 1 where a lock is unsound in a cell, or differs from uv's by what is not explained here.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterable
from pathlib import Path

from packaging.markers import Marker
from packaging.pylock import Pylock
from packaging.utils import canonicalize_name

from .compare_oracle import post, service
from .index import replay
from .soundness import environment, unsound_in

PYTHONS = ("3.9", "3.10", "3.11", "3.12", "3.13", "3.14")
PLATFORMS = {"linux": ("posix", "Linux"), "darwin": ("posix", "Darwin"), "win32": ("nt", "Windows")}
MACHINES = ("x86_64", "arm64")

# Where our pins differ from uv's, and why that is no fault: each is newer in one package and older in another.
EXPLAINED = {
    # datasets 5 has an upper bound on fsspec, 2.14 has none.
    **dict.fromkeys(("3.9", "3.10", "3.11"), frozenset({"datasets", "fsspec"})),
    # On Python 3.9 tf2onnx 1.15 and 1.16 want protobuf 3, onnx 1.18 and later want protobuf 4, as other Pythons have.
    "3.9": frozenset({"datasets", "fsspec", "onnx", "protobuf", "tf2onnx"}),
}

Pins = list[tuple[str, str, Marker | None]]


def cells(oldest: str) -> Iterable[tuple[str, dict[str, str]]]:
    """Name and marker values of every cell from a Python on."""
    first = PYTHONS.index(oldest)
    for python, platform, machine in itertools.product(PYTHONS[first:], PLATFORMS, MACHINES):
        os_name, system = PLATFORMS[platform]
        values = environment(python)
        spelled = {"win32": {"x86_64": "AMD64", "arm64": "ARM64"}, "linux": {"arm64": "aarch64"}}
        values |= {
            "os_name": os_name,
            "sys_platform": platform,
            "platform_system": system,
            "platform_machine": spelled.get(platform, {}).get(machine, machine),
        }
        yield f"{python}/{platform}/{machine}", values


def selected(pins: Pins, values: dict[str, str]) -> dict[str, set[str]]:
    """The versions that apply in a cell, by name."""
    found: dict[str, set[str]] = {}
    for name, version, marker in pins:
        if marker is None or marker.evaluate({**values, "extra": ""}):
            found.setdefault(name, set()).add(version)
    return found


def oracle(path: Path) -> Pins:
    """The pins of a recorded universal answer."""
    pins: Pins = []
    for line in path.read_text().splitlines():
        pin, _, marker = line.partition(";")
        if "==" in pin:
            name, version = pin.strip().split("==")
            pins.append((canonicalize_name(name), version, Marker(marker) if marker.strip() else None))
    return pins


def examine(ours: Pins, theirs: Pins, text: str, oldest: str, data: Path) -> tuple[list[str], dict[str, set[str]], int]:
    """Faults by cell, and the packages that differ from the oracle with the cells where they do."""
    faults: list[str] = []
    differing: dict[str, set[str]] = {}
    count = 0
    for cell, values in cells(oldest):
        count += 1
        mine, other = selected(ours, values), selected(theirs, values)
        faults += [
            f"{cell}: two versions of {name}: {versions}" for name, versions in mine.items() if len(versions) > 1
        ]
        pins = {name: min(versions) for name, versions in mine.items()}
        faults += [f"{cell}: {fault}" for fault in unsound_in(text, pins, values, data)]
        for name in {*mine, *other}:
            if mine.get(name) != other.get(name):
                theirs_here, ours_here = other.get(name, {"-"}), mine.get(name, {"-"})
                differing.setdefault(f"{name}: uv {min(theirs_here)}, ours {min(ours_here)}", set()).add(cell)
    return faults, differing, count


def main() -> int:
    """Lock, examine, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--snapshot", type=Path, default=Path("../shared/snapshot"))
    parser.add_argument("--base-url")
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--oracle", type=Path)
    arguments = parser.parse_args()
    snapshot: Path = arguments.snapshot
    unsound = different = 0
    with contextlib.ExitStack() as stack:
        index = stack.enter_context(replay(snapshot)).url
        base = arguments.base_url
        if base is None:
            cache = stack.enter_context(tempfile.TemporaryDirectory())
            base = stack.enter_context(service(cache))
        for path in sorted((arguments.oracle or snapshot / "oracle").glob("*.universal-*.txt")):
            stem = path.name.removesuffix(".txt")
            name, _, oldest = stem.partition(".universal-")
            if arguments.only and name not in arguments.only:
                continue
            text = (snapshot / "sets" / f"{name}.in").read_text()
            body: dict[str, object] = {
                "files": {"set.in": text},
                "roots": ["set.in"],
                "universal": {"requires_python": f">={oldest}"},
                "indexes": [{"name": "snapshot", "url": index}],
                "options": {"only_binary": [":all:"]},
                "outputs": ["pylock"],
            }
            started = time.perf_counter()
            status, answer = post(base, body)
            seconds = time.perf_counter() - started
            if status != 200:
                unsound += 1
                print(f"BAD HTTP {status} {stem}: {answer.get('detail')}")
                continue
            packages, outputs = answer["packages"], answer["outputs"]
            assert isinstance(packages, list)
            assert isinstance(outputs, dict)
            Pylock.from_dict(tomllib.loads(outputs["pylock.toml"])).validate()
            ours: Pins = [
                (one["name"], one["version"], Marker(one["marker"]) if one["marker"] else None) for one in packages
            ]
            faults, differing, count = examine(ours, oracle(path), text, oldest, snapshot / "data")
            unsound += bool(faults)
            told = EXPLAINED.get(oldest, frozenset[str]()) if name == "transformers-wheels" else frozenset[str]()
            other = {what.partition(":")[0] for what in differing} - told
            different += bool(other)
            verdict = "BAD unsound" if faults else "DIFFERENT" if other else "explained" if differing else "ok"
            print(
                f"{verdict:12} {stem:36} {seconds:6.2f}s {len(packages)} entries, {count} cells, "
                f"{len(differing)} differ"
            )
            for fault in faults[:8]:
                print(f"    {fault}")
            for what, where in sorted(differing.items())[:12]:
                print(f"    {what} ({len(where)} cells, such as {min(where)})")
            sys.stdout.flush()
    print(f"{unsound} locks are unsound" if unsound else "every lock is sound in every cell")
    print(f"{different} locks differ from uv's, and nobody knows why" if different else "every difference is explained")
    return 1 if unsound or different else 0


if __name__ == "__main__":
    sys.exit(main())
