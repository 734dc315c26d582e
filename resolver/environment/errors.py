"""What the caller of an environment can get wrong."""

from __future__ import annotations

from collections.abc import Iterable


class TargetError(ValueError):
    """A target that cannot be understood; the message names the value and says what is accepted."""


def suggestion(value: str, accepted: Iterable[str]) -> str:
    """``; did you mean …?`` for a value that resembles an accepted one, else a full stop."""
    from difflib import get_close_matches  # noqa: PLC0415 - most values are known

    close = get_close_matches(value.lower(), list(accepted), n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(close)}?" if close else "."
