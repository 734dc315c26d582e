"""Start a service, POST it a requirements file, print the lock that comes back.

Usage: python examples/demo.py [FILE]. The lock goes to stdout, everything else to stderr. The index is the one that
the environment configures for pip or uv (PIP_INDEX_URL, UV_DEFAULT_INDEX, their files), otherwise the default one.
"""

# ruff: noqa: INP001, S310, S603 - a script beside its example; it starts and asks one service of its own

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
STOPPING = 20.0  # seconds for a service without work to end; then it is killed
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback needs no proxy


@contextmanager
def service(cache: str) -> Iterator[str]:
    """Run a service on a free port with its cache in a new directory; give its URL; stop it whatever happens."""
    command = [sys.executable, "-m", "service", "serve", "--port", "0", "--cache-dir", cache]
    # No load balancer looks at this service, so it need not linger when it is told to stop.
    environ = {"LOCKWRIGHT_LOG_LEVEL": "warning", "LOCKWRIGHT_SERVICE__DRAIN_GRACE": "0", **os.environ}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environ) as process:
        try:
            assert process.stderr is not None
            said = []
            for line in process.stderr:
                said.append(line)
                if line.startswith("listening on "):
                    break
            else:
                raise SystemExit("the service did not start:\n" + "".join(said))
            yield said[-1].removeprefix("listening on ").strip()
        finally:
            process.terminate()
            try:
                process.wait(STOPPING)
            except subprocess.TimeoutExpired:
                process.kill()


def post(url: str, requirements: bytes) -> str:
    """POST a requirements file and return the lock, as pylock.toml."""
    request = urllib.request.Request(
        f"{url}/v1/lock?python={PYTHON}&platform=linux&format=pylock",
        data=requirements,
        headers={"Content-Type": "text/plain"},
    )
    try:
        with OPENER.open(request, timeout=120) as response:
            text: str = response.read().decode()
            return text
    except urllib.error.HTTPError as error:
        problem = json.load(error)
        raise SystemExit(f"{error.code} {problem['title']}: {problem['detail']}") from None


def main() -> None:
    """Lock the file once from the index and once from the cache."""
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "examples/requirements.in")
    requirements = path.read_bytes()
    with tempfile.TemporaryDirectory(prefix="lockwright-demo-") as cache, service(cache) as url:
        sys.stderr.write(f"service on {url}; POST /v1/lock with {path} for Python {PYTHON} on Linux\n")
        times = []
        for _ in range(2):
            started = time.perf_counter()
            lock = post(url, requirements)
            times.append(time.perf_counter() - started)
    sys.stdout.write(lock)
    sys.stdout.flush()
    packages = lock.count("\n[[packages]]")
    sys.stderr.write(f"{packages} packages in {times[0]:.2f} s, and again, warm, in {times[1] * 1000:.1f} ms\n")


if __name__ == "__main__":
    main()
