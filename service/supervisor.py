"""Several workers on one socket: started, restarted when they die, told to stop together.

The supervisor runs no event loop and no threads, so that forking is safe; it sleeps in ``select``.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import tempfile
from collections.abc import Callable
from time import monotonic

import structlog
from prometheus_client import multiprocess

from .telemetry import DIRECTORY

USAGE = 2  # exit code: the settings cannot be used, so a restart would not help
_HEALTHY = 10.0  # seconds; who lived that long did not die of starting
_BACKOFF = (0.1, 10.0)  # seconds: first and longest pause before a restart
_LAST_RESORT = 5.0  # seconds beyond the drain's own limits, then SIGKILL

_HANDLED = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)
# How a worker ends that is told to stop before its event loop handles signals: nothing was in flight yet.
_STOPPED_EARLY = (0, -signal.SIGTERM, -signal.SIGINT)

_log = structlog.get_logger("lockwright.supervisor")

Work = Callable[[int, Callable[[], None]], int]
"""Runs a worker: (lifeline, on_ready) → exit code."""


class Supervisor:
    """Keeps ``count`` workers alive."""

    def __init__(self, work: Work, count: int, *, stop_within: float, release: Callable[[], None]) -> None:
        """``stop_within`` is in seconds; ``release`` closes the supervisor's own hold of the socket."""
        self._work = work
        self._count = count
        self._stop_within = stop_within
        self._release = release
        self._started: dict[int, float] = {}
        self._failures = 0
        self._restart_at: list[float] = []
        self._deadline: float | None = None
        self._exit_code = 0
        self._signals: list[int] = []
        self._wake_read, self._wake_write = os.pipe()
        self._ready_read, self._ready_write = os.pipe()
        self._lifeline_read, self._lifeline_write = os.pipe()  # nothing is ever written; it ends when we do

    def run(self, on_ready: Callable[[], None]) -> int:
        """Supervise until told to stop; return the exit code. ``on_ready`` is called once, when a worker serves."""
        os.set_blocking(self._wake_write, False)
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        for number in _HANDLED:
            signal.signal(number, lambda caught, _frame: self._signals.append(caught))
        directory = tempfile.mkdtemp(prefix="lockwright-metrics-")
        os.environ[DIRECTORY] = directory
        announced = False
        try:
            self._restart_at = [monotonic()] * self._count
            while self._started or self._restart_at:
                self._start_due()
                if self._wait() and not announced:
                    announced = True
                    on_ready()
                self._reap(directory)
                self._obey()
        finally:
            for pid in self._started:
                os.kill(pid, signal.SIGKILL)
            shutil.rmtree(directory, ignore_errors=True)
        return self._exit_code

    def _start_due(self) -> None:
        due = [at for at in self._restart_at if at <= monotonic()]
        self._restart_at = [at for at in self._restart_at if at > monotonic() and at not in due]
        for _ in due:
            # A signal that arrives between the fork and the child's own handlers must not be lost in ours.
            before = signal.pthread_sigmask(signal.SIG_BLOCK, _HANDLED)
            pid = os.fork()
            if pid == 0:
                self._become_worker(before)
            self._started[pid] = monotonic()
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _become_worker(self, mask: set[signal.Signals | int]) -> None:
        """Run the work in the child and end the process, whatever happens."""
        code = 1
        try:
            os.setpgrp()  # Ctrl-C is for the supervisor, which passes it on: a second one would mean "at once"
            signal.set_wakeup_fd(-1)
            for number in _HANDLED:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            for descriptor in (self._lifeline_write, self._ready_read, self._wake_read, self._wake_write):
                os.close(descriptor)
            code = self._work(self._lifeline_read, self._say_ready)
        except BaseException:  # noqa: BLE001 - nothing may get past the fork
            _log.exception("worker failed")
        finally:
            os._exit(code)

    def _say_ready(self) -> None:
        os.write(self._ready_write, b".")

    def _wait(self) -> bool:
        """Sleep until something happens; return whether a worker has become ready."""
        moments = [*self._restart_at, *([self._deadline] if self._deadline is not None else [])]
        timeout = max(0.0, min(moments) - monotonic()) if moments else None
        readable, _, _ = select.select([self._wake_read, self._ready_read], [], [], timeout)
        for descriptor in readable:
            os.read(descriptor, 4096)
        return self._ready_read in readable

    def _reap(self, directory: str) -> None:
        while self._started:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            lived = monotonic() - self._started.pop(pid, monotonic())
            multiprocess.mark_process_dead(pid, directory)  # type: ignore[no-untyped-call]
            code = os.waitstatus_to_exitcode(status)
            if self._deadline is not None:
                self._exit_code = self._exit_code or (0 if code in _STOPPED_EARLY else 1)
                continue
            if code == USAGE:
                self._exit_code = USAGE
                self._stop(signal.SIGTERM)
                continue
            self._failures = 0 if lived > _HEALTHY else self._failures + 1
            pause = 0.0 if lived > _HEALTHY else min(_BACKOFF[1], _BACKOFF[0] * 2**self._failures)
            _log.error("worker died", pid=pid, exit_code=code, restart_in=pause)
            self._restart_at.append(monotonic() + pause)

    def _obey(self) -> None:
        signals, self._signals = self._signals, []
        for number in signals:
            if number == signal.SIGCHLD:
                continue
            if self._deadline is None:
                self._stop(number)
            else:  # the second one: no patience
                self._exit_code = 1
                self._tell(signal.SIGKILL)
        if self._deadline is not None and monotonic() > self._deadline and self._started:
            _log.error("workers did not stop in time")
            self._exit_code = 1
            self._tell(signal.SIGKILL)
            self._deadline = monotonic() + 1.0

    def _stop(self, number: int) -> None:
        self._restart_at = []
        self._deadline = monotonic() + self._stop_within + _LAST_RESORT
        self._release()
        self._tell(number)

    def _tell(self, number: int) -> None:
        for pid in self._started:
            os.kill(pid, number)
