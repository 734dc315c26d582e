"""The simple API's HTML form (PEP 503, 592, 629, 658, 714, 792): bytes → entries in the shape of the JSON form.

libxml2 tokenises, in linear time but for one thing: an end tag that matches nothing searches the whole stack of
open elements, so a page of ``<x></y>`` costs quadratic time (half a minute for a megabyte). Hence the cap on depth.
No tree is built: a page has thousands of anchors, and nothing else in it matters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from lxml import etree

from .links import BadLink, Links
from .malformed import MalformedPage, PageTooLarge, excerpt
from .simple_json import MAX_FILES

MAX_DEPTH = 256  # open elements; real pages nest five deep
MAX_ELEMENTS = 4 * MAX_FILES  # an anchor, a line break, and room for list markup
MAX_ATTRIBUTES = 64  # of one element; anchors have up to eight
_PIECE = 64 << 10  # bytes fed at once, so that a limit stops the work soon

_CHARSET = re.compile(r"""charset\s*=\s*["']?([A-Za-z0-9_.:-]{1,40})""", re.IGNORECASE)
_CHARSETS = {"utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "latin-1", "latin1", "windows-1252"}
_MARKUP = re.compile(r"<(?:!doctype|html|head|body|title|h1|a)\b", re.IGNORECASE)
_TITLE = re.compile(r"\s*links for\s+(\S{1,256})\s*", re.IGNORECASE)
_HASH = re.compile(r"([a-z0-9_]{1,32})=([0-9a-fA-F]{8,256})", re.ASCII)


@dataclass(frozen=True, slots=True)
class HtmlPage:
    """What the page says."""

    name: str | None
    """Of the title ``Links for NAME`` that nearly every index writes; None where the page has another."""
    files: list[dict[str, Any]]
    """As in the JSON form."""
    status: str | None
    links: Links | None
    """Joins to the page's ``<base>``; None where it has none."""


class _Stop(Exception):
    """A limit; raised in a callback, where it ends the parse."""


class _Reader:
    """Receives libxml2's events."""

    def __init__(self) -> None:
        self.anchors: list[dict[str, str]] = []
        self.base: str | None = None
        self.metas: dict[str, str] = {}
        self.title = ""
        self.has_password = self.has_form = self.has_script = False
        self.fault: MalformedPage | None = None
        self._in_title = False
        self._depth = 0
        self._elements = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._depth += 1
        self._elements += 1
        if self._depth > MAX_DEPTH:
            self._stop(MalformedPage(f"HTML that nests more than {MAX_DEPTH} deep"))
        if self._elements > MAX_ELEMENTS or len(attributes) > MAX_ATTRIBUTES:
            self._stop(
                PageTooLarge(f"HTML of more than {MAX_ELEMENTS} elements, or one of {MAX_ATTRIBUTES} attributes")
            )
        if tag == "a":
            if "href" in attributes:
                self.anchors.append(dict(attributes))
        elif tag == "meta":
            self.metas.setdefault(attributes.get("name", "").lower(), attributes.get("content", ""))
        elif tag == "base":
            if self.base is None:  # the first with an href counts (HTML §4.2.3)
                self.base = attributes.get("href")
        elif tag == "title":
            self._in_title = not self.title
        elif tag == "form":
            self.has_form = True
        elif tag == "script":
            self.has_script = True
        elif tag == "input" and attributes.get("type", "").lower() == "password":
            self.has_password = True

    def end(self, tag: str) -> None:
        self._depth -= 1
        if tag == "title":
            self._in_title = False

    def data(self, text: str) -> None:
        if self._in_title and len(self.title) < 1000:
            self.title += text

    def close(self) -> None:
        """Nothing is built."""

    def _stop(self, fault: MalformedPage) -> None:
        self.fault = fault
        raise _Stop


def _text(body: bytes, content_type: str) -> str:
    """Decode the page: the charset of the header, else UTF-8, and nothing is guessed."""
    said = _CHARSET.search(content_type)
    charset = said[1].lower() if said else "utf-8"
    if charset not in _CHARSETS:
        raise MalformedPage(f"HTML in the character set {excerpt(charset)}; UTF-8 is expected")
    try:
        return body.decode(charset).removeprefix("\N{BYTE ORDER MARK}")
    except UnicodeDecodeError as error:
        raise MalformedPage(f"HTML that is not {charset}: at byte {error.start}") from None


def _scan(text: str) -> _Reader:
    reader = _Reader()
    target: Any = reader  # the stubs want every method that a target may have
    parser = etree.HTMLParser(target=target, encoding="utf-8", huge_tree=True)  # huge: our own limits apply
    body = text.encode()
    try:
        for at in range(0, len(body), _PIECE):
            parser.feed(body[at : at + _PIECE])
        parser.close()
    except _Stop:
        assert reader.fault is not None
        raise reader.fault from None
    except (etree.LxmlError, ValueError) as error:
        raise MalformedPage(f"not HTML: {excerpt(str(error)[:60])}") from None
    return reader


def read_html(body: bytes, content_type: str, url: str) -> HtmlPage:
    """Read a project page that came from ``url``.

    A project may have no files; a page that has none, and a form or a script instead, is somebody's login or start
    page. To take it for an empty project would turn a wrong URL or an expired token into "no versions".

    Raises:
        MalformedPage: it is no page of the simple API 1.x.
        PageTooLarge: it has too many anchors or elements.
    """
    if b"\0" in body:
        raise MalformedPage(f"HTML with a zero byte, at {body.index(0)}")
    text = _text(body, content_type)
    if not _MARKUP.search(text):
        raise MalformedPage("an empty page, or one without HTML in it")
    reader = _scan(text)
    version = reader.metas.get("pypi:repository-version", "1.0")  # PEP 629: absent means 1.0
    if version.partition(".")[0] != "1":
        raise MalformedPage(f"version {excerpt(version[:20])} of the simple API; only 1.x is understood")
    links = None
    if reader.base:
        try:
            links = Links(Links(url).join(reader.base))
        except BadLink as error:
            raise MalformedPage(f"its <base> is {error}") from None
    if len(reader.anchors) > MAX_FILES:
        raise PageTooLarge(f"a page of {len(reader.anchors)} links; at most {MAX_FILES} are read")
    files = [entry for anchor in reader.anchors if (entry := _entry(anchor)) is not None]
    if not files and "pypi:repository-version" not in reader.metas:
        for is_foreign, what in ((reader.has_password, "a login page"), (reader.has_form, "a page with a form")):
            if is_foreign:
                raise MalformedPage(f"{what}, not a project page: check the index's URL and credentials")
        if reader.has_script and not _TITLE.fullmatch(reader.title):
            raise MalformedPage("a page of scripts without links, not a project page: check the index's URL")
    said = _TITLE.fullmatch(reader.title)
    status = reader.metas.get("pypi:project-status")  # PEP 792
    return HtmlPage(
        name=said[1] if said else None,
        files=files,
        status=status if status in ("archived", "quarantined", "deprecated") else None,
        links=links,
    )


def _entry(anchor: dict[str, str]) -> dict[str, Any] | None:
    """Turn an anchor into an entry of PEP 691; None where it links to no file (a directory, a page).

    The file name is the last segment of the link's path, percent-decoded once (PEP 503).
    """
    href = anchor["href"].strip()
    link, _, fragment = href.partition("#")
    filename = unquote(link.partition("?")[0].rpartition("/")[2])
    if not filename or "." not in filename.strip("."):
        return None
    entry: dict[str, Any] = {"filename": filename, "url": link, "hashes": _hash(fragment) or {}}
    requires_python = anchor.get("data-requires-python")
    if requires_python:
        entry["requires-python"] = requires_python
    if "data-yanked" in anchor:
        entry["yanked"] = anchor["data-yanked"] or True
    # PEP 714: the newer name wins where both are given
    core = anchor.get("data-core-metadata", anchor.get("data-dist-info-metadata"))
    if core is not None:
        entry["core-metadata"] = _hash(core) or core.strip().lower() == "true"
    if "data-upload-time" in anchor:  # not in any PEP; some mirrors send it
        entry["upload-time"] = anchor["data-upload-time"]
    size = anchor.get("data-size", "")
    if size.isdecimal() and size.isascii() and len(size) < 16:
        entry["size"] = int(size)
    return entry


def _hash(text: str) -> dict[str, str] | None:
    """Read ``algorithm=hex``; of a fragment with several parameters (``&``), the first that is a hash."""
    for part in text.split("&", 8)[:8]:
        match = _HASH.fullmatch(part)
        if match is not None:
            return {match[1]: match[2].lower()}
    return None
