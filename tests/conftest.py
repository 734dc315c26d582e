"""What every test starts from: an environment that configures nothing, and no skips where none are allowed.

The scrub runs when this file is imported, before any test module is, so that settings read at import time and
the environment that subprocesses inherit are clean as well.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

# Whatever makes an HTTP client, an installer or the service itself behave differently on the next machine.
_CONFIGURES = re.compile(
    r"""
      SSL_CERT_FILE | SSL_CERT_DIR | SSL_CLIENT_CERT | REQUESTS_CA_BUNDLE | CURL_CA_BUNDLE
    | PIP_.* | UV_.* | LOCKWRIGHT_.*
    | .*_PROXY | NETRC
    | XDG_CONFIG_HOME | XDG_CONFIG_DIRS | XDG_CACHE_HOME | XDG_DATA_HOME
    | SOURCE_DATE_EPOCH | TRACEPARENT
    """,
    re.VERBOSE | re.IGNORECASE,
)


def configures(variable: str) -> bool:
    """Whether an environment variable would change what a test sees."""
    return _CONFIGURES.fullmatch(variable) is not None


# Read before the scrub. CI sets it: a skip there would mean that something was silently not tested.
_SKIPS_FAIL = os.environ.get("LOCKWRIGHT_NO_SKIPS") == "1"
_HOME = Path(tempfile.mkdtemp(prefix="lockwright-home-"))

for _variable in [name for name in os.environ if configures(name)]:
    del os.environ[_variable]
os.environ["HOME"] = str(_HOME)
os.environ["XDG_CONFIG_DIRS"] = str(_HOME / "xdg")  # its default is a directory of the machine


def pytest_unconfigure() -> None:
    """Remove the home directory of the tests."""
    shutil.rmtree(_HOME, ignore_errors=True)


@pytest.fixture(autouse=True)
def clean_environment() -> Generator[None]:
    """Give back the environment as it was, whatever a test (or what it calls) did to it."""
    before = dict(os.environ)
    yield
    if os.environ != before:
        os.environ.clear()
        os.environ.update(before)


def _forbid_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if _SKIPS_FAIL and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid} was skipped, and nothing may be skipped here: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skipped test into a failed one where skips are forbidden."""
    report = yield
    _forbid_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Do the same for a module that is skipped as a whole."""
    report = yield
    _forbid_skip(report)
    return report
