"""How a command ends: the exit codes, and which problem means which."""

from __future__ import annotations

from collections.abc import Mapping

NEGATIVE = 1
"""The question was answered, and the answer is no: there is no solution."""
USAGE = 2
"""The command line, a file or the configuration has to change."""
UNAVAILABLE = 3
"""An index or the service did not do its part; the same command may work later."""
INTEGRITY = 4
"""Bytes are not those that were promised."""
POLICY = 5
"""Allowed to nobody, or not to this caller."""
INTERRUPTED = 130
"""128 + SIGINT, as a shell would say it."""

# Problem → exit code; what is not listed is decided by ``retryable``.
_OF_PROBLEM = {
    "resolution-impossible": NEGATIVE,
    "budget-exhausted": NEGATIVE,
    "hash-mismatch": INTEGRITY,
    "policy-denied": POLICY,
}


class CommandError(Exception):
    """Ends a command. ``text`` is for stderr; empty: everything was said already."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.text = text
        self.code = code


class Declined(Exception):
    """There is no lock; ``document`` is the problem document (RFC 9457) that says why."""

    def __init__(self, document: Mapping[str, object]) -> None:
        super().__init__(str(document.get("detail", "")))
        self.document = document

    @property
    def name(self) -> str:
        """The last part of ``type``."""
        return str(self.document.get("type", "")).rpartition("/")[2]

    @property
    def code(self) -> int:
        """The exit code."""
        if self.name in _OF_PROBLEM:
            return _OF_PROBLEM[self.name]
        return UNAVAILABLE if self.document.get("retryable") is True else USAGE
