"""No file of the project names a public package registry, or a path of the machine it was written on."""

from __future__ import annotations

import hashlib
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# The first 16 hex digits of the SHA-256 of each host that must not be named, so that this file names none.
FORBIDDEN = {
    "a4aa2ac280bb8d1a",
    "3aa282eb004de296",
    "9495278a74715c7e",
    "8b5bb5eb9d758455",
    "c899567ee9068517",
    "d6d7019ca9fcbf07",
    "0dc11026ac75c015",
    "8743857e3ea00fd1",
    "5cd04dc6512f5c57",
    "3ca29e55be4befa4",
    "70bb4000cd2fab03",
    "e680c440a2e92079",
    "1ba4e37997a2e986",
    "c2b35955576ffa71",
    "75adac515f0bd3db",
    "4c4394da1589f834",
    "ea3d68fd8b1a56a0",
    "2e97613f5a81eaa4",
}
HOST_LIKE = re.compile(rb"[a-z0-9-]+(?:\.[a-z0-9-]+)+", re.IGNORECASE)

# Directories that exist on somebody's machine only; those of a container or of any Unix (/etc, /var, /run) are fine.
MACHINE_PATH = re.compile(rb"(?<![\w.\-<>/*])/(?:(?:work|root)(?![\w-])|(?:home|Users|tmp)/\w|opt/wheels)")


def tracked() -> list[Path]:
    """Return every file that is, or is about to be, part of the repository."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    paths = (ROOT / name.decode() for name in listed.split(b"\0") if name)
    return sorted(path for path in paths if path.is_file())


@cache
def is_forbidden(host: bytes) -> bool:
    """Whether ``host``, or a domain that it is below, is on the list."""
    labels = host.lower().split(b".")
    domains = (b".".join(labels[at:]) for at in range(len(labels) - 1))
    return any(hashlib.sha256(domain).hexdigest()[:16] in FORBIDDEN for domain in domains)


def lines() -> Iterator[tuple[str, int, bytes]]:
    """Yield (file, line number, line) of everything tracked."""
    for path in tracked():
        for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
            yield str(path.relative_to(ROOT)), number, line


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="which files are tracked is known only in a git checkout")
def test_no_tracked_file_names_the_host_of_a_public_package_registry() -> None:
    found = [f"{name}:{number}" for name, number, line in lines() if any(map(is_forbidden, HOST_LIKE.findall(line)))]
    assert found == []


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="which files are tracked is known only in a git checkout")
def test_no_tracked_file_names_a_path_of_somebodys_machine() -> None:
    found = [
        f"{name}:{number}: {line.decode('utf-8', 'replace').strip()[:120]}"
        for name, number, line in lines()
        if MACHINE_PATH.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("line", "is_found"),
    [
        (b"cd /wor" + b"k/main", True),
        (b"/tm" + b"p/brief.md", True),
        (b"'/roo" + b"t/.cache'", True),
        (b"https://packages.corp.example/work/simple/", False),
        (b"GET /v1/locks/{id}", False),
        (b"/var/cache/lockwright", False),
        (b"a/work/b", False),
    ],
)
def test_a_machine_path_is_told_from_a_path_of_a_url(line: bytes, is_found: bool) -> None:  # noqa: FBT001
    assert bool(MACHINE_PATH.search(line)) is is_found


def test_a_host_below_a_forbidden_domain_is_found_in_any_case() -> None:
    # The purl specification's own default repository is on the list, and is known to the program without being named.
    from packageurl.validate import DEFINITIONS_BY_TYPE  # noqa: PLC0415 - the only test that needs it

    url = str(DEFINITIONS_BY_TYPE["pypi"].default_repository_url)
    (host,) = HOST_LIKE.findall(url.encode())
    assert is_forbidden(host)
    assert is_forbidden(b"www." + host.upper())
    assert not is_forbidden(b"packages.corp.example")
