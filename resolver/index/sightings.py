"""When files that give no upload time were first seen: what stands for the upload time of the many indexes without.

A file was uploaded before anyone could see it, so the instant at which a service first saw it is a bound that errs on
the safe side only. The instants are kept elsewhere, behind :class:`Ledger`; here is what a page knows of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Protocol


class Ledger(Protocol):
    """Remembers for good when files were first seen."""

    def note(
        self,
        view: tuple[str, ...],
        listed: Callable[[], Mapping[str, str]],
        tell: Callable[[Mapping[str, datetime]], None],
    ) -> Awaitable[None]:
        """Begin to note files that are seen now; whoever awaits the answer waits until their instants were told.

        ``view`` says whose eyes saw them, and on which page: what is known of one is never told to another.
        ``listed`` gives file name → what makes the file this one and no other. ``tell`` is given file name → when it
        was first seen: for each that was listed, or for none where nothing can be known. Both may be called in another
        thread. Raises nothing: what cannot be kept is lost.
        """
        ...


class Sightings:
    """The first sightings of one page's files, told once and fixed from then on.

    Whoever reads the page for a resolve that limits upload times waits until they are told.
    """

    __slots__ = ("_others", "_usual")

    def __init__(self) -> None:
        """Nothing is known yet."""
        self._usual: datetime | None = None
        self._others: Mapping[str, datetime] = {}

    def tell(self, seen: Mapping[str, datetime]) -> None:
        """Take what a ledger knows: file name → instant, for all of the page's files without an upload time."""
        if seen:
            # Nearly all files of a page were first seen together, and a page may have 30,000.
            usual = Counter(seen.values()).most_common(1)[0][0]
            self._others = {filename: instant for filename, instant in seen.items() if instant != usual}
            self._usual = usual

    def of(self, filename: str) -> datetime | None:
        """When the file, which gives no upload time, was first seen; None where nobody knows."""
        return self._others.get(filename, self._usual)
