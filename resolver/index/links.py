"""Links of a project page, made absolute (RFC 3986 §5.2).

A page has thousands of links of three plain forms: absolute, ``/path`` and ``../../path``. These are joined here by
one concatenation; everything else takes the long way through :mod:`urllib.parse`, whose answer is the definition of
right for both.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

MAX_URL = 8192  # signed URLs of object stores stay below 2 KiB

_ODD = ("#", "?", ";", "@", "\\", " ", "\n", "//", "/.")  # what sends a link the long way


_CLEAN = re.compile(r"[!#-;=?-Z_a-z~\[\]]+", re.ASCII)


class BadLink(ValueError):
    """The link cannot be fetched; the text says why without quoting it."""


def without_userinfo(url: str) -> str:
    """Return ``url`` without userinfo and fragment.

    Raises:
        BadLink: not http or https, or no host.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        raise BadLink("a link that is no URL") from None
    if parts.scheme not in ("http", "https"):
        raise BadLink("a link whose scheme is neither http nor https")
    if not host:
        raise BadLink("a link without a host")
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, parts.query, ""))


def quoted(url: str) -> str:
    """Return ``url`` with whatever no URL holds (RFC 3986 §2) percent-encoded: spaces, control characters, letters."""
    return url if _CLEAN.fullmatch(url) else quote(url, safe="!#$%&'()*+,/:;=?@[]~")


class Links:
    """Joins the links of one page to its base URL, and takes userinfo and fragment off them."""

    __slots__ = ("_base", "_parents", "_root")

    def __init__(self, base: str) -> None:
        """``base`` is the page's absolute URL.

        Raises:
            BadLink: ``base`` is no http(s) URL.
        """
        self._base = without_userinfo(base)
        self._root = urljoin(self._base, "/")[:-1]
        # the directory that "../" k times leads to; beyond the root it stays there
        depth = urlsplit(self._base).path.count("/")
        self._parents = tuple(urljoin(self._base, "../" * up + "x")[:-1] for up in range(min(depth, 8) + 1))

    def join_plain(self, links: Sequence[str]) -> list[str] | None:
        """Join all ``links`` at once, where all have the same plain form; None where they have not.

        One search and one replacement over all of them together: a tenth of the time that joining each takes.
        """
        first = links[0] if links else ""
        if first.startswith("https://"):
            form, base = "https://", "https://"
        elif first.startswith("../../") and len(self._parents) > 2:
            form, base = "../../", self._parents[2]
        elif first.startswith("/"):
            form, base = "/", self._root + "/"
        else:
            return None
        rests = ("\n" + "\n".join(links)).split("\n" + form)[1:]
        slashed = "/" + "/".join(rests) + "/"
        # "//" is also an empty rest or segment, "/." a dot segment or a rest that begins with one
        if len(rests) != len(links) or any(odd in slashed for odd in _ODD) or max(map(len, links)) > MAX_URL:
            return None
        return [base + rest for rest in rests]

    def join(self, link: str) -> str:
        """Return ``link`` absolute, of scheme http or https, without userinfo and fragment.

        Raises:
            BadLink: it is no URL, or not of these schemes, or too long.
        """
        plain = self.join_plain((link,))
        return plain[0] if plain is not None else self._join_any(link)

    def _join_any(self, link: str) -> str:
        if len(link) > MAX_URL:
            raise BadLink(f"a link of {len(link)} characters; at most {MAX_URL} are allowed")
        # browsers read a backslash as a slash, RFC 3986 forbids it: what two readers see differently is refused
        if "\\" in link or not link.isprintable():
            raise BadLink("a link with a backslash or control characters")
        link = link.strip().partition("#")[0]
        if not link:
            raise BadLink("an empty link")
        try:
            joined = urljoin(self._base, link)
        except ValueError:
            raise BadLink("a link that is no URL") from None
        return without_userinfo(joined)
