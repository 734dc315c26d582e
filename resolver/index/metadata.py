"""Core metadata (``METADATA``, ``PKG-INFO``): the headers that a resolver needs.

The format is that of mail headers (RFC 5322 §2.2, as the core metadata specification has it), read the way
:mod:`email.parser` reads it, in a tenth of the time: most of a metadata file is licence and description, and no
more of it is looked at than it takes to step over it.
"""

from __future__ import annotations

import re
import sys

from packaging.utils import canonicalize_name

from ..specifier import canonical_key
from .filename import MAX_VERSION, normalised, version_of
from .page import CoreMetadata

MAX_METADATA = 4 << 20  # bytes; the longest real descriptions have some 500 KB
MAX_REQUIREMENTS = 8_000  # the longest real lists have some 1,500, and so many sets of one project are remembered
MAX_FIELD = 64 << 10  # characters of one field that we need, continuation lines included

_SINGLE = frozenset({"metadata-version", "name", "version", "requires-python"})
_MULTIPLE = frozenset({"requires-dist", "provides-extra", "dynamic"})
_FIELDS = {field: field for field in _SINGLE | _MULTIPLE}
MAX_SPELLINGS, MAX_SPELLING = 1_000, 64  # of field names, and characters of one; there are some forty
_USUAL = {field.title(): field for field in _FIELDS} | _FIELDS
_SPELLINGS = dict(_USUAL)
"""As they were met → the field that is needed, ``""`` for any other."""
_KEY = re.compile(r"[!-9;-~]+", re.ASCII)  # RFC 5322 §2.2: printable, no colon, no space
_BLANK_LINE = re.compile(rb"\r\n\r\n|\n\n|\r\r|\n\r|\r\n\r")


class MalformedMetadata(ValueError):
    """The bytes are no core metadata that can be used; the text says why."""


def _head(body: bytes) -> str:
    """Return the headers, with line feeds only; undecodable bytes are read as Latin-1, as old writers meant them."""
    if len(body) > MAX_METADATA:
        raise MalformedMetadata(f"metadata of {len(body)} bytes; at most {MAX_METADATA} are read")
    end = body.find(b"\n\n")
    head = body[:end] if end != -1 else body
    if b"\r" in head:  # other line ends, which may make an earlier blank line
        other = _BLANK_LINE.search(head)
        head = head[: other.start()] if other is not None else head
        head = head.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    head = head.removeprefix(b"\xef\xbb\xbf")
    try:
        return head.decode("utf-8")
    except UnicodeDecodeError:
        return head.decode("latin-1")


def _fields(head: str) -> dict[str, list[str]]:
    """Collect the values of the fields that are needed, continuation lines folded into one by spaces."""
    found: dict[str, list[list[str]]] = {}
    value: list[str] | None = None  # lines of the field that a continuation line would belong to
    if head.startswith("\n"):
        return {}
    for line in head.split("\n"):
        key, colon, first = line.partition(":")
        field = _SPELLINGS.get(key)
        if field is None:
            if line[:1] in (" ", "\t"):
                if value is not None:
                    value.append(line.strip())
                continue
            value = None
            if line.startswith("From "):  # an mbox separator, which mail parsers step over
                continue
            if not colon or (key and not _KEY.fullmatch(key)):
                break  # no header: the body has begun without a blank line
            field = _FIELDS.get(key.lower(), "")
            if len(_SPELLINGS) < MAX_SPELLINGS and len(key) <= MAX_SPELLING:
                _SPELLINGS[key] = field
        elif not colon and key not in _USUAL:
            break
        if not field:
            value = None
            continue
        value = [first.strip()]
        found.setdefault(field, []).append(value)
    fields = {
        field: [lines[0] if len(lines) == 1 else " ".join(filter(None, lines)) for lines in values]
        for field, values in found.items()
    }
    if len(head) > MAX_FIELD and any(len(text) > MAX_FIELD for values in fields.values() for text in values):
        raise MalformedMetadata(f"a field of more than {MAX_FIELD} characters")
    return fields


def _one(fields: dict[str, list[str]], field: str) -> str:
    """Return the value of a field that may be given once; ``""`` where it is absent."""
    values = fields.get(field)
    if not values:
        return ""
    if len(values) > 1 and any(value != values[0] for value in values):
        raise MalformedMetadata(f"{field.title()} is given {len(values)} times, with different values")
    return values[0]


def parse_metadata(body: bytes) -> CoreMetadata:
    """Read core metadata of any version up to 2.x.

    Raises:
        MalformedMetadata: no valid Name or Version, a newer major Metadata-Version, or a limit exceeded.
    """
    fields = _fields(_head(body))
    name = normalised(_one(fields, "name"))
    if not name:
        raise MalformedMetadata("no valid Name field")
    version = _one(fields, "version")
    if len(version) > MAX_VERSION or canonical_key(version) is None:
        parsed = version_of(version)
        if parsed is None:
            raise MalformedMetadata("no valid Version field (PEP 440)")
        version = str(parsed)
    metadata_version = _one(fields, "metadata-version")
    major = metadata_version.partition(".")[0]
    if metadata_version and major not in ("1", "2"):  # a newer major version may mean anything
        raise MalformedMetadata("a Metadata-Version other than 1.x and 2.x")
    requires = fields.get("requires-dist", [])
    if len(requires) > MAX_REQUIREMENTS:
        raise MalformedMetadata(f"{len(requires)} Requires-Dist fields; at most {MAX_REQUIREMENTS} are read")
    extras = {str(canonicalize_name(extra)) for extra in fields.get("provides-extra", ()) if len(extra) <= 256}
    return CoreMetadata(
        name=name,
        version=version,
        # interned: the releases of a project repeat each other
        requires_dist=tuple([sys.intern(text) for text in requires if text]),
        requires_python=sys.intern(_one(fields, "requires-python")) or None,
        provides_extra=frozenset(extras - {""}),
        metadata_version=metadata_version,
        dynamic=frozenset([value.lower() for value in fields.get("dynamic", ())]),
    )
