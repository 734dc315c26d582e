"""Metrics for Prometheus. Every label has a closed set of values: nothing that a client sends becomes one.

With several workers, each writes its values to files of one directory (``PROMETHEUS_MULTIPROC_DIR``, set by
``service.supervisor``), and whichever worker is scraped adds them up.
"""

from __future__ import annotations

import os

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess

from resolver.model import Stats

DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Telemetry:
    """The metrics of one worker."""

    def __init__(self) -> None:
        self._is_shared = bool(os.environ.get(DIRECTORY))
        # The library chooses its storage when it is imported, which may have been before there was a directory.
        prometheus_client.values.ValueClass = prometheus_client.values.get_value_class()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        own = self.registry
        self._requests = Counter(
            "lockwright_http_requests", "Requests by route and status", ["method", "route", "status"], registry=own
        )
        self._seconds = Histogram(
            "lockwright_http_request_seconds",
            "From the head of a request to its answer",
            ["route"],
            buckets=_BUCKETS,
            registry=own,
        )
        self._locks = Counter(
            "lockwright_locks",
            "Lock requests by outcome: solved, joined, or the name of a problem",
            ["outcome"],
            registry=own,
        )
        self._solve_seconds = Histogram(
            "lockwright_lock_seconds", "Parts of a resolution", ["part"], buckets=_BUCKETS, registry=own
        )
        self._upstream = Counter("lockwright_upstream_requests", "Requests to indexes", registry=own)
        self._hits = Counter("lockwright_cache_hits", "Facts that needed no request", registry=own)
        self._running = Gauge(
            "lockwright_solves_running", "Resolutions under way", multiprocess_mode="livesum", registry=own
        )
        self._waiting = Gauge(
            "lockwright_solves_waiting", "Resolutions waiting for a slot", multiprocess_mode="livesum", registry=own
        )

        self._answered: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._outcomes: dict[str, Counter] = {}

    def load(self, running: int, waiting: int) -> None:
        """Set the gauges of the admission."""
        self._running.set(running)
        self._waiting.set(waiting)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request; ``route`` is a registered path pattern."""
        # The library looks its children up under a lock, after making text of every label.
        found = self._answered.get((method, route, status))
        if found is None:
            counter = self._requests.labels(method if method in _METHODS else "other", route, str(status))
            found = (counter, self._seconds.labels(route))
            if method in _METHODS:
                self._answered[method, route, status] = found
        found[0].inc()
        found[1].observe(seconds)

    def lock(self, outcome: str) -> None:
        """Count one lock request."""
        found = self._outcomes.get(outcome)
        if found is None:
            found = self._outcomes[outcome] = self._locks.labels(outcome)
        found.inc()

    def solved(self, stats: Stats) -> None:
        """Count what one resolution cost."""
        for part, seconds in (("fetch", stats.fetch), ("solve", stats.solve), ("render", stats.render)):
            self._solve_seconds.labels(part).observe(seconds)
        self._upstream.inc(stats.requests)
        self._hits.inc(stats.cache_hits)

    def exposition(self) -> bytes:
        """Return the text format, of all workers where there are several."""
        if not self._is_shared:
            return generate_latest(self.registry)
        everyone = CollectorRegistry()
        multiprocess.MultiProcessCollector(everyone)  # type: ignore[no-untyped-call]
        return generate_latest(everyone)
