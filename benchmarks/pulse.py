"""``/healthz`` every 10 ms from a process of its own: how long a service keeps others waiting."""

from __future__ import annotations

import contextlib
import http.client
import multiprocessing
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event


def _beat(port: int, stop: Event, times: Connection) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    found: list[float] = []
    while not stop.wait(0.01):
        started = time.perf_counter()
        connection.request("GET", "/healthz")
        connection.getresponse().read()
        found.append(time.perf_counter() - started)
    times.send(sorted(found))


@contextlib.contextmanager
def pulse(port: int) -> Iterator[list[float]]:
    """Ask while the block runs; after it the list holds the seconds of every answer, the shortest first."""
    found: list[float] = []
    stop, (ours, theirs) = multiprocessing.Event(), multiprocessing.Pipe(duplex=False)
    watcher = multiprocessing.Process(target=_beat, args=(port, stop, theirs))
    watcher.start()
    try:
        yield found
    finally:
        stop.set()
        found += ours.recv()
        watcher.join()


def percentile(ordered: list[float], share: float) -> float:
    """The value below which ``share`` of the ``ordered`` values are."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
