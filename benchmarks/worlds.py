"""Made-up indexes that grow in one direction, served from memory on loopback.

python -m benchmarks.worlds versions 5000 --port N
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import json
import random
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .process import free_port, running

Releases = Mapping[str, tuple[str, ...]]
"""Requirements by version."""

_VERSIONS = 20  # of each package, where packages grow
_PACKAGES = 10  # where versions grow
_TRIES = 8  # versions that have to be given up, where conflicts grow


@dataclass(frozen=True, slots=True)
class World:
    """Packages, and what to ask for."""

    roots: tuple[str, ...]
    packages: Mapping[str, Releases]


def _name(number: int) -> str:
    return f"package-{number:04}"


def _requires(choose: random.Random, number: int, count: int, versions: int, version: int) -> tuple[str, ...]:
    """Some later packages, with the bounds that projects state: from an older release on, half of them below a newer.

    The first package needs all others, over few steps: a tree of three branches at each, and one more edge.
    """
    wanted = {child for child in range(3 * number + 1, 3 * number + 4) if child < count}
    if number + 1 < count:
        wanted.add(choose.randrange(number + 1, count))
    oldest = max(1, version * 3 // 4)
    upper = f",<{versions * 2}" if version % 2 else ""
    return tuple(f"{_name(one)}>={oldest}{upper}" for one in sorted(wanted))


def packages(size: int) -> World:
    """``size`` packages of twenty versions, each of which needs up to four others; all are needed."""
    return _web(size, _VERSIONS)


def versions(size: int) -> World:
    """Ten packages of ``size`` versions."""
    return _web(_PACKAGES, size)


def _web(count: int, releases: int) -> World:
    choose = random.Random(count)
    made: dict[str, Releases] = {}
    for number in range(count):
        seed = choose.random()
        made[_name(number)] = {
            f"{version}.0": _requires(random.Random(seed), number, count, releases, version)
            for version in range(1, releases + 1)
        }
    return World((_name(0),), made)


def conflicts(size: int) -> World:
    """``size`` pairs that agree only after one of each has given up its newest eight versions.

    ``left-N`` needs exactly its own version of ``shared-N``; ``right-N`` wants an old one.
    """
    newest = _TRIES + 2
    made: dict[str, Releases] = {}
    for number in range(size):
        left, right, shared = (f"{side}-{number:04}" for side in ("left", "right", "shared"))
        each = range(1, newest + 1)
        made[left] = {f"{one}.0": (f"{shared}=={one}.0",) for one in each}
        made[right] = {f"{one}.0": (f"{shared}<={newest - _TRIES}",) for one in each}
        made[shared] = {f"{one}.0": () for one in each}
    return World(tuple(name for name in made if not name.startswith("shared")), made)


WORLDS = {"packages": packages, "versions": versions, "conflicts": conflicts}


def wheel(name: str, version: str) -> str:
    """The file of a release."""
    return f"{name.replace('-', '_')}-{version}-py3-none-any.whl"


def metadata(name: str, version: str, requires: tuple[str, ...]) -> bytes:
    """Core metadata of a release."""
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", "Requires-Python: >=3.8"]
    return ("\n".join([*lines, *(f"Requires-Dist: {one}" for one in requires)]) + "\n\n").encode()


def page(name: str, releases: Releases) -> bytes:
    """The project's page (PEP 691)."""
    files = []
    for version, requires in releases.items():
        filename = wheel(name, version)
        digest = hashlib.sha256(metadata(name, version, requires)).hexdigest()
        files.append(
            {
                "filename": filename,
                "url": f"../../files/{name}/{version}/{filename}",
                "hashes": {"sha256": hashlib.sha256(filename.encode()).hexdigest()},
                "requires-python": ">=3.8",
                "size": 10_000,
                "upload-time": "2020-01-01T00:00:00Z",
                "core-metadata": {"sha256": digest},
            }
        )
    return json.dumps(
        {"meta": {"api-version": "1.1"}, "name": name, "versions": list(releases), "files": files}
    ).encode()


class _Server(asyncio.Protocol):
    def __init__(self, world: World, pages: Mapping[str, bytes]) -> None:
        self._world = world
        self._pages = pages
        self._unread = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        *heads, self._unread = (self._unread + data).split(b"\r\n\r\n")
        for head in heads:
            self._transport.write(self._answer(head.split(b" ", 2)[1].decode()))

    def _answer(self, path: str) -> bytes:
        match path.strip("/").split("/"):
            case ["simple", name] if name in self._pages:
                body, kind, age = self._pages[name], b"application/vnd.pypi.simple.v1+json", b"max-age=600"
            case ["files", name, version, file] if file.endswith(".metadata"):
                requires = self._world.packages[name][version]
                body, kind, age = metadata(name, version, requires), b"text/plain", b"max-age=365000000, immutable"
            case _:
                return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        head = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nCache-Control: %s\r\nContent-Length: %d\r\n\r\n"
        return head % (kind, age, len(body)) + body


async def _serve(world: World, port: int) -> None:
    pages = {name: page(name, releases) for name, releases in world.packages.items()}
    server = await asyncio.get_running_loop().create_server(lambda: _Server(world, pages), "127.0.0.1", port)
    await server.serve_forever()


@contextlib.contextmanager
def served(growth: str, size: int) -> Iterator[str]:
    """The world of that size while the block runs; yields the URL of its simple API."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/simple/"
    with running([sys.executable, "-m", "benchmarks.worlds", growth, str(size), "--port", str(port)], url):
        yield url


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("growth", choices=WORLDS)
    parser.add_argument("size", type=int)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    asyncio.run(_serve(WORLDS[arguments.growth](arguments.size), arguments.port))


if __name__ == "__main__":
    main()
