"""What the facts of a page are known by."""

from __future__ import annotations

from typing import NamedTuple, Self

from transport.message import Index, Response


class PageKey(NamedTuple):
    """All that a page's facts follow from; its index belongs to it, because a project says whose it is."""

    partition: str
    digest: str
    """Of the body, hex."""
    url: str
    content_type: str
    name: str
    index_name: str
    index_url: str

    @classmethod
    def of(cls, response: Response, name: str, index: Index) -> Self:
        """Return the key of the page that ``response`` is, whether or not its body is there."""
        content_type = response.headers.get("content-type", "")
        return cls(response.partition, response.digest, response.url, content_type, name, index.name, index.url)

    @property
    def of_record(self) -> tuple[str, ...]:
        """What a record of the page is known by: all that a parser is told, whatever the index is called."""
        return self[:5]
