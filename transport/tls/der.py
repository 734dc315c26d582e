"""DER, as far as certificates need it (ITU-T X.690 §8.1): elements of a tag, a length and a value.

The standard library shows subject, dates and names of a certificate, but neither its key nor what it may be used
for. Bytes come from servers: every length is checked, nothing recurses on their behalf.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, OID = 0x01, 0x02, 0x03, 0x04, 0x06
UTC_TIME, GENERALIZED_TIME = 0x17, 0x18
SEQUENCE, SET = 0x30, 0x31

MAX_ELEMENTS = 4096  # in one element; a certificate for a thousand hosts has a thousand names
_TEXT = {  # tag of a string type: how its bytes are to be read (the ASCII types hold UTF-8 where they break the rules)
    0x0C: "utf-8",
    0x12: "utf-8",
    0x13: "utf-8",
    0x14: "latin-1",
    0x16: "utf-8",
    0x1A: "utf-8",
    0x1C: "utf-32-be",
    0x1E: "utf-16-be",
}


class Malformed(ValueError):
    """The bytes are not DER, or not what stands here in a certificate."""


@dataclass(frozen=True, slots=True)
class Element:
    """One element; ``whole`` is ``value`` with its tag and length in front."""

    tag: int
    value: bytes
    whole: bytes

    def of(self, tag: int) -> Element:
        """Return the element itself, which must have ``tag``."""
        if self.tag != tag:
            raise Malformed(f"an element of type {self.tag:#04x} stands where one of {tag:#04x} belongs")
        return self

    def parts(self) -> list[Element]:
        """Return the elements inside."""
        return list(elements(self.value))


def first(data: bytes) -> Element:
    """Return the element that ``data`` begins with.

    Raises:
        Malformed: there is none.
    """
    return _read(data, 0)


def elements(data: bytes) -> Iterator[Element]:
    """Yield the elements that follow one another in ``data``.

    Raises:
        Malformed: the bytes end inside an element, or there are more than :data:`MAX_ELEMENTS`.
    """
    at = 0
    for _ in range(MAX_ELEMENTS):
        if at == len(data):
            return
        element = _read(data, at)
        yield element
        at += len(element.whole)
    raise Malformed("too many elements")


def _read(data: bytes, at: int) -> Element:
    if len(data) - at < 2:
        raise Malformed("the bytes end inside an element")
    tag, length, start = data[at], data[at + 1], at + 2
    if tag & 0x1F == 0x1F:
        raise Malformed("a tag of several bytes")  # X.509 has none
    if length & 0x80:
        count = length & 0x7F
        if not 1 <= count <= 4 or len(data) - start < count:
            raise Malformed("a length that cannot be")
        length = int.from_bytes(data[start : start + count], "big")
        start += count
    end = start + length
    if end > len(data):
        raise Malformed("the bytes end inside an element")
    return Element(tag, data[start:end], data[at:end])


def text(element: Element) -> str:
    """Return the string in ``element``; what cannot be decoded is replaced.

    Raises:
        Malformed: it is of no string type.
    """
    encoding = _TEXT.get(element.tag)
    if encoding is None:
        raise Malformed("not a string")
    return element.value.decode(encoding, "replace")


def dotted(value: bytes) -> str:
    """Return an object identifier as numbers with dots (X.690 §8.19)."""
    arcs, arc = list[int](), 0
    for byte in value:
        arc = arc << 7 | byte & 0x7F
        if not byte & 0x80:
            arcs.append(arc)
            arc = 0
    if not arcs:
        raise Malformed("an empty object identifier")
    top = min(arcs[0] // 40, 2)
    return ".".join(map(str, [top, arcs[0] - 40 * top, *arcs[1:]]))
