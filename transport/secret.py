"""A string that does not print itself."""

from __future__ import annotations

import hmac


class Secret:
    """A password, token or passphrase; only :meth:`reveal` gives it away.

    ``repr``, ``str``, ``format`` and logging show ``****``; equality is constant-time, the hash is of the
    value so that a credential can key a pool or a cache partition.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value, to be used in the very expression that sends or digests it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('****')"

    def __str__(self) -> str:
        return "****"

    def __format__(self, _spec: str) -> str:
        return "****"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __reduce__(self) -> str:
        raise TypeError("a Secret cannot be pickled or copied")
