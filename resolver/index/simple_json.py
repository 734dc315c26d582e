"""The simple API's JSON form (PEP 691, 700, 792): bytes → checked dictionary."""

from __future__ import annotations

import re
from typing import Any

import orjson

from .malformed import MalformedPage, PageTooLarge, excerpt

MAX_DEPTH = 32  # real pages nest four deep
MAX_FILES = 200_000  # the largest real projects have some 30 000

# Of a page, whatever its entries are: sixty megabytes of ``[],`` are sixty kilobytes on the wire and two gigabytes of
# objects. An entry of a real page has two or three brackets and some fifteen commas.
MAX_BRACKETS, MAX_COMMAS = 4 * MAX_FILES, 20 * MAX_FILES

# A string ends at its quote, or where the text does: so no start is ever tried twice, and the scan stays linear.
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)', re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def check_depth(body: bytes) -> None:
    """Refuse JSON that nests deeper than :data:`MAX_DEPTH`, before a parser sees it.

    An honest page costs one pass of ``translate``: its brackets alone are taken off from the inside, and are gone
    in three rounds. Only where that fails (brackets in strings, or great depth) are strings told from structure.

    Raises:
        MalformedPage: it nests deeper.
    """
    brackets = body.translate(None, _NOT_BRACKETS)
    for _ in range(MAX_DEPTH // 2):  # a round takes off two levels at most: ``[{}]`` goes at once
        if not brackets:
            return
        brackets = brackets.replace(b"{}", b"").replace(b"[]", b"")
    depth = 0
    for bracket in _STRING.sub(b"", body).translate(None, _NOT_BRACKETS):
        if bracket in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise MalformedPage(f"JSON that nests more than {MAX_DEPTH} deep")
        else:
            depth -= 1


def check_values(body: bytes) -> None:
    """Refuse JSON of more values than a page may have, before a parser makes objects of them.

    Raises:
        PageTooLarge: it has more.
    """
    if len(body) > MAX_BRACKETS and (
        body.count(b"[") + body.count(b"{") > MAX_BRACKETS or body.count(b",") > MAX_COMMAS
    ):
        raise PageTooLarge(f"JSON of more values than a page of {MAX_FILES} files has")


def read_json(body: bytes, *, must_declare: bool) -> dict[str, Any]:
    """Return the page as a dictionary whose ``files`` is a list and whose ``name``, if any, is text.

    With ``must_declare`` (content type ``application/json``), the page has to say that it is a simple index page.

    Raises:
        MalformedPage: not JSON, not UTF-8, not an object of the right shape, or of another API major version.
        PageTooLarge: more than :data:`MAX_FILES` files, or values than so many have.
    """
    check_values(body)
    check_depth(body)
    try:
        page = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        # .msg: str(error) is longer, and .doc holds the page
        raise MalformedPage(f"not JSON: {error.msg[: MAX_DEPTH * 2]} at character {error.pos}") from None
    if not isinstance(page, dict):
        raise MalformedPage(f"JSON, but no object at its top: {type(page).__name__}")
    meta = page.get("meta")
    if meta is None and not must_declare:
        meta = {"api-version": "1.0"}  # some mirrors leave it out under the right content type
    if not isinstance(meta, dict) or not isinstance(meta.get("api-version"), str):
        raise MalformedPage("JSON without meta.api-version: not a page of the simple API (PEP 691)")
    if meta["api-version"].partition(".")[0] != "1":
        raise MalformedPage(f"version {excerpt(meta['api-version'][:20])} of the simple API; only 1.x is understood")
    files = page.get("files")
    if not isinstance(files, list):
        raise MalformedPage("JSON without a list of files: not a project page (PEP 691)")
    if len(files) > MAX_FILES:
        raise PageTooLarge(f"a page of {len(files)} files; at most {MAX_FILES} are read")
    if not isinstance(page.get("name", ""), str):
        raise MalformedPage("JSON whose name is no text")
    return page


def project_status(page: dict[str, Any]) -> str | None:
    """Return the project's status marker (PEP 792), None where it is active or not told."""
    status = page.get("project-status")
    marker = status.get("status") if isinstance(status, dict) else status
    return marker if marker in ("archived", "quarantined", "deprecated") else None
