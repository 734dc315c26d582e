"""The process that reads pages for a worker: it reads what the worker would, and ends with it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from resolver.driver import resolve
from resolver.environment.target import make_target
from resolver.index.gateway import Gateway
from resolver.index.malformed import MalformedPage, PageTooLarge
from resolver.index.page import ProjectPage
from resolver.index.reading import Here
from resolver.inputs import read_inputs
from resolver.model import Query
from resolver.provider.versions import VersionList
from service.page_reader import PageReader
from tests.fake_index import BASE, World
from tests.service.process import running
from tests.service.test_server import children
from tests.transport.server import index, reply
from transport.message import Index

JSON = "application/vnd.pypi.simple.v1+json"
URL = "https://index.example/simple/a/"


def page(versions: int, *, dated: bool = True) -> bytes:
    files = [
        {
            "filename": f"a-1.{number}{tail}",
            "url": f"../../files/a-1.{number}{tail}",
            "hashes": {"sha256": f"{number:064x}"},
            "core-metadata": {"sha256": f"{number + 1:064x}"},
            "requires-python": f">=3.{number % 9}",
            "yanked": "bröken" if number % 7 == 3 else False,
            **({"upload-time": "2024-01-02T03:04:05Z"} if dated else {}),
        }
        for number in range(versions)
        for tail in ("-py3-none-any.whl", ".tar.gz", ".exe")
    ]
    said = {"meta": {"api-version": "1.1"}, "name": "a", "files": [*files, {"filename": "b-1.0.zip", "url": "?"}]}
    return json.dumps(said).encode()


@pytest.fixture
def reader() -> Iterator[PageReader]:
    started = PageReader.start()
    assert started is not None
    yield started
    started.close()


def mates() -> set[int]:
    return set(children(os.getpid()))


def sockets(pid: int) -> int:
    held = [one.readlink() for one in Path(f"/proc/{pid}/fd").iterdir() if int(one.name) > 2]
    return len([one for one in held if str(one).startswith("socket:")])


# Python 3.12 warns of forks beside threads, which tests before this one may have left; a worker has none yet.
pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")


@pytest.mark.parametrize("dated", [True, False])
@pytest.mark.parametrize("versions", [0, 1, 3_000])
def test_another_process_reads_what_this_one_reads(reader: PageReader, versions: int, dated: bool) -> None:  # noqa: FBT001
    question = page(versions, dated=dated), JSON, URL, "a"
    (theirs, their_versions), (ours, our_versions) = reader.read(*question), Here().read(*question)
    assert theirs == ours
    assert list(theirs.releases) == list(ours.releases)
    assert theirs.signatures() == ours.signatures()
    assert (theirs.skipped, theirs.skipped_count) == (ours.skipped, ours.skipped_count)
    assert (theirs.sightings is None) == (ours.sightings is None)
    assert (their_versions.texts, their_versions.prereleases) == (our_versions.texts, our_versions.prereleases)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"{", JSON),
        (page(1).replace(b'"name": "a"', b'"name": "other"'), JSON),
        (b"<p>log in", "text/plain; q=\xc3\xa9".encode().decode("latin-1")),
        (b" " * (65 << 20), JSON),
    ],
)
def test_what_is_no_page_fails_in_the_same_words(reader: PageReader, body: bytes, content_type: str) -> None:
    with pytest.raises(MalformedPage) as here:
        Here().read(body, content_type, URL, "a")
    with pytest.raises(MalformedPage) as there:
        reader.read(body, content_type, URL, "a")
    assert str(there.value) == str(here.value)
    assert isinstance(there.value, PageTooLarge) == isinstance(here.value, PageTooLarge)


def test_without_its_reader_a_worker_reads_itself() -> None:
    before = mates()
    reader = PageReader.start()
    assert reader is not None
    (pid,) = mates() - before
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert reader.read(page(9), JSON, URL, "a")[1].count == 9
    assert reader.read(page(8), JSON, URL, "a")[1].count == 8
    assert mates() == before  # nothing is left of it
    reader.close()


def test_a_reader_that_hangs_is_given_up() -> None:
    before = mates()
    reader = PageReader.start(patience=0.2)
    assert reader is not None
    (pid,) = mates() - before
    os.kill(pid, signal.SIGSTOP)
    assert reader.read(page(9), JSON, URL, "a")[1].count == 9
    assert mates() == before
    reader.close()


async def test_a_server_has_its_large_pages_read_and_takes_its_reader_along(tmp_path: Path) -> None:
    metadata = b"Metadata-Version: 2.1\nName: a\nVersion: 1.0\n"
    promised = hashlib.sha256(metadata).hexdigest()
    body = page(1_000).replace(f"{1:064x}".encode(), promised.encode())
    answers = {
        "/simple/a/": reply(body, content_type=JSON),
        "/files/a-1.0-py3-none-any.whl.metadata": reply(metadata),
    }
    async with index(answers) as origin, running(tmp_path, f"{origin.url}/simple/") as server:
        assert server.process.pid is not None
        (mate,) = children(server.process.pid)
        assert sockets(mate) == 1  # that to the worker, none that listens
        assert (await server.lock("a==1.0"))[0] == 200
        server.process.kill()
        await asyncio.wait_for(server.process.communicate(), 30)  # until all who write there are gone


class Spy:
    """A reader that is noted down."""

    def __init__(self, at_once: int) -> None:
        self.at_once = at_once
        self.names: list[str] = []

    def read(self, body: bytes, content_type: str, url: str, name: str) -> tuple[ProjectPage, VersionList]:
        self.names.append(name)
        return Here().read(body, content_type, url, name)


@pytest.mark.parametrize(("at_once", "names"), [(0, ["a", "b"]), (1 << 20, [])])
async def test_only_pages_beyond_its_measure_are_given_to_a_reader(at_once: int, names: list[str]) -> None:
    spy = Spy(at_once)
    gateway = Gateway(World("a 1.0: b\nb 1.0"), reader=spy)
    target = make_target(name="linux", python="3.12", platform="linux")
    query = Query(read_inputs(requirements="a").requirements, (Index("main", BASE),), (target,))
    await resolve(query, gateway)
    assert sorted(spy.names) == names
