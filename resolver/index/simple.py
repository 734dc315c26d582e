"""A project page of the simple API, in either form: bytes → :class:`~resolver.index.page.ProjectPage`.

Pages are written by strangers. Whatever the bytes, the answer is a page or :class:`MalformedPage`; one bad entry
costs that entry, not the page; and something that is no project page (a login form, another project) is never
read as "a project without versions".
"""

from __future__ import annotations

from .filename import normalised
from .links import BadLink, Links
from .malformed import MalformedPage, PageTooLarge, excerpt
from .page import ProjectPage
from .releases import group
from .simple_json import project_status, read_json

__all__ = ["ACCEPT", "MAX_PAGE", "MalformedPage", "PageTooLarge", "parse_page"]

ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"
"""What to ask for (PEP 691): JSON first, since it costs a third of HTML to read."""

MAX_PAGE = 64 << 20  # decoded bytes; the largest real pages have some 20 MB

_JSON = "application/vnd.pypi.simple.v1+json"
_HTML = ("application/vnd.pypi.simple.v1+html", "text/html")


def parse_page(body: bytes, content_type: str | None, url: str, name: str) -> ProjectPage:
    """Read the page of project ``name`` (normalised) that came from ``url`` (after redirects).

    Raises:
        MalformedPage: not a project page, another project's, or of a type that was not asked for.
        PageTooLarge: beyond a limit.
    """
    if len(body) > MAX_PAGE:
        raise PageTooLarge(f"a page of {len(body)} bytes; at most {MAX_PAGE} are read")
    kind = (content_type or "").partition(";")[0].strip().lower()
    try:
        links = Links(url)
    except BadLink as error:
        raise MalformedPage(f"the page's own URL is {error}") from None

    if kind in (_JSON, "application/json"):
        page = read_json(body, must_declare=kind != _JSON)
        said, entries, status = page.get("name"), page["files"], project_status(page)
    elif kind in _HTML:
        from .simple_html import read_html  # noqa: PLC0415 - few indexes need lxml, and a warm lock none

        html = read_html(body, content_type or "", url)
        said, entries, status, links = html.name, html.files, html.status, html.links or links
    else:
        came = f"content type {excerpt(kind)}" if kind else "no content type"
        raise MalformedPage(f"{came} came, a page of the simple API was expected ({_JSON} or text/html)")

    wanted = normalised(name) if name else normalised(said or "")
    if not wanted:
        raise MalformedPage("neither the request nor the page names a project")
    # A redirector or a cache that mixes things up must not pass one project off as another.
    if said and normalised(said) != wanted:
        raise MalformedPage(f"a page about {excerpt(said[:60])}, not about {wanted}")
    releases, skipped, skipped_count, sightings = group(entries, links, wanted)
    return ProjectPage(
        name=wanted,
        url=url,
        releases=releases,
        skipped=tuple(skipped),
        skipped_count=skipped_count,
        status=status,
        sightings=sightings,
    )
