"""What a log line, an error text or a metric may say about a URL.

Two nets: :func:`redact` knows where secrets stand in URLs, :class:`KnownSecrets` knows the secrets themselves
and is laid over every finished text.
"""

from __future__ import annotations

import re
from urllib.parse import quote, quote_plus

_USERINFO = re.compile(r"(?<=://)[^/?#\s]*@")
_QUERY_VALUE = re.compile(r"(?<==)[^&#\s]+")
MASK = "****"
MIN_SECRET = 4  # a shorter "secret" would blank out ordinary words, and protects nothing


def redact(url: str) -> str:
    """Return ``url`` without userinfo and fragment, and with every query value masked.

    All values, not a list of names: each store of presigned URLs has its own (``X-Amz-…``, ``sig``, ``token``).
    """
    url = _USERINFO.sub(f"{MASK}@", url.partition("#")[0])
    head, mark, query = url.partition("?")
    return head + mark + _QUERY_VALUE.sub(MASK, query)


class KnownSecrets:
    """Secrets that were seen, to be blotted out of any text in whatever encoding they return."""

    LIMIT = 4096  # tokens in redirects are short-lived; the oldest leave first

    def __init__(self) -> None:
        self._spellings: dict[str, None] = {}

    def add(self, *secrets: str) -> None:
        """Remember ``secrets`` and the spellings in which a server may echo them."""
        for secret in secrets:
            if len(secret) < MIN_SECRET:
                continue
            for spelling in (secret, quote(secret, safe=""), quote_plus(secret)):
                self._spellings[spelling] = None
        while len(self._spellings) > self.LIMIT:
            del self._spellings[next(iter(self._spellings))]

    def scrub(self, text: str) -> str:
        """Return ``text`` with every known secret masked, the longest first."""
        hits = [spelling for spelling in self._spellings if spelling in text]
        for spelling in sorted(hits, key=len, reverse=True):
            text = text.replace(spelling, MASK)
        return text
