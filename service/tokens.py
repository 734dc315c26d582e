"""Bearer tokens of callers (RFC 6750), one per line in ``service.tokens_file``."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

from .problems import Problem
from .settings import SettingsError


class Tokens:
    """The accepted tokens, as digests: comparing takes equally long for all of them."""

    def __init__(self, digests: frozenset[bytes]) -> None:
        self._digests = digests

    @classmethod
    def read(cls, path: Path) -> Tokens:
        """Read a file; empty lines and lines that start with ``#`` do not count.

        Raises:
            SettingsError: it cannot be read, or holds no token.
        """
        try:
            lines = path.expanduser().read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"service.tokens_file {path} cannot be read: {type(error).__name__}") from None
        tokens = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
        if not tokens:
            raise SettingsError(f"service.tokens_file {path} holds no token, so nobody could ask")
        return cls(frozenset(hashlib.sha256(token.encode()).digest() for token in tokens))

    def check(self, authorization: str | None) -> None:
        """Accept the value of an ``Authorization`` header.

        Raises:
            Problem: ``unauthorized``.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Problem("unauthorized", "Send Authorization: Bearer and a token of this server")
        digest = hashlib.sha256(token.strip().encode("utf-8", "surrogateescape")).digest()  # as aiohttp read it
        if not any([hmac.compare_digest(digest, known) for known in self._digests]):  # noqa: C419 - no early end
            raise Problem("unauthorized", "The token is not one of this server's")
