"""Pages that cannot be read, and how much of them an error may repeat."""

from __future__ import annotations

MAX_EXCERPT = 80  # characters of a page in an error: enough to recognise it, too little to carry a secret or a flood


class MalformedPage(ValueError):
    """The bytes are no project page; the text gives the reason, and the offset where it is known."""


class PageTooLarge(MalformedPage):
    """The page exceeds a limit of ours."""


def excerpt(text: str) -> str:
    """Quote the start of ``text``, with everything that does not print escaped, in at most 80 characters."""
    shown = ascii(text[:MAX_EXCERPT])
    return shown if len(shown) <= MAX_EXCERPT else shown[: MAX_EXCERPT - 1] + "…"
