"""How long it may be taken for granted that an index does not have a page: 404 and 410.

With several indexes each warm lock would otherwise ask the first one about every name of the others. RFC 9111 §4.2.2
allows a lifetime where a 404 names none. Ours is short, and so is the longest: when the first index gets a name that a
later one has as well, the later one goes on to be believed for as long. Nothing of it is kept as a copy, so that it
never stands in for an index that is down.
"""

from __future__ import annotations

from collections.abc import Mapping

from . import freshness
from .freshness import Policy
from .message import Kind

STATUSES = frozenset({404, 410})
SILENT = 60.0  # seconds, where neither the index nor the operator says anything; one CI run's worth of locks
LONGEST = 600.0  # seconds, whatever is said: a name that appears is noticed within ten minutes

_WORTH = Policy(statuses=STATUSES)


def absent_for(
    status: int, headers: Mapping[str, str], *, request_time: float, response_time: float, override: str | None
) -> float:
    """For how many seconds from the response on a page that was answered with ``status`` is not there.

    Args:
        status: its status code.
        headers: its header fields, lower-case names.
        request_time: epoch seconds when the request left.
        response_time: epoch seconds when the response arrived.
        override: the operator's ``Cache-Control`` for pages of this index.
    """
    if status not in STATUSES:
        return 0.0
    terms = freshness.assess(
        *(status, headers),
        kind=Kind.PAGE,
        request_time=request_time,
        response_time=response_time,
        override=override,
        policy=_WORTH,
    )
    if terms.always_ask or not terms.storable:
        return 0.0
    control = freshness.directives(headers.get("cache-control") if override is None else override)
    is_silent = "max-age" not in control and (override is not None or "expires" not in headers)
    lifetime = SILENT if is_silent and not terms.lifetime else terms.lifetime
    return max(0.0, min(lifetime, LONGEST) - terms.initial_age)
