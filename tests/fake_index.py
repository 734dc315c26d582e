"""A tiny notation for indexes, and a fetcher that serves one: the transport's interface without a network.

    World('''
        a 2.0: b>=2, c; python_version < '3.12'
        a 1.0 [fast]: d
        b 1.0 yanked
        b 2.0 py>=3.13
        c 1.0 sdist
    ''')

One line a release: name, version, then any of ``yanked``, ``sdist`` (no wheel), ``py<specifier>`` (Requires-Python),
``tag:<wheel tag>``, ``at:<upload time>``; after the colon requirements, separated by `` & `` (or a comma where no
specifier has one). ``name version [extra]: ...`` adds an extra to a release that was given before.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import io
import random
import tarfile
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import orjson

from transport.message import Index, Request, Response

BASE = "https://index.example/simple/"
FILES = "https://index.example/files/"


@dataclass
class FakeRelease:
    """One release of the world."""

    name: str
    version: str
    flags: list[str] = field(default_factory=list)
    requires: list[str] = field(default_factory=list)
    extras: dict[str, list[str]] = field(default_factory=dict)

    def flag(self, prefix: str) -> str | None:
        return next((one[len(prefix) :] for one in self.flags if one.startswith(prefix)), None)

    @property
    def metadata(self) -> bytes:
        lines = ["Metadata-Version: 2.2", f"Name: {self.name}", f"Version: {self.version}"]
        python = self.flag("py")
        if python:
            lines.append(f"Requires-Python: {python}")
        lines += [f"Requires-Dist: {one}" for one in self.requires]
        for extra, requires in self.extras.items():
            lines.append(f"Provides-Extra: {extra}")
            for one in requires:
                text, _, marker = one.partition(";")
                condition = f"({marker.strip()}) and extra == '{extra}'" if marker else f"extra == '{extra}'"
                lines.append(f"Requires-Dist: {text.strip()} ; {condition}")
        return ("\n".join(lines) + "\n\n").encode()

    @property
    def filename(self) -> str:
        stem = f"{self.name.replace('-', '_')}-{self.version}"
        return f"{stem}.tar.gz" if "sdist" in self.flags else f"{stem}-{self.flag('tag:') or 'py3-none-any'}.whl"

    @property
    def sdist_bytes(self) -> bytes:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            info = tarfile.TarInfo(f"{self.name.replace('-', '_')}-{self.version}/PKG-INFO")
            info.size = len(self.metadata)
            archive.addfile(info, io.BytesIO(self.metadata))
        # It is made anew for the page and for the file: with the time in its header (RFC 1952 §2.3.1) they may differ.
        return gzip.compress(buffer.getvalue(), mtime=0)


def html_page(files: list[dict[str, Any]]) -> bytes:
    """A page of the simple API as HTML (PEP 503), from the entries of one as JSON."""
    anchors = [
        '<a href="{url}#sha256={hashes[sha256]}"{core}>{filename}</a><br>'.format(
            **one, core=' data-core-metadata="true"' if "core-metadata" in one else ""
        )
        for one in files
    ]
    return "\n".join(["<!DOCTYPE html><html><body>", *anchors, "</body></html>"]).encode()


def _split(text: str) -> list[str]:
    separator = " & " if " & " in text else ", "
    return [one.strip() for one in text.split(separator) if one.strip()]


class World:
    """An index in the notation above. Obeys :class:`transport.fetch.Fetcher`."""

    def __init__(self, text: str, *, seed: int | None = None, html: bool = False) -> None:
        """``seed``: answers come in a shuffled order (each waits a seeded number of loop turns).

        ``html``: pages are HTML, which has no upload times.
        """
        self.html = html
        self.releases: dict[tuple[str, str], FakeRelease] = {}
        self.requests: Counter[str] = Counter()
        self._random = None if seed is None else random.Random(seed)
        self.files: dict[str, bytes] = {}
        for line in text.strip().splitlines():
            head, _, requires = line.strip().partition(": ")
            words = head.split()
            name, version, flags = words[0], words[1], words[2:]
            if flags and flags[0].startswith("["):
                self.releases[name, version].extras[flags[0].strip("[]")] = _split(requires)
            else:
                self.releases[name, version] = FakeRelease(name, version, flags, _split(requires))

    @property
    def index(self) -> Index:
        return Index("world", BASE, default=True)

    async def partition(self, index: Index) -> str:
        del index
        return "public"

    async def fetch(self, request: Request) -> Response:
        if self._random is not None:
            for _ in range(self._random.randrange(6)):
                await asyncio.sleep(0)
        self.requests[request.url] += 1
        status, kind, body = self._answer(request.url)
        digest = hashlib.sha256(body).hexdigest()
        return Response(status, request.url, {"content-type": kind}, body, digest, "public")

    def _answer(self, url: str) -> tuple[int, str, bytes]:
        if url.startswith(BASE):
            name = url.removeprefix(BASE).strip("/")
            releases = [one for one in self.releases.values() if one.name == name]
            if not releases:
                return 404, "text/plain", b""
            page = self._page(name, releases)
            if self.html:
                return 200, "text/html", html_page(page["files"])
            return 200, "application/vnd.pypi.simple.v1+json", orjson.dumps(page)
        filename = url.removeprefix(FILES)
        for release in self.releases.values():
            if filename == f"{release.filename}.metadata":
                return 200, "text/plain", release.metadata
            if filename == release.filename and "sdist" in release.flags:
                return 200, "application/gzip", release.sdist_bytes
        if filename in self.files:
            return 200, "application/zip", self.files[filename]
        return 404, "text/plain", b""

    def _page(self, name: str, releases: list[FakeRelease]) -> dict[str, Any]:
        files: list[dict[str, object]] = []
        for one in releases:
            is_sdist = "sdist" in one.flags
            content = one.sdist_bytes if is_sdist else one.metadata
            entry: dict[str, object] = {
                "filename": one.filename,
                "url": FILES + one.filename,
                "hashes": {"sha256": hashlib.sha256(content).hexdigest()},
                "yanked": "broken" if "yanked" in one.flags else False,
                "size": 1000,
            }
            if not is_sdist:
                entry["core-metadata"] = {"sha256": hashlib.sha256(one.metadata).hexdigest()}
            python = one.flag("py")
            if python:
                entry["requires-python"] = python
            time = one.flag("at:")
            if time:
                entry["upload-time"] = time
            files.append(entry)
        return {"meta": {"api-version": "1.1"}, "name": name, "files": files}
