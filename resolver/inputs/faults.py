"""Everything that is wrong with an input, collected before anything is said.

Invariant: no detail holds userinfo of a URL, a lone surrogate or a control character, whatever was read.
:meth:`Faults.add` is the one door, and cleans; :func:`quoted` is how a reader shows the caller's own text.
"""

from __future__ import annotations

import re

from ..errors import Fault, InvalidQuery, Place

# A caller mends a few faults at a time; a thousand make an answer that nobody reads.
MAX_FAULTS = 100
# Then reading on is a waste: a body may hold a million bad lines, and each costs some 15 µs.
MAX_COUNTED = 2000
# Enough of the caller's text to recognise the line.
MAX_QUOTE = 80
MAX_DETAIL = 600

_USERINFO = re.compile(r"(?<=://)\S*@")
_SECRET_START = re.compile(r"://|@")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")


class Faults:
    """A growing list of faults; at most :data:`MAX_FAULTS` are kept, the rest is counted."""

    __slots__ = ("_are_requirements", "_beyond", "_listed", "_omitted")

    def __init__(self) -> None:
        self._listed: list[Fault] = []
        self._beyond: Place | None = None
        self._omitted = 0
        self._are_requirements = True

    def __bool__(self) -> bool:
        return bool(self._listed)

    @property
    def is_hopeless(self) -> bool:
        """Whether so much is wrong that requirements need not be read any more."""
        return self._omitted >= MAX_COUNTED

    def add(self, place: Place, detail: str, *, is_requirement: bool = False) -> None:
        """Note a fault; ``is_requirement`` says that the text of one requirement is at fault."""
        self._are_requirements &= is_requirement
        if len(self._listed) < MAX_FAULTS:
            self._listed.append(Fault(place, printable(_USERINFO.sub("****@", detail))[:MAX_DETAIL]))
            return
        self._beyond = self._beyond or place
        self._omitted += 1

    def raise_if_any(self) -> None:
        """Raise what was collected.

        Raises:
            InvalidQuery: there is at least one fault.
        """
        if not self._listed:
            return
        faults = list(self._listed)
        if self._beyond is not None:
            count = "one more fault" if self._omitted == 1 else f"{self._omitted} more faults"
            count = f"at least {count}" if self.is_hopeless else count
            faults.append(Fault(self._beyond, f"and {count} from here on"))
        raise InvalidQuery(tuple(faults), is_requirement=self._are_requirements)


def printable(text: str) -> str:
    """Return ``text`` with a replacement character for each character that cannot be shown or encoded."""
    return text if text.isprintable() else "".join(char if char.isprintable() else "\ufffd" for char in text)


def quoted(text: str) -> str:
    """Return the beginning of ``text`` in quotes, cut before anything that may be a URL: userinfo starts there."""
    secret = _SECRET_START.search(text)
    end = min(MAX_QUOTE, secret.start() if secret else len(text))
    return f'"{text[:end].rstrip()}{"…" if end < len(text) else ""}"'


def listing(names: list[str]) -> str:
    """Return up to ten names for a remedy: ``a, b, c and 3 more``."""
    if not names:
        return "none"
    shown = ", ".join(sorted(names)[:10])
    return f"{shown} and {len(names) - 10} more" if len(names) > 10 else shown


def host_of(url: str) -> str | None:
    """Return the host of a URL, never its userinfo, however badly the URL is written; None where none is certain."""
    _scheme, separator, rest = url.partition("://")
    if not separator:
        return None
    # After the last "@": a password with a slash in it must not pass for a host.
    match = _HOST.match(rest.rpartition("@")[2])
    return match.group().lower() if match else None
