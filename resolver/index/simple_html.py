"""The simple API's HTML form."""

from dataclasses import dataclass
from typing import Any
from .links import Links
from .malformed import MalformedPage


@dataclass
class HtmlPage:
    name: str | None
    files: list[dict[str, Any]]
    status: str | None
    links: Links | None


def read_html(body: bytes, content_type: str, url: str) -> HtmlPage:
    raise MalformedPage("HTML pages are not read yet")
