"""What a request may ask for: index URLs, the floor under release age, and builds."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import unquote, urlsplit

from resolver.model import Builds, IndexStrategy, PolicyLimits
from transport.message import Index

from .problems import Problem
from .quantities import parse_moment
from .settings import PolicySettings, split_userinfo


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_below(url: str, prefix: str) -> bool:
    """Whether ``url`` has the origin of ``prefix`` and a path below it, however its dots are spelled."""
    one, other = urlsplit(url), urlsplit(prefix)
    if (one.scheme, one.hostname, one.port) != (other.scheme, other.hostname, other.port):
        return False
    path = one.path
    while (decoded := unquote(path)) != path:  # %252e%252e must not climb out of the prefix either
        path = decoded
    return one.path.startswith(other.path) and not {".", ".."} & set(path.replace("\\", "/").split("/"))


@dataclass(frozen=True, slots=True)
class Cutoff:
    """From when on releases do not count. ``age`` is given where the caller spoke of an age, not of an instant."""

    instant: datetime
    age: timedelta | None
    is_floor: bool = False
    """Whether it is the server's own, because the caller asked for a later one or none."""


class Policy:
    """The operator's rules at one moment."""

    def __init__(self, settings: PolicySettings, now: datetime) -> None:
        self._settings = settings
        self._now = now
        self._floor = None if settings.min_release_age is None else timedelta(seconds=settings.min_release_age)

    @property
    def now(self) -> datetime:
        """The moment."""
        return self._now

    def index(self, name: str, url: str, *, explicit: bool = False) -> Index:
        """Return the index that a request named by URL.

        Raises:
            ValueError: not an index URL.
            Problem: ``policy-denied``.
        """
        plain, credential = split_userinfo(url)
        rule = self._settings.index_urls
        if rule == "loopback":
            is_allowed = _is_loopback(plain)
        else:
            is_allowed = rule != "none" and any(_is_below(plain, prefix) for prefix in rule)
        if not is_allowed:
            raise Problem(
                "policy-denied",
                f"the request names an index by URL ({plain}), which policy.index_urls does not allow;"
                " name one of the server's indexes, or have the operator allow that URL",
                {"rule": "policy.index_urls", "value": list(rule) if isinstance(rule, tuple) else rule},
            )
        return Index(name=name, url=plain, credential=credential, explicit=explicit, configured=False)

    def cutoff(self, text: str | None, *, is_lifted: bool = False) -> Cutoff | None:
        """Return the cutoff that ``text`` asks for, or an earlier one if ``policy.min_release_age`` demands it.

        ``is_lifted``: the caller asks for no limit at all.
        """
        asked: Cutoff | None = None
        if text is not None and not is_lifted:
            moment = parse_moment(text)
            asked = Cutoff(moment, None) if isinstance(moment, datetime) else Cutoff(self._now - moment, moment)
        if self._floor is None:
            return asked
        floor = Cutoff(self._now - self._floor, self._floor, is_floor=True)
        return asked if asked is not None and asked.instant <= floor.instant else floor

    @property
    def limits(self) -> PolicyLimits:
        """What callers can reach at most, whatever they ask for."""
        return PolicyLimits(None if self._floor is None else self._now - self._floor, self._settings.builds)

    def index_strategy(self, asked: IndexStrategy) -> IndexStrategy:
        """Return the strategy that the caller asks for.

        Raises:
            Problem: ``policy-denied`` for one that merges indexes, unless the operator allows it.
        """
        if asked is not IndexStrategy.FIRST_INDEX and not self._settings.unsafe_index_strategies:
            raise Problem(
                "policy-denied",
                f'index_strategy = "{asked}" mixes versions of several indexes, so that a public package could take the'
                " place of a private one; this server does not do it unless policy.unsafe_index_strategies is set",
                {"rule": "policy.unsafe_index_strategies", "value": False},
            )
        return asked

    def builds(self, asked: str | None) -> Builds:
        """Return the build policy: the server's own unless the caller asks for less.

        Raises:
            Problem: ``policy-denied`` for more than the server does.
        """
        ranks = (Builds.NEVER.value, Builds.STATIC.value, "sandbox")
        if asked is None:
            return self._settings.builds
        if ranks.index(asked) > ranks.index(self._settings.builds.value):
            raise Problem(
                "policy-denied",
                f'builds = "{asked}" is more than this server does; it allows "{self._settings.builds}" at most',
                {"rule": "policy.builds", "value": self._settings.builds.value},
            )
        return Builds(asked)


def names(indexes: Iterable[Index]) -> str:
    """Return the names for an error message."""
    return ", ".join(index.name for index in indexes) or "none"
