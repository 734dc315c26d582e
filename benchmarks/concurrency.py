"""Fifty different locks at once, while someone asks for the service's health.

    python -m benchmarks.concurrency --snapshot ../shared/snapshot [--posts 50] [--workers 1]

Every requirement set of the snapshot for every Python with an oracle, then single projects of it, are POSTed
together to a service with an empty cache, and then again to the warm service. Answers are compared with the oracle
where there is one, and checked for soundness where there is none. ``/healthz`` is asked every 10 ms on a connection
of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import orjson

from .compare_oracle import lock_request, oracle_pins, service
from .index import replay
from .pulse import percentile, pulse
from .soundness import unsound


@dataclass
class Case:
    """One POST and what is expected of it."""

    name: str
    text: str
    python: str
    resolution: str = "highest"
    oracle: dict[str, str] | None = None
    satisfiable: bool = True


@dataclass
class Round:
    """What was measured while all cases ran at once."""

    seconds: float = 0
    slowest: float = 0
    wrong: list[str] = field(default_factory=list)


def cases(snapshot: Path, count: int) -> list[Case]:
    """Sets with oracles first, single projects of the snapshot to fill up."""
    found: list[Case] = []
    for path in sorted((snapshot / "oracle").glob("*.txt")):
        stem = path.name.removesuffix(".txt")
        if "universal" in stem or stem.startswith("boto3"):
            continue  # one boto3 lock is 3,000 requests for uv and for us: it has its own line in compare_oracle
        name, rest = stem.split(".", 1)
        python = ".".join(rest.split(".")[:2])
        resolution = "lowest-direct" if rest.endswith("lowest-direct") else "highest"
        text = (snapshot / "sets" / f"{name}.in").read_text()
        satisfiable = not rest.endswith("unsat")
        found.append(Case(stem, text, python, resolution, oracle_pins(path) if satisfiable else None, satisfiable))
    singles = ["flask", "requests", "httpx", "rich", "sphinx", "pydantic", "ipython", "notebook", "aiohttp", "pandas"]
    singles += ["jinja2", "sqlalchemy", "pytest", "werkzeug", "scipy", "matplotlib", "fastapi", "click", "attrs"]
    there = [single for single in singles if (snapshot / "data" / single / "page.json").exists()]
    found += [Case(f"{single}.3.12", f"{single}\n", "3.12") for single in there]
    return found[:count]


def fault(case: Case, status: int, answer: dict[str, object], data: Path) -> str | None:
    """What is wrong with an answer."""
    if not case.satisfiable:
        return None if status == 422 else f"{case.name}: HTTP {status} instead of 422"
    if status != 200:
        return f"{case.name}: HTTP {status} {answer.get('detail')}"
    packages = answer["packages"]
    assert isinstance(packages, list)
    pins = {one["name"]: one["version"] for one in packages}
    faults = unsound(case.text, pins, case.python, data)
    if faults:
        return f"{case.name}: {faults[0]}"
    if case.oracle is not None and pins != case.oracle:
        return f"{case.name}: differs from the oracle (see compare_oracle)"
    return None


async def run(base: str, index: str, wanted: list[Case], data: Path) -> Round:
    """All cases at once."""
    result = Round()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.sleep(0.2)
        started = time.perf_counter()

        async def one(case: Case) -> tuple[float, int, dict[str, object]]:
            body = lock_request(case.text, index, case.python, case.resolution)
            async with session.post(f"{base}/v1/lock", json=body) as response:
                body_of_answer = await response.read()
            return time.perf_counter() - started, response.status, orjson.loads(body_of_answer)

        answers = await asyncio.gather(*map(one, wanted))
        result.seconds = time.perf_counter() - started
    result.slowest = max(seconds for seconds, _, _ in answers)
    for case, (_, status, answer) in zip(wanted, answers, strict=True):
        wrong = fault(case, status, answer, data)
        if wrong:
            result.wrong.append(wrong)
    return result


def main() -> int:
    """Measure a cold and a warm round."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--snapshot", type=Path, default=Path("../shared/snapshot"))
    parser.add_argument("--posts", type=int, default=50)
    parser.add_argument("--workers", type=int, default=1)
    arguments = parser.parse_args()
    wanted = cases(arguments.snapshot, arguments.posts)
    worst = 0
    with (
        tempfile.TemporaryDirectory() as cache,
        replay(arguments.snapshot) as index,
        service(cache, "--workers", str(arguments.workers)) as base,
    ):
        for name in ("cold", "warm"):
            with pulse(urlsplit(base).port or 0) as times:
                measured = asyncio.run(run(base, index.url, wanted, arguments.snapshot / "data"))
            print(
                f"{name}: {len(wanted)} POSTs in {measured.seconds:.2f} s; /healthz asked {len(times)} times: "
                f"median {statistics.median(times) * 1000:.1f} ms, p99 {percentile(times, 0.99) * 1000:.1f} ms, "
                f"max {times[-1] * 1000:.1f} ms; {len(measured.wrong)} answers differ"
            )
            for line in measured.wrong:
                print(f"    {line}")
            worst += any("oracle" not in line for line in measured.wrong)
    return worst


if __name__ == "__main__":
    sys.exit(main())
