"""Processes: run to their end and measured, or running while a block runs."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_PREFIXES = ("UV_", "PIP_", "POETRY_", "PDM_", "NAB_", "LOCKWRIGHT_", "PYTHON", "VIRTUAL_ENV", "SOURCE_DATE_EPOCH")


@dataclass(frozen=True, slots=True)
class Finished:
    """A process that has ended."""

    seconds: float
    """From before it was started until it was reaped."""
    cpu: float
    """Seconds of user and system time, children that it waited for included."""
    peak: int
    """Bytes resident at most."""
    code: int
    output: str
    errors: str


def clean_environment(**more: str) -> dict[str, str]:
    """The environment without what configures a peer or us, and without proxies; with ``more``."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_PREFIXES) and not name.lower().endswith("_proxy")
    }
    return kept | {"LC_ALL": "C.UTF-8"} | more


def run(command: Sequence[str], env: Mapping[str, str], *, cwd: Path | None = None, limit: float = 600) -> Finished:
    """Run ``command`` to its end, which comes after ``limit`` seconds at the latest."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, env=dict(env), cwd=cwd, stdout=output, stderr=errors, stdin=subprocess.DEVNULL
        )
        timer = threading.Timer(limit, process.kill)
        timer.start()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        texts = []
        for file in (output, errors):
            file.seek(0)
            texts.append(file.read().decode("utf-8", "replace"))
    cpu = usage.ru_utime + usage.ru_stime
    return Finished(seconds, cpu, usage.ru_maxrss * 1024, process.returncode, texts[0], texts[1])


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
            time.sleep(0.01)
    raise SystemExit(f"{url} did not answer within {seconds} seconds")


@contextlib.contextmanager
def running(
    command: Sequence[str], url: str, env: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``command`` while the block runs; ``url`` tells when it is up."""
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=errors)
        try:
            wait_for(url, process)
            yield process
        except BaseException:
            if process.poll() is not None:  # it has not been told to end
                errors.seek(0)
                sys.stderr.write(errors.read().decode("utf-8", "replace")[-4000:])
            raise
        finally:
            process.terminate()
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
