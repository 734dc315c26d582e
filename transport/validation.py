"""Does a copy still hold? Our questions to an index, what to make of its 304, and the same for those who ask us."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .freshness import http_date

Headers = Mapping[str, str]

CONDITIONAL = frozenset({"if-none-match", "if-modified-since"})
"""Conditions of a caller that a copy can answer (RFC 9111 §4.3.2)."""
FOR_THE_ORIGIN = frozenset({"if-match", "if-range", "if-unmodified-since"})
"""Conditions that no copy answers: they are about the state of the origin (RFC 9111 §4.3.2), or bind a part to it."""

_MEMBER = re.compile(r'(?:"[^"]*"|[^",])+')


def conditions(headers: Headers) -> tuple[tuple[str, str], ...]:
    """Return the request headers that ask whether a stored response still holds (RFC 9111 §4.3.1).

    Weak tags too: ``If-None-Match`` compares weakly (RFC 9110 §13.1.2). ``If-Modified-Since`` rides along only
    where there is no tag, since a recipient must ignore it beside one.
    """
    if tag := headers.get("etag"):
        return (("if-none-match", tag),)
    if (modified := headers.get("last-modified")) and http_date(modified) is not None:
        return (("if-modified-since", modified),)
    return ()


def confirms(stored: Headers, answer: Headers) -> bool:
    """Whether a 304 speaks of the stored response (RFC 9111 §4.3.4).

    We sent exactly one stored validator, so a 304 that names none is about that one; a 304 that names another
    tag is about something that we do not have.
    """
    theirs, ours = answer.get("etag"), stored.get("etag")
    if theirs is not None and ours is not None:
        return theirs.removeprefix("W/") == ours.removeprefix("W/")
    return True


def is_unmodified(asked: Headers, stored: Headers, response_time: float) -> bool:
    """Whether a caller's conditions say that the stored response is what they have (RFC 9110 §13.2.2).

    Args:
        asked: the caller's header fields, lower-case names.
        stored: those of the response.
        response_time: epoch seconds when it arrived: its date where it names none (RFC 9111 §4.3.2).
    """
    if (wanted := asked.get("if-none-match")) is not None:  # and If-Modified-Since is ignored: RFC 9110 §13.1.3
        tags = {member.strip().removeprefix("W/") for member in _MEMBER.findall(wanted)}
        tag = stored.get("etag")
        return "*" in tags or (tag is not None and tag.removeprefix("W/") in tags)
    since = http_date(asked.get("if-modified-since"))
    if since is None:
        return False
    modified = http_date(stored.get("last-modified", stored.get("date")))
    return (response_time if modified is None else modified) <= since
